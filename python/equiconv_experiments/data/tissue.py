# SPDX-License-Identifier: Apache-2.0
"""The image of an ovarian carcinoma in the package histolytics, with its nuclei outlined and typed.

1500 x 1500 pixels, stained with hematoxylin and eosin, of a high-grade serous carcinoma: a nest of tumor between
stroma and inflammation. The package's authors outlined and typed the 1,294 nuclei by a segmentation network (Lehtonen
and others, Hautaniemi laboratory, Helsinki): the types are that network's, not a pathologist's. License: BSD 3-Clause.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..common.packages import data_folder
from ..common.sampling import Indices
from ..common.storage import RefusedError

__all__ = ["INSTALL", "TYPES", "Tissue", "folder", "load"]

INSTALL = "pip install --no-deps histolytics"
TYPES = ("connective", "inflammatory", "neoplastic")
"""What 1, 2 and 3 in the mask of types are; 0 is no nucleus."""
IMAGE, OUTLINES, KINDS = "hgsc_nest.jpg", "hgsc_nest_inst_mask.npz", "hgsc_nest_type_mask.npz"
ARRAY = "nuc_raster"
# The most pixels of a side: no file can ask for more memory than this.
_LARGEST = 8192


@dataclass(frozen=True)
class Tissue:
    """An image with nuclei.

    Attributes:
        image: (rows, columns, 3), colors from 0 to 255.
        outlines: (rows, columns), 0 or the number of the nucleus there.
        centers: (N, 2), row and column of the middle of each nucleus, rounded.
        types: (N,), indices of `TYPES`.
    """

    image: NDArray[np.uint8]
    outlines: NDArray[np.int32]
    centers: Indices
    types: Indices


def folder(given: Path | None) -> Path:
    """Where the image is: the user's folder, or the installed package's. Raises RefusedError."""
    return data_folder(given, "histolytics", "data", INSTALL)


def load(path: Path) -> Tissue:
    """Reads the image and the masks of a folder.

    ``hgsc_nest.jpg``, ``hgsc_nest_inst_mask.npz`` (which nucleus a pixel is of) and ``hgsc_nest_type_mask.npz`` (of
    which type), both with an array ``nuc_raster`` of integers, as large as the image. The type of a nucleus is that of
    most of its pixels.

    Raises:
        RefusedError: what is there is not such data.
    """
    outlines, kinds = _mask(path / OUTLINES), _mask(path / KINDS)
    image = _image(path / IMAGE)
    for file, mask in ((OUTLINES, outlines), (KINDS, kinds)):
        if mask.shape != image.shape[:2]:
            raise RefusedError(f"{path / file}: {ARRAY} has shape {mask.shape}, expected {image.shape[:2]} as {IMAGE}")
    if not np.isin(kinds, range(len(TYPES) + 1)).all():
        raise RefusedError(f"{path / KINDS} has values to {kinds.max()}, expected 0 to {len(TYPES)}")
    numbers = np.unique(outlines)
    numbers = numbers[numbers > 0]
    if len(numbers) == 0 or outlines.min() < 0:
        raise RefusedError(f"{path / OUTLINES} has no numbers over 0, or some below, expected one for each nucleus")
    counts = np.stack([ndimage.sum_labels(kinds == kind + 1, outlines, numbers) for kind in range(len(TYPES))], 1)
    if (counts.sum(1) == 0).any():
        raise RefusedError(f"{path / OUTLINES} has nuclei without a type in {KINDS}, expected one for each")
    centers = np.rint(ndimage.center_of_mass(outlines > 0, outlines, numbers)).astype(np.int64)
    return Tissue(image, outlines, centers, counts.argmax(1).astype(np.int64))


def _mask(file: Path) -> NDArray[np.int32]:
    """The array of a file: read without unpickling, and only if its header says that it has a mask's size."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(f"{ARRAY}.npy") as stream:
            shape, _, dtype = _header(stream)
            if len(shape) != 2 or not 0 < min(shape) <= max(shape) <= _LARGEST or dtype.kind not in "iu":
                raise RefusedError(
                    f"{file}: {ARRAY} has shape {shape} and dtype {dtype}, expected rows and columns to {_LARGEST} of "
                    "integers"
                )
        with np.load(file, allow_pickle=False) as arrays:
            return np.asarray(arrays[ARRAY]).astype(np.int32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RefusedError(f"{file} cannot be read ({error}), expected data of histolytics; run: {INSTALL}") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, order and type that an array's file begins with."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    found: tuple[tuple[int, ...], bool, np.dtype[np.generic]] = read(stream)
    return found


def _image(file: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(file) as image:
            if max(image.size) > _LARGEST:
                raise RefusedError(
                    f"{file} has {image.size[0]} x {image.size[1]} pixels, expected at most {_LARGEST} a side"
                )
            return np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise RefusedError(f"{file} is no whole image: {error}") from error
