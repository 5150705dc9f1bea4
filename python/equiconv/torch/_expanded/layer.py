# SPDX-License-Identifier: Apache-2.0
"""A layer as an ordinary convolution with its expanded filter bank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from . import turned
from .bank import expanded_bank
from .functional import CONVOLUTIONS
from .operands import cast, check_fits, check_numbers, compute_dtype, is_autocast
from .padding import continued
from .plan import Plan, plan_of

# The bank of (weight, dtype, text) as it was made in an earlier call, or None.
Kept: TypeAlias = Callable[[Tensor, torch.dtype, str], Tensor | None]


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, text: str, kept: Kept | None = None) -> Tensor:
    """The layer of a text. Raises TypeError or ValueError for tensors that do not fit it or each other.

    Args:
        x: signal, of a dtype and on a device that PyTorch has convolutions for.
        weight, bias: as of the functions; under autocast of any dtype but float64.
        text: of the layer.
        kept: finds the bank, if the caller keeps banks.
    """
    check_numbers("x", x)
    dtype, parameter = compute_dtype(x), weight
    if is_autocast(x):
        x, weight = cast("x", x, dtype), cast("weight", weight, dtype)
        bias = None if bias is None else cast("bias", bias, dtype)
    is_compiling = torch.compiler.is_compiling()
    if not is_compiling:
        check_fits(x, weight, bias, text)
    plan = plan_of(text, tuple(map(int, weight.shape)), x.device, dtype)
    if is_compiling:
        _check_signal(x, plan)
    if plan.is_exact:
        return turned.forward(x, weight, bias, text)
    bank = None if kept is None else kept(parameter, dtype, text)
    return _convolved(x, expanded_bank(weight, plan.recipe) if bank is None else bank, bias, plan)


def bank_of(weight: Tensor, dtype: torch.dtype, text: str) -> Tensor:
    """The filter bank of a weight that fits the layer, in a dtype."""
    plan = plan_of(text, tuple(map(int, weight.shape)), weight.device, dtype)
    return expanded_bank(weight.to(dtype), plan.recipe)


def _check_signal(x: Tensor, plan: Plan) -> None:
    """What a compiler can check: signals of another form must not be read as ones that happen to have as many numbers.

    Raises ValueError.
    """
    fiber = () if plan.input_points is None else (plan.input_points,)
    expected = (plan.channels, *fiber)
    if x.dim() != 1 + len(expected) + len(plan.stride) or tuple(x.shape[1 : 1 + len(expected)]) != expected:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (B, {', '.join(map(str, expected))}, spatial...)")


def _convolved(x: Tensor, bank: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    """The convolution with a bank (O |Y|, C |X|, taps...)."""
    signal = x if plan.input_points is None else x.flatten(1, 2)
    padding: Any = plan.padding
    if plan.is_continued:
        signal, padding = continued(signal, plan.padding, plan.padding_mode), 0
    points = plan.output_points
    convolution = CONVOLUTIONS[len(plan.stride) - 1]
    if points is None:
        plane: Tensor = convolution(signal, bank, bias, plan.stride, padding, plan.dilation, plan.groups)
        return plane
    # A compiler adds the bias in a kernel with what follows; the one of PyTorch 2.7 fails on a bias that is repeated.
    is_added = bias is not None and torch.compiler.is_compiling()
    biases = None if bias is None or is_added else bias.unsqueeze(1).expand(-1, points).reshape(-1)
    y: Tensor = convolution(signal, bank, biases, plan.stride, padding, plan.dilation, plan.groups)
    y = y.unflatten(1, (bank.shape[0] // points, points))  # type: ignore[no-untyped-call]
    return y + bias.reshape(-1, *(1,) * (y.dim() - 2)) if is_added and bias is not None else y
