# SPDX-License-Identifier: Apache-2.0
"""Training examples: random squares of an image, turned and recolored, with the pixels that are near a nucleus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..common.augmentation import ELEMENTS, square_element
from ..common.training import Example

__all__ = ["RADIUS", "Crops", "Image", "labels_near"]

RADIUS = 4.0
"""Pixels about the middle of a nucleus that count as one: fewer than half the distance of nuclei that touch."""
# Exponents of the transmitted light, a factor of the amount of stain by Beer and Lambert's law.
_LEAST_STAIN, _MOST_STAIN = 0.5, 1.5


@dataclass(frozen=True)
class Image:
    """An image with the middles of its nuclei.

    Attributes:
        colors: (3, rows, columns), from 0 to 255.
        centers: (N, 2), y and x in pixels, where pixel i reaches from i to i + 1.
    """

    colors: NDArray[np.uint8]
    centers: NDArray[np.float64]

    def columns(self, begin: int, end: int) -> Image:
        """The image from column `begin` to before `end`, with the nuclei whose middles are there."""
        inside = (self.centers[:, 1] >= begin) & (self.centers[:, 1] < end)
        return Image(np.ascontiguousarray(self.colors[:, :, begin:end]), self.centers[inside] - (0, begin))


def labels_near(image: Image) -> NDArray[np.int64]:
    """1 for each pixel (rows, columns) whose middle is at most `RADIUS` from that of a nucleus, else 0."""
    rows, columns = image.colors.shape[1:]
    labels = np.zeros((rows, columns), np.int64)
    reach = int(RADIUS) + 1
    for y, x in image.centers:
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        window = labels[top : int(y) + reach + 1, left : int(x) + reach + 1]
        down, right = np.indices(window.shape)
        window[(top + down + 0.5 - y) ** 2 + (left + right + 0.5 - x) ** 2 <= RADIUS**2] = 1
    return labels


class Crops(Dataset[Example]):
    """Squares from random places, in a random one of 8 orientations, with random amounts of stain, anew each time.

    Each color's transmitted light is raised to a random power. All is drawn from PyTorch's generator, whose state
    checkpoints keep.

    Args:
        image: where they are from.
        size: rows and columns of a square.
        count: how many make an epoch.
        as_read: values from 0 to 255 to those that networks read.
    """

    def __init__(self, image: Image, size: int, count: int, as_read: torch.nn.Module) -> None:
        self._colors = torch.from_numpy(image.colors)
        self._labels = torch.from_numpy(labels_near(image))
        self._size, self._count, self._as_read = size, count, as_read

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < self._count:
            raise IndexError(index)
        rows, columns = self._labels.shape
        top = int(torch.randint(rows - self._size + 1, ()))
        left = int(torch.randint(columns - self._size + 1, ()))
        element = int(torch.randint(ELEMENTS, ()))
        stain = _LEAST_STAIN + (_MOST_STAIN - _LEAST_STAIN) * torch.rand(3, 1, 1)
        window = slice(top, top + self._size), slice(left, left + self._size)
        light = (self._colors[:, window[0], window[1]] / 255) ** stain
        labels = square_element(self._labels[window][None], element)[0]
        colors: Tensor = self._as_read(255 * square_element(light, element))
        return colors, labels
