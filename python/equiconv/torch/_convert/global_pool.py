# SPDX-License-Identifier: Apache-2.0
"""Pools over all of space that keep its axes."""

from __future__ import annotations

from torch import Tensor, nn

from ..._groups.point_group import PointGroup
from .._nn.spatial import SpatialMean


class GlobalPool(nn.Module):
    """Mean or maximum over all of space, (B, C, [|H|,] spatial...) -> (B, C, [|H|,] 1...).

    Args:
        group: H, which sets the number of spatial axes.
        mode: ``"mean"``, by `SpatialMean`, whose bits do not depend on the order of the pixels, or ``"max"``.
    """

    def __init__(self, group: PointGroup, mode: str = "mean") -> None:
        super().__init__()
        self.mode, self.dimension = mode, group.dimension
        self.mean = SpatialMean(group) if mode == "mean" else None

    def forward(self, x: Tensor) -> Tensor:
        """The pooled signal."""
        y = x.amax(tuple(range(-self.dimension, 0))) if self.mean is None else self.mean(x)
        for _ in range(self.dimension):
            y = y.unsqueeze(-1)
        return y
