# SPDX-License-Identifier: Apache-2.0
"""Sources as pyramidal TIFF files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..._checks.arguments import choice, integer
from ..._network.file import path_text
from .resampling import Resampled
from .source import Pixels, Source, optional


def write_tiff(
    source: Source,
    path: str | os.PathLike[str],
    kind: str = "aperio",
    *,
    levels: int = 3,
    downsample: int = 4,
    tile: int = 256,
    compression: str = "jpeg",
    quality: int = 90,
) -> None:
    """Writes a source as a pyramidal, tiled TIFF file, tile after tile.

    Each level is computed from the source, a pixel being the mean of a square of pixels; so the time is `levels` reads
    of all pixels, and the memory that of a row of tiles.

    Args:
        source: three channels of uint8.
        path: where to.
        kind: "aperio", as scanners of Aperio write .svs files, which OpenSlide reads; or "ome", an OME-TIFF file whose
            levels are SubIFDs.
        levels: how many, the source itself being the first.
        downsample: how many pixels of a level along an axis make one of the next.
        tile: side of the tiles in pixels, a multiple of 16.
        compression: "jpeg", or "deflate", which loses nothing.
        quality: of JPEG, 1...100.

    Raises:
        TypeError, ValueError: wrong arguments.
        OSError: the file cannot be written.
    """
    choice("kind", kind, ("aperio", "ome"))
    choice("compression", compression, ("jpeg", "deflate"))
    if source.channels != 3 or source.dtype != "uint8":
        raise ValueError(f"source has {source.channels} channels of {source.dtype}, expected 3 of uint8")
    if integer("tile", tile, 16, 2**15) % 16:
        raise ValueError(f"tile is {tile}, expected a multiple of 16")
    steps = [integer("downsample", downsample, 2, 64) ** level for level in range(integer("levels", levels, 1, 16))]
    images = [source if step == 1 else Resampled(source, (step, step)) for step in steps]
    options: dict[str, Any] = {"tile": (tile, tile), "photometric": "rgb", "compression": compression}
    if compression == "jpeg":
        options["compressionargs"] = {"level": integer("quality", quality, 1, 100)}
    write = _write_aperio if kind == "aperio" else _write_ome
    with optional("tifffile").TiffWriter(path_text("path", path), bigtiff=_is_large(source)) as file:
        write(file, images, options, quality)


def _write_aperio(file: Any, images: list[Source], options: dict[str, Any], quality: int) -> None:
    """The finest level, a thumbnail in strips, where Aperio has one and readers skip it, and the other levels."""
    height, width = images[0].extents
    side, mpp = options["tile"][0], images[0].mpp

    def described(image: Source, resolution: str) -> dict[str, Any]:
        size = f"{width}x{height} [0,0 {width}x{height}] ({side}x{side})"
        if image is not images[0]:
            size += f" -> {image.extents[1]}x{image.extents[0]}"
        text = f"Aperio Image Library v12.0.0 \r\n{size} JPEG/RGB Q={quality}{resolution}"
        return {"description": text, "metadata": None}

    resolution = "" if mpp is None else f"|AppMag = {10 / mpp[1]:g}|MPP = {mpp[1]:.6g}"
    _write_level(file, images[0], {**options, **described(images[0], resolution)})
    small = _thumbnail(images[-1])
    strips = {key: value for key, value in options.items() if key != "tile"}
    file.write(small.transpose(1, 2, 0), rowsperstrip=16, **strips, **described(images[-1], ""))
    for image in images[1:]:
        _write_level(file, image, {**options, **described(image, "")})


def _thumbnail(image: Source) -> Pixels:
    step = -(-max(image.extents) // 256)
    steps = min(step, image.extents[0]), min(step, image.extents[1])
    small = Resampled(image, (float(steps[0]), float(steps[1])))
    return small.read((0, 0), small.extents)


def _write_ome(file: Any, images: list[Source], options: dict[str, Any], _: int) -> None:
    mpp = images[0].mpp
    metadata: dict[str, Any] = {"axes": "YXS"}
    if mpp is not None:
        metadata |= {"PhysicalSizeY": mpp[0], "PhysicalSizeX": mpp[1]}
        metadata |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
    _write_level(file, images[0], {**options, "subifds": len(images) - 1, "metadata": metadata})
    for image in images[1:]:
        _write_level(file, image, {**options, "subfiletype": 1, "metadata": None})


def _write_level(file: Any, image: Source, options: dict[str, Any]) -> None:
    file.write(_tiles(image, options["tile"][0]), shape=(*image.extents, 3), dtype=image.dtype, **options)


def _tiles(image: Source, side: int) -> Iterator[Pixels]:
    """The tiles of a level row by row, as (height, width, channels)."""
    for row in range(0, image.extents[0], side):
        for column in range(0, image.extents[1], side):
            end = min(row + side, image.extents[0]), min(column + side, image.extents[1])
            yield image.read((row, column), end).transpose(1, 2, 0)


def _is_large(source: Source) -> bool:
    """Whether offsets may need more than 32 bits, were nothing compressed."""
    return source.extents[0] * source.extents[1] * 4 > 2**31
