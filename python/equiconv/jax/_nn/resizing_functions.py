# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions of JAX arrays."""

from __future__ import annotations

from ..._functional.convolutions import Axes
from ..._groups.point_group import PointGroup
from ..._nn.spatial_options import AdaptiveOptions, BlurOptions, BlurPadding, UpsampleMode, UpsampleOptions
from .._primitives.operands import JaxArray
from .resizing import blur, enlarge
from .spatial import means_of_places


def upsample(
    x: JaxArray, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
) -> JaxArray:
    """Upsampling of space by integers: `equiconv.upsample` on JAX arrays, with derivatives of all orders.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32, float64, bfloat16 or float16.
        group, factor, mode, align_corners: as of `equiconv.upsample`; they are part of the compiled program.

    Returns:
        A signal with sizes times `factor`, of the dtype of `x`; equivariant to the last bit.

    Raises:
        TypeError, ValueError: as `equiconv.upsample`.

    Example:
        >>> upsample(jax.numpy.arange(2.0).reshape(1, 1, 2), reflection(), 2).tolist()
        [[[0.0, 0.0, 1.0, 1.0]]]
    """
    return enlarge(x, UpsampleOptions.checked(group, factor, mode, align_corners), "upsample")


def blur_pool(
    x: JaxArray, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
    padding_mode: BlurPadding = "replicate",
) -> JaxArray:  # fmt: skip
    """A binomial filter of space at every few pixels: `equiconv.blur_pool` on JAX arrays.

    Args:
        x: as of `upsample`.
        group, stride, taps, padding, padding_mode: as of `equiconv.blur_pool`.

    Returns:
        A signal of sizes (n + 2 padding - taps) // stride + 1, of the dtype of `x`; equivariant to the last bit.

    Raises:
        TypeError, ValueError: as `equiconv.blur_pool`.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves; while JAX traces.

    Example:
        >>> blur_pool(jax.numpy.arange(5.0).reshape(1, 1, 5), reflection()).tolist()
        [[[0.25, 2.0, 3.75]]]
    """
    return blur(x, BlurOptions.checked(group, stride, taps, padding, padding_mode), "blur_pool")


def max_blur_pool(
    x: JaxArray, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
    padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
) -> JaxArray:  # fmt: skip
    """The maxima of windows at every pixel, then `blur_pool`: `equiconv.max_blur_pool` on JAX arrays.

    Args:
        x: as of `upsample`.
        group, kernel, stride, taps, padding, padding_mode: as of `equiconv.max_blur_pool`.

    Returns:
        A signal as that of `blur_pool`, of the dtype of `x`. Errors and warnings are those of `blur_pool`.

    Example:
        >>> max_blur_pool(jax.numpy.arange(6.0).reshape(1, 1, 6), reflection()).tolist()
        [[[1.25, 3.0, 4.75]]]
    """
    return blur(x, BlurOptions.checked(group, stride, taps, padding, padding_mode, kernel), "max_blur_pool")


def adaptive_mean(x: JaxArray, group: PointGroup, size: Axes) -> JaxArray:
    """Means over as many windows of space as asked for: `equiconv.adaptive_mean` on JAX arrays.

    Args:
        x: as of `upsample`.
        group, size: as of `equiconv.adaptive_mean`.

    Returns:
        A signal of shape (B, C, [|H|,] size...), with the dtype of `x`; equivariant to the last bit.

    Raises:
        TypeError, ValueError: as `equiconv.adaptive_mean`.

    Example:
        >>> adaptive_mean(jax.numpy.arange(4.0).reshape(1, 1, 4), reflection(), 2).tolist()
        [[[0.5, 2.5]]]
    """
    return means_of_places(x, AdaptiveOptions.checked(group, size), "adaptive_mean")
