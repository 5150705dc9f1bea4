# SPDX-License-Identifier: Apache-2.0
"""Which sizes of a signal fit the strides and windows of a network, so that outputs turn with the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..._checks.arguments import integer
from ..._groups.geometry import moved_axes
from ..._groups.point_group import PointGroup

_LARGEST = 2**20


class Step(Protocol):
    """What a layer does to the size of an axis."""

    def after(self, size: int, is_moved: bool) -> int | None:
        """The size behind it; None where the layer does not fit, on an axis that the group moves or on any."""


@dataclass(frozen=True)
class Windows:
    """Windows or a kernel of an extent, at every few pixels, with padding on both sides.

    `is_strict` asks for no remainder on all axes.
    """

    extent: int
    stride: int = 1
    padding: int = 0
    is_strict: bool = False

    def after(self, size: int, is_moved: bool) -> int | None:
        """(size + 2 padding - extent) // stride + 1, without a remainder on axes that the group moves."""
        room = size + 2 * self.padding - self.extent
        if room < 0 or ((is_moved or self.is_strict) and room % self.stride):
            return None
        return room // self.stride + 1


@dataclass(frozen=True)
class Halving:
    """A blurred pool of stride 2, which fits all sizes."""

    def after(self, size: int, is_moved: bool) -> int | None:
        """Half of the size, rounded up."""
        return (size + 1) // 2 if size >= 1 else None


_HALVINGS: dict[str, Step] = {"stride": Windows(1, 2), "pool": Windows(2, 2), "blur": Halving()}


def halving(downsample: str) -> Step:
    """What a residual block of stride 2 does to a size, whose convolutions have odd kernels."""
    return _HALVINGS[downsample]


def fits(size: int, steps: Iterable[Step], is_moved: bool = True) -> bool:
    """Whether all layers fit a size, one after the other."""
    now: int | None = size
    for step in steps:
        now = None if now is None else step.after(now, is_moved)
    return now is not None


def sizes_that_fit(
    group: PointGroup, steps: Callable[[int], Sequence[Step]], smallest: int, largest: int, axis: int
) -> tuple[int, ...]:
    """The sizes from `smallest` to `largest` that fit on a spatial axis, on which `steps` says what layers do.

    Raises:
        TypeError, ValueError: a size is no positive integer, or there is no such axis.
    """
    first = integer("smallest", smallest, 1, _LARGEST)
    last = integer("largest", largest, first, _LARGEST)
    number = integer("axis", axis, 0, group.dimension - 1)
    layers, is_moved = steps(number), number in moved_axes(group)
    return tuple(size for size in range(first, last + 1) if fits(size, layers, is_moved))
