# SPDX-License-Identifier: Apache-2.0
"""Pools over space."""

from __future__ import annotations

from flax import nnx

from ..._functional.convolutions import Axes
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from .._nn.spatial import WindowOptions, spatial_mean
from .._primitives.operands import JaxArray


class _SpatialPool(nnx.Module):  # type: ignore[misc]
    """Windows of the spatial axes, for all channels and elements alike."""

    def __init__(self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: Axes = 0) -> None:
        self.options = WindowOptions.checked(group, kernel, stride, padding)


class SpatialMaxPool(_SpatialPool):
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Args:
        group: H, which tells the spatial axes, and which of them it moves.
        kernel, stride, padding: an int, or one for each spatial axis; `stride` is `kernel` if not given.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] spatial_out...), sizes (n + 2 padding - kernel) // stride + 1.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Warns:
        EquivarianceWarning: ``(n + 2 padding - kernel) % stride`` is not 0 on an axis that the group moves: the windows
            leave out a margin on one side. The message names sizes that fit. While JAX traces.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(jax.numpy.zeros((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The maxima."""
        return self.options.largest(type(self).__name__, x)


class SpatialAvgPool(_SpatialPool):
    """Mean over windows of space, for each channel and each element of H by itself; padding counts as zeros.

    Sums are those of `SpatialMean`: equivariant to the last bit.

    Args:
        group, kernel, stride, padding: as for `SpatialMaxPool`.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] spatial_out...), sizes (n + 2 padding - kernel) // stride + 1.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Warns:
        EquivarianceWarning: as `SpatialMaxPool`.

    Example:
        >>> SpatialAvgPool(cyclic(4), 2)(jax.numpy.ones((1, 8, 4, 6, 6))).mean().item()
        1.0
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return self.options.mean(type(self).__name__, x)


class SpatialMean(nnx.Module):  # type: ignore[misc]
    """Mean over all of space, whose bits do not depend on the order of the pixels.

    ``y[b, c, h] = mean over x of f[b, c, h, x]``. What a network computes of it after `GroupPool` is invariant under a
    lattice group to the last bit, if the layers before it use ``algorithm="direct"``. Numbers are cut at fixed binary
    places into integers, whose sums are exact; the rest, some 60 bits below the largest number of a plane and 110 in
    float64, is dropped. Source: Demmel and Nguyen, "Fast reproducible floating-point summation", ARITH 2013.

    Args:
        group: H, which tells the number of spatial axes.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, |H|), and (B, C, spatial...) -> (B, C).

    Raises:
        TypeError: `group` is no PointGroup.
        ValueError: the input has another number of axes.

    Example:
        >>> SpatialMean(cyclic(4))(jax.numpy.ones((1, 8, 5, 5))).shape
        (1, 8)
    """

    def __init__(self, group: PointGroup) -> None:
        self.group = point_group(group)

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return spatial_mean(x, self.group)
