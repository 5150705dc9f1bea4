# SPDX-License-Identifier: Apache-2.0
"""Pools over space."""

from __future__ import annotations

import equinox as eqx

from ..._groups.point_group import PointGroup
from .._nn.spatial import SpaceMean, SpatialPool, WindowOptions, spatial_mean
from .._primitives.operands import JaxArray


class SpatialMaxPool(SpatialPool, eqx.Module):  # type: ignore[misc]
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(jax.numpy.zeros((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    options: WindowOptions = eqx.field(static=True)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The maxima."""
        return self.options.largest(type(self).__name__, x)


class SpatialAvgPool(SpatialPool, eqx.Module):  # type: ignore[misc]
    """Mean over windows of space, for each channel and each element of H by itself; padding counts as zeros.

    Sums are those of `SpatialMean`: equivariant to the last bit.

    Example:
        >>> SpatialAvgPool(cyclic(4), 2)(jax.numpy.ones((1, 8, 4, 6, 6))).mean().item()
        1.0
    """

    options: WindowOptions = eqx.field(static=True)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The means."""
        return self.options.mean(type(self).__name__, x)


class SpatialMean(SpaceMean, eqx.Module):  # type: ignore[misc]
    """Mean over all of space, whose bits do not depend on the order of the pixels.

    ``y[b, c, h] = mean over x of f[b, c, h, x]``

    Example:
        >>> SpatialMean(cyclic(4))(jax.numpy.ones((1, 8, 5, 5))).shape
        (1, 8)
    """

    group: PointGroup = eqx.field(static=True)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The means."""
        return spatial_mean(x, self.group)
