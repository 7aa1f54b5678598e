"""The rest of a network in the browser against the same edit in Python."""

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.encoding import FourierProjection

pytest.importorskip("playwright", reason="needs Playwright and Chromium: make test-browser installs them")

from playwright.sync_api import Error, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: make test-browser installs it")

FOLDER = Path(il.__file__).parent / "explorer" / "page" / "compute"
PAGE = """<!doctype html><meta charset="utf-8"><title>compute</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"inrlens/compute/": "/"}}</script>
<script type="module">
import {createRunner} from "inrlens/compute/runner.js";
import {compileKernel, kernelBytes} from "inrlens/compute/kernel.js";
import * as rows from "inrlens/compute/rows.js";
const floats = (list) => Float32Array.from(list);
const layer = (l) => ({...l, weight: floats(l.weight), bias: floats(l.bias)});
window.network = (n) => ({...n, layers: n.layers.map(layer), projection: n.projection && floats(n.projection)});
window.head = (h) => ({...h, weight: floats(h.weight), bias: floats(h.bias)});
window.atoms = (list) => list.map((a) => ({gain: a.gain, rows: Uint32Array.from(a.rows), codes: floats(a.codes),
  direction: floats(a.direction)}));
window.editOf = (e) => ({layer: e.layer, network: network(e.network), head: head(e.head), output: floats(e.output),
  atoms: atoms(e.atoms)});
Object.assign(window, {createRunner, compileKernel, kernelBytes, rows, workerUrl: new URL("/worker.js", location)});
window.ready = true;
</script>"""


class Pages(http.server.SimpleHTTPRequestHandler):
    """The modules, and an empty page that imports them."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        content = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of the modules."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Pages, directory=str(FOLDER)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser_page(address: str) -> Iterator[Page]:
    """One page of one browser; nothing may reach its console."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        page.wait_for_function("window.ready")
        yield page
        browser.close()
    assert said == []


def flat(values: Tensor) -> list[float]:
    """A tensor's numbers, row-major."""
    return values.detach().reshape(-1).tolist()


def network_of(field: il.Field, name: str = "n0") -> dict[str, Any]:
    """A field's encoder as the page gets it."""
    layers = [field.encoder.layer(index) for index in range(field.depth)]
    encoding = field.encoder.encoding
    fourier = encoding if isinstance(encoding, FourierProjection) else None
    return {
        "id": name,
        "grid": list(field.grid or ()),
        "channels": field.channels,
        "projection": None if fourier is None else flat(fourier.frequencies),
        "layers": [
            {
                "weight": flat(layer.weight),
                "bias": flat(layer.bias),
                "scale": layer.scale,
                "nonlinearity": layer.nonlinearity.name,
                "width": layer.weight.shape[0],
                "inputs": layer.weight.shape[1],
            }
            for layer in layers
        ],
    }


def head_of(field: il.Field, head: int) -> dict[str, Any]:
    """One head as the page gets it."""
    columns = field.columns(head)
    return {"id": f"h{head}", "weight": flat(field.head.weight[columns]), "bias": flat(field.head.bias[columns])}


def edit_of(field: il.Field, sae: SparseAutoencoder, gains: dict[int, float], head: int = 0) -> dict[str, Any]:
    """What the page is asked for."""
    codes = il.encode(field, sae)
    atoms = []
    for atom, gain in gains.items():
        found = codes.map(atom).reshape(-1)
        rows = found.nonzero()[:, 0]
        fires = {"rows": rows.tolist(), "codes": flat(found[rows]), "direction": flat(sae.decoder[atom])}
        atoms.append({"gain": gain, **fires})
    return {
        "network": network_of(field),
        "layer": sae.layer,
        "head": head_of(field, head),
        "output": flat(field.render(head)),
        "atoms": atoms,
    }


def close(page: Page, asked: dict[str, Any], expected: Tensor, workers: int = 2) -> None:
    """Asserts that the page's picture is the expected one."""
    found = page.evaluate(
        """async ([asked, workers]) => {
          const runner = createRunner({workers, workerUrl});
          try { return [...await runner.edit(editOf(asked))]; } finally { runner.close(); }
        }""",
        [asked, workers],
    )
    np.testing.assert_allclose(found, flat(expected), rtol=0, atol=1e-5)


GAINS = {0: 0.0, 1: 2.0, 3: -1.0, 7: 1.0, 12: 3.5, 23: 0.0}


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_edits_equal_those_of_python(browser_page: Page, backbone: str, layer: int) -> None:
    field = toys.field(backbone)
    sae = toys.sae(field, layer)
    asked = edit_of(field, sae, GAINS, head=1)
    close(browser_page, asked, il.edit(field, sae, GAINS, head=1))


