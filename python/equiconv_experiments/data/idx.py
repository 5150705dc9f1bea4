# SPDX-License-Identifier: Apache-2.0
"""Reader of IDX, the format of MNIST's files: a header with the shape, then the numbers; compressed by gzip or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..common.storage import RefusedError

__all__ = ["find_idx", "read_idx"]

# The magic number of arrays of uint8 is 0, 0, 8 and the number of axes.
_UINT8 = 8
_MOST_BYTES = 2**30
_CHUNK = 2**20


def find_idx(folder: Path, name: str) -> Path | None:
    """The file of a folder that is called `name`, or `name` and ``.gz``; None if there is none."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """An array of bytes from an IDX file. Source: LeCun, Cortes and Burges, "The MNIST database".

    Not more is read or allocated than the header asks for and the file has, so that a false header, or a small file
    that unpacks to a large one, does no harm.

    Args:
        path: of the file; a name that ends with ``.gz`` is of a compressed one.
        axes: how many the array must have.

    Returns:
        The array, with `axes` axes.

    Raises:
        RefusedError: the file cannot be read, is of another kind, or has more or less numbers than its header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read(cast(BinaryIO, file), path, axes)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error


def _read(file: BinaryIO, path: Path, axes: int) -> NDArray[np.uint8]:
    magic = file.read(4)
    if magic != bytes((0, 0, _UINT8, axes)):
        raise RefusedError(
            f"{path} begins with the bytes {magic.hex(' ') or 'of an empty file'}, expected 00 00 08 {axes:02x}: an "
            f"IDX file of bytes with {axes} axes"
        )
    header = file.read(4 * axes)
    if len(header) < 4 * axes:
        raise RefusedError(f"{path} ends in its header, expected {axes} extents of 4 bytes")
    shape = tuple(int.from_bytes(header[4 * axis : 4 * axis + 4], "big") for axis in range(axes))
    count = math.prod(shape)
    if not 0 < count <= _MOST_BYTES:
        raise RefusedError(f"{path} says that its shape is {shape}, expected 1 to {_MOST_BYTES} numbers")
    content = bytearray()
    while len(content) <= count and (part := file.read(min(_CHUNK, count + 1 - len(content)))):
        content += part
    if len(content) != count:
        found = "more" if len(content) > count else f"{len(content)} of them"
        raise RefusedError(f"{path} says that its shape is {shape}, {count} numbers, and has {found}")
    return np.frombuffer(bytes(content), np.uint8).reshape(shape)
