# SPDX-License-Identifier: Apache-2.0
"""Outlines of nuclei in a file of GeoParquet, as the package histolytics has them: polygons in well-known binary."""

from __future__ import annotations

import struct
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..common.storage import RefusedError

__all__ = ["INSTALL", "outline_centers"]

INSTALL = "pip install pyarrow"
COLUMN = "geometry"
_POLYGON = 3


def outline_centers(file: Path) -> NDArray[np.float64]:
    """The middles (N, 2), y and x, of the areas of all polygons of a file, in pixels.

    Raises:
        RefusedError: pyarrow is not installed, or the file is no such file.
    """
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise RefusedError(f"{file} is a file of Parquet, which needs pyarrow; run: {INSTALL}") from error
    try:
        column = parquet.read_table(file, columns=[COLUMN])[COLUMN].to_pylist()
    except Exception as error:  # of pyarrow's own kinds, which are not imported here
        raise RefusedError(f"{file} cannot be read ({error}), expected outlines of histolytics") from error
    try:
        return np.array([_center(outline) for outline in column]).reshape(-1, 2)
    except (ValueError, TypeError, struct.error) as error:
        raise RefusedError(f"{file} has an outline that is no polygon ({error})") from error


def _center(outline: bytes) -> NDArray[np.float64]:
    """The middle (y, x) of the area within the first ring of a polygon; of its corners where it has no area."""
    order = "<" if outline[:1] == b"\x01" else ">"
    kind, rings, count = struct.unpack(f"{order}III", outline[1:13])
    if kind != _POLYGON or rings < 1 or count < 1:
        raise ValueError(f"a geometry of type {kind} with {rings} rings")
    corners = np.frombuffer(outline, f"{order}f8", 2 * count, 13).reshape(count, 2)[:, ::-1].astype(np.float64)
    if not np.isfinite(corners).all():
        raise ValueError("a corner that is not finite")
    # Green's theorem, from the first corner for the sake of rounding.
    here = corners - corners[0]
    after = np.roll(here, -1, 0)
    cross = here[:, 0] * after[:, 1] - after[:, 0] * here[:, 1]
    if cross.sum() == 0:
        return np.asarray(corners.mean(0))
    return np.asarray(corners[0] + ((here + after) * cross[:, None]).sum(0) / (3 * cross.sum()))
