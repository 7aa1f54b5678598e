"""The shared stack of layers, runnable from any layer to any other."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.complex_layer import ComplexLayer, LiftedLayer
from inrlens.fields.encoding import Encoding
from inrlens.fields.nonlinearity import Nonlinearity


class Layer(nn.Module):
    """One hidden layer, ``h = phi(scale * (W h' + b))``; ``weight`` ``(d_out, d_in)``, ``bias`` ``(d_out,)``.

    ``scale`` is omega_0 for SIREN (Sitzmann et al. 2020, Sec. 3 and supplement 1.5), the s of a Gaussian, 1 for ReLU.
    """

    def __init__(self, weight: Tensor, bias: Tensor, nonlinearity: Nonlinearity, scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.nonlinearity = nonlinearity
        self.scale = scale

    @staticmethod
    def spread(parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Weight and bias over real units: the parameters themselves."""
        weight, bias = parameters
        return weight, bias

    @staticmethod
    def fold(weight: Tensor, bias: Tensor) -> list[Tensor]:
        """Gradients of the parameters from those of what ``spread`` gives: themselves."""
        return [weight, bias]

    @property
    def matrix(self) -> Float[Tensor, "d_out d_in"]:
        """The matrix whose stable rank is the layer's: ``weight`` itself."""
        return self.weight

    def preactivation(self, h: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """``W h' + b``, before scale and nonlinearity."""
        return nn.functional.linear(h, self.weight, self.bias)

    def forward(self, h: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        """``phi(scale * (W h' + b))``."""
        return self.nonlinearity.value(self.scale * self.preactivation(h), None)


HiddenLayer = Layer | ComplexLayer | LiftedLayer
"""Every kind of layer that an encoder may have: all give ``weight``, ``bias``, ``matrix``, ``scale``, ``nonlinearity``
and ``preactivation``, over real units; ``spread`` and ``fold`` take their parameters there and gradients back."""


class Encoder(nn.Module):
    """Layers 0..L-1 behind an optional encoding of the coordinates."""

    def __init__(self, layers: Sequence[HiddenLayer], encoding: Encoding | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.encoding = encoding

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.layers)

    @property
    def width(self) -> int:
        """Units d of the last layer, which the heads read; two for each complex one."""
        return int(self.layer(self.depth - 1).weight.shape[0])

    def layer(self, index: int) -> HiddenLayer:
        """Layer ``index`` in 0..L-1.

        Raises:
            InputError: where there is no such layer.
        """
        self.check_layer(index)
        layer = self.layers[index]
        assert isinstance(layer, HiddenLayer)
        return layer

    def check_layer(self, index: int) -> None:
        """Raises InputError where ``index`` is no layer of this encoder."""
        if not 0 <= index < self.depth:
            raise InputError(f"layer {index} does not exist: this network has layers 0 to {self.depth - 1}.")

    def run(self, h: Float[Tensor, "n d_in"], start: int, stop: int | None) -> Float[Tensor, "n d_out"]:
        """Runs layers ``start``..``stop - 1``; ``stop=None`` runs to the end.

        With ``start == 0``, ``h`` is coordinates ``(N, m)`` and the encoding runs first; otherwise it is the
        activations of layer ``start - 1``. ``run(x, 0, 3)`` gives the activations of layer 2; ``run(x, 0, 0)`` gives
        what enters layer 0.

        Raises:
            InputError: where ``0 <= start <= stop <= L`` does not hold.
        """
        stop = self.depth if stop is None else stop
        if not 0 <= start <= stop <= self.depth:
            raise InputError(f"cannot run layers {start} to {stop}: 0 <= start <= stop <= {self.depth} must hold.")
        if start == 0 and self.encoding is not None:
            h = self.encoding(h)
        for index in range(start, stop):
            h = self.layers[index](h)
        return h

    def trained(self, start: int) -> list[nn.Module]:
        """What is trained where layers below ``start`` are frozen, in the order in which it runs: the layers from
        there, and with nothing frozen the encoding too, where it has anything to train."""
        return [*self._trained_encoding(start), *(self.layer(index) for index in range(start, self.depth))]

    def entering(self, x: Float[Tensor, "n m"], start: int) -> Float[Tensor, "n d_in"]:
        """What enters the first of ``trained(start)`` at coordinates ``x``: nothing trained has a part in it."""
        return x if self._trained_encoding(start) else self.run(x, 0, start)

    def _trained_encoding(self, start: int) -> list[Encoding]:
        return [self.encoding] if start == 0 and self.encoding is not None and self.encoding.is_trained else []

    def activations(self, x: Float[Tensor, "n m"]) -> list[Float[Tensor, "n d"]]:
        """The activations ``H_l`` of every layer, first to last, at coordinates ``x``."""
        h, found = self.run(x, 0, 0), []
        for layer in self.layers:
            h = layer(h)
            found.append(h)
        return found

    def preactivations(self, x: Float[Tensor, "n m"]) -> list[Float[Tensor, "n d"]]:
        """``W_l h_{l-1} + b_l`` of every layer, before scale and nonlinearity."""
        h, found = self.run(x, 0, 0), []
        for index in range(self.depth):
            layer = self.layer(index)
            u = layer.preactivation(h)
            found.append(u)
            h = layer.nonlinearity.value(layer.scale * u, None)
        return found

    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n d"]:
        """The activations of the last layer."""
        return self.run(x, 0, None)


class Head(nn.Linear):
    """The linear outputs of all M signals as one product; weight rows ``j*c .. j*c + c - 1`` belong to signal j."""
