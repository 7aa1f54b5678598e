"""The hub's own client, and its refusals as sentences."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inrlens import __version__
from inrlens.errors import InputError

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def hub_client(token: str | None) -> "HfApi":
    """The client of the hub that ``HF_ENDPOINT`` names; without ``token``, the one that the user has logged in with.

    Raises:
        InputError: where huggingface_hub (the extra ``hub``) is not installed.
    """
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise InputError(
            'sharing through the hub needs huggingface_hub: install it with pip install "inrlens[hub]".'
        ) from error
    client: HfApi = hub.HfApi(token=token, library_name="inrlens", library_version=__version__)
    return client


@contextmanager
def hub_errors(repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Within the block, what the hub refuses is an ``InputError`` of one sentence; needs huggingface_hub."""
    import httpx2
    from huggingface_hub import errors

    where = f"{repo_id}, revision {revision!r}" if revision is not None else repo_id
    try:
        yield
    except errors.HFValidationError as error:
        raise InputError(f"{repo_id!r} is no name of a repository: write OWNER/NAME, such as me/faces.") from error
    except errors.GatedRepoError as error:
        raise InputError(f"{repo_id} is gated: ask its owner for access on its page, and log in.") from error
    except errors.DisabledRepoError as error:
        raise InputError(f"{repo_id} has been disabled by the hub: use another repository.") from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"there is no repository {repo_id} on the hub that this login may see, and no folder of that name: check "
            "the name, or log in with hf auth login where it is private."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(
            f"{repo_id} has no revision {revision!r}: give a branch, tag or commit that it has."
        ) from error
    except errors.HfHubHTTPError as error:
        raise InputError(_refusal(repo_id, error.response.status_code, error.server_message)) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, httpx2.TransportError) as error:
        raise InputError(
            f"the hub cannot be reached, and {where} is not whole in the cache: check the connection, and "
            "HF_HUB_OFFLINE."
        ) from error
    except (errors.FileMetadataError, errors.SafetensorsParsingError) as error:
        raise InputError(f"{repo_id}: {_line(str(error), 300)}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        # Such as a card that it does not accept, or an answer that is none.
        raise InputError(f"the hub did not take this for {repo_id}: {_line(str(error), 300)}.") from error


def _refusal(repo_id: str, status: int, message: str | None) -> str:
    if status == 401:
        return f"the hub did not accept the token for {repo_id}: log in anew with hf auth login, or set HF_TOKEN."
    if status == 403:
        return f"this token may not write to {repo_id}: use one with write access, and a name under an owner of yours."
    said = f" ({_line(message, 200)})" if message else ""
    return f"the hub refused {repo_id} with status {status}{said}: try again later, or look at its page."


def _line(text: str, most: int) -> str:
    return " ".join(text.split())[:most].rstrip(".")
