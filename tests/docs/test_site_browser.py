"""The documentation's site in a real browser: it asks nobody else for anything, fits a phone, and its search finds."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from browser import NARROW, Watch, needs_chromium
from build_site import build
from documented import site_sources

pytestmark = [needs_chromium, pytest.mark.slow]
SEEN = ("index.html", "tutorials/fit-and-reuse.html", "method.html", "results.html", "cli/fit.html", "api/atoms.html")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, served on this machine."""
    root = site_sources(tmp_path_factory.mktemp("site"))
    assert build(root) == []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(served: str, watch: Watch) -> str:
    """Its address; a request to any other fails the test."""
    watch.origins.add(served.rstrip("/"))
    return served


@pytest.mark.parametrize("name", SEEN)
def test_a_page_asks_nobody_else_and_fits_a_phone(page: Page, address: str, name: str) -> None:
    page.set_viewport_size(NARROW)
    page.goto(address + name)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_search_finds_a_name_by_what_it_does(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox", name="Search").fill("freeze depth")
    expect(page.get_by_role("option", name="inrlens.freeze_advice").first).to_be_visible()
