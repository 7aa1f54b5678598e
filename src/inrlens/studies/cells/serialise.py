"""What a cell leaves behind as bytes that depend on its settings alone."""

import tempfile
from dataclasses import replace
from pathlib import Path

from inrlens import __version__
from inrlens.container import Container, write_container
from inrlens.dictionaries.checkpoint import pack_sae
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.checkpoint import pack_field
from inrlens.fields.field import Field

_NAME_LENGTH = 12


def field_bytes(field: Field) -> bytes:
    """A field's checkpoint; its signals are named by their digests, since the same cell may know them by other names in
    another study."""
    content = pack_field(field, __version__)
    signals = [{"name": digest[:_NAME_LENGTH], "sha256": digest} for _, digest in field.origin.signals]
    return container_bytes(replace(content, description={**content.description, "signals": signals}))


def sae_bytes(sae: SparseAutoencoder) -> bytes:
    """A dictionary's checkpoint."""
    return container_bytes(pack_sae(sae, __version__))


def container_bytes(content: Container) -> bytes:
    """The bytes of the file that ``write_container`` writes."""
    with tempfile.TemporaryDirectory(prefix="inrlens-") as folder:
        path = Path(folder) / "artefact.safetensors"
        write_container(path, content)
        return path.read_bytes()
