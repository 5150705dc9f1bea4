# SPDX-License-Identifier: Apache-2.0
"""Upsampling and blurred pools that commute with the group, as functions of arrays."""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
import numpy as np

from ..._functional.convolutions import Axes
from ..._groups.point_group import PointGroup
from ..._nn.passes import along_axes, between, binomial, neighbors
from ..._nn.spatial_options import AdaptiveOptions, BlurOptions, BlurPadding, UpsampleMode, UpsampleOptions
from .._primitives.operands import JaxArray, float_operand, is_half
from .spatial import Windows

_PADDING = {"replicate": "edge", "zeros": "constant"}


class Upsampling:
    """The base of modules that enlarge space by integers."""

    options: UpsampleOptions

    def __init__(
        self, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
    ) -> None:
        """Takes (B, C, [|H|,] spatial...) to the same with sizes times `factor`.

        Args:
            group: H, which sets the number of spatial axes.
            factor: an int, or one for each spatial axis; equal on axes that the group exchanges.
            mode: ``"nearest"`` or ``"linear"``.
            align_corners: for linear, whether the corners of the result are those of the signal.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = UpsampleOptions.checked(group, factor, mode, align_corners)


class Blurring:
    """The base of modules that filter space and sample it."""

    options: BlurOptions

    def __init__(
        self, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
        padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        """Takes (B, C, [|H|,] spatial...) to sizes (n + 2 padding - taps) // stride + 1.

        Args:
            group: H, which sets the number of spatial axes.
            stride: an int, or one for each spatial axis.
            taps: of the filter, an int or one for each spatial axis: 3 for (1, 2, 1) / 4, 4 for (1, 3, 3, 1) / 8, and
                so on. If not given, 3 for sizes that fit it and 4 for the others, so that stride 2 fits every size.
            padding: an int, or one for each spatial axis, at most half the taps; (taps - 1) // 2 if not given.
            padding_mode: ``"replicate"``, which keeps constant signals constant, or ``"zeros"``.

        Numbers are equal on axes that the group exchanges.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.

        Calls warn with an EquivarianceWarning, while JAX traces, where the stride does not fit the size on an axis that
        the group moves.
        """
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode)


class MaxBlurring:
    """The base of modules that filter the maxima of windows."""

    options: BlurOptions

    def __init__(
        self, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
        padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        """As `BlurPool`, of the maxima of windows.

        Args:
            group: H, which sets the number of spatial axes.
            kernel: of the windows, an int or one for each spatial axis; their padding is (kernel - 1) // 2, so that odd
                windows keep the size, and even ones make it smaller by 1.
            stride, taps, padding, padding_mode: of the filter, as of `BlurPool`.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode, kernel)


class AdaptiveMeans:
    """The base of modules that take means of windows, as many as asked for."""

    options: AdaptiveOptions

    def __init__(self, group: PointGroup, size: Axes) -> None:
        """Takes (B, C, [|H|,] spatial...) to (B, C, [|H|,] size...).

        Args:
            group: H, which sets the number of spatial axes.
            size: the number of places, an int or one for each spatial axis; equal on axes that the group exchanges.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = AdaptiveOptions.checked(group, size)


def enlarge(x: object, options: UpsampleOptions, user: str) -> JaxArray:
    """A signal with sizes times the factors. Raises ValueError, naming `user`, for other axes."""
    array, d = float_operand("x", x), len(options.factor)
    options.check(user, array.shape)
    if options.mode == "nearest":
        for axis, factor in enumerate(options.factor):
            array = jnp.repeat(array, factor, axis - d)
        return array

    def enlarged(values: JaxArray, axis: int) -> JaxArray:
        factor, size = options.factor[axis], values.shape[axis]
        below, above, numbers, unit = neighbors(np.arange(size * factor), size, factor, options.align_corners)
        return between(values, axis, below, above, (numbers / unit).astype(values.dtype))

    return _along_axes(array, [partial(enlarged, axis=axis - d) for axis in range(d)], options.orbits)


def blur(x: object, options: BlurOptions, user: str) -> JaxArray:
    """The binomial filter of a signal, or of its maxima, at every few places. Raises ValueError for other axes."""
    array = float_operand("x", x)
    options.check(user, array.shape)
    options.check_fit(array)
    taps, padding = options.fitted(array.shape)
    d = len(taps)
    if any(extent > 1 for extent in options.kernel):
        array = Windows(options.group, options.kernel, (1,) * d, options.margins).largest(user, array)
    pairs = [(0, 0)] * (array.ndim - d) + [(amount, amount) for amount in padding]
    padded = jnp.pad(array, pairs, _PADDING[options.padding_mode])
    passes = [partial(binomial, axis=axis - d, taps=taps[axis], stride=options.stride[axis]) for axis in range(d)]
    return _along_axes(padded, passes, options.orbits)


def _along_axes(x: JaxArray, passes: list[partial[JaxArray]], orbits: list[tuple[int, ...]]) -> JaxArray:
    """The passes, in single precision for half precision."""
    wide = x.astype(jnp.float32) if is_half(x.dtype) else x
    return along_axes(wide, passes, orbits, jnp.minimum, jnp.maximum).astype(x.dtype)
