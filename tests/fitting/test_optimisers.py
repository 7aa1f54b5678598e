"""Which optimiser moves which parameter."""

import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.stack import Stack


@pytest.mark.parametrize(("width", "by_muon"), [(7, 0), (8, 2), (9, 2)])
def test_muon_takes_the_hidden_matrices_whose_sides_are_at_least_eight(width: int, by_muon: int) -> None:
    """A SIREN of three layers has two of them beside what reads the coordinates, and its head, of any size."""
    field = il.Field.new("siren", width=width, depth=3, heads=4)
    stack = Stack([field.encoder.trained(0)], [field.head])
    optimisers = Optimisers(stack, toys.recipe(optimizer="muon"))
    for parameter in stack.parameters:
        parameter.grad = torch.ones_like(parameter)
    optimisers.step(0)
    taken = [
        tuple(parameter.shape)
        for place, parameter in enumerate(stack.parameters)
        if f"{place}.momentum_buffer" in optimisers.memory()
    ]
    assert taken == [(width, width)] * by_muon
    assert optimisers.memory().keys() == optimisers.memory_like().keys()
