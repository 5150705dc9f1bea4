# SPDX-License-Identifier: Apache-2.0
"""The ELPV data set: 2,624 electroluminescence images of solar cells, and how likely each is defective.

Deitsch and others, Automatic classification of defective photovoltaic module cells in electroluminescence images, Solar
Energy 185 (2019), 455-468; Buerhop-Lutz and others, EU PVSEC 2018. Its license is CC BY-NC-SA 4.0: the user installs
it, from PyPI or from github.com/zae-bayern/elpv-dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..common.comparison import Pictures
from ..common.packages import data_folder
from ..common.sampling import Indices, stratified
from ..common.storage import RefusedError

__all__ = ["INSTALL", "KINDS", "SolarCells", "folder", "load"]

INSTALL = "pip install elpv-dataset"
KINDS = ("mono", "poly")
LABELS = "labels.csv"
TEST_SHARE = 0.25
SPLIT_SEED = 0
# The most pixels of a side: no file can ask for more memory than this.
_LARGEST = 1024

Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class SolarCells:
    """The images of a folder, reduced to means over square blocks.

    Attributes:
        images: (N, 1, size, size), means of gray values 0 to 255, float32.
        probabilities: (N,), that a cell is defective, as experts judged: 0, 1/3, 2/3 or 1.
        kinds: (N,), 0 of a monocrystalline and 1 of a polycrystalline module.
    """

    images: torch.Tensor
    probabilities: Values
    kinds: Indices

    def __len__(self) -> int:
        return len(self.kinds)

    def parts(self) -> tuple[Pictures, Pictures]:
        """Three quarters to train and one quarter to test, with equal shares of each probability and kind.

        Labels are 1 where the probability is over one half. The split is always the same. Of the published one the
        shares are known, not the images. Subsets: ``mono``, ``poly``, and ``sure``, probabilities 0 and 1.
        """
        test = stratified(_strata(self.probabilities, self.kinds), round(TEST_SHARE * len(self)), SPLIT_SEED)
        train = np.setdiff1d(np.arange(len(self)), test)
        subsets = {kind: self.kinds == index for index, kind in enumerate(KINDS)}
        subsets["sure"] = np.isin(self.probabilities, (0.0, 1.0))
        pictures = Pictures(self.images, (self.probabilities > 0.5).astype(np.int64), "test", subsets)
        return pictures.subset(train), pictures.subset(test)


def folder(given: Path | None) -> Path:
    """Where the images are: the user's folder, or the installed package's. Raises RefusedError."""
    return data_folder(given, "elpv_dataset", "data", INSTALL)


def load(path: Path, size: int, limit: int | None = None) -> SolarCells:
    """Reads ``labels.csv`` and the images that it lists.

    A line has an image's path, its probability and its kind, apart by spaces: ``images/cell0001.png  1.0  mono``. An
    image of n x n pixels becomes means over squares of n // size pixels; what is left is cut off on all sides alike,
    so that turning an image turns its means.

    Args:
        path: the folder with labels.csv.
        size: rows and columns of the means.
        limit: the most images, drawn at random, always the same; None for all.

    Raises:
        RefusedError: what is there is not such data.
    """
    names, probabilities, kinds = _labels(path / LABELS)
    if limit is not None:
        chosen = stratified(_strata(probabilities, kinds), min(limit, len(names)), SPLIT_SEED)
        names, probabilities, kinds = [names[index] for index in chosen], probabilities[chosen], kinds[chosen]
    images = np.empty((len(names), 1, size, size), np.float32)
    for index, name in enumerate(names):
        images[index, 0] = _means(_image(path, name), path / name, size)
    return SolarCells(torch.from_numpy(images), probabilities, kinds)


def _strata(probabilities: Values, kinds: Indices) -> Indices:
    """Which of the eight combinations of probability and kind images are of."""
    return 4 * kinds + np.rint(3 * probabilities).astype(np.int64)


def _labels(file: Path) -> tuple[list[str], Values, Indices]:
    try:
        lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise RefusedError(f"{file} cannot be read ({error}), expected the ELPV data; run: {INSTALL}") from error
    if not lines:
        raise RefusedError(f"{file} is empty, expected lines of path, probability and mono or poly")
    names, probabilities, kinds = [], [], []
    for number, words in enumerate(lines, 1):
        if len(words) != 3 or words[2] not in KINDS:
            raise RefusedError(
                f"{file}, line {number}, is {' '.join(words)!r}, expected path, probability, mono or poly"
            )
        names.append(words[0])
        probabilities.append(_probability(words[1], file, number))
        kinds.append(KINDS.index(words[2]))
    return names, np.array(probabilities), np.array(kinds, np.int64)


def _probability(text: str, file: Path, number: int) -> float:
    """One of 0, 1/3, 2/3 and 1. Raises RefusedError."""
    try:
        value = 3 * float(text)
    except ValueError:
        value = -1.0
    # Not a number is not near any.
    if not (-0.01 < value < 3.01 and abs(value - round(value)) < 0.01):
        raise RefusedError(f"{file}, line {number}: the probability is {text!r}, expected 0, 1/3, 2/3 or 1")
    return round(value) / 3


def _image(path: Path, name: str) -> NDArray[np.uint8]:
    file = path / name
    if not file.resolve().is_relative_to(path.resolve()):
        raise RefusedError(f"{path / LABELS} lists {name!r}, expected images inside its folder")
    try:
        with Image.open(file) as image:
            if image.mode != "L" or max(image.size) > _LARGEST:
                raise RefusedError(
                    f"{file} has {image.size[0]} x {image.size[1]} pixels of mode {image.mode}, expected gray values "
                    f"of 8 bits and at most {_LARGEST} pixels a side"
                )
            return np.asarray(image, np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise RefusedError(f"{file} is no whole image: {error}") from error


def _means(image: NDArray[np.uint8], file: Path, size: int) -> NDArray[np.float32]:
    rows, columns = image.shape
    block = min(rows, columns) // size
    if rows != columns or block < 1 or (rows - block * size) % 2:
        raise RefusedError(
            f"{file} has {rows} x {columns} pixels, expected a square of at least {size}, of which as much is cut off "
            "on all sides"
        )
    edge = (rows - block * size) // 2
    inner = image[edge : edge + block * size, edge : edge + block * size]
    # Sums of integers, which have no rounding: a turned image has turned means, to the last bit.
    sums = inner.reshape(size, block, size, block).sum((1, 3), dtype=np.int64)
    return np.asarray(sums / block**2, np.float32)
