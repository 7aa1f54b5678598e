"""From the hub into the hub client's cache: InrLens's files of a repository, and no others."""

import json
import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from inrlens.container import KEY
from inrlens.errors import InputError
from inrlens.hub.client import hub_client, hub_errors
from inrlens.hub.local import BESIDE, listed, local_names
from inrlens.hub.names import SUFFIX
from inrlens.signals.archive import KIND as SIGNALS_KIND
from inrlens.studies.record import SIGNALS_FILE

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def fetch(
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
        there = _listing(client, repo_id, revision)
        if there is None:
            if filename is not None and not _stays_inside(filename):
                raise InputError(f"{repo_id}: {filename!r} leads out of the repository: give a file inside it.")
            wanted = [filename] if filename is not None else [f"*{SUFFIX}", *(BESIDE if whole else ())]
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
            return folder, local_names(folder, filename)
        outside = [name for name in there if not _stays_inside(name)]
        if outside and filename is None:
            warnings.warn(f"{repo_id}: left out, since it leads out of the folder: {listed(outside)}.", stacklevel=3)
        there = [name for name in there if name not in outside]
        kinds = _kinds(client, repo_id, there, filename, revision)
        names = [name for name, kind in kinds.items() if kind != SIGNALS_KIND]
        beside = [name for name in there if any(fnmatchcase(name, pattern) for pattern in BESIDE)]
        # By their names alone, since the client refuses everything where a pattern fits a name that leads out.
        wanted = [escape(name) for name in ([*kinds, *beside] if whole else names)]
        folder = Path(client.snapshot_download(repo_id, revision=revision, cache_dir=cache_dir, allow_patterns=wanted))
    return folder, names


def _listing(client: "HfApi", repo_id: str, revision: str | None) -> list[str] | None:
    """The names of a repository's files, sorted; None where the hub cannot be reached."""
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        return sorted(client.list_repo_files(repo_id, revision=revision))
    except (OfflineModeIsEnabled, httpx2.TransportError):
        return None


def _kinds(
    client: "HfApi", repo_id: str, there: Sequence[str], filename: str | None, revision: str | None
) -> dict[str, str]:
    """The kind of every InrLens file among a repository's, from the files' first bytes.

    Raises:
        InputError: where there is none.
    """
    from huggingface_hub.errors import SafetensorsParsingError

    if filename is not None and filename not in there:
        raise InputError(f"{repo_id} holds no file {filename!r}; it has {listed(there)}.")
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
        raise InputError(f"{repo_id} holds no field, dictionary or atlas of InrLens; it has {listed(there)}.")
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
