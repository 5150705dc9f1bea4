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
from .tensors import as_array, result_like


def _folded(call: Callable[..., Tensor], info: Any, in_dims: tuple[int, ...], x: Tensor) -> tuple[Tensor, int]:
    """The rule of `torch.vmap` for operators of one signal: the mapped axis becomes part of the batch."""
    signals = x.movedim(in_dims[0], 0)
    return unfolded(call(signals.flatten(0, 1)), signals), 0


def _saves_shape(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """Keeps the shape of the one argument."""
    ctx.shape = inputs[0].shape


# ---- Over H ----


def _pool_mean(x: Tensor) -> Tensor:
    result, out = result_like(x, (*x.shape[:2], *x.shape[3:]))
    _native.pool(_native.MEAN, as_array("x", x), out)
    return result


def _fake_pool_mean(x: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:2], *x.shape[3:]))


def _pool_mean_derivative(ctx: Any, g: Tensor) -> Tensor:
    share: Tensor = g / ctx.shape[2]
    return share.unsqueeze(2).expand(ctx.shape)


def _pool_mean_tangent(_ctx: Any, dx: Tensor) -> Tensor:
    return pool_mean(dx)


pool_mean: Callable[..., Tensor] = define(
    "pool_mean",
    "(Tensor x) -> Tensor",
    kernel=_pool_mean,
    fake=_fake_pool_mean,
    derivative=_pool_mean_derivative,
    tangent=_pool_mean_tangent,
    setup=_saves_shape,
    mapped=_folded,
)

# ---- Over space ----


def _spatial_mean(x: Tensor) -> Tensor:
    """The mean over the last axis: exact sums of two slices, each of so few bits that no addition rounds."""
    count = x.shape[-1]
    values = x.detach().double()
    largest = torch.maximum(values.amax(-1, keepdim=True), -values.amin(-1, keepdim=True))
    # Within what powers of two there are; numbers that are scaled to less than 1 lose nothing, and none exceeds 2.
    exponent = torch.frexp(largest).exponent.clamp(-1000, 1023)
    one = torch.ones_like(largest)
    # The sum of all is below 2^bits.
    bits = math.ceil(math.log2(count)) + 1 if count > 1 else 1
    first, second = 1.5 * 2.0**bits, 1.5 * 2.0 ** (2 * bits - 53)
    scaled = values * torch.ldexp(one, -exponent)
    high = (scaled + first).sub_(first)
    low = scaled.sub_(high).add_(second).sub_(second)
    exact = (high.sum(-1) + low.sum(-1)) / count * torch.ldexp(one, exponent).squeeze(-1)
    return torch.where(torch.isfinite(largest.squeeze(-1)), exact, values.sum(-1) / count).to(x.dtype)


def _fake_spatial_mean(x: Tensor) -> Tensor:
    return x.new_empty(x.shape[:-1])


def _spatial_mean_derivative(ctx: Any, g: Tensor) -> Tensor:
    share: Tensor = g / ctx.shape[-1]
    return share.unsqueeze(-1).expand(ctx.shape)


def _spatial_mean_tangent(_ctx: Any, dx: Tensor) -> Tensor:
    return spatial_mean(dx)


# An operator, since a compiler that sees the additions may take them together.
spatial_mean: Callable[..., Tensor] = define(
    "spatial_mean",
    "(Tensor x) -> Tensor",
    kernel=_spatial_mean,
    fake=_fake_spatial_mean,
    derivative=_spatial_mean_derivative,
    tangent=_spatial_mean_tangent,
    setup=_saves_shape,
    mapped=_folded,
)
