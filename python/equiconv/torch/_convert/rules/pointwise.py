# SPDX-License-Identifier: Apache-2.0
"""Functions of each number, dropout, softmax over channels, and sums and products of signals."""

from __future__ import annotations

import copy
import operator
from functools import partial
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from ..._imports.walk import POINTWISE
from ..._nn.norm import FieldDropout
from ..walk import Constant, Emit, Signal, Sizes, Step


def _module(step: Step) -> tuple[Signal, Emit]:
    """A module of PyTorch that stays what it is."""
    module = copy.deepcopy(step.module)

    def emit() -> Any:
        name = str(step.node.target)
        step.walk.modules.setdefault(name, module)
        return step.walk.copy(step.node)

    return step.signal, emit


def _prelu(step: Step) -> tuple[Signal, Emit]:
    module, value = step.module, step.signal
    if module.num_parameters == 1:
        return _module(step)
    step.expect_channels(value, module.num_parameters, "num_parameters")

    def emit() -> Any:
        slopes = module.weight
        start = float(slopes.detach().mean())
        made = nn.PReLU(step.walk.count(value), start, device=slopes.device, dtype=slopes.dtype)
        return step.walk.call(step.node, made)

    return value, emit


def _softmax(step: Step) -> tuple[Signal, Emit]:
    value, walk = step.signal, step.walk
    axes = 2 if value.places == "none" else 2 + step.group.dimension
    dim = step.options(dim=None)["dim"]
    if not isinstance(dim, int) or dim % axes != 1:
        step.refuse(f"is over axis {dim}, expected 1, the channels")
    if step.module is not None:
        return value, lambda: walk.call(step.node, type(step.module)(1))
    names = {"softmax": torch.softmax, "log_softmax": torch.log_softmax}
    target = step.node.target
    name = target if isinstance(target, str) else target.__name__
    return value, lambda: walk.graph.call_function(names[name], (walk.new(step.source), 1))


def _dropout(step: Step, kind: Any) -> tuple[Signal, Emit]:
    """Dropout as a module, which follows `train` and `eval`."""
    value, walk = step.signal, step.walk
    options = step.options(p=0.5, training=True)
    if step.module is None and bool(options["training"]) != walk.root.training:
        if walk.root.training:
            return value, lambda: walk.new(step.source)
        step.refuse("drops numbers in evaluation too: pass training=self.training")
    made = nn.Dropout(options["p"]) if kind is nn.Dropout or value.places == "none" else FieldDropout(options["p"])
    return value, lambda: walk.call(step.node, made)


def _function(step: Step) -> tuple[Any, Emit]:
    """A function of each number, with arguments that are numbers."""
    return step.signal, _copied(step)


def _copied(step: Step) -> Emit:
    for node in step.node.all_input_nodes[1:]:
        _check_number(step, step.value(node), step.signal)
    return lambda: step.walk.copy(step.node)


def _check_number(step: Step, value: Any, signal: Signal) -> None:
    """Raises ValueError for what a signal meets that is no number: sizes, or a constant of several numbers.

    One number for each channel may meet the image, as in ``(x - self.mean) / self.deviation``: its channels stay.
    """
    if not isinstance(value, Constant):
        step.refuse("computes with sizes of a signal or with a tuple, expected numbers")
    shape, d = tuple(value.tensor.shape), step.group.dimension
    if value.tensor.numel() == 1:
        return
    if len(shape) > d and any(size > 1 for size in shape[-d:]):
        step.refuse(
            f"adds or multiplies a constant of shape {shape}, which is tied to places of the image, as embeddings of "
            "positions are, and does not commute with the group: take it out"
        )
    if len(shape) > d and not signal.on_group and signal.places != "none":
        signal.channels.root().is_whole = True
        return
    step.refuse(
        f"uses a constant, parameter or buffer of shape {shape}, expected a single number: channels become others, and "
        "places turn. Use the bias of a convolution, or batch norm"
    )


