"""Which pictures train the cohort, which choose the recipe, and which measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from inrlens.errors import InputError
from inrlens.seeding import generator
from inrlens.signals.datasets import DatasetFile


@dataclass(frozen=True)
class Split:
    """A data set's files by their use; no file has two."""

    cohort: tuple[DatasetFile, ...]
    validation: tuple[DatasetFile, ...]
    test: tuple[DatasetFile, ...]
    unused: tuple[DatasetFile, ...]


def split_files(
    files: Sequence[DatasetFile],
    cohort: int,
    validation: int = 0,
    test: int | None = None,
    seed: int | None = 0,
    absent: str = "",
) -> Split:
    """Splits a data set at random; the split depends on the files' names and ``seed`` alone.

    The names are sorted and then shuffled: the first go to the cohort, the next to the validation, the next to the
    test. So two splits with one seed and one ``cohort`` share their cohort, whatever else they ask for.

    Args:
        files: the data set, in any order, each name once.
        cohort: how many pictures for the cohort.
        validation: how many for choosing recipes.
        test: how many for measuring; None takes all the rest.
        seed: of the shuffle; None splits the files in the order given, for sets whose order is a split of its own.
        absent: what is missing of the set, in words (``absent_files``), for the message where it holds too few.

    Raises:
        InputError: where a number is negative or the set holds too few.
    """
    for use, count in (("cohort", cohort), ("validation", validation), ("test", test or 0)):
        if count < 0:
            raise InputError(f"{use} must be 0 or more pictures, not {count}.")
    need = cohort + validation + (test or 0)
    if need > len(files):
        asked = [(cohort, "the cohort"), (validation, "the validation"), (test or 0, "the test")]
        words = " and ".join(f"{count} for {use}" for count, use in asked if count)
        there = "1 picture is" if len(files) == 1 else f"{len(files)} pictures are"
        note = f" ({absent})" if absent else ""
        raise InputError(
            f"only {there} there{note}, but {words} are asked for, so {need - len(files)} are "
            "missing: ask for fewer, or give the whole set."
        )
    ordered = list(files)
    if seed is not None:
        by_name = sorted(files, key=lambda file: file.name)
        order = torch.randperm(len(by_name), generator=generator(seed, "split")).tolist()
        ordered = [by_name[index] for index in order]
    start = cohort + validation
    end = len(ordered) if test is None else start + test
    return Split(tuple(ordered[:cohort]), tuple(ordered[cohort:start]), tuple(ordered[start:end]), tuple(ordered[end:]))
