"""The rest of a network in the browser against the same edit in Python."""

import copy
import functools
import http.server
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from browser import ARGUMENTS, chromium, needs_chromium
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields import nonlinearity
from inrlens.fields.encoding import Encoding, FourierProjection

pytest.importorskip("playwright", reason="needs Playwright and Chromium: make test-browser installs them")

from playwright.sync_api import Error, Page, sync_playwright

pytestmark = needs_chromium

FOLDER = Path(il.__file__).parent / "explorer" / "page" / "compute"
PAGE = """<!doctype html><meta charset="utf-8"><title>compute</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"inrlens/compute/": "/"}}</script>
<script type="module">
import {createRunner} from "inrlens/compute/runner.js";
import {compileKernel, kernelBytes} from "inrlens/compute/kernel.js";
import * as rows from "inrlens/compute/rows.js";
const floats = (list) => Float32Array.from(list);
const layer = (l) => ({...l, weight: floats(l.weight), bias: floats(l.bias)});
const encoding = (e) => e && {...e, frequencies: e.frequencies && floats(e.frequencies)};
window.network = (n) => ({...n, layers: n.layers && n.layers.map(layer), encoding: encoding(n.encoding)});
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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
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


def _encoding_of(encoding: Encoding | None) -> dict[str, Any] | None:
    if encoding is None:
        return None
    fourier = isinstance(encoding, FourierProjection)
    return {
        "kind": "fourier" if fourier else type(encoding).__name__,
        "frequencies": flat(encoding.frequencies) if isinstance(encoding, FourierProjection) else None,
    }


def network_of(field: il.Field, name: str = "n0") -> dict[str, Any]:
    """A field's encoder as the page gets it."""
    layers = [field.encoder.layer(index) for index in range(field.depth)]
    encoding = field.encoder.encoding
    return {
        "id": name,
        "name": f"toy {name}",
        "grid": list(field.grid or ()),
        "channels": field.channels,
        "coordinate_range": list(field.coordinate_range),
        "encoding": _encoding_of(encoding),
        "layers": [
            {
                "weight": flat(layer.weight),
                "bias": flat(layer.bias),
                "scale": layer.scale,
                "nonlinearity": layer.nonlinearity.name,
                "parameters": dict(layer.nonlinearity.parameters),
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


RUNNABLE = [name for name in il.backbone_names() if toys.page_runs(name)]
GAINS = {0: 0.0, 1: 2.0, 3: -1.0, 7: 1.0, 12: 3.5, 23: 0.0}


def some(name: str, values: Sequence[Any], whole: str) -> pytest.MarkDecorator:
    """Each backbone with one of the values in turn, ``whole`` with all of them; the other pairs are slow."""
    cases = []
    for place, backbone in enumerate(RUNNABLE):
        for number, value in enumerate(values):
            slow = number != place % len(values) and backbone != whole
            cases.append(pytest.param(backbone, value, marks=pytest.mark.slow if slow else ()))
    return pytest.mark.parametrize(("backbone", name), cases)


@some("layer", [0, 1, 3], "siren")
def test_edits_equal_those_of_python(browser_page: Page, backbone: str, layer: int) -> None:
    field = toys.field(backbone)
    sae = toys.sae(field, layer)
    asked = edit_of(field, sae, GAINS, head=1)
    close(browser_page, asked, il.edit(field, sae, GAINS, head=1))


@pytest.mark.parametrize("grid", [(7, 9), (11, 1)])
@pytest.mark.parametrize("backbone", ["siren", "ffmlp"])
def test_edits_over_another_range_of_coordinates(browser_page: Page, backbone: str, grid: tuple[int, int]) -> None:
    settings = {**toys.SMALL[backbone], "coordinate_range": (0.25, 1.0)}
    field = il.Field.new(backbone, grid=grid, **settings)
    sae = toys.sae(field, 1)
    close(browser_page, edit_of(field, sae, GAINS), il.edit(field, sae, GAINS))


@some("shape", [(13, 2, 1, (11, 30)), (33, 3, 3, (40, 1))], "wire")
def test_widths_depths_and_grids_that_fill_no_block(
    browser_page: Page, backbone: str, shape: tuple[int, int, int, tuple[int, int]]
) -> None:
    width, depth, channels, grid = shape
    # WIRE's units come in pairs: halves of 13 fill no block either.
    settings = {"width": width * 2 if backbone == "wire" else width, "depth": depth}
    settings |= {"frequencies": 7} if backbone in ("ffmlp", "posenc") else {}
    field = toys.field(backbone, channels=channels, grid=grid, **settings)
    draws = toys.generator(1)
    rows = field.encoder.run(field.grid_coordinates(), 0, 1)
    directions = torch.randn(12, rows.shape[1], generator=draws)
    sae = SparseAutoencoder(directions, rows.mean(0), 3, toys.SaeOrigin(0, 0, field.grid)).requires_grad_(False)
    for gains in ({2: 0.0}, {atom: 2.0 - atom / 3 for atom in range(12)}):
        close(browser_page, edit_of(field, sae, gains), il.edit(field, sae, gains), workers=3)


MANY = [pytest.param(name, marks=() if name == "wire" else pytest.mark.slow) for name in RUNNABLE]


@pytest.mark.parametrize("backbone", MANY)
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
    # WIRE's exponentials magnify what single precision rounds: on a grid this fine by nearly as much as is allowed.
    rounding = float((plain - copy.deepcopy(field).double().render(1)).abs().max())
    for picture, expected in zip(found, (plain, one, two, one, plain), strict=True):
        np.testing.assert_allclose(picture, flat(expected), rtol=0, atol=max(1e-5, 3.0 * rounding))


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


@pytest.mark.slow
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
    cannot = "which this page cannot run: edit it in Python, with inrlens.edit."
    assert refused(browser_page, damaged) == f'Network toy n0 has the nonlinearity "tanh", {cannot}'
    encoded = {**asked["network"], "encoding": {"kind": "Table", "frequencies": None}}
    assert refused(browser_page, {**asked, "network": encoded}) == f'Network toy n0 has the encoding "Table", {cannot}'
    assert refused(browser_page, {**asked, "network": {**asked["network"], "layers": None}}) == (
        "Network toy n0 has layers that this page does not know: edit it in Python, with inrlens.edit."
    )
    assert refused(browser_page, {**asked, "layer": 4}) == "Network toy n0 has no layer 4: choose one of 0 to 3."
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


@pytest.fixture(params=["fused", "plain"])
def kernels(request: pytest.FixtureRequest, browser_page: Page) -> Page:
    """The page with ``run(name, given, ...numbers)``, a kernel's values at given numbers, of either kind of product."""
    script = """async (fused) => {
      const bytes = kernelBytes(fused);
      if (!WebAssembly.validate(bytes)) return false;
      const {exports} = new WebAssembly.Instance(new WebAssembly.Module(bytes));
      const memory = new Float32Array(exports.memory.buffer);
      window.run = (name, given, ...numbers) => {
        memory.set(given);
        exports[name](0, given.length / 4 / (name === "complex gabor" ? 2 : 1), ...numbers);
        return [...memory.subarray(0, given.length)];
      };
      return true;
    }"""
    if not browser_page.evaluate(script, request.param == "fused"):
        pytest.skip("this engine has no relaxed SIMD")
    return browser_page


def ran(page: Page, name: str, given: np.ndarray, *numbers: float) -> np.ndarray:
    """What a kernel gives at numbers of single precision."""
    script = "([name, given, numbers]) => run(name, given.map((x) => x ?? NaN), ...numbers).map(String)"
    return np.array(page.evaluate(script, [name, given.tolist(), numbers]), dtype=np.float64)


@pytest.fixture(params=[2_000, pytest.param(16_000, marks=pytest.mark.slow)])
def spread(request: pytest.FixtureRequest) -> np.ndarray:
    """Numbers of single precision from -1 to 1, closest together about 0."""
    return np.float32(np.linspace(-1.0, 1.0, request.param) ** 3)


def test_sines_and_cosines_are_those_of_the_engine(kernels: Page, spread: np.ndarray) -> None:
    """To 2e-6 for angles up to 2,000; relu exactly; NaN stays NaN."""
    x = spread * np.float32(2000)
    exact = x.astype(np.float64)
    assert np.abs(ran(kernels, "sine", x, 1, 0) - np.sin(exact)).max() < 2e-6
    assert np.abs(ran(kernels, "sine", x, 1, 0.5) - np.cos(exact)).max() < 2e-6
    assert np.array_equal(ran(kernels, "relu", x, 2), np.maximum(2.0 * exact, 0.0))
    lost = np.array([np.nan, 0.0, 0.0, 1.0], dtype=np.float32)
    for name, numbers in (("sine", [30, 0]), ("relu", [1]), ("gauss", [3]), ("finer", [30, 0.1]), ("gabor", [30, 0.5])):
        assert np.isnan(ran(kernels, name, lost, *numbers)).tolist() == [True, False, False, False]


def test_exponentials_are_exact_over_all_of_single_precision(kernels: Page, spread: np.ndarray) -> None:
    """To 2e-7 of their value, down to where numbers lose digits, and from there to the smallest that there is."""
    v = spread * np.float32(11)
    square = (v * v).astype(np.float64)
    found, exact = ran(kernels, "gauss", v, 1), np.exp(-square)
    large = exact > 2.0**-126
    assert np.abs(found[large] / exact[large] - 1.0).max() < 2e-7
    assert np.abs(found[~large] - exact[~large]).max() <= 2.0**-149
    assert found[np.abs(v) == 11.0].tolist() == [0.0, 0.0]
    assert ran(kernels, "gauss", np.zeros(4, dtype=np.float32), 1).tolist() == [1.0] * 4
    # Real parts 0, imaginary parts y: exp(-y) on the real side, up to infinity, and 0 on the other.
    y = spread[: len(spread) // 2] * np.float32(88.7)
    real, imaginary = np.split(ran(kernels, "complex gabor", np.concatenate([0.0 * y, y]), 1, 0, y.nbytes), 2)
    assert np.abs(real / np.exp(-y.astype(np.float64)) - 1.0).max() < 2e-7
    assert not imaginary.any()
    over = np.array([0.0] * 4 + [-88.8, -200.0, -1e6, -88.0], dtype=np.float32)
    assert np.isinf(ran(kernels, "complex gabor", over, 1, 0, 16)[:4]).tolist() == [True, True, True, False]


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_finer_and_gabor_are_those_of_the_library(kernels: Page, spread: np.ndarray, scale: float) -> None:
    """To what single precision makes of their argument: 2^-23 of it or 2e-7, and a complex one's size beside."""
    u = spread * np.float32(6)
    v = scale * u.astype(np.float64)
    exact = torch.from_numpy(v)
    for made, name, numbers in (
        (nonlinearity.finer(30.0), "finer", [1 / 30]),
        (nonlinearity.gabor(0.37), "gabor", [0.37]),
    ):
        wanted = made.value(exact, None).numpy()
        allowed = 4.0 * 2.0**-23 * (1.0 + np.abs(v) * (1.0 + np.abs(v) / 30.0))
        assert (np.abs(ran(kernels, name, u, scale, *numbers) - wanted) < allowed).all()
    pairs = np.stack(np.split(u, 2), axis=1).astype(np.float64) * scale
    wanted = nonlinearity.complex_gabor(0.37).value(torch.from_numpy(pairs), None).numpy().T.reshape(-1)
    found = ran(kernels, "complex gabor", u, scale, 0.37**2, u.nbytes // 2)
    size = np.tile(np.hypot(*np.split(wanted, 2)), 2)
    most = np.tile(1.0 + np.abs(pairs).max(1) * (1.0 + np.abs(pairs).max(1)), 2)
    assert (np.abs(found - wanted) <= 4.0 * 2.0**-23 * most * size + 2.0**-149).all()


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


@pytest.mark.slow
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
