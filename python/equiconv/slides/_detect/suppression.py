# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from .points import Floats, Indices

__all__ = ["suppress", "tree_of"]

# Points whose neighbors are in memory at a time.
_GROUP = 65536


def suppress(points: Floats, radius: float) -> Indices:
    """Indices of the points that are kept, ascending: each that is not closer than `radius` to one kept before it.

    Args:
        points: (N, 2), those first that come first.
        radius: in their unit, 0 or more.
    """
    kept: list[int] = []
    if radius == 0 or len(points) == 0:
        return np.arange(len(points))
    tree = tree_of(points)
    # The tree finds what is at most as far away: the next smaller number leaves out what is exactly at the radius.
    below = np.nextafter(radius, 0)
    alive = np.ones(len(points), bool)
    for begin in range(0, len(points), _GROUP):
        chosen = begin + np.flatnonzero(alive[begin : begin + _GROUP])
        for point, near in zip(chosen, tree.query_ball_point(points[chosen], below), strict=True):
            if alive[point]:
                alive[near] = False
                kept.append(int(point))
    return np.array(kept, np.int64)


def tree_of(points: Floats) -> Any:
    """A tree of points that finds neighbors. Raises ModuleNotFoundError without SciPy."""
    try:
        from scipy.spatial import cKDTree
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'detections need scipy, not installed: pip install "equiconv[slides]"', name="scipy"
        ) from error
    return cKDTree(points)
