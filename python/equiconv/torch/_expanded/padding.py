# SPDX-License-Identifier: Apache-2.0
"""The padding of a layer as a map of signals, and its adjoint: the part of the padded signal that kernels reach."""

from __future__ import annotations

import torch
from torch import Tensor

from .._operators.sums import sorted_sum
from .plan import Plan


def continued(x: Tensor, padding: tuple[int, ...], mode: str) -> Tensor:
    """A signal with numbers of its own on both sides of its last axes, as `padding_mode` says."""
    for axis, amount in zip(range(x.dim() - len(padding), x.dim()), padding, strict=True):
        if amount > 0:
            x = _CONTINUED[mode](x, axis, amount)
    return x


def _circular(x: Tensor, axis: int, amount: int) -> Tensor:
    """As often around as it takes."""
    size = x.shape[axis]
    rest, whole = amount % size, [x] * (amount // size)
    return torch.cat([x.narrow(axis, size - rest, rest), *whole, x, *whole, x.narrow(axis, 0, rest)], axis)


def _reflect(x: Tensor, axis: int, amount: int) -> Tensor:
    """Mirrored in the ends, and in the ends of what that gives."""
    if x.shape[axis] == 1:
        return _replicate(x, axis, amount)
    while amount > 0:
        size = x.shape[axis]
        step = min(amount, size - 1)
        before, after = x.narrow(axis, 1, step).flip(axis), x.narrow(axis, size - 1 - step, step).flip(axis)
        x = torch.cat([before, x, after], axis)
        amount -= step
    return x


def _replicate(x: Tensor, axis: int, amount: int) -> Tensor:
    first, last = x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)
    shape = [-1] * x.dim()
    shape[axis] = amount
    return torch.cat([first.expand(shape), x, last.expand(shape)], axis)


_CONTINUED = {"circular": _circular, "reflect": _reflect, "replicate": _replicate}


def padded(x: Tensor, plan: Plan) -> Tensor:
    """The padded signal, without the margin that a stride leaves out at the end of an axis."""
    sizes = x.shape[-plan.dimension :]
    ends = reached(tuple(sizes), plan)
    if plan.is_continued:
        x = continued(x, plan.padding, plan.padding_mode)
        for axis, end in enumerate(ends):
            x = x.narrow(axis - plan.dimension, 0, end)
        return x
    amounts: list[int] = []
    for size, end, padding in zip(reversed(sizes), reversed(ends), reversed(plan.padding), strict=True):
        amounts += [padding, end - padding - size]
    return torch.nn.functional.pad(x, amounts) if any(amounts) else x


def unpadded(gradient: Tensor, sizes: tuple[int, ...], plan: Plan) -> Tensor:
    """The adjoint of `padded` for signals of these sizes. Its bits do not depend on how the signal is turned."""
    if plan.is_continued:
        return folded(gradient, sizes, plan.padding, plan.padding_mode)
    amounts: list[int] = []
    ends = gradient.shape[-plan.dimension :]
    for size, end, padding in zip(reversed(sizes), reversed(ends), reversed(plan.padding), strict=True):
        amounts += [-padding, size + padding - end]
    return torch.nn.functional.pad(gradient, amounts) if any(amounts) else gradient


def folded(gradient: Tensor, sizes: tuple[int, ...], padding: tuple[int, ...], mode: str) -> Tensor:
    """The adjoint of `continued`, of a padded signal that may end earlier: sums that do not depend on the order.

    Args:
        gradient: (..., ends...).
        sizes: of the result.
        padding, mode: as of `continued`.
    """
    d = len(sizes)
    first, dtype = gradient.dim() - d, gradient.dtype
    if not any(padding) and tuple(gradient.shape[first:]) == tuple(sizes):
        return gradient
    # A zero behind the end of each axis, for where there is nothing.
    parts = torch.nn.functional.pad(gradient, (0, 1) * d)
    for axis, (size, amount) in enumerate(zip(sizes, padding, strict=True)):
        place = first + 2 * axis
        copies = _copies(size, amount, parts.shape[place] - 1, mode, gradient.device)
        parts = parts.index_select(place, copies.flatten()).unflatten(place, (-1, size))  # type: ignore[no-untyped-call]
    # All that comes to one place, as one axis: (..., copies, sizes).
    parts = parts.movedim([first + 2 * axis for axis in range(d)], list(range(first, first + d)))
    # Turning the signal exchanges the terms.
    return sorted_sum(parts.flatten(first, first + d - 1), first).to(dtype)


def _copies(size: int, amount: int, end: int, mode: str, device: torch.device) -> Tensor:
    """The positions of a padded axis that copy each place, (copies, size); `end` where there are fewer."""
    places = torch.arange(size, device=device)
    if mode == "replicate" or (mode == "reflect" and size == 1):
        margin = torch.arange(amount, device=device)[:, None]
        before = torch.where(places == 0, margin, end)
        after = torch.where(places == size - 1, margin + size + amount, end)
        found = torch.cat([(places + amount)[None], before, after])
    else:
        period = size if mode == "circular" else 2 * (size - 1)
        around = (torch.arange(2 * (-(-amount // period)) + 1, device=device) - -(-amount // period))[:, None] * period
        found = places + amount + around
        if mode == "reflect":
            # Those that run backward; the ends are among the others.
            is_end = (places == 0) | (places == size - 1)
            found = torch.cat([found, torch.where(is_end, end, amount - places + around)])
            # One more period, which those that run backward reach.
            found = torch.cat([found, torch.where(is_end, end, amount - places + period * (around[-1:] // period + 1))])
    return torch.where((found >= 0) & (found < end), found, end)


def reached(sizes: tuple[int, ...], plan: Plan) -> tuple[int, ...]:
    """How far the padded axes are read."""
    return tuple(
        (size + 2 * padding - reach) // stride * stride + reach
        for size, padding, reach, stride in zip(sizes, plan.padding, plan.reach, plan.stride, strict=True)
    )
