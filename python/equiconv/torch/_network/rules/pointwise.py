# SPDX-License-Identifier: Apache-2.0
"""Functions of each number, sums and concatenation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..constants import Constant
from ..views import Tracked
from ..walk import Rule, Step


def _pointwise(step: Step, function: str, **numbers: Any) -> Tracked:
    return step.emit_on_views("pointwise", [step.signal(step["self"])], function=function, **numbers)


def _leaky_relu(step: Step) -> Tracked:
    return _pointwise(step, "leaky_relu", slope=float(step["negative_slope"]))


def _elu(step: Step) -> Tracked:
    if step["scale"] != 1 or step["input_scale"] != 1:
        step.refuse("scales what it reads or writes, as selu does, expected elu", supported=True)
    return _pointwise(step, "elu", alpha=float(step["alpha"]))


def _gelu(step: Step) -> Tracked:
    return _pointwise(step, "gelu" if step["approximate"] == "none" else "gelu_tanh")


def _softmax(step: Step) -> Tracked:
    x = step.signal(step["self"])
    if x.axis(step["dim"]) != ("C",):
        step.refuse(f"is over axis {step['dim']}, expected 1, the channels")
    return step.emit_on_views("softmax", [x])


def _add(step: Step) -> Tracked:
    first, second = step["self"], step["other"]
    if step.arguments.get("alpha", 1) != 1:
        step.refuse("scales a term, expected alpha of 1")
    for value, other in ((first, second), (second, first)):
        # What Python's `sum` begins with.
        if isinstance(value, int | float) and value == 0:
            return step.signal(other)
        if isinstance(value, Constant) and isinstance(other, Tracked) and _is_bias(step, value, other):
            return _with_bias(step, value, other)
        if isinstance(value, int | float | Constant):
            step.refuse("adds a constant, expected two signals that the network computes", supported=True)
    terms = [step.signal(first), step.signal(second)]
    if terms[0].axes != terms[1].axes or not terms[0].cell.type.is_on(terms[1].cell.type):
        step.refuse(f"adds {terms[0].cell.type} and {terms[1].cell.type}, expected signals of one shape on one space")
    return step.emit_on_views("add", terms)


def _is_bias(step: Step, constant: Constant, x: Tracked) -> bool:
    """Whether a constant is the bias of the transposed convolution that has just written a signal, for nothing else."""
    last = step.walk.builder.operations[-1] if step.walk.builder.operations else {}
    is_adjoint = last.get("kind") == "transposed_convolution" and last.get("output") == x.cell.name
    if not is_adjoint or "bias" in last or not x.is_natural:
        return False
    readers = [node for node in step.node.all_input_nodes if step.walk.constant(node) is None]
    shape = tuple(constant.tensor.shape)
    fits = shape == (x.cell.type.channels, *(1,) * (len(x.axes) - 2)) and constant.tensor.dtype == x.dtype
    return fits and len(readers) == 1 and len(readers[0].users) == 1


def _with_bias(step: Step, constant: Constant, x: Tracked) -> Tracked:
    bias = Constant(constant.node, constant.tensor.reshape(-1))
    step.walk.builder.operations[-1]["bias"] = step.tensor(bias, "bias")
    return x


def _concatenate(step: Step) -> Tracked:
    parts = [step.signal(value) for value in step["tensors"]]
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    axis = step["dim"] % len(first.axes)
    if axis != 1 or first.axes[1][:1] != ("C",):
        step.refuse(f"is along axis {step['dim']}, expected 1, the channels")
    if any(part.axes != first.axes for part in parts):
        step.refuse("joins signals that were reshaped in different ways")
    result = step.emit_on_views("concatenate", parts)
    result.cell.sizes = {**first.cell.sizes, "C": sum(part.cell.sizes["C"] for part in parts)}
    return result


def _dropout(step: Step) -> Tracked:
    if step["train"]:
        step.refuse("drops numbers in evaluation: pass training=self.training")
    return step.tracked(step["input"])


def _copied(step: Step) -> Tracked:
    """A tensor of its own with the same numbers."""
    x = step.tracked(step["self"])
    return replace(x, cell=replace(x.cell))


def _same(step: Step) -> Tracked:
    return step.tracked(step["self"])


def _converted(step: Step) -> Tracked:
    x = step.tracked(step["self"])
    dtype = step.node.meta["val"].dtype
    if dtype == x.dtype:
        return x
    if not (dtype.is_floating_point and {dtype, x.dtype} <= {step.walk.dtype, step.walk.wide}):
        step.refuse(f"converts {x.dtype} to {dtype}, expected {step.walk.dtype}, or float64 for means")
    return replace(x, dtype=dtype, cell=replace(x.cell))


RULES: Mapping[str, Rule] = {
    "relu": partial(_pointwise, function="relu"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "gelu": _gelu,
    "silu": partial(_pointwise, function="silu"),
    "sigmoid": partial(_pointwise, function="sigmoid"),
    "tanh": partial(_pointwise, function="tanh"),
    "softmax": _softmax,
    "_softmax": _softmax,
    "add": _add,
    "cat": _concatenate,
    "concat": _concatenate,
    "concatenate": _concatenate,
    "dropout": _dropout,
    "feature_dropout": _dropout,
    "alpha_dropout": _dropout,
    "feature_alpha_dropout": _dropout,
    "clone": _copied,
    "alias": _same,
    "detach": _same,
    "lift_fresh": _same,
    "to": _converted,
    "_to_copy": _converted,
    "type_as": _converted,
}
