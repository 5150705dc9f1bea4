# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions of arrays, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from .._checks.arrays import Array, check_same_dtype, float_array
from .._functional.convolutions import Axes
from .._groups.point_group import PointGroup
from .adjoints import adjoint_of_maxima, spread, taps_of_blur, taps_of_means, taps_of_upsampling
from .resizing import BlurPool, MaxBlurPool, Upsample
from .spatial import AdaptiveMean, SpatialMaxPool
from .spatial_options import BlurPadding, UpsampleMode


def upsample(
    x: ArrayLike, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
) -> Array:
    """Upsampling of space by integers: `Upsample` as a function.

    ``y[r] = x[r // factor]``, or linear interpolation between pixels, both as PyTorch's ``interpolate``; equivariant to
    the last bit.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32 or float64.
        group, factor, mode, align_corners: as of `Upsample`.

    Returns:
        A signal with sizes times `factor`, of the dtype of `x`.

    Raises:
        TypeError, ValueError: as `Upsample`.

    Example:
        >>> upsample(numpy.arange(2.0).reshape(1, 1, 2), reflection(), 2).ravel()
        array([0., 0., 1., 1.])
    """
    return Upsample(group, factor, mode, align_corners)(x)


def upsample_vjp(
    grad_out: ArrayLike, x: ArrayLike, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest",
    align_corners: bool = False,
) -> Array:  # fmt: skip
    """Gradient of ``sum(grad_out * upsample(x, group, factor, mode, align_corners))`` in `x`.

    Args:
        grad_out: that of the output, of its shape and with the dtype of `x`.
        x, group, factor, mode, align_corners: as `upsample` was called with.

    Returns:
        Shape and dtype of `x`. It commutes with the group to the last bit.

    Raises:
        TypeError, ValueError: as `upsample`; `grad_out` does not have the shape of the output.

    Example:
        >>> upsample_vjp(numpy.arange(4.0).reshape(1, 1, 4), numpy.zeros((1, 1, 2)), reflection(), 2).ravel()
        array([1., 5.])
    """
    own, signal = Upsample(group, factor, mode, align_corners).options, float_array("x", x)
    own.check("upsample_vjp", signal.shape)
    sizes = signal.shape[-len(own.factor) :]
    gradient = _gradient(grad_out, signal, [size * times for size, times in zip(sizes, own.factor, strict=True)])
    return spread(gradient, taps_of_upsampling(own, sizes), own.orbits)


def blur_pool(
    x: ArrayLike, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
    padding_mode: BlurPadding = "replicate",
) -> Array:  # fmt: skip
    """A binomial filter of space at every few pixels: `BlurPool` as a function.

    ``y[r] = sum over t of binomial(taps - 1, t) 2^(1 - taps) x[stride r + t - padding]`` along each axis, equivariant
    to the last bit. Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32 or float64.
        group, stride, taps, padding, padding_mode: as of `BlurPool`.

    Returns:
        A signal of sizes (n + 2 padding - taps) // stride + 1, of the dtype of `x`.

    Raises:
        TypeError, ValueError: as `BlurPool`.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves.

    Example:
        >>> blur_pool(numpy.arange(5.0).reshape(1, 1, 5), reflection()).ravel()
        array([0.25, 2.  , 3.75])
    """
    return BlurPool(group, stride, taps, padding, padding_mode)(x)


def blur_pool_vjp(
    grad_out: ArrayLike, x: ArrayLike, group: PointGroup, stride: Axes = 2, taps: Axes | None = None,
    padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
) -> Array:  # fmt: skip
    """Gradient of ``sum(grad_out * blur_pool(x, group, stride, taps, padding, padding_mode))`` in `x`.

    Args:
        grad_out: that of the output, of its shape and with the dtype of `x`.
        x, group, stride, taps, padding, padding_mode: as `blur_pool` was called with.

    Returns:
        Shape and dtype of `x`. It commutes with the group to the last bit where the stride fits the size.

    Raises:
        TypeError, ValueError: as `blur_pool`; `grad_out` does not have the shape of the output.

    Example:
        >>> blur_pool_vjp(numpy.ones((1, 1, 3)), numpy.zeros((1, 1, 5)), reflection()).ravel()
        array([0.75, 0.5 , 0.5 , 0.5 , 0.75])
    """
    own, signal = BlurPool(group, stride, taps, padding, padding_mode).options, float_array("x", x)
    own.check("blur_pool_vjp", signal.shape)
    gradient = _gradient(grad_out, signal, own.outputs(signal.shape))
    return spread(gradient, taps_of_blur(own, signal.shape), own.orbits)