def _binary(step: Step) -> tuple[Any, Emit]:
    """Sums, products and the like, of two signals or of one and a number."""
    nodes = [node for node in step.node.args[:2] if isinstance(node, fx.Node)]
    values = [step.value(node) for node in nodes]
    signals = [value for value in values if isinstance(value, Signal)]
    if not signals:
        return Sizes("other"), lambda: step.walk.copy(step.node)
    for value in values:
        if not isinstance(value, Signal):
            _check_number(step, value, signals[0])
    if len(signals) < 2:
        return signals[0], lambda: step.walk.copy(step.node)
    return _joined(step, nodes, signals[0], signals[1])


def _joined(step: Step, nodes: list[fx.Node], one: Signal, two: Signal) -> tuple[Signal, Emit]:
    """Two signals, number by number; one may have a single channel, or a single place."""
    walk = step.walk
    if (one.places == "none") != (two.places == "none"):
        step.refuse("joins a signal with a vector, whose axes do not fit: reshape the vector to (B, C, 1, 1)")
    channels = one.channels
    if one.channels.root().size == 1:
        channels = two.channels
    elif two.channels.root().size != 1 and not one.channels.merge(two.channels):
        sizes = [value.channels.root().size for value in (one, two)]
        step.refuse(f"joins signals of {sizes[0]} and {sizes[1]} channels, expected as many")
    on_group = one.on_group or two.on_group
    places = one.places if two.places != "many" else "many"

    def emit() -> Any:
        made = {node: walk.on_group(node) if on_group else walk.new(node) for node in nodes}
        return walk.graph.node_copy(step.node, lambda node: made[node])

    return Signal(channels, on_group, places), emit


_FUNCTIONS = (
    functional.relu, torch.relu, torch.relu_, torch.sigmoid, functional.sigmoid, torch.tanh, functional.tanh,
    functional.silu, functional.gelu, functional.elu, functional.selu, functional.celu, functional.leaky_relu,
    functional.hardswish, functional.hardsigmoid, functional.hardtanh, functional.relu6, functional.mish,
    functional.softplus, functional.logsigmoid, functional.softsign, torch.exp, torch.abs, torch.square, torch.sqrt,
    torch.neg, operator.neg, torch.clamp, torch.log, torch.log1p, torch.sin, torch.cos, torch.clone,
)  # fmt: skip
_NAMES = (
    "relu", "relu_", "sigmoid", "sigmoid_", "tanh", "tanh_", "exp", "abs", "square", "sqrt", "neg", "clamp", "clamp_",
    "log", "log1p", "sin", "cos", "contiguous", "clone", "detach", "float", "double", "half", "bfloat16",
)  # fmt: skip
_BINARY = (
    operator.add, operator.iadd, operator.sub, operator.isub, operator.mul, operator.imul, operator.truediv,
    operator.itruediv, operator.pow, operator.floordiv, torch.add, torch.sub, torch.mul, torch.div, torch.pow,
    torch.maximum, torch.minimum,
)  # fmt: skip
_BINARY_NAMES = ("add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_", "pow", "maximum", "minimum")
_FIELDS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)

MODULES: dict[Any, Any] = {
    **dict.fromkeys((*POINTWISE, nn.Softsign, nn.Hardshrink, nn.Softshrink, nn.Tanhshrink, nn.Threshold), _module),
    nn.PReLU: _prelu,
    **dict.fromkeys((nn.Softmax, nn.LogSoftmax), _softmax),
    **dict.fromkeys(_FIELDS, partial(_dropout, kind=FieldDropout)),
}
FUNCTIONS: dict[Any, Any] = {
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys((torch.softmax, functional.softmax, torch.log_softmax, functional.log_softmax), _softmax),
    functional.dropout: partial(_dropout, kind=nn.Dropout),
    **dict.fromkeys(
        (functional.dropout1d, functional.dropout2d, functional.dropout3d), partial(_dropout, kind=FieldDropout)
    ),
}
METHODS: dict[str, Any] = {
    **dict.fromkeys(_NAMES, _function),
    **dict.fromkeys(_BINARY_NAMES, _binary),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
}
