"""How quickly the explorer answers, in a real Chromium: hover, ablation, edits, thumbnails, memory.

    python benchmarks/explorer_page.py runs/cohort layer2.safetensors [--export page]

Prints milliseconds from what a person does to the frame that shows it, over several pixels and atoms of the first
network that has a dictionary. The bundle is written to a temporary folder and served as ``inrlens explore`` does.
"""

import argparse
import re
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from inrlens.explorer.bundle import write_bundle
from inrlens.explorer.gather import gather
from inrlens.explorer.pages import write_page
from inrlens.explorer.serve import Server

_HELPERS = """
window.until = (ready) => new Promise((done) => {
  const look = () => (ready() ? requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0))
                              : setTimeout(look, 1));
  look();
});
window.text = (selector) => document.querySelector(selector)?.textContent ?? "";
"""
_FIRST_VIEW = """async () => {
  await until(() => document.querySelector('[data-tile="reconstruction"] canvas')?.width > 1
    && !document.querySelector('[data-tile="reconstruction"] canvas').hidden);
  const pictures = performance.now();
  await until(() => document.querySelectorAll('.maps canvas').length > 8);
  return [pictures, performance.now()];
}"""
_HOVER = """async ([x, y]) => {
  const box = document.querySelector('[data-tile="original"] .frame').getBoundingClientRect();
  const at = {clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true,
              pointerType: 'mouse', pointerId: 1};
  const before = text('#pixel-title');
  const start = performance.now();
  document.querySelector('[data-tile="original"] .frame').dispatchEvent(new PointerEvent('pointermove', at));
  return await until(() => text('#pixel-title') !== before) - start;
}"""
_PICK = """async () => {
  const buttons = [...document.querySelectorAll('.panel.pixel .atoms button')].filter((b) => b.offsetParent);
  const other = buttons.find((b) => !b.hasAttribute('aria-current'));
  const before = text('[data-tile="without"] figcaption b');
  const start = performance.now();
  other.click();
  return await until(() => text('[data-tile="without"] figcaption b') !== before
    && text('[data-tile="without"] figcaption').includes('dB')) - start;
}"""
_EDIT = """async ([atom, gain]) => {
  const shown = () => text('[data-tile="edited"] figcaption');
  const start = performance.now();
  location.hash = location.hash.replace(/&gains=[^&]*/, '') + `&gains=${atom}:${gain}`;
  const first = await until(() => !document.querySelector('[data-tile="edited"]').hidden && shown().includes('dB'));
  const last = await until(() => shown().includes('dB') && !/coarse|done|computing/.test(shown()));
  return [first - start, last - start];
}"""
_CLEAR = """async () => {
  location.hash = location.hash.replace(/&gains=[^&]*/, '');
  await until(() => document.querySelector('[data-tile="edited"]').hidden);
}"""


def main() -> None:
    """Parses the command line and prints one line a measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="+", type=Path, help="run folders and dictionaries, as for inrlens explore")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        gathered = gather(given.paths)
        write_bundle(gathered, Path(folder), signals=1)
        write_page(Path(folder))
        sizes = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        print(f"{'bundle and page':44} {sizes / 1e6:8.1f} MB")
        with Server(Path(folder)) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=given.chromium,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.add_init_script(_HELPERS)
            measure(page, server.url)
            print(f"{'memory of the page (its process)':44} {memory(browser) / 2**20:8.0f} MiB")
            browser.close()


def measure(page: Page, url: str) -> None:
    """Everything that is timed."""
    views = []
    for _ in range(5):
        page.goto("about:blank")
        page.goto(url, wait_until="commit")
        views.append(page.evaluate(_FIRST_VIEW))
    tell("first view: pictures drawn", [view[0] for view in views])
    tell("first screen of thumbnails (from the start)", [view[1] for view in views])
    draws = np.random.default_rng(0)
    tell("hover to the pixel's atoms", [page.evaluate(_HOVER, place) for place in draws.random((40, 2)).tolist()])
    page.mouse.move(0, 0)
    page.evaluate("location.hash += '&atom=0'")
    page.wait_for_function("""() => text('[data-tile="without"] figcaption').includes('dB')""")
    picked = []
    for place in draws.random((15, 2)).tolist():
        page.evaluate(_HOVER, place)
        picked.append(page.evaluate(_PICK))
    tell("single ablation: pick to its picture", picked)
    page.wait_for_function("() => location.hash.includes('sae=')")
    for what, atom, share in page.evaluate(_ATOMS):
        for gain in (0.5, 2):
            times = []
            for _ in range(4):
                page.evaluate(_CLEAR)
                times.append(page.evaluate(_EDIT, [atom, gain]))
            label = f"edit of the {what} atom ({share:.0%}), gain {gain}"
            tell(f"{label}: first", [one[0] for one in times])
            tell(f"{label}: exact", [one[1] for one in times])
    page.evaluate(_CLEAR)
    page.evaluate(_SCROLL)


_ATOMS = """async () => {
  const manifest = await (await fetch('manifest.json')).json();
  const id = new URLSearchParams(location.hash.slice(1)).get('sae');
  const about = manifest.networks.flatMap((one) => one.dictionaries.map((d) => [one, d])).find(([, d]) => d.id === id);
  const starts = new Uint32Array(await (await fetch(about[1].starts.file)).arrayBuffer(),
                                 about[1].starts.offset, about[1].n_atoms + 1);
  const points = about[0].grid[0] * about[0].grid[1];
  const shares = Array.from({length: about[1].n_atoms}, (_, a) => [(starts[a + 1] - starts[a]) / points, a])
    .filter(([share]) => share > 0).sort((a, b) => a[0] - b[0]);
  const pick = (place) => shares[Math.min(shares.length - 1, place)];
  return [['median', pick(shares.length >> 1)[1], pick(shares.length >> 1)[0]],
          ['widest', pick(shares.length)[1], pick(shares.length)[0]]];
}"""
_SCROLL = """async () => {
  const box = document.querySelector('.maps .sheet').parentElement;
  for (let top = 0; top < box.scrollHeight; top += box.clientHeight / 2) {
    box.scrollTop = top;
    await new Promise((done) => requestAnimationFrame(done));
  }
}"""


def tell(what: str, times: list[float]) -> None:
    """One line: median and largest of several."""
    print(f"{what:44} {statistics.median(times):8.0f} ms   (largest of {len(times)}: {max(times):.0f})")


def memory(browser: Any) -> int:
    """Bytes of private memory that the largest renderer holds."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    found = []
    for process in processes:
        if process["type"] == "renderer":
            text = Path(f"/proc/{process['id']}/smaps_rollup").read_text(encoding="ascii")
            found.append(sum(int(kb) * 1024 for kb in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE)))
    return max(found)


if __name__ == "__main__":
    main()
