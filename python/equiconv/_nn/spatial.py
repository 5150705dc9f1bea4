# SPDX-License-Identifier: Apache-2.0
"""Pools over space, for inference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arrays import Array, float_array
from .._functional.convolutions import Axes
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .held import Held, sorted_mean
from .spatial_options import AdaptiveOptions, WindowOptions
from .windows import (
    WindowPadding,
    adaptive_windows,
    check_spatial_axes,
    counts_of_windows,
    overhangs,
    warn_of_windows,
)


class SpatialMean(Held):
    """Mean over all of space, whose bits do not depend on the order of the pixels: they are sorted first.

    Args:
        group: H, which sets the number of spatial axes.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, |H|), and (B, C, spatial...) -> (B, C).

    Raises:
        TypeError: `group` is no PointGroup.

    Example:
        >>> SpatialMean(cyclic(4))(numpy.ones((1, 8, 5, 5), "float32")).shape
        (1, 8)
    """

    def __init__(self, group: PointGroup) -> None:
        self.group = point_group(group)

    def __call__(self, x: ArrayLike) -> Array:
        """The means."""
        array = float_array("x", x)
        check_spatial_axes("SpatialMean", array.shape, self.group, may_be_empty=False)
        d = self.group.dimension
        pixels = array.reshape(*array.shape[:-d], math.prod(array.shape[-d:]))
        return sorted_mean(pixels).astype(array.dtype)

    def __repr__(self) -> str:
        return f"SpatialMean({self.group.name})"


class AdaptiveMean(Held):
    """Mean over windows of space, as many as asked for, whose bits do not depend on the order of the pixels.

    Place i of n on an axis of size s is the mean of the pixels from floor(i s / n) to ceil((i + 1) s / n), as of
    PyTorch's ``AdaptiveAvgPool2d``. These windows are symmetric, so the mean commutes with the group for every size.

    Args:
        group: H, which sets the number of spatial axes.
        size: the number of places, an int or one for each spatial axis; equal on axes that the group exchanges.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] size...). Size 1 has the numbers of `SpatialMean`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes.

    Example:
        >>> AdaptiveMean(cyclic(4), 3)(numpy.ones((1, 8, 4, 7, 7), "float32")).shape
        (1, 8, 4, 3, 3)
    """

    def __init__(self, group: PointGroup, size: Axes) -> None:
        self.options = AdaptiveOptions.checked(group, size)
        self.group, self.size = self.options.group, self.options.size

    def __call__(self, x: ArrayLike) -> Array:
        """The means."""
        array = float_array("x", x)
        self.options.check("AdaptiveMean", array.shape)
        first = array.ndim - len(self.size)
        # First, so that a size beyond the memory is an error at once.
        result = np.empty((*array.shape[:first], *self.size), array.dtype)
        places = [adaptive_windows(array.shape[first + axis], count) for axis, count in enumerate(self.size)]
        for place in np.ndindex(*self.size):
            ends = [places[axis][number] for axis, number in enumerate(place)]
            pixels: tuple[Any, ...] = (..., *(slice(begin, end) for begin, end in ends))
            window = array[pixels]
            result[(..., *place)] = sorted_mean(window.reshape(*window.shape[:first], math.prod(window.shape[first:])))
        return result

    def __repr__(self) -> str:
        return f"AdaptiveMean({self.options})"


class _SpatialPool(Held):
    """Windows of the spatial axes, for all channels and elements alike."""

    def __init__(self, options: WindowOptions) -> None:
        self.options = options
        self.group, self.kernel = options.group, options.kernel
        self.stride, self.padding = options.stride, options.padding

    def _windows(self, array: Array, filler: float) -> Array:
        """The numbers of each window, on the last axis."""
        own = self.options
        d, padding = own.group.dimension, own.amounts(array.shape)
        sizes = array.shape[-d:]
        outputs = counts_of_windows(array.shape, own.kernel, own.stride, padding, own.ceil_mode).shape
        warn_of_windows(array, own.group, own.kernel, own.stride, padding)
        more = overhangs(sizes, outputs, own.kernel, own.stride, padding)
        pairs = [(0, 0)] * (array.ndim - d)
        pairs += [(amount, amount + extra) for amount, extra in zip(padding, more, strict=True)]
        padded = np.pad(array, pairs, constant_values=filler)
        axes = tuple(range(-d, 0))
        windows = np.lib.stride_tricks.sliding_window_view(padded, own.kernel, axis=axes)
        steps: list[Any] = [slice(None, None, step) for step in own.stride]
        chosen = windows[(..., *steps, *[slice(None)] * d)]
        return chosen.reshape(*chosen.shape[:-d], math.prod(own.kernel))

    def _signal(self, x: ArrayLike) -> Array:
        array = float_array("x", x)
        check_spatial_axes(type(self).__name__, array.shape, self.group)
        return array

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options})"


class SpatialMaxPool(_SpatialPool):
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(numpy.zeros((1, 8, 4, 6, 6), "float32")).shape
        (1, 8, 4, 3, 3)
    """

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        """Pools (B, C, [|H|,] spatial...) to sizes (n + 2 padding - kernel) // stride + 1.

        Args:
            group: H, which sets the number of spatial axes.
            kernel, stride: an int, or one for each spatial axis; `stride` is `kernel` if not given.
            padding: the same, at most half the kernel; or ``"equivariant"``, as for `conv`.
            ceil_mode: whether the division rounds up: a last window may reach beyond the padding at the end.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.

        Calls warn with an EquivarianceWarning where the stride does not fit the size on an axis that the group moves,
        however the division rounds.
        """
        super().__init__(WindowOptions.checked(group, kernel, stride, padding, ceil_mode))

    def __call__(self, x: ArrayLike) -> Array:
        """The maximum of each window."""
        maxima: Array = self._windows(self._signal(x), -np.inf).max(-1)
        return maxima


class SpatialAvgPool(_SpatialPool):
    """Mean over windows of space, whose bits do not depend on the order of the pixels.

    Padding counts as zeros, but what a last window with `ceil_mode` has beyond it does not count, as in PyTorch.

    Example:
        >>> float(SpatialAvgPool(cyclic(4), 2)(numpy.ones((1, 8, 4, 6, 6), "float32")).mean())
        1.0
    """

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        """Pools (B, C, [|H|,] spatial...) to sizes (n + 2 padding - kernel) // stride + 1.

        Args:
            group, kernel, stride, padding, ceil_mode: as of `SpatialMaxPool`.
            count_include_pad: whether means divide by all of a window, or by the pixels of the signal in it.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        super().__init__(WindowOptions.checked(group, kernel, stride, padding, ceil_mode, count_include_pad))

    def __call__(self, x: ArrayLike) -> Array:
        """The mean of each window."""
        array, own = self._signal(x), self.options
        windows = self._windows(array, 0)
        padding = own.amounts(array.shape)
        counts = counts_of_windows(array.shape, own.kernel, own.stride, padding, own.ceil_mode, own.count_include_pad)
        return sorted_mean(windows, counts).astype(array.dtype)
