# `make demo` and `make test` set up .venv by themselves; a second run installs nothing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The libraries that `make bench-sae` compares with keep to an environment of their own.
SAE_VENV := .venv-sae
# What builds and checks the distributions keeps to one too; torch is not in it.
DIST_VENV := .venv-dist
SAE_PIP  := $(SAE_VENV)/bin/python -m pip --disable-pip-version-check --quiet

# Shapes and types of every call, checked while the tests run: four times slower, so that `make test` does without.
CHECKED := --jaxtyping-packages=inrlens,beartype.beartype

.PHONY: demo test test-all test-elsewhere test-browser faults fuzz docs pages chromium lint types layers unit format dist \
	bench-fit bench-sae bench-study clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo    fit the bundled photographs, measure what transfers, write runs/demo/report.html"
	@echo "make test    lint, types, layering and the tests, without the slow ones"
	@echo "make test-all       every test, slow ones too, with the shapes and types of every call checked"
	@echo "make test-elsewhere the tests of numbers as other processors and thread counts would run them, a line for each"
	@echo "make faults         puts faults into a copy of the code, one by one: does a test fail? (about an hour)"
	@echo "make fuzz           damaged files, studies, stores and command lines through the readers (N=2000 of them)"
	@echo "make docs    build the documentation's site into site/; a broken link or a stale docstring is an error"
	@echo "make pages   write the pages that are made from the code anew: docs/cli and docs/api"
	@echo "make test-browser  the explorer's tests alone, in Chromium; installs Debian's package where there is none"
	@echo "make dist    build wheel and sdist into dist/, check both, run the wheel's demo elsewhere (QUICK=1: a small one)"
	@echo "make format  rewrite the code in the house format"
	@echo "make bench-fit  time a fitting step, and the fast recipe, against the field's loop (QUICK=1: the step alone)"
	@echo "make bench-sae  time a dictionary step, what it is worth, and the atlas, against the field (QUICK=1: no libraries)"
	@echo "make bench-study  time a study's machinery beside its cells, two workers against one, and a large store"
	@echo "make clean   remove the virtual environment and caches"

demo: $(VENV)/.core
	$(BIN)/inrlens demo --out runs/demo --force

# The types are checked while the first tests run: one core alone would keep the other waiting.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j 2 lint layers types unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/ruff check src tests benchmarks tools

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadscope -rs

test-all: lint types layers
	$(BIN)/python -m pytest -n 2 --dist loadscope -rs -m "" $(CHECKED)

test-elsewhere: $(VENV)/.dev
	$(BIN)/python tools/elsewhere.py

faults: $(VENV)/.dev
	$(BIN)/python tools/faults.py

fuzz: $(VENV)/.dev
	$(BIN)/python tools/fuzz.py -n $(or $(N),2000)

docs: pages $(VENV)/.docs
	$(BIN)/python tools/build_site.py

pages: $(VENV)/.core
	$(BIN)/python tools/reference_pages.py

test-browser: chromium $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadscope -rs -m "" tests/explorer/page tests/docs/test_site_browser.py

# The names, and the variable that may give another, are those of tests/support/browser.py.
chromium:
	@for name in "$${INRLENS_CHROMIUM:-}" chromium chromium-browser google-chrome; do \
		if [ -n "$$name" ] && command -v "$$name" >/dev/null; then exit 0; fi; \
	done; \
	command -v apt-get >/dev/null || \
		{ echo "There is no apt-get here: install Chromium or Chrome with your system's package manager."; exit 1; }; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "Installing Chromium, Debian's package, which the explorer's tests run in ..."; \
	$$sudo apt-get update -qq && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null

format: $(VENV)/.dev
	$(BIN)/ruff format src tests benchmarks tools
	$(BIN)/ruff check --fix src tests benchmarks tools

ifdef QUICK
bench-fit: $(VENV)/.bench
	$(BIN)/python benchmarks/fit_steps.py --quick
else
bench-fit: $(VENV)/.bench
	$(BIN)/python benchmarks/fit_steps.py --csv benchmarks/results/fit_steps.csv
	$(BIN)/python benchmarks/fit_memory.py --csv benchmarks/results/fit_memory.csv
	$(BIN)/python benchmarks/fit_quality.py --csv benchmarks/results/fit_quality.csv
endif

ifdef QUICK
bench-sae: $(VENV)/.core
	$(BIN)/python benchmarks/dictionary_step.py --quick
	$(BIN)/python benchmarks/atlas.py --checked 4
else
bench-sae: $(SAE_VENV)/.peers
	$(SAE_VENV)/bin/python benchmarks/dictionary_step.py --csv benchmarks/results/dictionary_step.csv
	$(SAE_VENV)/bin/python benchmarks/atlas.py --csv benchmarks/results/atlas.csv
	$(SAE_VENV)/bin/python benchmarks/dictionary_quality.py --steps 200 --csv benchmarks/results/dictionary_quality.csv
endif

bench-study: $(VENV)/.core
	$(BIN)/python benchmarks/study_overhead.py
	$(BIN)/python benchmarks/study_overhead.py --scaling --seconds 3 --cells 24
	$(BIN)/python benchmarks/study_overhead.py --store 10000

clean:
	rm -rf $(VENV) $(SAE_VENV) $(DIST_VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache site

# `build` makes the sdist, and the wheel from the sdist; the demo runs from the installed wheel in a folder of its own.
ifdef QUICK
dist: DEMO := --size 16x20 --steps 0.02 --heldout 1
endif
dist: $(DIST_VENV)/.tools
	rm -rf dist
	$(DIST_VENV)/bin/cffconvert --validate -i CITATION.cff
	$(DIST_VENV)/bin/python -m build --no-isolation --outdir dist
	$(DIST_VENV)/bin/twine check --strict dist/*
	$(DIST_VENV)/bin/python tools/check_distributions.py dist
	@away=$$(mktemp -d) && trap 'rm -rf "$$away"' EXIT && wheel=$$(realpath dist/*.whl) && pins=$$(realpath constraints.txt) && \
		$(PYTHON) -m venv "$$away/venv" && cd "$$away" && \
		echo "Installing $$(basename "$$wheel") into a new environment ..." && \
		venv/bin/python -m pip --disable-pip-version-check --quiet install -c "$$pins" "$$wheel" && \
		venv/bin/inrlens --version && venv/bin/inrlens demo --out demo $(DEMO) && test -s demo/report.html

$(DIST_VENV)/.tools: constraints.txt | $(DIST_VENV)/bin/python
	$(DIST_VENV)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints.txt \
		build cffconvert hatchling twine
	@touch $@

$(BIN)/python $(SAE_VENV)/bin/python $(DIST_VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "InrLens needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing InrLens and its pinned libraries into $(VENV) (once; torch alone takes some 700 MB of disk) ..."
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.bench: $(VENV)/.core
	$(PIP) install -c constraints.txt -e '.[bench]'
	@touch $@

# Without what the libraries depend on, but for what their trainers import: the pins name it.
$(SAE_VENV)/.peers: pyproject.toml constraints.txt benchmarks/sae_peers.txt | $(SAE_VENV)/bin/python
	@echo "Installing InrLens and the libraries it is compared with into $(SAE_VENV) (once; 1.8 GB of disk) ..."
	$(SAE_PIP) install -c constraints.txt -e .
	$(SAE_PIP) install --no-deps -r benchmarks/sae_peers.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	@echo "Installing what builds the site into $(VENV) (once) ..."
	$(PIP) install -c constraints.txt -e '.[docs]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing the development tools into $(VENV) (once) ..."
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
