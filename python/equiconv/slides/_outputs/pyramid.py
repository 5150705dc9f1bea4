# SPDX-License-Identifier: Apache-2.0
"""Levels of a pyramid: means of 2 x 2 places, that do not depend on the order of the four."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._checks.arrays import Array


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


def fill_level(fine: Any, coarse: Any) -> None:
    """Computes a level from the one before it, chunk by chunk, each written once.

    Args:
        fine, coarse: Zarr arrays (C, H, W) and (C, ceil(H / 2), ceil(W / 2)) of equal chunks.
    """
    rows, columns = coarse.chunks[1:]
    for top in range(0, coarse.shape[1], rows):
        for left in range(0, coarse.shape[2], columns):
            bottom, right = top + rows, left + columns
            coarse[:, top:bottom, left:right] = halve(fine[:, 2 * top : 2 * bottom, 2 * left : 2 * right])
