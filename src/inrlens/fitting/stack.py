"""What is trained of S networks of one shape, side by side."""

from collections.abc import Sequence
from itertools import chain, islice

import torch
from torch import Tensor, nn

from inrlens.fields.encoder import Head, HiddenLayer
from inrlens.fields.encoding import Encoding
from inrlens.fields.hash_encoding import HashEncoding


class Stack:
    """S networks of one shape: what is trained before their heads, and the heads.

    ``modules[s]`` are network s's trained layers in order, maybe behind a trained encoding. ``parameters`` are what the
    optimiser moves: head weight and bias, then the modules' in order, network after network.

    Where every layer is one of ours with its derivative, and what stands before them a hash encoding if anything,
    ``weights`` holds the same parameters of all networks side by side, ``(S, ...)``, and each network's own become
    views of them until ``part``; ``spread`` makes of them the ``matrices`` ``(S, d_out, d_in)`` and ``biases``
    ``(S, d_out)`` of the layers over real units, and ``fold`` takes gradients of those back.
    """

    @torch.no_grad()
    def __init__(self, modules: Sequence[Sequence[nn.Module]], heads: Sequence[Head]) -> None:
        self.modules = [list(layers) for layers in modules]
        self.heads = list(heads)
        self.encodings = [layers[0] for layers in self.modules if layers and isinstance(layers[0], HashEncoding)]
        self.is_written_out = all(
            isinstance(layer, HiddenLayer) and layer.nonlinearity.pull_back is not None
            for layers in self.modules
            for layer in layers[bool(self.encodings) :]
        )
        self.parameters_of = [
            [parameter for module in (head, *layers) for parameter in _trained(module)]
            for head, layers in zip(self.heads, self.modules, strict=True)
        ]
        self.weights: list[Tensor] = []
        if self.is_written_out:
            self.weights = [_side_by_side(same) for same in zip(*self.parameters_of, strict=True)]
            self.spread()

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Every parameter of every network."""
        return [parameter for own in self.parameters_of for parameter in own]

    @property
    def head_weight(self) -> Tensor:
        """``(S, M*c, d)``."""
        return self.weights[0]

    @property
    def head_bias(self) -> Tensor:
        """``(S, M*c)``."""
        return self.weights[1]

    @property
    def first(self) -> int:
        """Where among ``weights`` the layers' begin: after the heads' two, and the tables ``(S, rows, F)`` if any."""
        return 3 if self.encodings else 2

    @torch.no_grad()
    def spread(self) -> None:
        """Makes ``matrices`` and ``biases`` from what the parameters are now."""
        left, self.matrices, self.biases = iter(self.weights[self.first :]), list[Tensor](), list[Tensor]()
        for layer in self.written_out_layers():
            matrix, bias = layer.spread(list(islice(left, len(_trained(layer)))))
            self.matrices.append(matrix)
            self.biases.append(bias)

    @property
    def real(self) -> list[Tensor]:
        """``weights`` with each layer's matrix and bias over real units in place of its parameters."""
        layers = zip(self.matrices, self.biases, strict=True)
        return [*self.weights[: self.first], *chain.from_iterable(layers)]

    @torch.no_grad()
    def fold(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Gradients of ``weights``, from those of ``real``: the same tensors where the two are."""
        weights, biases = gradients[self.first :: 2], gradients[self.first + 1 :: 2]
        layers = zip(self.written_out_layers(), weights, biases, strict=True)
        folded = [layer.fold(weight, bias) for layer, weight, bias in layers]
        return [*gradients[: self.first], *chain.from_iterable(folded)]

    @torch.no_grad()
    def part(self) -> None:
        """Gives every network storage of its own again and drops the gradients."""
        for parameter in self.parameters:
            parameter.grad = None
            if len(self) > 1:
                parameter.data = parameter.detach().clone()

    def written_out_layers(self) -> list[HiddenLayer]:
        """The first network's layers, which say scale and nonlinearity for all."""
        return [layer for layer in self.modules[0] if isinstance(layer, HiddenLayer)]


def _trained(module: nn.Module) -> list[nn.Parameter]:
    """Weights, then bias, of a layer or head of ours, the tables of an encoding; of a foreign module, what its author
    did not freeze."""
    own = list(module.parameters())
    return (
        own
        if isinstance(module, HiddenLayer | Head | Encoding)
        else [parameter for parameter in own if parameter.requires_grad]
    )


def _side_by_side(parameters: Sequence[nn.Parameter]) -> Tensor:
    """``(S, ...)``: one network's own storage, or one new storage that all networks' parameters then look into."""
    if len(parameters) == 1:
        return parameters[0].detach().unsqueeze(0)
    stacked = torch.stack([parameter.detach() for parameter in parameters])
    for parameter, view in zip(parameters, stacked, strict=True):
        parameter.data = view
    return stacked