@pytest.mark.parametrize(("width", "depth", "channels", "grid"), [(13, 2, 1, (11, 30)), (33, 3, 3, (40, 1))])
def test_widths_depths_and_grids_that_fill_no_block(
    browser_page: Page, backbone: str, width: int, depth: int, channels: int, grid: tuple[int, int]
) -> None:
    settings = {"width": width, "depth": depth} | ({"frequencies": 7} if backbone == "ffmlp" else {})
    field = toys.field(backbone, channels=channels, grid=grid, **settings)
    draws = toys.generator(1)
    rows = field.encoder.run(field.grid_coordinates(), 0, 1)
    directions = torch.randn(12, width, generator=draws)
    sae = SparseAutoencoder(directions, rows.mean(0), 3, toys.SaeOrigin(0, 0, field.grid)).requires_grad_(False)
    for gains in ({2: 0.0}, {atom: 2.0 - atom / 3 for atom in range(12)}):
        close(browser_page, edit_of(field, sae, gains), il.edit(field, sae, gains), workers=3)


def test_a_field_of_many_tiles_a_moved_slider_and_a_picture(browser_page: Page, backbone: str) -> None:
    """What is kept of an edit serves the next one, and the picture of another head."""
    field = toys.field(backbone, grid=(50, 61))
    sae = toys.sae(field, 1)
    first, second = {0: 0.0, 1: 4.0}, {0: 2.0, 2: -2.0}
    found = browser_page.evaluate(
        """async ([one, two, other]) => {
          const runner = createRunner({workers: 2, workerUrl});
          const [first, second] = [editOf(one), editOf(two)];
          const pictures = [await runner.render({network: first.network, head: head(other)})];
          runner.use(first.network, first.layer);
          pictures.push(await runner.edit(first), await runner.edit(second));
          pictures.push(await runner.warm(first.network, first.layer) ? await runner.edit(first) : null);
          pictures.push(await runner.render({network: first.network, head: head(other)}));
          runner.close();
          return pictures.map((picture) => [...picture]);
        }""",
        [edit_of(field, sae, first), edit_of(field, sae, second), head_of(field, 1)],
    )
    one, two, plain = il.edit(field, sae, first), il.edit(field, sae, second), field.render(1)
    for picture, expected in zip(found, (plain, one, two, one, plain), strict=True):
        np.testing.assert_allclose(picture, flat(expected), rtol=0, atol=1e-5)


def test_the_first_picture_is_coarse_and_the_last_is_exact(browser_page: Page) -> None:
    """One worker, so that nothing finer arrives before the coarse rows are all there."""
    field = toys.field(grid=(64, 80))
    sae = toys.sae(field, 1)
    asked = edit_of(field, sae, {0: 0.0})
    steps = browser_page.evaluate(
        """async (asked) => {
          const runner = createRunner({workers: 1, workerUrl});
          const steps = [];
          await runner.edit(editOf(asked), (step) => steps.push({...step, output: [...step.output]}));
          runner.close();
          return steps;
        }""",
        asked,
    )
    output, exact = np.array(asked["output"]), np.array(flat(il.edit(field, sae, {0: 0.0})))
    touched = len(asked["atoms"][0]["rows"])
    coarse = steps[0]
    assert coarse["coarse"] is True
    assert touched / 20 < coarse["done"] <= touched / 4 + 1
    wrong, before = np.abs(np.array(coarse["output"]) - exact), np.abs(output - exact)
    assert wrong.mean() < 0.6 * before.mean()
    rows = np.repeat(np.isin(np.arange(64 * 80), asked["atoms"][0]["rows"]), 3)
    assert np.array_equal(np.array(coarse["output"])[~rows], output[~rows])
    assert [step["coarse"] for step in steps[1:]] == [False] * (len(steps) - 1)
    assert {step["total"] for step in steps} == {touched}
    assert steps[-1]["done"] == touched
    np.testing.assert_allclose(steps[-1]["output"], exact, rtol=0, atol=1e-5)


def test_a_newer_edit_puts_an_older_one_aside(browser_page: Page) -> None:
    field = toys.field(grid=(64, 80))
    sae = toys.sae(field, 1)
    older, newer = edit_of(field, sae, {0: 0.0}), edit_of(field, sae, {1: 0.0})
    found = browser_page.evaluate(
        """async ([older, newer]) => {
          const runner = createRunner({workers: 2, workerUrl});
          const [a, b] = [editOf(older), editOf(newer)];
          await runner.edit(a);
          let late = 0, replaced = false;
          const names = [];
          const note = (error) => names.push(error.name);
          const waits = [1, 2, 3].map(() => runner.edit(a, () => { late += replaced ? 1 : 0; }).catch(note));
          await new Promise((resolve) => setTimeout(resolve));
          replaced = true;
          const picture = await runner.edit(b);
          await Promise.all(waits);
          const stopped = runner.edit(a).catch(note);
          runner.stop();
          await stopped;
          const last = runner.edit(a).catch(note);
          runner.close();
          await last;
          return [names, late, [...picture]];
        }""",
        [older, newer],
    )
    assert found[0] == ["AbortError"] * 5
    assert found[1] == 0
    np.testing.assert_allclose(found[2], flat(il.edit(field, sae, {1: 0.0})), rtol=0, atol=1e-5)


