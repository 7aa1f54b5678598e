"""A field as what every export writes down: a known encoding, real linear maps, and what follows each."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.complex_layer import ComplexLayer, LiftedLayer
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.encoding import FourierProjection
from inrlens.fields.field import Field
from inrlens.fields.nonlinearity import Nonlinearity
from inrlens.fields.require_field import require_field


@dataclass(frozen=True)
class Stage:
    """One layer, ``h = phi(scale * (W h' + b))``; a complex one by its real block matrix."""

    weight: Float[Tensor, "d_out d_in"]
    bias: Float[Tensor, " d_out"]
    scale: float
    nonlinearity: Nonlinearity


@dataclass(frozen=True)
class PlainStack:
    """The encoding, if any, the layers, and weight and bias of the heads that are meant."""

    projection: FourierProjection | None
    stages: tuple[Stage, ...]
    weight: Float[Tensor, "rows d"]
    bias: Float[Tensor, " rows"]


def plain_stack(field: Field, head: int | None) -> PlainStack:
    """A field as plain parts, detached from it; ``head`` None keeps all heads side by side.

    Raises:
        InputError: where it is no field of ours, there is no such head, or the field holds what is not written down
            here, such as a trained encoding.
    """
    require_field(field, "an export")
    encoder = field.encoder
    columns = slice(None) if head is None else field.columns(head)
    plain = type(encoder) is Encoder and {name for name, _ in encoder.named_children()} <= {"layers", "encoding"}
    encoding = encoder.encoding
    if not plain or not (encoding is None or type(encoding) is FourierProjection):
        raise InputError(
            f"a {field.backbone.name} field has an encoding that no export knows: only networks of linear layers, "
            "alone or behind Fourier features, are written."
        )
    stages = []
    for index in range(field.depth):
        layer = encoder.layer(index)
        if type(layer) not in (Layer, ComplexLayer, LiftedLayer):
            raise InputError(f"layer {index} of this {field.backbone.name} field is of a kind that no export knows.")
        stages.append(Stage(_copied(layer.weight), _copied(layer.bias), float(layer.scale), layer.nonlinearity))
    weight, bias = _copied(field.head.weight[columns]), _copied(field.head.bias[columns])
    return PlainStack(encoding, tuple(stages), weight, bias)


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()
