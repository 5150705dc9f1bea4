# SPDX-License-Identifier: Apache-2.0
"""Convolutions, ours and PyTorch's, normalization and linear maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...._groups.named import trivial
from ...._groups.point_group import PointGroup
from ...._layer.spec import LayerSpec
from ...._layer.transposed import transposed_sizes
from ..constants import Constant
from ..texts import mixing_text, plain_text
from ..views import Padding, Tracked, fixed
from ..walk import Rule, Step

# Stride, padding, dilation and padding mode.
_Sampling = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], str]


def _layer(step: Step) -> Tracked:
    """``equiconv::forward``."""
    weight, bias = step.tensor(step["weight"], "weight"), step.tensor(step["bias"], "bias")
    return step.emit("convolution", [step.natural(step["x"])], layer=step["layer"], weight=weight, bias=bias)


def _adjoint(step: Step) -> Tracked:
    """``equiconv::input_gradient``, the adjoint of a layer: of the sizes of its result what is more than they must be.

    A bias is a step behind it, which becomes part of the operation.
    """
    x = step.natural(step["grad_out"])
    spec = LayerSpec.parse(step["layer"])
    weight = step.tensor(step["weight"], "weight")
    d = spec.group.dimension
    extents = spec.kernel.extents(step["weight"].tensor, d)
    sizes = transposed_sizes([x.cell.sizes[axis] for axis in x.cell.space], extents, spec.sampling, (0,) * d)
    more = [fixed(size - least) for size, least in zip(step.shape[-d:], sizes, strict=True)]
    if None in more:
        step.refuse(f"writes sizes {step.shape[-d:]}, expected {sizes} with the same margin for all sizes of the input")
    return step.emit(
        "transposed_convolution", [x], layer=step["layer"], weight=weight, output_padding=more if any(more) else None
    )


def _convolution(step: Step, is_transposed: bool = False) -> Tracked:
    """``conv2d`` and the like, also with the padding that stands before it."""
    x = step.tracked(step["input"])
    if x.padding is not None and is_transposed:
        step.refuse("reads a padded signal, which convolutions alone do")
    if not isinstance(step["weight"], Constant):
        step.refuse("has a weight that depends on the input, expected a parameter")
    shape = tuple(step["weight"].tensor.shape)
    kernel = shape[2:]
    amounts = _amounts(step, kernel)
    padding, mode = _with_padding(step, x.padding, amounts), "zeros" if x.padding is None else x.padding.mode
    sampling = (_axes(step, "stride"), padding, _axes(step, "dilation"), mode)
    keys: dict[str, Any] = {"layer": _text(step, _group(step, x, kernel), sampling, shape, is_transposed)}
    keys |= {name: step.tensor(step[name], name) for name in ("weight", "bias")}
    source = step.natural(replace(x, padding=None))
    if not is_transposed:
        return step.emit("convolution", [source], **keys)
    more = list(_axes(step, "output_padding"))
    return step.emit("transposed_convolution", [source], **keys, output_padding=more if any(more) else None)


def _group(step: Step, x: Tracked, kernel: tuple[int, ...]) -> PointGroup:
    """The group of the layer: trivial, or that of a signal whose channels alone are mixed."""
    value = x.cell.type
    if value.group is None and value.dimension == len(kernel):
        return trivial(value.dimension)
    is_mixing = value.is_on_group and value.dimension == len(kernel) - 1 and all(taps == 1 for taps in kernel)
    if value.group is None or not is_mixing or not np.allclose(np.abs(value.group.determinants), 1):
        step.refuse(
            f"is a convolution over {len(kernel)} axes of {value}, which is not one on a group: use the convolutions "
            "of equiconv.torch, or a kernel of one element on all axes to mix channels"
        )
    group: PointGroup = value.group  # type: ignore[assignment]
    return group


def _amounts(step: Step, kernel: tuple[int, ...]) -> tuple[int, ...]:
    padding = step["padding"]
    if not isinstance(padding, str):
        return _axes(step, "padding")
    dilation = _axes(step, "dilation")
    reaches = [dilation[axis] * (taps - 1) for axis, taps in enumerate(kernel)]
    if padding == "same" and any(reach % 2 for reach in reaches):
        step.refuse("has padding 'same' with an even kernel, which pads one side more than the other")
    return tuple(reach // 2 if padding == "same" else 0 for reach in reaches)


def _with_padding(step: Step, padding: Padding | None, amounts: tuple[int, ...]) -> tuple[int, ...]:
    if padding is None:
        return amounts
    if padding.mode != "zeros" and any(amounts):
        step.refuse(f"pads zeros about a signal that was padded by {padding.mode}")
    return tuple(a + b for a, b in zip(padding.amounts, amounts, strict=True))


def _text(step: Step, group: PointGroup, sampling: _Sampling, shape: tuple[int, ...], is_transposed: bool) -> str:
    """The text of the layer that the convolution is, or is the adjoint of."""
    groups = step["groups"]
    if len(shape) - 2 == group.dimension:
        return plain_text(*sampling, groups)
    if groups > 1 or any(size != 1 for size in sampling[0]) or any(sampling[1]) or is_transposed:
        step.refuse("has groups, strides or padding, expected only channels that are mixed")
    return mixing_text(group)


def _axes(step: Step, name: str) -> tuple[int, ...]:
    """An argument with a number for each spatial axis."""
    d = len(step.shape) - 2
    value = step.arguments.get(name)
    numbers: list[Any] = list(value) if isinstance(value, list) else [value]
    if not all(isinstance(number, int) for number in numbers):
        step.refuse(f"has {name} {numbers}, expected integers")
    return tuple(numbers * d if len(numbers) == 1 else numbers)


def _general(step: Step) -> Tracked:
    """``convolution``, of any number of axes."""
    return _convolution(step, is_transposed=bool(step["transposed"]))


def _batch_norm(step: Step) -> Tracked:
    if step.arguments.get("training"):
        step.refuse("uses the statistics of the batch, expected the running ones: track_running_stats=True")
    names = {"mean": "running_mean", "variance": "running_var", "weight": "weight", "bias": "bias"}
    tensors = {key: step.tensor(step.arguments.get(name), name) for key, name in names.items()}
    x = step.signal(step["input"])
    x = x if len(x.axes) > 1 and x.axes[1] == ("C",) else step.vector(x)
    return step.emit_on_views("batch_norm", [x], **tensors, epsilon=float(step["eps"]))


def _linear(step: Step) -> Tracked:
    weight, bias = step.tensor(step["weight"], "weight"), step.tensor(step["bias"], "bias")
    return step.emit("linear", [step.vector(step["input"])], weight=weight, bias=bias)


def _product(step: Step, x: str, matrix: str, bias: str | None = None) -> Tracked:
    """``x @ matrix``, with a bias."""
    if bias is not None and (step["alpha"] != 1 or step["beta"] != 1):
        step.refuse("scales a product, expected alpha and beta of 1")
    constant = step[matrix]
    if not isinstance(constant, Constant) or constant.tensor.dim() != 2:
        step.refuse("multiplies values, expected one of them and a matrix of parameters")
    weight = step.tensor(Constant(constant.node, constant.tensor.t()), "weight")
    biases = None if bias is None else step.tensor(step[bias], "bias")
    return step.emit("linear", [step.vector(step[x])], weight=weight, bias=biases)


RULES: Mapping[str, Rule] = {
    "equiconv::forward": _layer,
    "equiconv::input_gradient": _adjoint,
    "equiconv::turned_input_gradient": _adjoint,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "conv_transpose1d": partial(_convolution, is_transposed=True),
    "conv_transpose2d": partial(_convolution, is_transposed=True),
    "conv_transpose3d": partial(_convolution, is_transposed=True),
    "convolution": _general,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "linear": _linear,
    "addmm": partial(_product, x="mat1", matrix="mat2", bias="self"),
    "mm": partial(_product, x="self", matrix="mat2"),
    "matmul": partial(_product, x="self", matrix="other"),
}
