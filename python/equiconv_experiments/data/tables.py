# SPDX-License-Identifier: Apache-2.0
"""Reader of images as text: a row of numbers for each image, its pixels and then its label."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ..common.storage import RefusedError
from .labeled import LabeledImages, check_classes

__all__ = ["read_rows"]

_MOST_LINE = 2**16


def read_rows(path: Path, side: int, classes: int, largest: float, delimiter: str | None = None) -> LabeledImages:
    """Images from a text file with the ``side * side`` pixels and the label of an image in each line.

    Args:
        path: of the file; a name that ends with ``.gz`` is of a compressed one.
        side: rows and columns of an image.
        classes: how many classes there are.
        largest: what a pixel is at most; the least is 0.
        delimiter: between numbers; None for white space.

    Returns:
        The images, float32 from 0 to 1.

    Raises:
        RefusedError: the file cannot be read, a line has another count of numbers, a number is out of its range.
    """
    columns = side * side + 1
    try:
        with gzip.open(path, "rt", encoding="ascii") if path.suffix == ".gz" else path.open(encoding="ascii") as file:
            _check_first_line(file.readline(_MOST_LINE), columns, delimiter, path)
            file.seek(0)
            rows = _numbers(file, columns, delimiter, path)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error
    pixels = rows[:, :-1]
    wrong = np.argwhere(~((pixels >= 0) & (pixels <= largest)))
    if wrong.size:
        row, column = wrong[0]
        value = pixels[row, column]
        raise RefusedError(f"{path}: pixel {column} of line {row + 1} is {value}, expected 0 to {largest:g}")
    labels = check_classes(rows[:, -1], classes, path)
    images = pixels.reshape(-1, 1, side, side)
    return LabeledImages(images if largest == 1 else images / np.float32(largest), labels)


def _check_first_line(line: str, columns: int, delimiter: str | None, path: Path) -> None:
    """Before the rest is read, which may be long."""
    if not line.strip():
        raise RefusedError(f"{path} begins with an empty line, expected {columns} numbers in each")
    found = len(line.split(delimiter))
    if found != columns:
        raise RefusedError(f"{path} has {found} numbers in its first line, expected {columns}")


def _numbers(file: IO[str], columns: int, delimiter: str | None, path: Path) -> NDArray[np.float32]:
    try:
        rows = np.loadtxt(file, np.float32, comments=None, delimiter=delimiter, ndmin=2)
    except (ValueError, OverflowError) as error:
        raise RefusedError(f"{path} has other than {columns} numbers in a line: {error}") from error
    return rows
