"""A field as one ONNX file that describes itself as our checkpoints do."""

import json
from pathlib import Path

from inrlens import __version__
from inrlens.container import FORMAT_VERSION
from inrlens.errors import InputError
from inrlens.fields.checkpoint import pack_field
from inrlens.fields.exports.stack import plain_stack
from inrlens.fields.field import Field
from inrlens.files import ensure_free_file, whole_file

KEY = "inrlens"
_LARGEST = 2**31 - 2**20
"""Bytes that one message of ONNX may hold, less what is not weights."""


def to_onnx(field: Field, path: str | Path, head: int | None = None, *, force: bool = False) -> None:
    """Writes the field's function as an ONNX model, whole or not at all; needs the extra ``onnx``.

    It takes ``coordinates`` ``(n, m)`` in the field's own range, x first, and gives ``values`` ``(n, c)``, [0, 1]
    unclamped, in the field's number type, with operator set 17. Complex layers are real block matrices. The model's
    metadata holds under ``inrlens`` what a checkpoint's description does: backbone, settings, ranges, grid, signals,
    recipe.

    Args:
        field: a field of ours.
        path: the ``.onnx`` file to write.
        head: the signal that is meant; None: all of them side by side, ``(n, M*c)``.
        force: whether a file that is there is replaced.

    Raises:
        InputError: where onnx is not installed, the path is taken or cannot be written, it is no field of ours, there
            is no such head, the field is too large for one file, or its encoding is not known here.
    """
    try:
        from onnx import helper

        from inrlens.fields.exports.onnx_graph import FORMAT, OPERATORS, graph_of
    except ImportError as error:
        raise InputError('the export to ONNX needs onnx: install it with pip install "inrlens[onnx]".') from error
    path = Path(path)
    ensure_free_file(path, force)
    stack = plain_stack(field, head)
    size = sum(stage.weight.nbytes for stage in stack.stages) + stack.weight.nbytes
    if size > _LARGEST:
        raise InputError(f"this field has {size:,} bytes of weights, and an ONNX file holds at most {_LARGEST:,}.")
    graph = graph_of(stack, field.dtype, field.backbone.name)
    opset = helper.make_opsetid("", OPERATORS)
    model = helper.make_model(
        graph, opset_imports=[opset], ir_version=FORMAT, producer_name="inrlens", producer_version=__version__
    )
    helper.set_model_props(model, {KEY: json.dumps(described(field, head), allow_nan=False)})
    with whole_file(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def described(field: Field, head: int | None) -> dict[str, object]:
    """A checkpoint's description of the field, with the one head that is meant."""
    content = pack_field(field, __version__)
    about = {"kind": content.kind, "format_version": FORMAT_VERSION, **content.description}
    if head is not None:
        # A field that was never fitted, or was imported, names no signals.
        about |= {"heads": 1, "head": head, "signals": about["signals"][head : head + 1]}
    return about
