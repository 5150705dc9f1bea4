# SPDX-License-Identifier: Apache-2.0
"""Local maxima of a map, block by block, the same for all blocks.

A place comes before another if its score is larger or, for equal scores, if it comes first row by row. A local maximum
comes before its 8 neighbors. Whether a place is one depends on 9 scores alone, so that blocks need the last two rows
and columns of those before them, and nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .maps import ScoreMap
from .points import Floats, Indices

__all__ = ["Maxima", "local_maxima"]

_NEIGHBORS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]


class Maxima(NamedTuple):
    """Local maxima, the first ones first.

    Attributes:
        places: (N, 2), row and column.
        scores: (N,).
        channels: (N,), indices among the channels that were read.
    """

    places: Indices
    scores: Floats
    channels: Indices


def local_maxima(scores: ScoreMap, thresholds: Floats) -> Maxima:
    """All local maxima of at least the threshold of their channel.

    Args:
        scores: the map.
        thresholds: (channels,), finite.
    """
    found = [_peaks(window, thresholds, corner) for corner, window in _windows(scores)]
    places, values, channels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((channels, places[:, 1], places[:, 0], -values))
    return Maxima(places[order], values[order], channels[order])


def _windows(scores: ScoreMap) -> Iterator[tuple[tuple[int, int], Floats]]:
    """Windows whose inner places, all but the outer frame, are all places of the map once; and their corners.

    Each block is joined to the last two rows of the blocks above it and to the last two columns of the one to its left,
    and its own last row and column wait for the next blocks. Outside the map is minus infinity.
    """
    (rows, columns), (height, width), count = scores.extents, scores.block, len(scores.channels)
    above = np.full((count, 2, columns), -np.inf)
    for top in range(0, rows, height):
        bottom = min(top + height, rows)
        left = np.full((count, bottom - top + 2, 2), -np.inf)
        below = np.empty_like(above)
        for begin in range(0, columns, width):
            end = min(begin + width, columns)
            block = scores.read(slice(top, bottom), slice(begin, end))
            body = np.concatenate([above[:, :, begin:end], block], 1)
            below[:, :, begin:end] = body[:, -2:]
            window = np.concatenate([left, body], 2)
            left = window[:, :, -2:].copy()
            ends = (0, 0), (0, int(bottom == rows)), (0, int(end == columns))
            yield (top - 2, begin - 2), np.pad(window, ends, constant_values=-np.inf)
        above = below


def _peaks(window: Floats, thresholds: Floats, corner: tuple[int, int]) -> Maxima:
    """Local maxima among the inner places of a window."""
    rows, columns = window.shape[1] - 2, window.shape[2] - 2
    inner = window[:, 1:-1, 1:-1]
    is_peak: NDArray[np.bool_] = inner >= thresholds[:, None, None]
    if is_peak.any():
        for row, column in _NEIGHBORS:
            other = window[:, 1 + row : 1 + row + rows, 1 + column : 1 + column + columns]
            is_peak &= inner > other if (row, column) < (0, 0) else inner >= other
    channels, *places = np.nonzero(is_peak)
    first = corner[0] + 1, corner[1] + 1
    return Maxima(np.stack(places, 1) + np.array(first), inner[is_peak], channels.astype(np.int64))