def test_the_worker_runs_from_a_blob(browser_page: Page) -> None:
    """As in a page of one file, where it has no address of its own."""
    field = toys.field()
    sae = toys.sae(field, 1)
    found = browser_page.evaluate(
        """async (asked) => {
          const source = await (await fetch(workerUrl)).text();
          const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
          const runner = createRunner({workers: 2, workerUrl: url});
          try { return [...await runner.edit(editOf(asked))]; } finally { runner.close(); }
        }""",
        edit_of(field, sae, {0: 0.0}),
    )
    np.testing.assert_allclose(found, flat(il.edit(field, sae, {0: 0.0})), rtol=0, atol=1e-5)


def test_gains_of_one_and_atoms_that_fire_nowhere_leave_the_picture(browser_page: Page) -> None:
    field = toys.field()
    asked = edit_of(field, toys.sae(field, 1), {0: 1.0, 23: 0.0})
    close(browser_page, asked, torch.tensor(asked["output"]))


def refused(page: Page, asked: dict[str, Any]) -> str:
    """The sentence that an edit rejects with."""
    script = """async (asked) => {
      const runner = createRunner({workers: 1, workerUrl});
      try { await runner.edit(editOf(asked)); } catch (error) { return error.message; } finally { runner.close(); }
    }"""
    return str(page.evaluate(script, asked))


def test_what_cannot_be_run_is_refused_by_a_sentence(browser_page: Page) -> None:
    field = toys.field()
    asked = edit_of(field, toys.sae(field, 1), {0: 0.0})
    damaged = json.loads(json.dumps(asked))
    damaged["network"]["layers"][2]["nonlinearity"] = "tanh"
    sentence = (
        'Network n0 has the nonlinearity "tanh", which this page cannot run: edit it in Python, with inrlens.edit.'
    )
    assert refused(browser_page, damaged) == sentence
    assert refused(browser_page, {**asked, "layer": 4}) == "Network n0 has no layer 4: choose one of 0 to 3."
    without = browser_page.evaluate(
        """async (asked) => {
          const validate = WebAssembly.validate;
          WebAssembly.validate = () => false;
          const runner = createRunner({workers: 1, workerUrl});
          try { await runner.edit(editOf(asked)); } catch (error) { return error.message; }
          finally { WebAssembly.validate = validate; }
        }""",
        asked,
    )
    assert without.startswith("This browser has no WebAssembly SIMD, which edits need: open the page in")


@pytest.mark.parametrize("fused", [False, True])
def test_sines_and_cosines_are_those_of_the_engine(browser_page: Page, fused: bool) -> None:
    """To 2e-6 for angles up to 2,000; relu exactly; NaN stays NaN."""
    script = """async (fused) => {
      const bytes = kernelBytes(fused);
      if (!WebAssembly.validate(bytes)) return null;
      const {exports} = new WebAssembly.Instance(new WebAssembly.Module(bytes));
      const count = 16000, numbers = new Float32Array(exports.memory.buffer);
      const given = Float32Array.from({length: count}, (_, i) => (i / (count - 1) * 2 - 1) ** 3 * 2000);
      const worst = (run, f) => {
        numbers.set(given);
        run();
        return given.reduce((most, x, i) => Math.max(most, Math.abs(numbers[i] - f(x))), 0);
      };
      const found = [
        worst(() => exports.sine(0, count / 4, 1, 0), Math.sin),
        worst(() => exports.sine(0, count / 4, 1, 0.5), Math.cos),
        worst(() => exports.relu(0, count / 4, 2), (x) => Math.max(0, 2 * x)),
      ];
      numbers.fill(NaN, 0, 4);
      exports.sine(0, 1, 30, 0);
      return [...found, Number.isNaN(numbers[0])];
    }"""
    found = browser_page.evaluate(script, fused)
    if found is None:
        pytest.skip("this engine has no relaxed SIMD")
    assert found[0] < 2e-6
    assert found[1] < 2e-6
    assert found[2] == 0.0
    assert found[3] is True


def test_every_worker_keeps_its_rows_and_has_some(browser_page: Page) -> None:
    """Shares of any set of rows are parts of the shares of all rows, and a small patch keeps every worker busy."""
    script = """([patch, width, workers]) => {
      const share = (list) => rows.shareRows(Uint32Array.from(list), width, workers).map((s) => [...s.rows]);
      return [share([...Array(60 * width).keys()]), share(patch)];
    }"""
    patch = [y * 256 + x for y in range(20, 40) for x in range(100, 108)]
    whole, part = browser_page.evaluate(script, [patch, 256, 4])
    assert sorted(row for rows in whole for row in rows) == list(range(60 * 256))
    for rows, few in zip(whole, part, strict=True):
        assert set(few) <= set(rows)
        assert len(few) == len(patch) // 4


def test_a_worker_script_that_is_not_there_is_told(browser_page: Page, address: str) -> None:
    """On a page of its own: the browser itself writes of the missing file to the console."""
    field = toys.field()
    asked = edit_of(field, toys.sae(field, 1), {0: 0.0})
    browser = browser_page.context.browser
    assert browser is not None
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function("window.ready")
    with pytest.raises(Error, match=r"The script that computes edits did not start: reload the page\."):
        page.evaluate("(a) => createRunner({workers: 1, workerUrl: '/none.js'}).edit(editOf(a))", asked)
    page.close()
