# SPDX-License-Identifier: Apache-2.0
"""Where the tissue of a slide is, and which blocks of an image have any of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks.arguments import axes as checked_axes
from .._checks.arguments import integer, is_a, probability
from .._checks.arrays import as_array
from ._sources.opening import open_pyramid
from ._sources.pyramid import overview_level
from ._sources.resampling import Resampled
from ._sources.source import Pixels, Place, Source, checked_region, optional

Mask = NDArray[np.bool_]


def tissue_mask(
    source: Any, *, longest: int = 1024, least: float = 0.06, smallest: float = 2e-4, axes: str | None = None
) -> Mask:
    """Where a slide has tissue, at low resolution.

    An overview is made of the coarsest level that is large enough, by means over squares of pixels. Of its pixels the
    saturation ``(max - min) / max`` over channels is computed, averaged over 3 x 3 pixels, and split by the method of
    Otsu; an image of one channel is split by its darkness ``1 - value / largest value``. Then parts of tissue and holes
    in it that are too small go, both as connected by sides of pixels. Time and memory are those of reading that level,
    in blocks.

    Args:
        source: what `open_source` opens.
        longest: the mask has from half of it to all of it in pixels along its longer side; all of the image if it is
            smaller.
        least: the smallest value that can be tissue. Without it, the noise of a slide without tissue would be split.
        smallest: parts of tissue and holes of less than this part of the slide's area go.
        axes: as in `open_source`.

    Returns:
        An array (rows, columns) of bool that covers the slide.

    Raises:
        TypeError, ValueError: wrong arguments, or a source that is neither gray nor colored.
        SourceError: a file that cannot be read.
    """
    integer("longest", longest, 1, 2**15)
    least, smallest = probability("least", least), probability("smallest", smallest)
    overview = _overview(source, longest, axes)
    values = _values(overview)
    ndimage = optional("scipy.ndimage")
    smooth = ndimage.uniform_filter(values, 3, mode="nearest")
    mask = smooth >= max(otsu(smooth), least)
    few = smallest * mask.size
    return ~_without_small(~_without_small(mask, few), few)


def otsu(values: NDArray[np.floating[Any]]) -> float:
    """The value from 0 to 1 that splits numbers into two classes with the largest variance between their means.

    Of 256 equal intervals, the edge between two; numbers at or above it are the upper class. Of equal variances the
    middle one of the first run counts.
    """
    counts, edges = np.histogram(np.clip(values, 0, 1), 256, (0, 1))
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = values.size - below
    centers = (edges[:-1] + edges[1:]) / 2
    sums = np.cumsum(counts * centers)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
        variance = np.where((below > 0) & (above > 0), below * above * difference**2, -1.0)
    # Between two separate classes all edges are as good: their middle is the farthest from both.
    best = np.flatnonzero(
        variance >= variance.max() * (1 - 1e-12) if variance.max() > 0 else variance == variance.max()
    )
    run = best[: np.argmax(np.append(np.diff(best) > 1, True)) + 1]
    return float(edges[1 + run[len(run) // 2]])


class TileMask:
    """Which blocks of an image have places that a mask lets in.

    The mask covers the image whatever their sizes are: pixel r of n along an axis covers the places from ``r N / n`` to
    ``(r + 1) N / n`` of N. All is computed in integers.

    Args:
        mask: an array (rows, columns); what is not 0 is let in.
        extents: N along both axes: of the image, or of the network's output for it.

    Raises:
        TypeError, ValueError: no such array, or extents below 1.
    """

    def __init__(self, mask: Any, extents: tuple[int, int]) -> None:
        array = as_array("mask", mask)
        if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"mask has shape {array.shape} and dtype {array.dtype}, expected (rows, columns) of numbers"
            )
        height, width = checked_axes("extents", extents, 2, 1)
        self.extents, self._mask = (height, width), array != 0
        # One row and column more, so that the count of any rectangle is a sum of four.
        self._counts = np.zeros((array.shape[0] + 1, array.shape[1] + 1), np.int64)
        self._counts[1:, 1:] = self._mask.cumsum(0).cumsum(1)

    def touches(self, begin: Place, end: Place) -> bool:
        """Whether a pixel that is let in covers any part of the places ``begin`` to ``end``, the end excluded. O(1).

        Raises:
            TypeError, ValueError: the block is empty or not within the extents.
        """
        begin, end = checked_region(begin, end, self.extents)
        (top, bottom), (left, right) = (
            (b * n // size, -(-e * n // size))
            for b, e, n, size in zip(begin, end, self._mask.shape, self.extents, strict=True)
        )
        counts = self._counts
        return bool(counts[bottom, right] - counts[top, right] - counts[bottom, left] + counts[top, left])

    def within(self, begin: Place, end: Place) -> Mask:
        """For each place of a block, whether the pixel at its middle is let in: an array (rows, columns) of bool."""
        begin, end = checked_region(begin, end, self.extents)
        rows, columns = (
            (2 * np.arange(b, e) + 1) * n // (2 * size)
            for b, e, n, size in zip(begin, end, self._mask.shape, self.extents, strict=True)
        )
        inside: Mask = self._mask[rows][:, columns]
        return inside


def _overview(source: Any, longest: int, axes: str | None) -> Pixels:
    """The image with at most `longest` pixels along its longer side."""
    given = is_a(source, str, bytes) or hasattr(source, "__fspath__") or not isinstance(source, Source)
    pyramid = open_pyramid(source, axes=axes)
    level = pyramid.open(overview_level(pyramid, longest))
    try:
        step = max(1, -(-max(level.extents) // longest))
        # An axis of fewer pixels than a square has is one pixel.
        steps = min(step, level.extents[0]), min(step, level.extents[1])
        small: Source = Resampled(level, (float(steps[0]), float(steps[1]))) if step > 1 else level
        return small.read((0, 0), small.extents)
    finally:
        if given:
            level.close()


def _values(overview: Pixels) -> NDArray[np.float32]:
    """Saturation, or darkness of an image of one channel; an alpha channel, the fourth, does not count."""
    largest = float(np.iinfo(overview.dtype).max) if overview.dtype.kind in "iu" else 1.0
    colors = overview[:3].astype(np.float32)
    if len(overview) == 1:
        darkness: NDArray[np.float32] = np.clip(1 - colors[0] / np.float32(largest), 0, 1)
        return darkness
    if len(overview) not in (3, 4):
        raise ValueError(f"source has {len(overview)} channels, expected 1, 3 or 4")
    high, low = colors.max(0), colors.min(0)
    saturation: NDArray[np.float32] = np.divide(high - low, high, out=np.zeros_like(high), where=high > 0)
    return saturation


def _without_small(mask: Mask, few: float) -> Mask:
    """The mask without its connected parts of fewer pixels."""
    labels, count = optional("scipy.ndimage").label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes >= few
    kept[0] = False
    result: Mask = kept[labels]
    return result
