# SPDX-License-Identifier: Apache-2.0
"""The adjoint of a layer in its signal, as a transposed convolution with the layer's expanded filter bank."""

from __future__ import annotations

import torch
from torch import Tensor

from .._operators.layers import output_shape_of
from .._operators.tensors import check_same_device, check_same_dtype
from . import turned
from .bank import expanded_bank
from .functional import TRANSPOSED
from .layer import Kept
from .operands import cast, check_numbers, compute_dtype, is_autocast
from .padding import unpadded
from .plan import Plan, plan_of


def transposed(x: Tensor, weight: Tensor, shape: tuple[int, ...], text: str, kept: Kept | None = None) -> Tensor:
    """The adjoint of a layer. Raises TypeError or ValueError for tensors that do not fit it or each other.

    Args:
        x: a signal on what the layer writes.
        weight: of the layer; under autocast of any dtype but float64.
        shape: of the result, a signal on what the layer reads.
        text: of the layer.
        kept: finds the bank of `weight`, if the caller keeps banks.
    """
    check_numbers("x", x)
    dtype, parameter = compute_dtype(x), weight
    if is_autocast(x):
        x, weight = cast("x", x, dtype), cast("weight", weight, dtype)
    is_compiling = torch.compiler.is_compiling()
    if not is_compiling:
        _check(x, weight, shape, text)
    plan = plan_of(text, tuple(map(int, weight.shape)), x.device, dtype)
    if plan.is_exact:
        return turned.input_gradient(x, weight, shape, text)
    signal = x if plan.output_points is None else x.flatten(1, 2)
    found = None if kept is None else kept(parameter, dtype, text)
    bank = expanded_bank(weight, plan.recipe) if found is None else found
    y = _convolved(signal, bank, tuple(shape[-plan.dimension :]), plan)
    return y if plan.input_points is None else y.unflatten(1, (plan.channels, plan.input_points))  # type: ignore[no-untyped-call]


def _check(x: Tensor, weight: Tensor, shape: tuple[int, ...], text: str) -> None:
    """Raises TypeError or ValueError."""
    check_numbers("weight", weight)
    check_same_device("weight", weight, "x", x)
    check_same_dtype("weight", weight, "x", x)
    expected = output_shape_of(text, tuple(shape), tuple(weight.shape))
    if expected != tuple(x.shape):
        raise ValueError(
            f"x has shape {tuple(x.shape)}, expected {expected}, which the layer writes for a signal of shape "
            f"{tuple(shape)} and a weight of shape {tuple(weight.shape)}"
        )


def _convolved(x: Tensor, bank: Tensor, sizes: tuple[int, ...], plan: Plan) -> Tensor:
    """The adjoint of the convolution with a bank (O |Y|, C |X|, taps...), of these sizes."""
    convolution = TRANSPOSED[plan.dimension - 1]
    zeros = (0,) * plan.dimension
    padding = zeros if plan.is_continued else plan.padding
    # What a stride leaves out at the end of an axis; a padded signal is cut there.
    more = zeros if plan.is_continued else tuple(
        size + 2 * amount - reach - (count - 1) * stride
        for size, amount, reach, count, stride in zip(
            sizes, padding, plan.reach, x.shape[-plan.dimension :], plan.stride, strict=True
        )
    )  # fmt: skip
    y: Tensor = convolution(x, bank, None, plan.stride, padding, more, plan.groups, plan.dilation)
    return unpadded(y, sizes, plan) if plan.is_continued else y
