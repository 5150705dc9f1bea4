# SPDX-License-Identifier: Apache-2.0
"""The padding of a layer as a map of signals, and its adjoint: the part of the padded signal that kernels reach."""

from __future__ import annotations

import torch
from torch import Tensor

from .._operators.sums import sorted_sum
from .plan import Plan


def wrapped(x: Tensor, padding: tuple[int, ...]) -> Tensor:
    """A signal with some of itself on both sides of its last axes, as often around as it takes."""
    for axis, amount in zip(range(x.dim() - len(padding), x.dim()), padding, strict=True):
        if amount > 0:
            size = x.shape[axis]
            rest, whole = amount % size, [x] * (amount // size)
            x = torch.cat([x.narrow(axis, size - rest, rest), *whole, x, *whole, x.narrow(axis, 0, rest)], axis)
    return x


def padded(x: Tensor, plan: Plan) -> Tensor:
    """The padded signal, without the margin that a stride leaves out at the end of an axis."""
    sizes = x.shape[-plan.dimension :]
    ends = reached(tuple(sizes), plan)
    if plan.is_circular:
        x = wrapped(x, plan.padding)
        for axis, end in enumerate(ends):
            x = x.narrow(axis - plan.dimension, 0, end)
        return x
    amounts: list[int] = []
    for size, end, padding in zip(reversed(sizes), reversed(ends), reversed(plan.padding), strict=True):
        amounts += [padding, end - padding - size]
    return torch.nn.functional.pad(x, amounts) if any(amounts) else x


def unpadded(gradient: Tensor, sizes: tuple[int, ...], plan: Plan) -> Tensor:
    """The adjoint of `padded` for signals of these sizes. Its bits do not depend on how the signal is turned."""
    d = plan.dimension
    ends = gradient.shape[-d:]
    amounts: list[int] = []
    if not plan.is_circular:
        for size, end, padding in zip(reversed(sizes), reversed(ends), reversed(plan.padding), strict=True):
            amounts += [-padding, size + padding - end]
        return torch.nn.functional.pad(gradient, amounts) if any(amounts) else gradient
    times = []
    for size, end, padding in zip(sizes, ends, plan.padding, strict=True):
        before = -padding % size
        after = -(before + end) % size
        times.append((before + end + after) // size)
        amounts = [before, after, *amounts]
    if all(count == 1 for count in times) and not any(amounts):
        return gradient
    parts = torch.nn.functional.pad(gradient, amounts)
    shape = [number for pair in zip(times, sizes, strict=True) for number in pair]
    parts = parts.reshape(*gradient.shape[:-d], *shape)
    # All that comes to one place, as one axis: (..., times, sizes).
    first = gradient.dim() - d
    parts = parts.movedim([first + 2 * axis for axis in range(d)], list(range(first, first + d)))
    parts = parts.flatten(first, first + d - 1)
    # Turning the signal exchanges the terms.
    return sorted_sum(parts, first).to(gradient.dtype)


def reached(sizes: tuple[int, ...], plan: Plan) -> tuple[int, ...]:
    """How far the padded axes are read."""
    return tuple(
        (size + 2 * padding - reach) // stride * stride + reach
        for size, padding, reach, stride in zip(sizes, plan.padding, plan.reach, plan.stride, strict=True)
    )
