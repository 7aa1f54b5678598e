"""From the hub, or from a folder like one there."""

import json
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from inrlens.checkpoints import load
from inrlens.container import KEY
from inrlens.errors import InputError
from inrlens.files import ensure_free_file, whole_file, whole_folder
from inrlens.hub.card import CARD_FILE
from inrlens.hub.client import hub_client, hub_errors
from inrlens.hub.folder import ensure_free_share, naming, read_share, shared_files
from inrlens.hub.gather import Thing
from inrlens.hub.names import SUFFIX
from inrlens.signals.archive import KIND as SIGNALS_KIND, load_signals
from inrlens.studies.record import RECORD_FILE, SIGNALS_FILE

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_BESIDE = (CARD_FILE, RECORD_FILE, "history.csv", "history/*.csv", "reconstructions/*.png", "transfers/*.png")
"""What else than checkpoints a pull takes from a repository."""


def from_pretrained(
    repo_id_or_folder: str | Path,
    filename: str | None = None,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
) -> Thing | dict[str, Thing]:
    """What ``push_to_hub`` or ``save_pretrained`` was given, bit for bit: the one field, dictionary or atlas of a
    repository or folder, or several of them by their files' names without ``.safetensors``.

    Only InrLens's safetensors files are fetched and read: no code of a repository is ever run. What the cache holds
    is not fetched again, and is taken where the hub cannot be reached. A folder needs neither network nor
    huggingface_hub.

    Args:
        repo_id_or_folder: ``OWNER/NAME`` on the hub, or a folder of this machine, which goes first.
        filename: take this file alone.
        revision: a branch, tag or commit of a repository; default: main.
        cache_dir: where downloads are kept; default: the hub client's own place.
        token: for private repositories; default: that of ``hf auth login`` or ``HF_TOKEN``.

    Raises:
        InputError: where there is no such repository, folder, revision or file, none of its files is InrLens's, one is
            damaged, the hub cannot be reached, or huggingface_hub is not installed.
    """
    label = str(repo_id_or_folder)
    if _is_local(repo_id_or_folder, revision):
        folder = Path(repo_id_or_folder)
        names = _local_names(folder, filename)
    else:
        folder, names = _fetch(label, filename, revision, cache_dir, token, whole=False)
    return read_share(folder, names, label)


def pull(
    repo_id_or_folder: str | Path,
    out: str | Path,
    filename: str | None = None,
    *,
    revision: str | None = None,
    token: str | None = None,
    force: bool = False,
) -> tuple[str, ...]:
    """Writes a repository's InrLens files into a folder, or the one named ``filename`` to a file, and checks them.

    A run that was shared is a run folder again, without its signals where they were not shared.

    Returns:
        The names of the files, as they are in the repository.

    Raises:
        InputError: as ``from_pretrained``, or where ``out`` is taken.
    """
    out, label = Path(out), str(repo_id_or_folder)
    (ensure_free_share if filename is None else ensure_free_file)(out, force)
    if _is_local(repo_id_or_folder, revision):
        folder = Path(repo_id_or_folder)
        names = _local_names(folder, filename)
    else:
        folder, names = _fetch(label, filename, revision, None, token, whole=filename is None)
    for name in names:
        with naming(folder, label):
            load(folder / name)
    if filename is not None:
        with whole_file(out) as temporary:
            shutil.copyfile(folder / filename, temporary)
        return (filename,)
    beside = [path.relative_to(folder).as_posix() for pattern in _BESIDE for path in sorted(folder.glob(pattern))]
    if (folder / SIGNALS_FILE).is_file():
        with naming(folder, label):
            load_signals(folder / SIGNALS_FILE)
        beside.append(SIGNALS_FILE)
    with whole_folder(out, force, ensure_free_share) as temporary:
        for name in (*names, *beside):
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, temporary / name)
    return (*names, *beside)


