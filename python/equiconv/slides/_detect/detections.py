# SPDX-License-Identifier: Apache-2.0
"""From a map of scores to points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from ..._checks.arguments import boolean, items, real, value_text
from ..._checks.arrays import Array
from .maps import ScoreMap, open_map
from .maxima import Maxima, local_maxima
from .points import Detections, Floats, Indices, mpp_of, pair_of
from .suppression import suppress

__all__ = ["detections"]


def detections(
    scores: Array | str | PathLike[str] | Any,
    threshold: float | Sequence[float],
    distance: float,
    *,
    mpp: float | tuple[float, float] | None = None,
    spacing: float | tuple[float, float] | None = None,
    origin: float | tuple[float, float] | None = None,
    channels: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    per_class: bool = True,
    block: int | tuple[int, int] | None = None,
) -> Detections:
    """Points of a map of scores: local maxima, none closer to a better one than `distance`.

    A place comes before another if its score is larger or, for equal scores, if it comes first row by row, then by
    class. Local maxima are the places with a score of at least `threshold` that come before their 8 neighbors of the
    same class. They are taken in this order, and each is kept unless one that was kept is closer than `distance`:
    greedy non-maximum suppression over all of the map. The result is the same to the last bit for every `block`, so
    for every division into tiles. NaN marks places without a score.

    Place i of the map is the interval ``[origin + i * spacing, origin + (i + 1) * spacing)`` of the image, and its
    detection is in the middle of it.

    Args:
        scores: (rows, columns) or (classes, rows, columns): an array, a memory map, a Zarr array, a dataset of HDF5; or
            what `predict` wrote, the path of a Zarr group or the group.
        threshold: the least score, or one for each class that is looked for.
        distance: in micrometers where `mpp` is known, otherwise in pixels of the image at full resolution; 0 keeps all
            local maxima.
        mpp: micrometers of one pixel of the image at full resolution, one number or (y, x).
        spacing: pixels of the image from one place of the map to the next, one number or (y, x).
        origin: pixels from the image's upper left corner to the map's, one number or (y, x).
        channels: indices of the classes to look for; None for all.
        names: of these classes.
        per_class: suppress within each class; False also between classes, so that one place has one class.
        block: rows and columns to read at a time; None for the chunks of the array, or about 1024.

    For `mpp`, `spacing`, `origin` and `names`, None is what the Zarr group says, otherwise unknown, 1, 0, and
    ``class 0`` and so on. `names` of a group are those of its classes.

    Returns:
        The points, those with larger scores first.

    Raises:
        ModuleNotFoundError: SciPy is missing, or zarr for a path.
        TypeError, ValueError: an argument is not as said, or a score is plus infinity.

    Complexity: each block is read once. Memory: about six copies of a block as float64, four rows of the map, and the
    local maxima above the threshold. Suppression takes N log N steps for N of them, and one more for each pair that is
    closer than `distance`.

    Example:
        >>> import numpy as np
        >>> scores = np.zeros((8, 8))
        >>> scores[2, 2], scores[2, 4], scores[6, 6] = 0.9, 0.8, 0.7
        >>> detections(scores, threshold=0.5, distance=3).positions.tolist()
        [[2.5, 2.5], [6.5, 6.5]]
    """
    score_map = open_map(scores, channels, block)
    grid = _Grid(score_map.about, mpp, spacing, origin)
    thresholds = _thresholds(threshold, len(score_map.channels))
    labels = _names(names, score_map)
    least = real("distance", distance)
    if not 0 <= least < math.inf:
        raise ValueError(f"distance is {least}, expected a finite number of 0 or more")
    maxima = local_maxima(score_map, thresholds)
    kept = _kept(maxima, grid, least, boolean("per_class", per_class), len(labels))
    return Detections(grid.positions(maxima.places[kept]), maxima.scores[kept], maxima.channels[kept], labels, grid.mpp)


class _Grid:
    """Where the places of a map are in the image."""

    def __init__(self, about: Any, mpp: object, spacing: object, origin: object) -> None:
        def given(name: str, value: object, otherwise: object) -> object:
            return value if value is not None else about.get(name) if about.get(name) is not None else otherwise

        self.mpp = mpp_of(given("mpp", mpp, None))
        self.spacing = pair_of("spacing", given("spacing", spacing, 1), positive=True)
        self.origin = pair_of("origin", given("origin", origin, 0), positive=False)

    def positions(self, places: Indices) -> Floats:
        """The middles (N, 2) of places."""
        return np.asarray(self.origin + (places + 0.5) * self.spacing, np.float64).reshape(-1, 2)

    def measured(self, places: Indices, distance: float) -> tuple[Floats, float]:
        """Places and a distance in one unit, columns of the map: whole numbers, without rounding, on square grids."""
        steps = np.multiply(self.spacing, self.mpp if self.mpp is not None else 1)
        points = places.astype(np.float64)
        points[:, 0] *= steps[0] / steps[1]
        return points, float(distance / steps[1])


def _kept(maxima: Maxima, grid: _Grid, distance: float, per_class: bool, classes: int) -> Indices:
    """Indices of the maxima that non-maximum suppression keeps, ascending."""
    points, radius = grid.measured(maxima.places, distance)
    if not per_class:
        return suppress(points, radius)
    groups = [np.flatnonzero(maxima.channels == channel) for channel in range(classes)]
    return np.sort(np.concatenate([group[suppress(points[group], radius)] for group in groups]))


def _thresholds(value: object, classes: int) -> Floats:
    many = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    numbers = items("threshold", value, "a number, or one for each class") if many else [value] * classes
    result = np.array([real("threshold", number) for number in numbers])
    if len(result) != classes or not np.isfinite(result).all():
        expected = f"a finite number, or one for each of {classes} classes"
        raise ValueError(f"threshold is {value_text(value)}, expected {expected}")
    return result


def _names(value: object, score_map: ScoreMap) -> tuple[str, ...]:
    channels = score_map.channels
    if value is not None:
        names = items("names", value, "a text for each class")
        if len(names) != len(channels):
            raise ValueError(f"names is {value_text(value)}, expected {len(channels)}, one for each class")
        return tuple(names)
    known = score_map.about.get("classes")
    if isinstance(known, Sequence) and len(known) > max(channels) and all(isinstance(name, str) for name in known):
        return tuple(known[channel] for channel in channels)
    return ("detection",) if score_map.array.ndim == 2 else tuple(f"class {channel}" for channel in channels)
