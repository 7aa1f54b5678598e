"""A folder that is ready to be shared: its files and their model card; and such a folder read back."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inrlens.checkpoints import load
from inrlens.container import read_description
from inrlens.errors import InputError
from inrlens.files import RUN_ENTRIES, ensure_free, read_json, whole_folder
from inrlens.hub.card import CARD_FILE, CardFile, model_card
from inrlens.hub.gather import Thing, Things, gather
from inrlens.hub.names import SUFFIX, check_licence, check_name
from inrlens.hub.private import check_nothing_private
from inrlens.signals.archive import KIND as SIGNALS_KIND


def save_pretrained(
    things: Things,
    folder: str | Path,
    *,
    repo_id: str | None = None,
    license: str | None = None,
    signals: bool = False,
    force: bool = False,
) -> tuple[str, ...]:
    """Writes what ``push_to_hub`` would upload into a folder, whole or not at all; nothing leaves this machine.

    Args:
        things: a field, dictionary or atlas, a ``Fit`` (whose card then tells each signal's PSNR), the path of a
            checkpoint, the folder of a run, a list of these, or names to these.
        folder: where to.
        repo_id: what the card calls it; default: the folder's name.
        license: the licence that the card names, such as ``"cc-by-4.0"``; none is named unless it is given.
        signals: let a run's signals and pictures, or an atlas's signal, come along.
        force: replace such a folder.

    Returns:
        The files' names, the card's last.

    Raises:
        InputError: where ``things`` cannot be shared, a path of this machine would be told, or the folder is taken.
    """
    folder = Path(folder)
    with whole_folder(folder, force, ensure_free_share) as temporary:
        return write_share(things, temporary, repo_id or check_name(folder.resolve().name), license, signals)


def write_share(things: Things, folder: Path, repo_id: str, license: str | None, signals: bool) -> tuple[str, ...]:
    """Fills an empty folder with what is shared, and returns the names of its files, the card's last.

    Raises:
        InputError: as ``save_pretrained``.
    """
    if license is not None:
        check_licence(license)
    pieces = gather(things, signals)
    for piece in pieces:
        path = folder / piece.name
        path.parent.mkdir(parents=True, exist_ok=True)
        piece.write(path)
        if path.suffix in (SUFFIX, ".json"):
            check_nothing_private(piece.name, read_json(path) if path.suffix == ".json" else read_description(path))
    files = [
        CardFile(piece.name, (folder / piece.name).stat().st_size, _digest(folder / piece.name)) for piece in pieces
    ]
    facts = [piece.facts for piece in pieces if piece.facts is not None]
    # A name that came from a file system may hold what UTF-8 cannot.
    card = model_card(repo_id, facts, files, license).encode("utf-8", "replace")
    (folder / CARD_FILE).write_bytes(card)
    return (*(piece.name for piece in pieces), CARD_FILE)


def read_share(folder: Path, names: list[str], label: str) -> Thing | dict[str, Thing]:
    """The one field, dictionary or atlas among these files of a folder, or all of them by their names without ending.

    Raises:
        InputError: where a file is damaged or not ours; the sentence speaks of ``label`` in place of the folder.
    """
    things: dict[str, Thing] = {}
    for name in names:
        with naming(folder, label):
            things[name.removesuffix(SUFFIX)] = load(folder / name)
    return next(iter(things.values())) if len(things) == 1 else things


def shared_files(folder: Path) -> list[str]:
    """The fields, dictionaries and atlases inside a folder, by their names relative to it, sorted.

    Raises:
        InputError: where a safetensors file is damaged.
    """
    found = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        about = read_description(path)
        if about is not None and about["kind"] != SIGNALS_KIND:
            found.append(name.as_posix())
    return found


@contextmanager
def naming(folder: Path, label: str) -> Iterator[None]:
    """Within the block, errors speak of ``label`` where they would name the folder, which may be one of a cache."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(folder), label)) from error


def ensure_free_share(folder: Path, force: bool) -> None:
    """Refuses a folder that is taken; with ``force``, one that holds nothing but what is shared may be replaced.

    Raises:
        InputError: where it may not be replaced.
    """
    if force and folder.is_dir() and not folder.is_symlink():
        entries = [entry.name for entry in folder.iterdir()]
        if CARD_FILE in entries:
            foreign = [name for name in entries if name not in {*RUN_ENTRIES, CARD_FILE} and not name.endswith(SUFFIX)]
            if foreign:
                raise InputError(f"{folder} also holds {foreign[0]!r}, which --force would delete: move it away first.")
            return
    ensure_free(folder, force)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
