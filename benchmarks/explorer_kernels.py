"""What runs a layer fastest in a browser: the explorer's kernels beside other ways, in turn, in headless Chromium.

    python benchmarks/explorer_kernels.py                       ours, a typed-array loop, and two whole edits
    python benchmarks/explorer_kernels.py --packages FOLDER     also tfjs and onnxruntime-web from FOLDER/node_modules

FOLDER is where `npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm onnxruntime-web` was run. One job is a layer
of 1024 rows, 256 units in and out, with its nonlinearity; rates count its product alone, 2 * 1024 * 256 * 256
operations, and are the best of the rounds, on one thread but for WebGPU, which is named by its adapter (swiftshader is
software on the CPU). What reads a result back into the page's memory counts.
"""

import argparse
import functools
import http.server
import shutil
import struct
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

import inrlens
from timing import about, write_csv

HERE = Path(__file__).parent
COMPUTE = Path(inrlens.__file__).parent / "explorer" / "page" / "compute"
ROWS, WIDTH = 1024, 256
COLUMNS = ("way", "nonlinearity", "gflops", "largest_difference", "bytes")
NONLINEARITIES = {"sine": "Sin", "relu": "Relu"}
ADDED = {
    "tfjs": ("@tensorflow/tfjs/dist/tf.min.js",),
    "tfjs-wasm": (
        "@tensorflow/tfjs/dist/tf.min.js",
        "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js",
        "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
    ),
    "onnxruntime-web": (
        "onnxruntime-web/dist/ort.wasm.min.js",
        "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs",
        "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    ),
}
"""The files that a page would have to carry for each library."""


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    """One protobuf field: a number, or bytes behind their length."""
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    content = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | 2) + _number(len(content)) + content


def onnx_model(nonlinearity: str, weights: bytes, bias: bytes) -> bytes:
    """``y = phi(x W + b)`` as an ONNX file: weights ``(in, out)`` and bias as little-endian float32."""

    def node(kind: str, inputs: list[str], output: str) -> bytes:
        return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)

    def tensor(name: str, shape: list[int], content: bytes) -> bytes:
        return b"".join(_field(1, side) for side in shape) + _field(2, 1) + _field(8, name) + _field(9, content)

    def value(name: str) -> bytes:
        shape = b"".join(_field(1, _field(1, side)) for side in (ROWS, WIDTH))
        return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))

    graph = b"".join(
        [
            _field(1, node("MatMul", ["x", "w"], "p")),
            _field(1, node("Add", ["p", "b"], "u")),
            _field(1, node(nonlinearity, ["u"], "y")),
            _field(2, "layer"),
            _field(5, tensor("w", [WIDTH, WIDTH], weights)),
            _field(5, tensor("b", [WIDTH], bias)),
            _field(11, value("x")),
            _field(12, value("y")),
        ]
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17))


def layer_numbers() -> tuple[bytes, bytes]:
    """Weights ``(in, out)`` and bias of the layer, as ``explorer_kernels.js`` draws them, as bytes."""
    spread = [((place * 7919) % 10007) / 10007 - 0.5 for place in range(WIDTH * WIDTH)]
    weights = struct.pack(f"<{WIDTH * WIDTH}f", *(0.2 * value for value in spread))
    return weights, struct.pack(f"<{WIDTH}f", *spread[:WIDTH])


class Files(http.server.SimpleHTTPRequestHandler):
    """The page, the explorer's modules under /compute/, packages under /npm/ and ONNX files under /onnx/."""

    packages: Path | None = None

    def translate_path(self, path: str) -> str:
        for prefix, folder in (("/compute/", COMPUTE), ("/npm/", self.packages)):
            if path.startswith(prefix) and folder is not None:
                return str(folder / path.removeprefix(prefix))
        return str(HERE / ("explorer_kernels.html" if path == "/" else path.lstrip("/")))

    def do_GET(self) -> None:
        if not self.path.startswith("/onnx/"):
            return super().do_GET()
        content = onnx_model(NONLINEARITIES[self.path.removeprefix("/onnx/")], *layer_numbers())
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def size_of(way: str, packages: Path | None) -> int:
    """Bytes that a way adds to the page."""
    if way.startswith("ours"):
        return sum(file.stat().st_size for file in COMPUTE.glob("*.js"))
    if packages is None:
        return 0
    return sum((packages / name).stat().st_size for name in ADDED.get(way, ()))


def main() -> None:
    """Runs the page and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder that holds node_modules")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    Files.packages = options.packages / "node_modules" if options.packages else None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(HERE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = ["--no-sandbox", "--disable-background-networking", "--enable-unsafe-webgpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page = browser.new_page()
        page.on("pageerror", lambda error: print(f"page: {error}"))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.ready")
        found = page.evaluate("(o) => measure(o)", {"rounds": options.rounds, "packages": bool(options.packages)})
        edits = page.evaluate("() => edits()")
        print(f"{about()}, Chromium {browser.version}")
        browser.close()
    server.shutdown()
    print(f"{'way':24} {'phi':5} {'GFLOP/s':>8} {'largest difference':>19} {'bytes added':>12}")
    rows = []
    for entry in found["rows"]:
        size = size_of(entry["way"], Files.packages)
        rows.append((entry["way"], entry["phi"], entry["gflops"], entry["difference"], size))
        print(f"{entry['way']:24} {entry['phi']:5} {entry['gflops']:8.1f} {entry['difference']:19.1e} {size:12,}")
    print(*found["notes"], sep="\n")
    for edit in edits:
        print(
            f"{edit['name']}: first picture {edit['first']:.0f} ms, whole {edit['whole']:.0f} ms; "
            f"again {edit['again']:.0f} ms"
        )
    if options.csv:
        write_csv(options.csv, COLUMNS, rows)


if __name__ == "__main__":
    main()
