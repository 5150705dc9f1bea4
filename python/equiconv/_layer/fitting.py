# SPDX-License-Identifier: Apache-2.0
"""Padding "equivariant": the one with which a stride fits a size, so that the output turns with the signal.

On an axis of size n, windows that reach over r pixels at every s-th place leave out nothing on one side alone if

    (n + 2 p - r) % s == 0

for the padding p on both sides. Of all such p up to a largest one this is the least that gives at least n / s outputs.
Where the stride is 1 or 2 it is the same for all sizes that have one: 2 p changes no remainder by 2, so that an odd
reach fits odd sizes alone, and an even reach even sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from .._groups.geometry import mixed_axes, moved_axes
from .._groups.point_group import PointGroup

EQUIVARIANT = "equivariant"
_SIZES_TRIED = 64


@dataclass(frozen=True)
class Window:
    """What a layer or a pool reads along an axis for an output.

    Attributes:
        extent: the taps of the kernel.
        stride: from one output to the next.
        dilation: from one tap to the next.
        largest: the largest padding that is allowed; None for what leaves a pixel of the signal in each window.
        name: of the taps in messages.
    """

    extent: int
    stride: int
    dilation: int = 1
    largest: int | None = None
    name: str = "kernel"

    @property
    def reach(self) -> int:
        """From the first tap to the last."""
        return self.dilation * (self.extent - 1) + 1

    @property
    def least(self) -> int:
        """The least padding that gives at least n / stride outputs where the stride fits n."""
        return max(0, -((self.stride - self.reach) // 2))

    @property
    def is_free_of_sizes(self) -> bool:
        """Whether the padding is one for all sizes that the stride fits."""
        return self.stride <= 2

    def fits(self, size: int, padding: int) -> bool:
        """Whether there is an output, and nothing is left out on one side alone."""
        rest = size + 2 * padding - self.reach
        return rest >= 0 and rest % self.stride == 0

    def paddings(self) -> range:
        """What may fit, from the least on: larger ones leave the same remainders."""
        largest = self.reach - 1 if self.largest is None else self.largest
        return range(self.least, min(largest, self.least + self.stride - 1) + 1)

    def padding_for(self, sizes: Iterable[int]) -> int | None:
        """The padding with which the stride fits all these sizes; None if there is none."""
        every = list(sizes)
        return next((amount for amount in self.paddings() if all(self.fits(size, amount) for size in every)), None)

    def fitting_sizes(self, size: int) -> list[int]:
        """The nearest sizes below and above that have a padding, where there are such."""
        below, above = range(size - 1, 0, -1), range(size + 1, size + _SIZES_TRIED)
        return _nearest(below, above, lambda other: self.padding_for([other]) is not None)

    def fitting_extents(self, size: int) -> list[int]:
        """The nearest extents below and above with which this size has a padding, where there are such."""

        def has_padding(extent: int) -> bool:
            largest = None if self.largest is None else extent // 2
            return Window(extent, self.stride, self.dilation, largest).padding_for([size]) is not None

        return _nearest(range(self.extent - 1, 0, -1), range(self.extent + 1, self.extent + 3), has_padding)


def fitted_padding(
    windows: Sequence[Window], sizes: Sequence[int], group: PointGroup, first_axis: int
) -> tuple[int, ...]:
    """The padding "equivariant" of each spatial axis of a signal.

    Axes that the group exchanges or mixes have one padding. Where it does not move an axis and no padding fits, it is
    the least one.

    Args:
        windows: of each axis.
        sizes: of the signal on its spatial axes.
        group: H.
        first_axis: the place of the first of these among all axes of the signal.

    Raises:
        ValueError: no padding fits. The message names sizes and kernel extents that have one.
    """
    padding, moved = [0] * len(sizes), moved_axes(group)
    for axes in mixed_axes(group):
        window, every = windows[axes[0]], [sizes[axis] for axis in axes]
        amount = window.padding_for(every)
        for axis in axes:
            if amount is None and axis in moved:
                raise ValueError(_problem(window, axes, every, group, first_axis))
            padding[axis] = window.least if amount is None else amount
    return tuple(padding)


def padding_of_all_sizes(windows: Sequence[Window]) -> tuple[int, ...] | None:
    """The padding "equivariant" of each axis for all sizes that have one; None if it depends on the size."""
    if not all(window.is_free_of_sizes for window in windows):
        return None
    return tuple(window.least for window in windows)


def hint_for(window: Window, size: int) -> str:
    """How padding "equivariant" helps a size that a stride does not fit, to end a sentence with; perhaps nothing."""
    amount, extents = window.padding_for([size]), window.fitting_extents(size)
    if amount is not None:
        return f"; with padding {EQUIVARIANT!r}, here {amount}, this size fits"
    return f"; with padding {EQUIVARIANT!r} this size fits {window.name} {_either(extents)}" if extents else ""


def _problem(window: Window, axes: Sequence[int], sizes: Sequence[int], group: PointGroup, first_axis: int) -> str:
    """The message for axes that have no padding."""
    pairs = zip(axes, sizes, strict=True)
    alone = next(((axis, size) for axis, size in pairs if window.padding_for([size]) is None), None)
    if alone is None:
        places = " and ".join(str(first_axis + axis) for axis in axes)
        return (
            f"padding is {EQUIVARIANT!r}, but sizes {' and '.join(map(str, sizes))} of x on axes {places}, which "
            f"{group.name} exchanges, have no padding in common for stride {window.stride}: expected sizes that differ "
            "by multiples of the stride"
        )
    axis, size = alone
    reach = "" if window.dilation == 1 else f", which reaches over {window.reach}"
    return (
        f"padding is {EQUIVARIANT!r}, but none fits size {size} of x on axis {first_axis + axis} for {window.name} "
        f"{window.extent}{reach} and stride {window.stride}: ({size} + 2 * padding - {window.reach}) % "
        f"{window.stride} is never 0. Expected {_remedies(window, size)}"
    )


def _remedies(window: Window, size: int) -> str:
    """What would fit in place of a size or a kernel that does not."""
    sizes, extents = window.fitting_sizes(size), window.fitting_extents(size)
    parts = [f"size {_either(sizes)}"] if sizes else []
    parts += [f"{window.name} {_either(extents)}"] if extents else []
    return " or ".join(parts) if parts else f"a smaller stride than {window.stride}"


def _nearest(below: Iterable[int], above: Iterable[int], is_right: Callable[[int], bool]) -> list[int]:
    """The first of each that is right."""
    firsts = (next(filter(is_right, numbers), None) for numbers in (below, above))
    return list(chain.from_iterable([] if first is None else [first] for first in firsts))


def _either(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))
