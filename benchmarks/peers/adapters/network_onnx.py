# SPDX-License-Identifier: Apache-2.0
"""The networks as ONNX, of ordinary convolutions on (B, C |H|, ...), as an export would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equiconv as eq
import numpy as np
import onnx
from calls import group_of
from networks import CLASSES, Conv, MaxPool, Norm, Residual, Step
from onnx import TensorProto, helper, numpy_helper

from adapters import Array, NetworkInputs

# Of batch norm, as PyTorch's.
EPSILON = 1e-5


class Writer:
    """Nodes and weights of a graph, in the order of the steps."""

    def __init__(self, inputs: NetworkInputs) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._arrays, self._layers = iter(inputs.parameters), inputs.case.made.layers()
        self._last = next(inputs.case.made.layers())

    def steps(self, steps: tuple[Step, ...], name: str) -> str:
        """Appends steps that read the signal `name`; gives the name of what they write."""
        for step in steps:
            if isinstance(step, Conv):
                name = self._convolution(name)
            elif isinstance(step, Norm):
                name = self._norm(name)
                name = self.node("Relu", [name]) if step.relu else name
            elif isinstance(step, MaxPool):
                sizes = [step.size] * self._last.dimension
                name = self.node("MaxPool", [name], kernel_shape=sizes, strides=sizes)
            elif isinstance(step, Residual):
                main = self.steps(step.main, name)
                name = self.node("Relu", [self.node("Add", [main, self.steps(step.shortcut, name)])])
        return name

    def head(self, name: str) -> str:
        """The maximum over H, the mean over space, the classifier."""
        channels = self._last.channels[1]
        # Channels and fiber apart, and space as one axis.
        shape = self.constant(np.array([0, channels, self._last.order, -1], np.int64))
        name = self.node("ReduceMax", [self.node("Reshape", [name, shape])], axes=[2], keepdims=0)
        name = self.node("ReduceMean", [name], axes=[2], keepdims=0)
        weight, bias = (self.constant(next(self._arrays)) for _ in range(2))
        return self.node("Gemm", [name, weight, bias], "scores", transB=1)

    def node(self, kind: str, reads: list[str], writes: str = "", **attributes: Any) -> str:
        """Appends a node; gives the name of its output."""
        writes = writes or f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, reads, [writes], **attributes))
        return writes

    def constant(self, array: Array) -> str:
        """Appends a weight; gives its name."""
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _convolution(self, name: str) -> str:
        layer = self._last = next(self._layers)
        kind: Any = layer.layer
        bank = eq.expand(next(self._arrays), group_of(layer), kind)
        d, k = layer.dimension, layer.kernel
        return self.node(
            "Conv", [name, self.constant(bank)], kernel_shape=[k] * d, strides=[layer.stride] * d, pads=[k // 2] * 2 * d
        )

    def _norm(self, name: str) -> str:
        """With running statistics 0 and 1, as a network has before training."""
        scale, shift = (np.repeat(next(self._arrays), self._last.order) for _ in range(2))
        arrays = (scale, shift, np.zeros_like(scale), np.ones_like(scale))
        return self.node("BatchNormalization", [name, *map(self.constant, arrays)], epsilon=EPSILON)


def network_file(inputs: NetworkInputs) -> Path:
    """Writes the network."""
    writer, made = Writer(inputs), inputs.case.made
    writer.head(writer.steps(made.steps, "x"))
    graph = helper.make_graph(
        writer.nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs.x.shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (made.batch, CLASSES))],
        writer.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = Path(inputs.folder) / "network.onnx"
    onnx.save(model, str(path))
    return path
