"""A real browser to drive the explorer with: finding Chromium, and a page that is watched while a test drives it."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray

from explored import Explored, explored

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Programs that are looked for on PATH, in this order."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 15_000
"""Milliseconds after which something that should have appeared counts as missing."""
WIDE, NARROW = {"width": 1600, "height": 1000}, {"width": 360, "height": 780}
_READ = """canvas => {
  const {width, height} = canvas;
  return {width, height, data: Array.from(canvas.getContext("2d").getImageData(0, 0, width, height).data)};
}"""


def chromium() -> str | None:
    """The path of Chromium or Chrome: what ``INRLENS_CHROMIUM`` names, or the first found on PATH.

    Raises:
        pytest.UsageError: where the variable names no program.
    """
    named = os.environ.get("INRLENS_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if named and found is None:
        raise pytest.UsageError(f"INRLENS_CHROMIUM names {named!r}, which is no program: unset it, or name Chromium.")
    return found


needs_chromium = pytest.mark.skipif(
    chromium() is None, reason="no Chromium here: `make test-browser` installs one and runs this"
)


class Watch:
    """What a page did that it must not do: complain, fail, or ask another host.

    ``expected`` are patterns of console errors that a test provokes on purpose.
    """

    def __init__(self, context: "BrowserContext") -> None:
        self.expected: list[str] = []
        self.origins: set[str] = set()
        self.asked: list[str] = []
        self._faults: list[str] = []
        context.on("console", self._console)
        context.on(
            "weberror", lambda error: self._faults.append(f"page error: {getattr(error.error, 'stack', error.error)}")
        )
        context.on("request", lambda request: self.asked.append(request.url))

    def _console(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self._faults.append(f"console: {message.text} ({message.location.get('url')})")

    def faults(self) -> list[str]:
        """Everything that was not expected."""
        foreign = [f"request to {url[:200]}" for url in self.asked if not self._own(url)]
        loud = [fault for fault in self._faults if not any(re.search(one, fault) for one in self.expected)]
        return loud + foreign

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" in self.origins


@pytest.fixture(scope="session")
def _chromium() -> "Iterator[tuple[Browser, asyncio.AbstractEventLoop]]":
    """One browser a test process, and the event loop that Playwright runs it with."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture
def browser(_chromium: "tuple[Browser, asyncio.AbstractEventLoop]") -> "Iterator[Browser]":
    """The browser, for the time of one test."""
    found, loop = _chromium
    # Between two calls Playwright leaves its loop marked as running, which other tests of this process must not see.
    asyncio._set_running_loop(loop)
    yield found
    asyncio._set_running_loop(None)


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    """A fresh profile with a wide window."""
    with contextlib.closing(browser.new_context(viewport=WIDE, reduced_motion="reduce")) as made:  # type: ignore[arg-type]
        made.set_default_timeout(PATIENCE)
        yield made


@pytest.fixture
def watch(context: "BrowserContext") -> Iterator[Watch]:
    """What the test's pages do; unexpected faults fail the test at its end."""
    made = Watch(context)
    yield made
    # What the pages have just said arrives with the answer to one more call.
    for page in context.pages:
        page.evaluate("0")
    faults = made.faults()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(context: "BrowserContext", watch: Watch) -> "Page":
    """An empty page whose faults are watched."""
    return context.new_page()


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """The small run and its explorer; not to be changed."""
    return explored(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def _served(toy: Explored) -> Iterator[str]:
    from inrlens.explorer.serve import Server

    with Server(toy.folder) as server:
        yield server.url


@pytest.fixture
def url(_served: str, watch: Watch) -> str:
    """The address of the small run's explorer."""
    watch.origins.add(_served.rstrip("/"))
    return _served


@contextlib.contextmanager
def serving(folder: Path, watch: Watch) -> Iterator[str]:
    """Another explorer's address, for as long as the block lasts."""
    from inrlens.explorer.serve import Server

    with Server(folder) as server:
        watch.origins.add(server.url.rstrip("/"))
        yield server.url


def pixels(canvas: "Locator") -> NDArray[np.uint8]:
    """What a canvas holds: ``(H, W, 3)`` levels; it must be opaque."""
    read: dict[str, Any] = canvas.evaluate(_READ)
    found = np.array(read["data"], dtype=np.uint8).reshape(read["height"], read["width"], 4)
    assert (found[:, :, 3] == 255).all()
    return found[:, :, :3]


def shot(page: "Page", name: str) -> Path:
    """Keeps a picture of the whole page as an artefact."""
    folder = Path(os.environ.get("INRLENS_ARTEFACTS") or Path(__file__).parents[2] / ".artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def close(found: NDArray[np.uint8], image: NDArray[np.float64], levels: float = 1.0) -> None:
    """Whether a canvas shows a picture at every pixel to within some of 255 levels."""
    assert found.shape == image.shape
    apart = np.abs(found.astype(np.float64) - image)
    worst = np.unravel_index(int(apart.argmax()), apart.shape)
    assert apart.max() <= levels, f"{apart.max():.2f} levels apart at {worst}"
