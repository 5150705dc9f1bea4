# SPDX-License-Identifier: Apache-2.0
"""Levels of a pyramid: means of 2 x 2 places, that do not depend on the order of the four."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..._checks.arrays import Array
from .._tiles.plan import Tile


def level_extents(extents: tuple[int, int], chunk: tuple[int, int]) -> list[tuple[int, int]]:
    """The extents of all levels, each half of the one before and rounded up, down to one that is a single chunk."""
    levels = [extents]
    while any(n > c for n, c in zip(levels[-1], chunk, strict=True)):
        levels.append(tuple(-(-n // 2) for n in levels[-1]))  # type: ignore[arg-type]
    return levels


def halve(x: Array) -> Array:
    """The mean of each block of 2 x 2 places that are numbers; NaN where none is.

    ``y[c, i, j] = mean of x[c, 2i..2i+1, 2j..2j+1]``, over those that are there and not NaN. The four are summed in
    ascending order, so that turning x turns y to the last bit where extents are even.

    Args:
        x: (C, H, W).

    Returns:
        (C, ceil(H / 2), ceil(W / 2)), of the dtype of x.
    """
    rows, columns = (n + n % 2 for n in x.shape[1:])
    whole = np.full((x.shape[0], rows, columns), np.nan, x.dtype)
    whole[:, : x.shape[1], : x.shape[2]] = x
    # NaN is sorted to the end.
    four = np.sort(np.stack([whole[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]), axis=0)
    count = np.count_nonzero(~np.isnan(four), axis=0).astype(x.dtype)
    four = np.where(np.isnan(four), x.dtype.type(0), four)
    with np.errstate(invalid="ignore"):
        result: Array = (((four[0] + four[1]) + four[2]) + four[3]) / count
    return result


def fill_level(fine: Any, coarse: Any, before: Callable[[Tile], Path], after: Callable[[Tile], Path]) -> None:
    """Computes a level from the one before it, chunk by chunk, each written once.

    Args:
        fine, coarse: Zarr arrays (C, H, W) and (C, ceil(H / 2), ceil(W / 2)) of equal chunks.
        before, after: the files of their chunks. A chunk without a file is NaN; it is not read, and what would come of
            such alone is not written.
    """
    rows, columns = coarse.chunks[1:]
    for i, j in np.ndindex(-(-coarse.shape[1] // rows), -(-coarse.shape[2] // columns)):
        if any(before((2 * i + down, 2 * j + right)).exists() for down in (0, 1) for right in (0, 1)):
            part = fine[:, 2 * i * rows : 2 * (i + 1) * rows, 2 * j * columns : 2 * (j + 1) * columns]
            coarse[:, i * rows : (i + 1) * rows, j * columns : (j + 1) * columns] = halve(part)
        else:
            after((i, j)).unlink(missing_ok=True)
