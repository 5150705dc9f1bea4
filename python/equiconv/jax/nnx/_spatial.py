# SPDX-License-Identifier: Apache-2.0
"""Pools over space."""

from __future__ import annotations

from flax import nnx

from .._nn.resizing import AdaptiveMeans, Blurring, MaxBlurring, Upsampling, blur, enlarge
from .._nn.spatial import SpaceMean, SpatialMeanPool, SpatialPool, means_of_places, spatial_mean
from .._primitives.operands import JaxArray


class SpatialMaxPool(SpatialPool, nnx.Module):  # type: ignore[misc]
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(jax.numpy.zeros((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The maxima."""
        return self.options.largest(type(self).__name__, x)


class SpatialAvgPool(SpatialMeanPool, nnx.Module):  # type: ignore[misc]
    """Mean over windows of space, for each channel and each element of H by itself; padding counts as zeros.

    What a last window with `ceil_mode` has beyond the padding does not count. Without `count_include_pad`, means divide
    by the pixels of the signal alone. Sums are those of `SpatialMean`: equivariant to the last bit.

    Example:
        >>> SpatialAvgPool(cyclic(4), 2)(jax.numpy.ones((1, 8, 4, 6, 6))).mean().item()
        1.0
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return self.options.mean(type(self).__name__, x)


class SpatialMean(SpaceMean, nnx.Module):  # type: ignore[misc]
    """Mean over all of space, whose bits do not depend on the order of the pixels.

    ``y[b, c, h] = mean over x of f[b, c, h, x]``

    Example:
        >>> SpatialMean(cyclic(4))(jax.numpy.ones((1, 8, 5, 5))).shape
        (1, 8)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return spatial_mean(x, self.group)


class Upsample(Upsampling, nnx.Module):  # type: ignore[misc]
    """Upsampling of space by integers, for each channel and each element of H by itself, as `equiconv.Upsample`.

    It commutes with the group to the last bit, in both modes.

    Example:
        >>> Upsample(cyclic(4), 2)(jax.numpy.zeros((1, 8, 4, 5, 5))).shape
        (1, 8, 4, 10, 10)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The larger signal."""
        return enlarge(x, self.options, type(self).__name__)


class BlurPool(Blurring, nnx.Module):  # type: ignore[misc]
    """A binomial filter of space at every few pixels, for each channel and each element of H by itself.

    It is that of `equiconv.BlurPool`, and commutes with the group to the last bit.

    Example:
        >>> BlurPool(cyclic(4))(jax.numpy.ones((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The filtered signal."""
        return blur(x, self.options, type(self).__name__)


class MaxBlurPool(MaxBlurring, nnx.Module):  # type: ignore[misc]
    """Maximum over windows at every pixel, then `BlurPool`: a pool of maxima that aliases less.

    Example:
        >>> MaxBlurPool(cyclic(4))(jax.numpy.ones((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The filtered maxima."""
        return blur(x, self.options, type(self).__name__)


class AdaptiveMean(AdaptiveMeans, nnx.Module):  # type: ignore[misc]
    """Mean over windows of space, as many as asked for; place i of n on an axis of size s is that of its window.

    The window is that from floor(i s / n) to ceil((i + 1) s / n), as of `equiconv.AdaptiveMean`. Sums are those of
    `SpatialMean`, so it commutes with the group to the last bit.

    Example:
        >>> AdaptiveMean(cyclic(4), 3)(jax.numpy.ones((1, 8, 4, 7, 7))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return means_of_places(x, self.options, type(self).__name__)
