# SPDX-License-Identifier: Apache-2.0
"""Zarr arrays, read strictly, and the multiscale images of OME-NGFF that are made of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .arrays import layout_of, planar
from .pyramid import Level, OneLevel, Pyramid
from .source import Once, Pixels, Place, Reader, Resolution, SourceError, optional, region_text

_MICROMETERS = {
    "angstrom": 1e-4, "nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6,
}  # fmt: skip


class ZarrSource(Reader):
    """A Zarr array.

    Zarr reads a chunk that is not in the store as the fill value. Whether its file was lost, or was never written
    because all of it is the fill value, cannot be told, so such a chunk is an error unless `missing` is "fill".

    Args:
        array: a `zarr.Array`.
        axes: a letter for each axis, or None for its dimension names, or else its shape, to tell.
        mpp: micrometers per pixel along y and x.
        missing: "error" or "fill".
        spacing: pixels of the finest level per pixel.
        name: what messages call it; None for its place.
    """

    def __init__(
        self,
        array: Any,
        axes: str | None,
        mpp: Resolution | None,
        missing: str,
        name: str | None = None,
        spacing: Resolution = (1.0, 1.0),
    ) -> None:
        named = name or str(array.store_path)
        shape = tuple(int(size) for size in array.shape)
        self._axes = layout_of(shape, axes or _dimension_names(array), named)
        sizes = dict(zip(self._axes, shape, strict=True))
        self._describe(
            extents=(sizes["Y"], sizes["X"]),
            channels=sizes.get("C", 1),
            dtype=np.dtype(array.dtype),
            mpp=mpp,
            name=named,
            spacing=spacing,
        )
        self._array, self._missing, self._probe = array, missing, Once()
        self.fingerprint = f"{self._axes} {self.extents} {_digest(array)}"

    def _read(self, begin: Place, end: Place) -> Pixels:
        ranges = {"Y": (begin[0], end[0]), "X": (begin[1], end[1]), "C": (0, self.channels)}
        region = [ranges.get(letter, (0, 1)) for letter in self._axes]
        pixels = np.asarray(self._array[tuple(slice(*bounds) for bounds in region)])
        if self._missing == "error":
            for chunk, first, last in _chunks(region, self._array.chunks):
                part = pixels[tuple(slice(a - r[0], b - r[0]) for a, b, r in zip(first, last, region, strict=True))]
                if _is_all(part, self._array.fill_value) and self._is_missing(first):
                    raise self._missing_error(chunk, begin, end)
        kept = pixels[tuple(slice(None) if letter in "YXC" else 0 for letter in self._axes)]
        return planar(kept, [letter for letter in self._axes if letter in "YXC"])

    def _is_missing(self, place: Sequence[int]) -> bool:
        """Whether the chunk of a place is not stored: it then follows the fill value, also within a shard."""
        probe = self._probe.get(lambda: _with_other_fill(self._array))
        return not _is_all(np.asarray(probe[tuple(place)]), self._array.fill_value)

    def _missing_error(self, chunk: tuple[int, ...], begin: Place, end: Place) -> SourceError:
        return SourceError(
            f"{self.name}: {region_text(begin, end)} cannot be read: chunk {chunk} of {self._array.chunks} entries is "
            "not in the store; if chunks of nothing but the fill value were left out when it was written, pass "
            "missing='fill' to open_source"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_probe"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._probe = Once()


class OmeZarr(Pyramid):
    """The first multiscale image of a group with OME-NGFF metadata of version 0.4 or 0.5."""

    def __init__(self, group: Any, metadata: Mapping[str, Any], axes: str | None, missing: str, name: str) -> None:
        image = metadata["multiscales"][0]
        letters = "".join(axis["name"] for axis in image["axes"]).upper()
        paths = [level["path"] for level in image["datasets"]]
        self.name, self._axes, self._missing = name, axes or letters, missing
        self._arrays = [group[path] for path in paths]
        self._names = [f"{name}/{path}" for path in paths]
        sizes = [_extents(array.shape, letters) for array in self._arrays]
        scales = [_scale(image, level, letters) for level in image["datasets"]]
        units = [_MICROMETERS.get(axis.get("unit", ""), 0.0) for axis in image["axes"]]
        y, x = (units[letters.index(letter)] for letter in "YX")
        self.levels = tuple(
            Level(size, (sy * y, sx * x) if y and x else None, (sy / scales[0][0], sx / scales[0][1]))
            for size, (sy, sx) in zip(sizes, scales, strict=True)
        )

    def open(self, level: int) -> ZarrSource:
        """An array of the group."""
        return ZarrSource(
            self._arrays[level],
            self._axes,
            self.levels[level].mpp,
            self._missing,
            self._names[level],
            self.levels[level].spacing,
        )


def open_zarr(path: str, axes: str | None, missing: str) -> Pyramid:
    """The pyramid of a path of an array or of a multiscale image. Raises SourceError if it is neither."""
    zarr = optional("zarr")
    try:
        found = zarr.open(path, mode="r")
    except Exception as error:  # of many types, between the versions of zarr
        raise SourceError(f"{path}: cannot be opened as Zarr: {error}") from error
    if not hasattr(found, "members"):
        return OneLevel(ZarrSource(found, axes, None, missing, path))
    attributes = dict(found.attrs)
    metadata = attributes.get("ome", attributes)
    if "multiscales" not in metadata:
        names = ", ".join(sorted(name for name, _ in found.members())) or "nothing"
        raise SourceError(
            f"{path}: is a Zarr group without multiscales, expected an array or an image of OME-NGFF; it holds {names}"
        )
    try:
        return OmeZarr(found, metadata, axes, missing, path)
    except (KeyError, IndexError, TypeError) as error:
        raise SourceError(f"{path}: has multiscales that are not those of OME-NGFF: {error!r}") from error


def _extents(shape: Sequence[int], letters: str) -> Place:
    return int(shape[letters.index("Y")]), int(shape[letters.index("X")])


def _scale(image: Mapping[str, Any], level: Mapping[str, Any], letters: str) -> Resolution:
    """How long a pixel of a level is along y and x, in the units of the axes."""
    scale = [1.0] * len(letters)
    for step in (*level.get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())):
        if step["type"] == "scale":
            scale = [a * float(b) for a, b in zip(scale, step["scale"], strict=True)]
    y, x = (scale[letters.index(letter)] for letter in "YX")
    if not (y > 0 and x > 0):
        raise TypeError(f"scale {level.get('coordinateTransformations')}")
    return y, x


def _dimension_names(array: Any) -> str | None:
    """The axes that an array names, if they are letters that a source knows."""
    names = getattr(array.metadata, "dimension_names", None)
    if not names or any(name is None or len(name) != 1 for name in names):
        return None
    text = "".join(names).upper()
    return text if {"Y", "X"} <= set(text) else None


def _chunks(
    region: Sequence[tuple[int, int]], sizes: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], list[int], list[int]]]:
    """The chunks that a region meets: index, and the begin and end of what of each is in the region."""
    counts = [range(begin // size, (end - 1) // size + 1) for (begin, end), size in zip(region, sizes, strict=True)]
    for number in np.ndindex(*map(len, counts)):
        chunk = tuple(count[n] for count, n in zip(counts, number, strict=True))
        first = [max(begin, c * size) for (begin, _), c, size in zip(region, chunk, sizes, strict=True)]
        last = [min(end, (c + 1) * size) for (_, end), c, size in zip(region, chunk, sizes, strict=True)]
        yield chunk, first, last


def _is_all(pixels: Pixels, value: Any) -> bool:
    """Whether all pixels have a value; NaN is one."""
    return bool(np.all((pixels == value) | ((pixels != pixels) & (value != value))))


def _with_other_fill(array: Any) -> Any:
    """The same array with another fill value in its metadata, which is not written."""
    fill = np.asarray(array.fill_value)[()]
    other = bool(not fill) if array.dtype == bool else 1 if fill == 0 else 0
    metadata = {**array.metadata.to_dict(), "fill_value": other}
    return type(array).from_dict(array.store_path, metadata)


def _digest(array: Any) -> str:
    """Of the metadata, and of the time when a local file of it was last written."""
    text = json.dumps(array.metadata.to_dict(), default=str, sort_keys=True)
    place = str(array.store_path).removeprefix("file://")
    for file in ("zarr.json", ".zarray"):
        if os.path.isfile(os.path.join(place, file)):
            text += str(os.stat(os.path.join(place, file)).st_mtime_ns)
    return hashlib.sha256(text.encode()).hexdigest()
