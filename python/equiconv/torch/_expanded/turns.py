# SPDX-License-Identifier: Apache-2.0
"""Where the numbers of a signal go when it is turned by all elements, as tables on a device."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from ..._groups.geometry import AxisAction
from ..._layer.turning import Orbits, turning_of
from .._operators.layers import spec_of


class There(NamedTuple):
    """The turned copies of a signal that have the same sizes.

    Attributes:
        places: (copies sizes points,), the row of the signal that each row of the stack is.
        copies: their number.
        sizes: of one copy.
    """

    places: Tensor
    copies: int
    sizes: tuple[int, ...]


class Turns(NamedTuple):
    """The way there and back.

    Attributes:
        there: the stacks; more than one where elements exchange axes of different sizes.
        back: (R, points sizes), the rows of the stacks' results of which each row of the result is the mean.
        representatives: how many points the results have.
        shape: (points, sizes...) of the result.
    """

    there: tuple[There, ...]
    back: Tensor
    representatives: int
    shape: tuple[int, ...]


# Tables with more numbers are made in each call: they are as large as a signal, and would stay in its memory.
_LARGEST_KEPT = 1 << 22


def turns_of(
    text: str,
    sizes: tuple[int, ...],
    stride: tuple[int, ...],
    reach: tuple[int, ...],
    device: torch.device,
    is_adjoint: bool,
) -> Turns:
    """The tables of a layer, or of its adjoint in the signal; those of recent calls are kept, if they are small.

    Args:
        text: of the layer.
        sizes: of the axes of space of what is turned, a padded signal or a gradient.
        stride, reach: of the layer.
        device: of the tables.
        is_adjoint: whether a gradient is turned.
    """
    turning = turning_of(spec_of(text))
    is_large = turning.inputs.moved.size * math.prod(sizes) > _LARGEST_KEPT
    return (_turns if is_large else _kept_turns)(text, sizes, stride, reach, device, is_adjoint)


def _turns(
    text: str,
    sizes: tuple[int, ...],
    stride: tuple[int, ...],
    reach: tuple[int, ...],
    device: torch.device,
    is_adjoint: bool,
) -> Turns:
    turning = turning_of(spec_of(text))
    source, target = (turning.outputs, turning.inputs) if is_adjoint else (turning.inputs, turning.outputs)
    stacks: dict[tuple[int, ...], list[int]] = {}
    for number, action in enumerate(turning.turns):
        stacks.setdefault(tuple(sizes[axis] for axis in action.axes), []).append(number)
    # Kept for later calls, so they must not be what a mode of this one makes of tensors.
    with _disable_current_modes(), torch.inference_mode(False):
        there, rows, before = [], {}, 0
        for turned_sizes, numbers in stacks.items():
            places = _places(sizes, source, [turning.turns[n] for n in numbers], numbers, device)
            there.append(There(places, len(numbers), turned_sizes))
            for number in numbers:
                # Results are numbered copy by copy, and there by place and representative.
                result = _result(turned_sizes, stride, reach, is_adjoint)
                count = math.prod(result) * len(target.representatives)
                own = _numbers(before, before + count, device).view(*result, len(target.representatives))
                rows[number] = _turned(own, turning.back[number])
                before += count
        shape = (target.moved.shape[1], *rows[0].shape[:-1])
        back = torch.stack(
            [
                torch.cat([rows[int(n)][..., int(i)].flatten() for n, i in zip(numbers, orbits, strict=True)])
                for numbers, orbits in zip(target.elements, target.orbits, strict=True)
            ]
        )
        return Turns(tuple(there), back, len(target.representatives), shape)


_kept_turns = lru_cache(maxsize=64)(_turns)


def _numbers(first: int, end: int, device: torch.device) -> Tensor:
    return torch.arange(first, end, dtype=torch.int32 if end < 2**31 else torch.int64, device=device)


def _places(
    sizes: tuple[int, ...], orbits: Orbits, actions: list[AxisAction], numbers: list[int], device: torch.device
) -> Tensor:
    """For each copy, at each place, for each point q: the row (l q, l x) of the signal's, (points, sizes)."""
    points = orbits.moved.shape[1]
    own = _numbers(0, points * math.prod(sizes), device).view(points, *sizes).movedim(0, -1)
    moved = torch.from_numpy(orbits.moved[numbers]).to(device)
    return torch.cat(
        [_turned(own, action).index_select(-1, to).flatten() for action, to in zip(actions, moved, strict=True)]
    )


def _turned(array: Tensor, action: AxisAction) -> Tensor:
    """An array (sizes..., more) whose axes of space an element turns."""
    d = len(action.axes)
    turned = array.permute(*action.axes, *range(d, array.dim()))
    return turned.flip([axis for axis, sign in enumerate(action.signs) if sign < 0])


def _result(
    sizes: tuple[int, ...], stride: tuple[int, ...], reach: tuple[int, ...], is_adjoint: bool
) -> tuple[int, ...]:
    """The sizes of what the layer makes of a padded signal, or its adjoint of a gradient."""
    steps = zip(sizes, stride, reach, strict=True)
    if is_adjoint:
        return tuple((size - 1) * step + far for size, step, far in steps)
    return tuple((size - far) // step + 1 for size, step, far in steps)