def _is_local(given: str | Path, revision: str | None) -> bool:
    """Whether a folder of this machine is meant.

    Raises:
        InputError: where it is meant and cannot be, or a revision of it is asked for.
    """
    path = Path(given)
    if path.is_dir():
        if revision is not None:
            raise InputError(f"{path} is a folder of this machine, which has no revision {revision!r}: leave it out.")
        return True
    if path.is_file():
        raise InputError(f"{path} is a file: load it with il.load, or give its folder and filename={path.name!r}.")
    text = str(given)
    if isinstance(given, Path) or text.startswith((".", "/", "~")) or text.count("/") > 1 or "\\" in text:
        raise InputError(f"there is no folder {text}: give one that is there, or a repository as OWNER/NAME.")
    return False


def _local_names(folder: Path, filename: str | None) -> list[str]:
    if filename is not None:
        if not (folder / filename).is_file():
            raise InputError(f"{folder} holds no file {filename!r}; it has {_listed(_everything(folder))}.")
        return [filename]
    names = shared_files(folder)
    if not names:
        raise InputError(
            f"{folder} holds no field, dictionary or atlas of InrLens; it has {_listed(_everything(folder))}."
        )
    return names


def _everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _listed(names: list[str]) -> str:
    if not names:
        return "no files at all"
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _fetch(
    repo_id: str,
    filename: str | None,
    revision: str | None,
    cache_dir: str | Path | None,
    token: str | None,
    whole: bool,
) -> tuple[Path, list[str]]:
    """Brings InrLens's files of a repository into the cache: the folder that holds them, and the names of those that
    are fields, dictionaries or atlases. ``whole`` brings what lies beside them too."""
    client = hub_client(token)
    with hub_errors(repo_id, revision):
        kinds = _kinds(client, repo_id, filename, revision)
        if kinds is None:
            wanted = [filename] if filename is not None else [f"*{SUFFIX}", *(_BESIDE if whole else ())]
            folder = Path(
                client.snapshot_download(
                    repo_id,
                    revision=revision,
                    cache_dir=cache_dir,
                    allow_patterns=wanted,
                    ignore_patterns=None if whole else [SIGNALS_FILE],
                    local_files_only=True,
                )
            )
            return folder, _local_names(folder, filename)
        names = [name for name, kind in kinds.items() if kind != SIGNALS_KIND]
        wanted = [*kinds, *_BESIDE] if whole else names
        folder = Path(client.snapshot_download(repo_id, revision=revision, cache_dir=cache_dir, allow_patterns=wanted))
    return folder, names


def _kinds(client: "HfApi", repo_id: str, filename: str | None, revision: str | None) -> dict[str, str] | None:
    """The kind of every InrLens file of a repository, from the files' first bytes; None where the hub cannot be
    reached.

    Raises:
        InputError: where there is none.
    """
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled, SafetensorsParsingError

    try:
        there = sorted(filter(_stays_inside, client.list_repo_files(repo_id, revision=revision)))
    except (OfflineModeIsEnabled, httpx2.TransportError):
        return None
    if filename is not None and filename not in there:
        raise InputError(f"{repo_id} holds no file {filename!r}; it has {_listed(there)}.")
    kinds = {}
    for name in there if filename is None else [filename]:
        if not name.endswith(SUFFIX):
            continue
        try:
            header = client.parse_safetensors_file_metadata(repo_id, name, revision=revision)
        except SafetensorsParsingError as error:
            raise InputError(f"{repo_id}: {name} is no safetensors file, or it is cut short or damaged.") from error
        if KEY in header.metadata:
            kinds[name] = _kind(header.metadata[KEY])
    if all(kind == SIGNALS_KIND for kind in kinds.values()):
        raise InputError(f"{repo_id} holds no field, dictionary or atlas of InrLens; it has {_listed(there)}.")
    return kinds


def _stays_inside(name: str) -> bool:
    """Whether a name that a server gave leads nowhere else than into the folder that it is put in."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def _kind(description: str) -> str:
    """The kind that a description states; empty where it is damaged, which reading the file will tell."""
    try:
        content = json.loads(description)
    except (ValueError, RecursionError):
        return ""
    return str(content.get("kind", "")) if isinstance(content, dict) else ""
