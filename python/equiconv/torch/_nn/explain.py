# SPDX-License-Identifier: Apache-2.0
"""Which backend and algorithm a call of a layer uses, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ..._checks.arguments import choice, integer, is_a, value_text
from ..._layer.explanation import Explanation, Run
from ..._layer.spec import RUNS, LayerSpec
from ..._layer.transposed import by_definition
from ..._layer.turning import turning_of
from .._backends import is_by_engine
from .._expanded.operands import check_fits, compute_dtype
from .._expanded.plan import Plan, plan_of
from .._operators.adjoints import asks_for_turns, result_shape
from .._operators.layers import spec_of
from .._operators.tensors import Form
from .convolutions import Convolution
from .transposed import TransposedConv


def explain(layer: Convolution, x: Tensor | Sequence[int], *, run: Run = "forward") -> Explanation:
    """Which backend and algorithm a call of a layer uses, with its arithmetic and memory. Nothing is computed.

    Args:
        layer: a layer of this package.
        x: the signal, or its shape for one on the device and of the dtype of the layer's weights.
        run: ``"forward"``, ``"input_gradient"`` or ``"weight_gradient"``.

    Returns:
        An `equiconv.Explanation`, which prints as a table. Of PyTorch's backend it knows the arithmetic, the filter
        bank and the stack of turned signals, not the time. A `TransposedConv` is the input gradient of its layer, and
        its input gradient is the layer; so the explanation calls them.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; a signal that the layer does not read.

    Example:
        >>> explain(GroupConv(3, 8, 5, cyclic(4), backend="torch"), (1, 3, 4, 9, 9)).algorithm
        'expanded'
    """
    if not is_a(layer, Convolution):
        raise TypeError(f"layer is {value_text(layer)} ({type(layer).__name__}), expected a layer of equiconv.torch")
    name = cast(Run, choice("run", run, tuple(RUNS)))
    weight = layer.weight.detach()
    signal = x if isinstance(x, Tensor) else _like(weight, x)
    dtype = compute_dtype(signal)
    text = layer.text_for(signal)
    spec = spec_of(text)
    where = f"the engine computes float32 and float64 on the CPU, not {dtype} on {signal.device}"
    has_bits = True
    if isinstance(layer, TransposedConv):
        # The layer is the input gradient of another, for a signal that is the result.
        shape = result_shape(signal, weight, None, text, layer.options.more)
        signal, name = signal.new_empty(1).expand(shape), _ADJOINT_RUNS[name]
        is_turned = asks_for_turns(text, shape, tuple(weight.shape), dtype is torch.float64)
        if is_turned and name == "input_gradient":
            has_bits, where = False, "the engine has no pass that is equal to the last bit"
    if has_bits and is_by_engine(signal, layer.backend):
        return spec.explain(Form.of("x", signal), Form.of("weight", weight), name)
    check_fits(signal.to(dtype), weight.to(dtype), None, text)
    plan = plan_of(text, tuple(weight.shape), signal.device, dtype)
    return _of_torch(
        spec, plan, signal, weight, dtype, name, where if layer.backend is None or not has_bits else "asked for"
    )


# What the runs of the adjoint of a layer are to the layer.
_ADJOINT_RUNS: dict[Run, Run] = {
    "forward": "input_gradient",
    "input_gradient": "forward",
    "weight_gradient": "weight_gradient",
}


def _like(weight: Tensor, shape: Any) -> Tensor:
    """A tensor of a shape with no numbers, on the device and of the dtype of the weight."""
    sizes = [integer(f"x[{axis}]", size, 0, 2**40) for axis, size in enumerate(shape)]
    return weight.new_empty(1).expand(sizes)


def _of_torch(
    spec: LayerSpec, plan: Plan, x: Tensor, weight: Tensor, dtype: torch.dtype, run: Run, where: str
) -> Explanation:
    shapes = Form.of_shape(x.shape), Form.of_shape(weight.shape)
    outputs = spec.check_operands(*shapes)
    points, planes = plan.output_points or 1, math.prod(outputs[-plan.dimension :])
    channels = plan.channels // plan.groups
    # Of one output channel and point.
    taps = channels * (plan.input_points or 1) * math.prod(plan.recipe.taps)
    bank = weight.shape[0] * points * taps
    turning = turning_of(spec)
    is_turned = plan.is_exact and run != "weight_gradient"
    copies = len(turning.back) if is_turned else 1
    orbits = turning.inputs if run == "input_gradient" else turning.outputs
    # Each copy computes one point of each orbit.
    share = len(orbits.representatives) / orbits.moved.shape[1] if is_turned else 1.0
    operations = 2.0 * x.shape[0] * planes * bank * copies * share
    stacked = math.prod(outputs) if run == "input_gradient" else math.prod(x.shape)
    how = (
        "one convolution of all turned copies of the signal" if is_turned else "a convolution with the expanded kernels"
    )
    definition = by_definition(spec).explain(*shapes, run).definition_operations
    return Explanation(
        spec.layer.function, run, "turned" if is_turned else "expanded", 0, operations,
        definition, copies * stacked * dtype.itemsize if is_turned else 0,
        int(bank * share) * dtype.itemsize, torch.get_num_threads() if x.device.type == "cpu" else 1, math.nan,
        is_turned, f"PyTorch on {x.device}: {where}; {how}", "torch",
    )  # fmt: skip
