# SPDX-License-Identifier: Apache-2.0
"""Upsampling and blurred pools, for inference."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arrays import Array, float_array
from .._functional.convolutions import Axes
from .._groups.point_group import PointGroup
from .held import Held
from .passes import along_axes, between, binomial, neighbors
from .spatial import SpatialMaxPool
from .spatial_options import BlurOptions, BlurPadding, UpsampleMode, UpsampleOptions

_PADDING = {"replicate": "edge", "zeros": "constant"}


class Upsample(Held):
    """Upsampling of space by integers, for each channel and each element of H by itself.

    Both modes are those of PyTorch's ``interpolate``, and commute with the group to the last bit: nearest copies each
    pixel, and linear interpolates along the axes in all orders that the group exchanges, of which it takes the middle.

    Args:
        group: H, which sets the number of spatial axes.
        factor: an int, or one for each spatial axis; equal on axes that the group exchanges.
        mode: ``"nearest"`` or ``"linear"``.
        align_corners: for linear, whether the corners of the result are those of the signal.

    Shape:
        (B, C, [|H|,] spatial...) -> the same with sizes times `factor`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes.

    Example:
        >>> Upsample(cyclic(4), 2)(numpy.zeros((1, 8, 4, 5, 5), "float32")).shape
        (1, 8, 4, 10, 10)
    """

    def __init__(
        self, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
    ) -> None:
        self.options = UpsampleOptions.checked(group, factor, mode, align_corners)
        self.group = self.options.group

    def __call__(self, x: ArrayLike) -> Array:
        """The larger signal."""
        array, own = float_array("x", x), self.options
        own.check("Upsample", array.shape)
        d = len(own.factor)
        if own.mode == "nearest":
            for axis, factor in enumerate(own.factor):
                array = np.repeat(array, factor, axis - d)
            return array
        passes = [partial(self._between, axis=axis - d) for axis in range(d)]
        larger: Array = along_axes(array, passes, own.orbits, np.minimum, np.maximum)
        return larger

    def _between(self, x: Array, axis: int) -> Array:
        factor, size = self.options.factor[axis], x.shape[axis]
        below, above, numbers, unit = neighbors(np.arange(size * factor), size, factor, self.options.align_corners)
        larger: Array = between(x, axis, below, above, (numbers / unit).astype(x.dtype))
        return larger

    def __repr__(self) -> str:
        return f"Upsample({self.options})"


class BlurPool(Held):
    """A binomial filter of space at every few pixels, for each channel and each element of H by itself.

    What is averaged before it is sampled aliases less than what is sampled alone. Source: Zhang, "Making convolutional
    networks shift-invariant again", ICML 2019. The filter is that of repeated means of two neighbors, taken along the
    axes in all orders that the group exchanges; the middle of these commutes with the group to the last bit.

    Args:
        group: H, which sets the number of spatial axes.
        stride: an int, or one for each spatial axis.
        taps: of the filter, an int or one for each spatial axis: 3 for (1, 2, 1) / 4, 4 for (1, 3, 3, 1) / 8, and so
            on. If not given, 3 for sizes that fit it and 4 for the others, so that stride 2 fits every size.
        padding: an int, or one for each spatial axis, at most half the taps; (taps - 1) // 2 if not given.
        padding_mode: ``"replicate"``, which keeps constant signals constant, or ``"zeros"``.

    Numbers are equal on axes that the group exchanges.

    Shape:
        (B, C, [|H|,] spatial...) -> the same with sizes (n + 2 padding - taps) // stride + 1: by default and with
        stride 2, half of n, rounded up.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes, or smaller than
            the filter.

    Calls warn with an EquivarianceWarning where the stride does not fit the size on an axis that the group moves.

    Example:
        >>> BlurPool(cyclic(4))(numpy.ones((1, 8, 4, 6, 6), "float32")).shape
        (1, 8, 4, 3, 3)
    """

    def __init__(
        self, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
        padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode)
        self.group = self.options.group

    def __call__(self, x: ArrayLike) -> Array:
        """The filtered signal."""
        array, own = float_array("x", x), self.options
        own.check(type(self).__name__, array.shape)
        own.check_fit(array)
        taps, padding = own.fitted(array.shape)
        array, d = self._before(array), len(taps)
        pairs = [(0, 0)] * (array.ndim - d) + [(amount, amount) for amount in padding]
        padded = np.pad(array, pairs, _PADDING[own.padding_mode])  # type: ignore[call-overload]
        passes = [partial(binomial, axis=axis - d, taps=taps[axis], stride=own.stride[axis]) for axis in range(d)]
        smaller: Array = along_axes(padded, passes, own.orbits, np.minimum, np.maximum)
        return smaller

    def _before(self, x: Array) -> Array:
        """What is filtered."""
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options})"


class MaxBlurPool(BlurPool):
    """Maximum over windows at every pixel, then `BlurPool`: a pool of maxima that aliases less.

    Args:
        group: H, which sets the number of spatial axes.
        kernel: of the windows, an int or one for each spatial axis; their padding is (kernel - 1) // 2, so that odd
            windows keep the size, and even ones make it smaller by 1.
        stride, taps, padding, padding_mode: of the filter, as of `BlurPool`.

    Example:
        >>> MaxBlurPool(cyclic(4))(numpy.ones((1, 8, 4, 6, 6), "float32")).shape
        (1, 8, 4, 3, 3)
    """

    def __init__(
        self, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
        padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode, kernel)
        self.group = self.options.group

    def _before(self, x: Array) -> Array:
        return SpatialMaxPool(self.group, self.options.kernel, 1, self.options.margins)(x)