def max_blur_pool(
    x: ArrayLike, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
    padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
) -> Array:  # fmt: skip
    """The maxima of windows at every pixel, then `blur_pool`: `MaxBlurPool` as a function.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32 or float64.
        group, kernel, stride, taps, padding, padding_mode: as of `MaxBlurPool`.

    Returns:
        A signal as that of `blur_pool`, of the dtype of `x`.

    Raises:
        TypeError, ValueError: as `MaxBlurPool`.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves.

    Example:
        >>> max_blur_pool(numpy.arange(6.0).reshape(1, 1, 6), reflection()).ravel()
        array([1.25, 3.  , 4.75])
    """
    return MaxBlurPool(group, kernel, stride, taps, padding, padding_mode)(x)


def max_blur_pool_vjp(
    grad_out: ArrayLike, x: ArrayLike, group: PointGroup, kernel: Axes = 2, stride: Axes = 2,
    taps: Axes | None = None, padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
) -> Array:  # fmt: skip
    """Gradient of ``sum(grad_out * max_blur_pool(x, group, kernel, stride, taps, padding, padding_mode))`` in `x`.

    A maximum gives its gradient to the largest value, in equal parts if several are equal.

    Args:
        grad_out: that of the output, of its shape and with the dtype of `x`.
        x, group, kernel, stride, taps, padding, padding_mode: as `max_blur_pool` was called with.

    Returns:
        Shape and dtype of `x`. It commutes with the group to the last bit where the stride fits the size.

    Raises:
        TypeError, ValueError: as `max_blur_pool`; `grad_out` does not have the shape of the output.

    Example:
        >>> max_blur_pool_vjp(numpy.ones((1, 1, 3)), numpy.arange(6.0).reshape(1, 1, 6), reflection()).ravel()
        array([0.  , 0.75, 0.5 , 0.5 , 0.5 , 0.75])
    """
    own, signal = MaxBlurPool(group, kernel, stride, taps, padding, padding_mode).options, float_array("x", x)
    own.check("max_blur_pool_vjp", signal.shape)
    gradient = _gradient(grad_out, signal, own.outputs(signal.shape))
    maxima = SpatialMaxPool(own.group, own.kernel, 1, own.margins)(signal)
    blurred = spread(gradient, taps_of_blur(own, signal.shape), own.orbits)
    return adjoint_of_maxima(blurred, signal, maxima, own.kernel, own.margins)


def adaptive_mean(x: ArrayLike, group: PointGroup, size: Axes) -> Array:
    """Means over as many windows of space as asked for: `AdaptiveMean` as a function.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32 or float64.
        group, size: as of `AdaptiveMean`.

    Returns:
        A signal of shape (B, C, [|H|,] size...), with the dtype of `x`; equivariant to the last bit.

    Raises:
        TypeError, ValueError: as `AdaptiveMean`.

    Example:
        >>> adaptive_mean(numpy.arange(4.0).reshape(1, 1, 4), reflection(), 2).ravel()
        array([0.5, 2.5])
    """
    return AdaptiveMean(group, size)(x)


def adaptive_mean_vjp(grad_out: ArrayLike, x: ArrayLike, group: PointGroup, size: Axes) -> Array:
    """Gradient of ``sum(grad_out * adaptive_mean(x, group, size))`` in `x`.

    Args:
        grad_out: shape (B, C, [|H|,] size...), that of the output, with the dtype of `x`.
        x, group, size: as `adaptive_mean` was called with.

    Returns:
        Shape and dtype of `x`. It commutes with the group to the last bit.

    Raises:
        TypeError, ValueError: as `adaptive_mean`; `grad_out` does not have the shape of the output.

    Example:
        >>> adaptive_mean_vjp(numpy.arange(2.0).reshape(1, 1, 2), numpy.zeros((1, 1, 4)), reflection(), 2).ravel()
        array([0. , 0. , 0.5, 0.5])
    """
    own, signal = AdaptiveMean(group, size).options, float_array("x", x)
    own.check("adaptive_mean_vjp", signal.shape)
    gradient = _gradient(grad_out, signal, own.size)
    return spread(gradient, taps_of_means(own, signal.shape), own.orbits)


def _gradient(grad_out: ArrayLike, x: Array, sizes: Sequence[int]) -> Array:
    """That of the output as an array. Raises TypeError or ValueError unless it has these sizes, and fits `x`."""
    gradient = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", gradient, "x", x)
    shape = (*x.shape[: -len(sizes)], *sizes)
    if gradient.shape != shape:
        raise ValueError(f"grad_out has shape {gradient.shape}, expected {shape}, the shape of the output")
    return gradient
