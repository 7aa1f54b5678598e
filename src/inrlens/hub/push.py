"""To the hub: one commit that holds the files and their model card."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.errors import InputError
from inrlens.files import RUN_ENTRIES
from inrlens.hub.card import CARD_FILE
from inrlens.hub.client import hub_client, hub_errors
from inrlens.hub.folder import write_share
from inrlens.hub.gather import Things
from inrlens.hub.names import SUFFIX, check_repo_id

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NOT_OURS = {".gitattributes"}
"""What the hub itself puts into a new repository."""


@dataclass(frozen=True)
class Pushed:
    """What was uploaded: the repository ``repo_id``, its page's ``url``, whether it is ``private``, the ``commit``'s
    hash, and the ``files`` with their sizes in bytes."""

    repo_id: str
    url: str
    private: bool
    commit: str
    files: dict[str, int]


def push_to_hub(
    things: Things,
    repo_id: str,
    *,
    private: bool = True,
    license: str | None = None,
    signals: bool = False,
    token: str | None = None,
    revision: str | None = None,
    message: str | None = None,
    force: bool = False,
) -> Pushed:
    """Uploads things with a model card to a repository of the Hugging Face hub, which is made where there is none.

    All files go up in one commit, so that nobody sees half of them. ``save_pretrained`` writes the same files into a
    folder, to look at before.

    Args:
        things: a field, dictionary or atlas, a ``Fit`` (whose card then tells each signal's PSNR), the path of a
            checkpoint, the folder of a run, a list of these, or names to these.
        repo_id: ``OWNER/NAME``.
        private: whether a new repository can be seen by its owner alone. One that is there already keeps what it is,
            and is refused where it is public and ``private`` is not False.
        license: the licence that the card names, such as ``"cc-by-4.0"``; none is named unless it is given.
        signals: let a run's signals and pictures, or an atlas's signal, come along. A network can always be drawn.
        token: with write access; default: that of ``hf auth login`` or ``HF_TOKEN``.
        revision: the branch to commit to, which must be there; default: main.
        message: of the commit.
        force: replace what the repository holds; without, one that holds files is refused.

    Raises:
        InputError: where ``things`` cannot be shared, a path of this machine would be told, huggingface_hub is not
            installed, there is no token, or the hub refuses.
    """
    check_repo_id(repo_id)
    client = hub_client(token)
    if token is None:
        _check_login()
    with tempfile.TemporaryDirectory(prefix="inrlens-") as name:
        folder = Path(name)
        files = write_share(things, folder, repo_id, license, signals)
        with hub_errors(repo_id, revision):
            return _upload(client, repo_id, private, folder, files, revision, message, force)


def _check_login() -> None:
    from huggingface_hub import get_token

    if get_token() is None:
        raise InputError(
            "there is no token to upload with: log in with hf auth login, set HF_TOKEN, or give token= (from the hub's "
            "settings, with write access)."
        )


def _upload(
    client: "HfApi",
    repo_id: str,
    private: bool,
    folder: Path,
    files: Sequence[str],
    revision: str | None,
    message: str | None,
    force: bool,
) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    url = client.create_repo(repo_id, visibility="private" if private else "public", exist_ok=True)
    is_private = bool(client.model_info(repo_id).private)
    if private and not is_private:
        raise InputError(
            f"{repo_id} is there already and public: give private=False (--public) if all the world may read it, or "
            "another name."
        )
    there = sorted(set(client.list_repo_files(repo_id, revision=revision)) - _NOT_OURS)
    if there and not force:
        raise InputError(
            f"{repo_id} holds files already ({', '.join(there[:3])}{', ...' if len(there) > 3 else ''}): give "
            "force=True (--force) to replace them, or another name."
        )
    old = [file for file in there if _is_shared(file) and file not in files]
    done = client.create_commit(
        repo_id,
        [
            *(CommitOperationDelete(file) for file in old),
            *(CommitOperationAdd(file, str(folder / file)) for file in files),
        ],
        commit_message=message or "Upload with InrLens",
        revision=revision,
    )
    sizes = {file: (folder / file).stat().st_size for file in files}
    return Pushed(repo_id, str(url), is_private, done.oid, sizes)


def _is_shared(file: str) -> bool:
    """Whether a push may have put this file there, so that the next one takes it away."""
    return file.endswith(SUFFIX) or file == CARD_FILE or file.split("/")[0] in RUN_ENTRIES
