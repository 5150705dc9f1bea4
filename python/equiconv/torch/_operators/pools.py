# SPDX-License-Identifier: Apache-2.0
"""The mean over H and the mean over space as torch's operators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ... import _native
from .library import define, unfolded
from .sums import has_double, sorted_sum
from .tensors import ENGINE_DTYPES, as_array, result_like

# Of float16, whose numbers are multiples of 2^-24 below 2^16, so many have an exact sum in double precision.
_MANY_HALVES = 2**13


def _define_mean(
    name: str, kernel: Callable[[Tensor], Tensor], axis: int, empty: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """The operator that takes the mean over one axis of a signal by `kernel`, into memory like that of `empty`."""

    def derivative(ctx: Any, g: Tensor) -> Tensor:
        share: Tensor = g / ctx.shape[axis]
        return share.unsqueeze(axis).expand(ctx.shape)

    mean: Callable[[Tensor], Tensor] = define(
        name,
        "(Tensor x) -> Tensor",
        kernel=kernel,
        fake=empty,
        derivative=derivative,
        tangent=lambda _ctx, dx: mean(dx),
        setup=_saves_shape,
        mapped=_folded,
    )
    return mean


def _saves_shape(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """Keeps the shape of the one argument."""
    ctx.shape = inputs[0].shape


def _folded(call: Callable[..., Tensor], info: Any, in_dims: tuple[int, ...], x: Tensor) -> tuple[Tensor, int]:
    """The rule of `torch.vmap` for operators of one signal: the mapped axis becomes part of the batch."""
    signals = x.movedim(in_dims[0], 0)
    return unfolded(call(signals.flatten(0, 1)), signals), 0


def _mean_over_fiber(x: Tensor) -> Tensor:
    if not _is_of_engine(x):
        # Compilers rely on the strides that they were told.
        return _empty_over_fiber(x).copy_(_exact_mean(x, 2))
    result, out = result_like(x, (*x.shape[:2], *x.shape[3:]))
    _native.pool(_native.MEAN, as_array("x", x), out)
    return result


def _empty_over_fiber(x: Tensor) -> Tensor:
    """A tensor for the mean over H: plain by the engine, else in memory of the order of the signal."""
    return x.new_empty((*x.shape[:2], *x.shape[3:])) if _is_of_engine(x) else torch.empty_like(x.detach().select(2, 0))


def _is_of_engine(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype in ENGINE_DTYPES


def _empty_over_space(x: Tensor) -> Tensor:
    """A tensor for the mean over the last axis."""
    return x.new_empty(x.shape[:-1])


def _mean_over_space(x: Tensor) -> Tensor:
    return _exact_mean(x, x.dim() - 1).contiguous()


def _exact_mean(x: Tensor, axis: int) -> Tensor:
    """The mean over an axis, whose bits do not depend on the order along it: sums in which no addition rounds."""
    count = x.shape[axis]
    if not has_double(x.device):
        return (sorted_sum(x.detach(), axis) / count).to(x.dtype)
    if x.dtype is torch.float16 and count <= _MANY_HALVES:
        return (x.detach().sum(axis, dtype=torch.float64) / count).to(x.dtype)
    return _mean_of_slices(x.detach().double(), axis).to(x.dtype)


def _mean_of_slices(values: Tensor, axis: int) -> Tensor:
    """The mean over an axis: exact sums of two slices, each of so few bits that no addition rounds."""
    count = values.shape[axis]
    largest = torch.maximum(values.amax(axis, keepdim=True), -values.amin(axis, keepdim=True))
    # Within what powers of two there are; numbers that are scaled to less than 1 lose nothing, and none exceeds 2.
    exponent = torch.frexp(largest).exponent.clamp(-1000, 1023)
    one = torch.ones_like(largest)
    # The sum of all is below 2^bits.
    bits = math.ceil(math.log2(count)) + 1 if count > 1 else 1
    first, second = 1.5 * 2.0**bits, 1.5 * 2.0 ** (2 * bits - 53)
    scaled = values * torch.ldexp(one, -exponent)
    high = (scaled + first).sub_(first)
    low = scaled.sub_(high).add_(second).sub_(second)
    exact = (high.sum(axis) + low.sum(axis)) / count * torch.ldexp(one, exponent).squeeze(axis)
    return torch.where(torch.isfinite(largest.squeeze(axis)), exact, values.sum(axis) / count)


pool_mean = _define_mean("pool_mean", _mean_over_fiber, 2, _empty_over_fiber)
# An operator, since a compiler that sees the additions may take them together.
spatial_mean = _define_mean("spatial_mean", _mean_over_space, -1, _empty_over_space)
