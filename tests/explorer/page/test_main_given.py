"""Explorers of networks given from Python in a real browser: a wrapped one, and one that the page cannot run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn

import foreign
import inrlens as il
import toys
from browser import Watch, close, needs_chromium, pixels, serving, shot
from explored import GRID, picture
from explorer_page import chosen, opened, pick, region, tile
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.network import Network

pytestmark = [needs_chromium, pytest.mark.slow]


def strong(module: nn.Sequential) -> nn.Sequential:
    """The module with outputs that differ widely over the picture."""
    with torch.no_grad():
        module[-1].weight *= 4.0  # type: ignore[operator]
    return module


@pytest.fixture(scope="module")
def network() -> il.Wrapped:
    """A wrapped network without a grid of its own."""
    return il.wrap(strong(foreign.plain(width=16, depth=2)), ["1", "3"], output=(-1.0, 1.0))


@pytest.fixture(scope="module")
def sae(network: il.Wrapped) -> SparseAutoencoder:
    """A dictionary of its first layer."""
    return toys.sae(network, 0)


@pytest.fixture
def address(
    network: il.Wrapped, sae: SparseAutoencoder, watch: Watch, tmp_path: Path
) -> Iterator[tuple[str, il.Effects]]:
    """Its explorer with dictionaries of both layers, served, and the effects of the first one's atoms."""
    photo = toys.signal(3, GRID)
    saes = [sae, toys.sae(network, 1)]
    made = il.write_explorer(network, tmp_path / "explorer", sae=saes, signal=photo)
    with serving(made.path, watch) as url:
        yield url, il.effects(network, sae, il.encode(network, sae, GRID), signal=photo)


def removed(page: Page, network: Network, sae: SparseAutoencoder, atom: int) -> None:
    """Removes an atom; whether the pictures are Python's at every pixel."""
    wanted = picture(il.edit(network, sae, {atom: 0.0}, grid=GRID))
    assert np.abs(wanted - picture(network.render(0, GRID))).max() > 5
    close(pixels(tile(page, "Reconstruction")), picture(network.render(0, GRID)))
    pick(page, atom)
    region(page, "The picked atom").get_by_role("button", name="remove it").click()
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()
    close(pixels(tile(page, "Edited")), wanted)
    close(pixels(tile(page, f"Without atom {atom}")), wanted)


def refused(page: Page, atom: int, gain: float, sentence: str) -> None:
    """Sets another gain, which ends in a sentence; the removal is there again afterwards."""
    page.get_by_label(f"Gain of atom {atom}, as a number").fill(f"{gain:g}")
    expect(page.get_by_role("alert").and_(page.locator(":visible"))).to_contain_text(sentence)
    region(page, "Edit").get_by_text("could not be computed").wait_for()
    page.get_by_label(f"Gain of atom {atom}, as a number").fill("0")
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()


def test_a_wrapped_network(
    page: Page, address: tuple[str, il.Effects], network: il.Wrapped, sae: SparseAutoencoder
) -> None:
    url, found = address
    opened(page, url, sae="n0d0")
    assert chosen(page, "Network").locator("option").all_text_contents() == ["Sequential (wrapped)"]
    atom = found.rank("psnr_drop")[0]
    removed(page, network, sae, atom)
    shot(page, "wrapped")
    sentence = "Network Sequential has layers that this page does not know: edit it in Python, with inrlens.edit."
    refused(page, atom, 2.0, sentence)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    edit = region(page, "Edit")
    expect(edit.get_by_role("button", name="copy as command")).to_be_hidden()
    edit.get_by_role("button", name="copy as Python").click()
    edit.get_by_role("button", name="copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == (
        f"il.edit(field, sae, {{{atom}: 0.0}}, head=0, grid=({GRID[0]}, {GRID[1]}))"
    )


def test_a_wrapped_network_in_every_view(page: Page, address: tuple[str, il.Effects], network: il.Wrapped) -> None:
    opened(page, address[0])
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("At rank 1 ").first.wait_for()
    page.get_by_role("button", name="Freeze", exact=True).click()
    page.get_by_text(il.freeze_advice(network).sentence).wait_for()


class Product(nn.Module):
    """A layer without any linear map."""

    def forward(self, x: Tensor) -> Tensor:
        """Coordinates, their waves, and the product of all."""
        return torch.cat([x, torch.sin(4.0 * x), x.prod(dim=1, keepdim=True)], dim=1)


def test_a_network_without_ranks(page: Page, watch: Watch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = il.wrap(nn.Sequential(Product(), nn.Linear(5, 3)), ["0"])
    made = il.write_explorer(network, tmp_path / "page", sae=toys.sae(network, 0), signal=toys.signal(0, GRID))
    with serving(made.path, watch) as url:
        opened(page, url)
        page.get_by_role("button", name="Freeze", exact=True).click()
        page.get_by_text("there is no sr(W) to advise a freeze depth").wait_for()
        expect(region(page, "Stable ranks of every network").get_by_text("τ*", exact=True)).to_have_count(0)
        shot(page, "no_ranks")


def test_a_field_behind_an_encoding_that_the_page_cannot_run(page: Page, watch: Watch, tmp_path: Path) -> None:
    field = toys.field("hashgrid", heads=1)
    with torch.no_grad():
        field.head.weight *= 2.0
        field.head.bias += 0.5 - field.render().mean((0, 1))
    sae, photo = toys.sae(field, 1), toys.signal(0, GRID)
    made = il.write_explorer(field, tmp_path / "page", sae=sae, signal=photo)
    atom = il.effects(field, sae, il.encode(field, sae, GRID), signal=photo).rank("energy")[0]
    with serving(made.path, watch) as url:
        opened(page, url)
        removed(page, field, sae, atom)
        refused(
            page,
            atom,
            2.0,
            'Network untrained_hashgrid has the encoding "HashEncoding", which this page cannot run: edit it',
        )
