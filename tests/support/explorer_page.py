"""The explorer's page as people use it: its parts by their names, and what can be read off it."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from explored import GRID

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

HEIGHT, WIDTH = GRID
_LINE = r"atom (\d+), code (\S+), effect here (\S+), (\S+) dB lost without it"


def opened(page: "Page", address: str, **state: object) -> None:
    """Opens an explorer, at a state where parts of its link are given, and waits for its pictures."""
    from playwright.sync_api import expect

    page.goto(f"{address}#{urlencode(state)}" if state else address)
    if state.get("view", "atoms") == "atoms":
        expect(tile(page, "Reconstruction")).to_be_visible()
        expect(region(page, "Order and filters").get_by_role("status").first).to_contain_text("living atoms")


def region(page: "Page", name: str) -> "Locator":
    """A part of the page by its name."""
    return page.get_by_role("region", name=name, exact=True)


def tile(page: "Page", title: str) -> "Locator":
    """The canvas of one of the pictures, by its title, such as ``Without atom 3``."""
    return page.get_by_role("application", name=re.compile(f"^{re.escape(title)}, ")).locator("canvas")


def linked(page: "Page", part: str) -> None:
    """Waits until the page's link holds a part, such as ``atom=3``: what was set has then been taken over."""
    page.wait_for_function("part => location.hash.slice(1).split('&').includes(part)", arg=part)


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("\u2212", "-").replace(",", "")) if text != "–" else float("nan")


def listed(page: "Page") -> list[tuple[int, float, float, float]]:
    """The atoms of the pixel that is shown: number, code, effect there, dB lost."""
    found = []
    for line in region(page, "Atoms of a pixel").get_by_role("listitem").get_by_role("button").all():
        told = re.fullmatch(
            r"atom (\d+), code (\S+), effect here (\S+), (\S+) dB lost without it",
            line.get_attribute("aria-label") or "",
        )
        assert told
        found.append((int(told[1]), number(told[2]), number(told[3]), number(told[4])))
    return found


def point(page: "Page", row: int) -> None:
    """Moves the mouse to the middle of a pixel of the reconstruction."""
    frame = page.get_by_role("application", name=re.compile("^Reconstruction, "))
    box = frame.bounding_box()
    assert box
    frame.hover(
        position={
            "x": box["width"] * (row % WIDTH + 0.5) / WIDTH,
            "y": box["height"] * (row // WIDTH + 0.5) / HEIGHT,
        }
    )
    region(page, "Atoms of a pixel").get_by_text(f"({row % WIDTH}, {row // WIDTH})").first.wait_for()


def chosen(page: "Page", label: str) -> "Locator":
    """The select of the network, signal or layer."""
    return region(page, "What is shown").get_by_label(label)


def maps(page: "Page") -> "Locator":
    """The grid of maps."""
    return page.get_by_role("listbox", name=re.compile("All maps"))


def first_maps(page: "Page", count: int) -> list[int]:
    """The atoms that stand first in the grid of maps."""
    places = {}
    for one in maps(page).get_by_role("option").all():
        text = one.get_attribute("aria-label") or ""
        places[int(one.get_attribute("aria-posinset") or 0)] = int(re.match(r"Atom (\d+)", text)[1])  # type: ignore[index]
    return [places[place] for place in range(1, count + 1)]


def pick(page: "Page", atom: int) -> None:
    """Goes to an atom by its number."""
    page.get_by_label("Go to atom number").fill(str(atom))
    page.get_by_label("Go to atom number").press("Enter")
    region(page, "The picked atom").get_by_role("heading", name=f"Atom {atom}", exact=True).wait_for()
