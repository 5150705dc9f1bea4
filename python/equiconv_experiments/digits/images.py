# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's handwritten digits, turned by any angle and enlarged in one resampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

__all__ = ["CLASSES", "FIELD", "SIZE", "Digits", "Indices", "load"]

Images: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.int64]

CLASSES = 10
SIZE = 16
"""Rows of a resampled image."""
FIELD = 11.0
"""Side of the square that is seen, in pixels of the 8 x 8 image: nearly its diagonal, so that turns cut nothing off."""
TEST_SHARE = 0.25
SPLIT_SEED = 0
# Background about an image, in its pixels, which its spline has reached well before the margin ends.
_MARGIN = 4
_FULL_INK = 16.0


@dataclass(frozen=True)
class Digits:
    """A part of the data.

    Attributes:
        splines: coefficients of the cubic splines that interpolate the 8 x 8 images, with a margin of background.
        labels: the digits, 0 to 9.
    """

    splines: NDArray[np.float64]
    labels: Indices

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Indices) -> Digits:
        """The images with these indices, in this order."""
        return Digits(self.splines[indices], self.labels[indices])

    def turned(self, degrees: ArrayLike = 0.0, size: int = SIZE) -> Images:
        """The images turned counterclockwise about their center, sampled from their splines at `size` x `size` points.

        ``image[row, column] = spline(g^-1 x)``, where x is the place of that pixel: turning and enlarging are one
        resampling of the 8 x 8 image, so that a turned image is as sharp as an upright one.

        Args:
            degrees: one angle, or one for each image.
            size: rows and columns.

        Returns:
            Shape (images, 1, size, size): 0 is background, 1 full ink; splines overshoot a little.

        Example:
            >>> load()[1].turned(30).shape
            (450, 1, 16, 16)
        """
        angles = np.deg2rad(np.broadcast_to(np.asarray(degrees, float), (len(self),)))[:, None, None]
        steps = (np.arange(size) - (size - 1) / 2) * (FIELD / size)
        x, y = steps[None, :], -steps[:, None]
        center = (self.splines.shape[-1] - 1) / 2
        rows = center - (np.cos(angles) * y - np.sin(angles) * x)
        columns = center + (np.cos(angles) * x + np.sin(angles) * y)
        result = np.empty((len(self), 1, size, size), np.float32)
        for image, places in enumerate(zip(rows, columns, strict=True)):
            ndimage.map_coordinates(self.splines[image], places, output=result[image, 0], prefilter=False)
        return result


def load() -> tuple[Digits, Digits]:
    """The 1797 images in two parts, 1347 for training and 450 for tests, with equal shares of each digit.

    The split is always the same, so that no test digit is ever seen in training.

    Returns:
        (train, test).
    """
    data: Any = load_digits()
    padded = np.pad(data.images / _FULL_INK, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)))
    splines = np.stack([ndimage.spline_filter(image) for image in padded])
    labels = np.asarray(data.target, np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SHARE, random_state=SPLIT_SEED, stratify=labels
    )
    return Digits(splines[train], labels[train]), Digits(splines[test], labels[test])
