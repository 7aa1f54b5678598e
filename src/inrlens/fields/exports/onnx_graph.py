"""The ONNX graph of a field, node by node.

Everything is a product with a bias (Gemm) and a few functions of each number, of operator set 17.
"""

import math
from typing import Any

import numpy as np
import torch
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.exports.stack import PlainStack
from inrlens.fields.nonlinearity import Nonlinearity

OPERATORS, FORMAT = 17, 8
"""The operator set, and the version of the file format that came with it."""


class _Graph:
    """Nodes in the order in which they run, and the constants that they read."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.kind = np.float64 if dtype == torch.float64 else np.float32
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        """A node; the names of what it gives."""
        given = [f"{operator.lower()}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, given, name=f"{operator}_{len(self.nodes)}", **attributes))
        return given

    def one(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node that gives one thing."""
        return self.add(operator, list(inputs), **attributes)[0]

    def constant(self, name: str, value: Tensor | np.ndarray | float) -> str:
        """A constant of the graph's number type, or of whole numbers."""
        array = value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        array = array if array.dtype == np.int64 else array.astype(self.kind)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def times(self, value: str, number: float, name: str) -> str:
        """``value`` times a number."""
        return value if number == 1.0 else self.one("Mul", value, self.constant(name, number))


def graph_of(stack: PlainStack, dtype: torch.dtype, name: str) -> GraphProto:
    """From ``coordinates`` ``(n, m)`` to ``values`` ``(n, c)``.

    Raises:
        InputError: where a nonlinearity is not known here.
    """
    graph = _Graph(dtype)
    h = "coordinates"
    if stack.projection is not None:
        frequencies = stack.projection.frequencies.detach()
        cycles = graph.one("MatMul", h, graph.constant("frequencies", frequencies.T))
        angle = graph.times(cycles, 2.0 * math.pi, "two_pi")
        bare = [h] if stack.projection.bare else []
        h = graph.one("Concat", graph.one("Sin", angle), graph.one("Cos", angle), *bare, axis=1)
    for index, stage in enumerate(stack.stages):
        weight = graph.constant(f"layers.{index}.weight", stage.weight)
        u = graph.one("Gemm", h, weight, graph.constant(f"layers.{index}.bias", stage.bias), transB=1)
        v = graph.times(u, stage.scale, f"layers.{index}.scale")
        h = _follow(graph, stage.nonlinearity, v, stage.weight.shape[0], f"layers.{index}")
    head = graph.constant("head.weight", stack.weight), graph.constant("head.bias", stack.bias)
    graph.nodes.append(helper.make_node("Gemm", [h, *head], ["values"], name="head", transB=1))
    number = TensorProto.DOUBLE if dtype == torch.float64 else TensorProto.FLOAT
    m = (stack.stages[0].weight if stack.projection is None else stack.projection.frequencies).shape[1]
    taken = helper.make_tensor_value_info("coordinates", number, ["n", int(m)])
    given = helper.make_tensor_value_info("values", number, ["n", int(stack.weight.shape[0])])
    return helper.make_graph(graph.nodes, name, [taken], [given], initializer=graph.constants)


def _follow(graph: _Graph, phi: Nonlinearity, v: str, units: int, name: str) -> str:
    """``phi(v)``, as ``nonlinearity`` defines it."""
    if phi.name == "sine":
        return graph.one("Sin", v)
    if phi.name == "relu":
        return graph.one("Relu", v)
    if phi.name == "gauss":
        return _bell(graph, v)
    if phi.name == "finer":
        grown = graph.times(graph.one("Mul", v, graph.one("Abs", v)), 1.0 / phi.parameters["omega"], f"{name}.period")
        return graph.one("Sin", graph.one("Add", grown, v))
    if phi.name == "gabor":
        bell = _bell(graph, graph.times(v, phi.parameters["ratio"], f"{name}.ratio"))
        return graph.one("Mul", graph.one("Cos", v), bell)
    if phi.name == "complex gabor":
        halves = graph.constant(f"{name}.halves", np.array([units // 2, units // 2], dtype=np.int64))
        x, y = graph.add("Split", [v, halves], outputs=2, axis=1)
        squares = graph.one("Add", graph.one("Mul", x, x), graph.one("Mul", y, y))
        fall = graph.one("Add", graph.times(squares, phi.parameters["ratio"] ** 2, f"{name}.ratio"), y)
        size = graph.one("Exp", graph.one("Neg", fall))
        parts = [graph.one("Mul", size, graph.one(wave, x)) for wave in ("Cos", "Sin")]
        return graph.one("Concat", *parts, axis=1)
    raise InputError(f"nonlinearity {phi.name!r} is not known to the export to ONNX.")


def _bell(graph: _Graph, v: str) -> str:
    return graph.one("Exp", graph.one("Neg", graph.one("Mul", v, v)))
