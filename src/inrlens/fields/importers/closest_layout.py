"""Which layout would it be, were it not for a few tensors too many?"""

from collections.abc import Collection, Sequence

from inrlens.errors import InputError
from inrlens.fields.importers.layout import Layout
from inrlens.fields.importers.tensor_names import belongs, missing, shorter_names


def nearest_layouts(state: Collection[str], tried: Sequence[Layout]) -> tuple[list[Layout], list[str]]:
    """The layouts that fit once the fewest names are left aside, less than half of them, and these names.

    A name that shares no prefix with the others keeps theirs on: the names behind the commonest prefix are tried too.
    """
    fronts = [name.partition(".")[0] for name in state]
    common = max(fronts, key=fronts.count)
    nearest: list[Layout] = []
    fewest: list[str] = []
    for part in (state, [name for name in state if name.startswith(f"{common}.")]):
        for names in shorter_names(part):
            for layout in tried:
                kept = {short: whole for short, whole in names.items() if belongs(layout, short)}
                odd = sorted(set(state) - set(kept.values()))
                if 2 * len(odd) >= len(state) or not _is_whole(layout, kept):
                    continue
                if not nearest or len(odd) < len(fewest):
                    nearest, fewest = [], odd
                if odd == fewest and layout not in nearest:
                    nearest.append(layout)
    return nearest, fewest


def _is_whole(layout: Layout, names: Collection[str]) -> bool:
    try:
        return missing(layout, names) is None
    except InputError:
        return False
