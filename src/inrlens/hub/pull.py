"""From the hub, or from a folder like one there."""

import shutil
from pathlib import Path

from inrlens.checkpoints import load
from inrlens.files import ensure_free_file, whole_file, whole_folder
from inrlens.hub.fetch import fetch
from inrlens.hub.folder import ensure_free_share, naming, read_share
from inrlens.hub.gather import Thing
from inrlens.hub.local import BESIDE, check_inside, is_local, local_names
from inrlens.signals.archive import load_signals
from inrlens.studies.record import SIGNALS_FILE


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
    if is_local(repo_id_or_folder, revision):
        folder = Path(repo_id_or_folder)
        check_inside(folder, filename)
        names = local_names(folder, filename)
    else:
        folder, names = fetch(label, filename, revision, cache_dir, token, whole=False)
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
    if is_local(repo_id_or_folder, revision):
        folder = Path(repo_id_or_folder)
        check_inside(folder, filename)
        names = local_names(folder, filename)
    else:
        folder, names = fetch(label, filename, revision, None, token, whole=filename is None)
    for name in names:
        with naming(folder, label):
            load(folder / name)
    if filename is not None:
        with whole_file(out) as temporary:
            shutil.copyfile(folder / filename, temporary)
        return (filename,)
    beside = [path.relative_to(folder).as_posix() for pattern in BESIDE for path in sorted(folder.glob(pattern))]
    if (folder / SIGNALS_FILE).is_file():
        with naming(folder, label):
            load_signals(folder / SIGNALS_FILE)
        beside.append(SIGNALS_FILE)
    with whole_folder(out, force, ensure_free_share) as temporary:
        for name in (*names, *beside):
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, temporary / name)
    return (*names, *beside)
