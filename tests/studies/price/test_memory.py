"""Memory of cells against what is really allocated, and what is said where it does not suffice."""

import math

import pytest

import inrlens as il
import priced
import toys
from inrlens.fitting.compute import Compute
from inrlens.fitting.engine import Engine
from inrlens.signals.memory import physical_memory
from inrlens.studies.price.memory import PROCESS_BYTES, cell_bytes, memory_need
from inrlens.studies.price.operations import fit_cell

LARGE = (300, 300)


def test_buffers_are_the_engine_s_own_and_kept_rows_are_counted() -> None:
    source = priced.cohort()
    cell = priced.transfer(source, 1, grid=LARGE)
    found = fit_cell(cell, priced.by_key(source, cell))
    field = toys.field(heads=1)
    layers = [[field.encoder.layer(index) for index in (2, 3)]]
    engine = Engine(layers, [field.head], 3, Compute(), 1, math.prod(LARGE))
    assert found.buffers == 512 * 2**20 - engine.budget
    assert found.kept_bytes == 4 * 16 * math.prod(LARGE)


def test_a_larger_picture_and_more_heads_need_more() -> None:
    small, tall, many = priced.cohort(), priced.cohort(grid=LARGE), priced.cohort(grid=LARGE, heads=5)
    needed = [cell_bytes(one, priced.by_key(one)) for one in (small, tall, many)]
    assert needed == sorted(needed)
    # Three more pictures: targets and their copies, at least twice.
    assert needed[2] - needed[1] > 3 * 2 * 4 * 3 * math.prod(LARGE)


def test_an_atlas_holds_all_codes_and_effects() -> None:
    source = priced.cohort(grid=LARGE)
    made = priced.dictionary(source, k=8)
    cell = priced.analysis(source, made)
    cells = priced.by_key(source, made, cell)
    field = toys.field(grid=LARGE)
    sae = il.train_sae(field, layer=1, n_atoms=24, k=8, steps=1).sae
    codes = il.encode(field, sae)
    atlas = il.effects(field, sae, codes)
    kept = sum(one.numel() * one.element_size() for one in (codes.indices, codes.values, atlas.delta, atlas.output))
    assert kept < cell_bytes(cell, cells) < 10 * kept


def test_a_dictionary_s_weights_grow_with_its_atoms() -> None:
    source = priced.cohort()
    small, large = priced.dictionary(source, n_atoms=1000), priced.dictionary(source, n_atoms=2000)
    cells = priced.by_key(source, small, large)
    # Encoder and decoder, with gradient and two moments each.
    assert cell_bytes(large, cells) - cell_bytes(small, cells) > 1000 * 2 * 4 * 4 * 16


def test_the_study_is_warned_of_a_machine_that_is_too_small() -> None:
    source = priced.cohort(grid=LARGE)
    cell = priced.transfer(source, 0)
    cells = priced.by_key(source, cell)
    one = PROCESS_BYTES + cell_bytes(source, cells)
    roomy = memory_need(cells, 3, machine_bytes=3 * one)
    assert (roomy.largest, roomy.total_bytes, roomy.workers_that_fit, roomy.warning) == (source.key, 3 * one, 3, None)
    tight = memory_need(cells, 3, machine_bytes=3 * one - 1)
    assert tight.warning is not None
    assert tight.warning.endswith(": 2 would fit.")
    none = memory_need(cells, 1, machine_bytes=10)
    assert none.warning is not None
    assert none.warning.endswith("the machine has 10 bytes: not even one fits: lower the resolution.")
    left = memory_need(cells, 1, keys=[cell.key], machine_bytes=10 * one)
    assert left.largest == cell.key


def test_an_empty_study_needs_its_processes() -> None:
    assert memory_need({}, 2).worker_bytes == PROCESS_BYTES


def test_this_machine_says_what_it_has() -> None:
    found = physical_memory()
    if found is None:
        pytest.skip("this system does not say")
    assert found > 2**28
