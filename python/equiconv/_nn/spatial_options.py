# SPDX-License-Identifier: Apache-2.0
"""What layers that change the sizes of space are made with, checked: the same for NumPy, PyTorch, Flax and Equinox."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .._checks.arguments import axes, boolean, choice
from .._checks.arrays import Shaped
from .._groups.arguments import point_group
from .._groups.geometry import axis_orbits, lattice_elements
from .._groups.point_group import PointGroup
from .windows import (
    check_alike,
    check_spatial_axes,
    checked_windows,
    counts_of_windows,
    padding_of_windows,
    warn_of_windows,
)

if TYPE_CHECKING:
    from typing_extensions import Self

UpsampleMode: TypeAlias = Literal["nearest", "linear"]
BlurPadding: TypeAlias = Literal["replicate", "zeros"]
_Axes = tuple[int, ...]


@dataclass(frozen=True)
class Resizing:
    """What has a group, and works along the axes of space.

    Attributes:
        group: H.
    """

    group: PointGroup

    @cached_property
    def orbits(self) -> list[_Axes]:
        """The spatial axes in sets that the group exchanges."""
        return axis_orbits(self.group)

    @cached_property
    def is_free(self) -> bool:
        """Whether no element but the identity maps the grid to itself."""
        return len(lattice_elements(self.group)) == 1

    def check(self, user: str, shape: Sequence[int]) -> None:
        """Raises ValueError, naming `user`, unless a signal of `shape` has spatial axes of the group."""
        check_spatial_axes(user, tuple(shape), self.group, may_be_empty=False)


@dataclass(frozen=True)
class UpsampleOptions(Resizing):
    """Upsampling by integers.

    Attributes:
        factor: of each axis.
        mode: ``"nearest"`` or ``"linear"``.
        align_corners: whether the corners stay corners.
    """

    factor: _Axes
    mode: str
    align_corners: bool

    @classmethod
    def checked(cls, group: object, factor: object, mode: object, align_corners: object) -> UpsampleOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        own = point_group(group)
        factors = axes("factor", factor, own.dimension, 1)
        check_alike("factor", factors, own)
        kind, corners = choice("mode", mode, ("nearest", "linear")), boolean("align_corners", align_corners)
        if corners and kind == "nearest":
            raise ValueError("align_corners is True, expected False for mode 'nearest'")
        return cls(own, factors, kind, corners)

    def __repr__(self) -> str:
        corners = ", align_corners=True" if self.align_corners else ""
        return f"{self.group.name}, {self.factor}, {self.mode!r}{corners}"


@dataclass(frozen=True)
class BlurOptions(Resizing):
    """Binomial filters at every few places.

    Attributes:
        stride: of each axis.
        taps: of each axis, or None for 3 or 4, as sizes need.
        padding: of each axis, or None for (taps - 1) // 2.
        padding_mode: ``"replicate"`` or ``"zeros"``.
        kernel: the windows of the maxima that are taken first, 1 for none.
    """

    stride: _Axes
    taps: _Axes | None
    padding: _Axes | None
    padding_mode: str
    kernel: _Axes = field(kw_only=True)

    @classmethod
    def checked(
        cls, group: object, stride: object, taps: object, padding: object, padding_mode: object, kernel: object = 1
    ) -> BlurOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        own = point_group(group)
        d = own.dimension
        numbers: dict[str, Any] = {"stride": axes("stride", stride, d, 1), "kernel": axes("kernel", kernel, d, 1)}
        numbers["taps"] = None if taps is None else axes("taps", taps, d, 1)
        numbers["padding"] = None if padding is None else axes("padding", padding, d, 0)
        for name, values in numbers.items():
            if values is not None:
                check_alike(name, values, own)
        for axis, amount in enumerate(numbers["padding"] or ()):
            limit = (numbers["taps"] or (3,) * d)[axis] // 2
            if amount > limit:
                raise ValueError(f"padding is {amount} on axis {axis}, expected at most {limit}, half the taps")
        return cls(own, **numbers, padding_mode=choice("padding_mode", padding_mode, ("replicate", "zeros")))

    @property
    def margins(self) -> _Axes:
        """The padding of the maxima, which keeps the sizes of odd windows."""
        return tuple((extent - 1) // 2 for extent in self.kernel)

    def fitted(self, shape: Sequence[int]) -> tuple[_Axes, _Axes]:
        """Taps and padding for a signal."""
        sizes = enumerate(self.sizes_of_maxima(shape))
        taps = self.taps or tuple(self._chosen(axis, size) for axis, size in sizes)
        return taps, tuple(self._amount(axis, count) for axis, count in enumerate(taps))

    def sizes_of_maxima(self, shape: Sequence[int]) -> _Axes:
        """The sizes of what the filter reads of a signal."""
        parts = zip(shape[-len(self.stride) :], self.margins, self.kernel, strict=True)
        return tuple(size + 2 * margin - extent + 1 for size, margin, extent in parts)

    def outputs(self, shape: Sequence[int]) -> _Axes:
        """The sizes of the result for a signal. Raises ValueError where no window fits."""
        self.check_sizes(shape)
        parts = zip(self.sizes_of_maxima(shape), *self.fitted(shape), self.stride, strict=True)
        return tuple((size + 2 * amount - count) // step + 1 for size, count, amount, step in parts)

    def check_fit(self, x: Shaped) -> None:
        """Raises ValueError where no window fits a signal. Warns of strides that do not fit its sizes."""
        reach, padding, name = self.check_sizes(x.shape)
        warn_of_windows(x, self.group, reach, self.stride, padding, name)

    def check_sizes(self, shape: Sequence[int]) -> tuple[_Axes, _Axes, str]:
        """Windows of maxima and filter together, their padding, and their name. Raises ValueError where none fits."""
        taps, padding = self.fitted(shape)
        reach = tuple(count + extent - 1 for count, extent in zip(taps, self.kernel, strict=True))
        total = tuple(amount + margin for amount, margin in zip(padding, self.margins, strict=True))
        name = "taps" if reach == taps else "taps + kernel - 1"
        for size, extent in zip(shape[-len(self.kernel) :], self.kernel, strict=True):
            # Larger ones have the same maxima, and margins of any size.
            if extent > 2 * size + 1:
                raise ValueError(f"kernel is {extent}, expected at most {2 * size + 1} for size {size} of x")
        counts_of_windows(shape, reach, self.stride, total, False, name=name)
        return reach, total, name

    def _chosen(self, axis: int, size: int) -> int:
        """3 or 4 taps, whichever leaves out no margin; 3 if both or none do."""
        rests = ((size + 2 * self._amount(axis, count) - count) % self.stride[axis] for count in (3, 4))
        return next((count for count, rest in zip((3, 4), rests, strict=True) if rest == 0), 3)

    def _amount(self, axis: int, taps: int) -> int:
        return (taps - 1) // 2 if self.padding is None else self.padding[axis]

    def __repr__(self) -> str:
        kernel = "" if math.prod(self.kernel) == 1 else f"kernel={self.kernel}, "
        rest = f"stride={self.stride}, taps={self.taps}, padding={self.padding}, padding_mode={self.padding_mode!r}"
        return f"{self.group.name}, {kernel}{rest}"


@dataclass(frozen=True)
class AdaptiveOptions(Resizing):
    """Means over windows, as many as asked for.

    Attributes:
        size: the number of places on each axis.
    """

    size: _Axes

    @classmethod
    def checked(cls, group: object, size: object) -> AdaptiveOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        own = point_group(group)
        places = axes("size", size, own.dimension, 1)
        check_alike("size", places, own)
        return cls(own, places)

    def __repr__(self) -> str:
        return f"{self.group.name}, {self.size}"


@dataclass(frozen=True)
class WindowOptions(Resizing):
    """Windows of the spatial axes, for all channels and elements alike.

    Attributes:
        kernel, stride: of each axis.
        padding: of each axis, or ``"equivariant"``.
        ceil_mode: whether a last window may reach beyond the end.
        count_include_pad: whether means divide by padding too.
    """

    kernel: _Axes
    stride: _Axes
    padding: _Axes | Literal["equivariant"]
    ceil_mode: bool = False
    count_include_pad: bool = True

    @classmethod
    def checked(
        cls, group: object, kernel: object, stride: object, padding: object, ceil_mode: object = False,
        count_include_pad: object = True,
    ) -> Self:  # fmt: skip
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        flags = boolean("ceil_mode", ceil_mode), boolean("count_include_pad", count_include_pad)
        return cls(*checked_windows(group, kernel, stride, padding), *flags)

    def amounts(self, shape: Sequence[int]) -> _Axes:
        """The padding of each axis for a signal. Raises ValueError where "equivariant" is to fit what none fits."""
        return padding_of_windows(shape, self.group, self.kernel, self.stride, self.padding)

    @property
    def is_of_files(self) -> bool:
        """Whether network files have such windows."""
        return not self.ceil_mode and (self.count_include_pad or self.padding == (0,) * len(self.kernel))

    def __repr__(self) -> str:
        text = f"{self.group.name}, kernel={self.kernel}, stride={self.stride}, padding={self.padding!r}"
        more = "" if self.count_include_pad else ", count_include_pad=False"
        return text + (", ceil_mode=True" if self.ceil_mode else "") + more
