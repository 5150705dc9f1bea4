# SPDX-License-Identifier: Apache-2.0
"""Folders of Zarr v3 with the metadata of OME-NGFF 0.5: an image for each output, a chunk for each tile.

A folder is made beside its place and renamed when its metadata are whole. Chunks are written beside their places too
and renamed, and a tile is noted in the journal when its chunks are on the disk. So a kill at any time loses the tiles
that were being computed, and nothing else. The levels of the pyramids follow from level 0. They are computed when all
tiles are there, and once more if a kill came between. The last change says that the folder is complete; then the
journal goes.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..._checks.arrays import Array
from ..._machine.disk import sync
from .._tiles.plan import PlannedOutput, Tile, TilePlan
from .durable import PARTIAL, remove_partial, sync_file
from .journal import Journal
from .metadata import Placement, ngff, own_attributes
from .optional import package
from .pyramid import fill_level, level_extents

JOURNAL = "journal.jsonl"
_LEVEL = 3
"""Of the compression by Zstandard."""


@dataclass(frozen=True)
class ChunkWriter:
    """Writes the blocks of a tile as the chunks that they are; it pickles, and several processes may write at a time.

    Attributes:
        path: of the folder.
        groups: below it, of each output by its name.
    """

    path: str
    groups: Mapping[str, str]

    def write(self, tile: Tile, blocks: Mapping[str, Array]) -> dict[str, int]:
        """Puts the blocks (C, h, w) of a tile on the disk, by the names of outputs.

        Returns:
            The bytes of each file by its path below the folder; -1 for one without a number but NaN, which is not
            written.
        """
        sizes = {}
        for name, block in blocks.items():
            array = self._array(name)
            top, left = (index * size for index, size in zip(tile, array.chunks[1:], strict=True))
            array[:, top : top + block.shape[1], left : left + block.shape[2]] = block
            path = chunk_path(self.groups[name], 0, tile)
            file = Path(self.path, path)
            sizes[path] = sync_file(file) if file.exists() else -1
        return sizes

    def _array(self, name: str) -> Any:
        zarr = package("zarr", "An output .zarr")
        return zarr.open_array(store=f"{self.path}/{self.groups[name]}0", mode="r+")


def chunk_path(group: str, level: int, tile: Tile) -> str:
    """Where the chunk of a tile is, below the folder."""
    return f"{group}{level}/c/0/{tile[0]}/{tile[1]}"


class ZarrFolder:
    """The folder of a run, open to be written.

    Args:
        path: of the folder; made if it is not there.
        plan: of the run.
        places: where outputs lie, by their names.
        run: what was asked for, as JSON has it. A folder of another run is not touched.
        anew: whether to remove a folder of any run first.

    Raises:
        ValueError: there is a folder of another run, with the argument that differs; or something else.
        BlockingIOError: another process writes it.
    """

    def __init__(
        self, path: Path, plan: TilePlan, places: Mapping[str, Placement], run: Mapping[str, Any], anew: bool
    ) -> None:
        self.path, self._plan, self._places, self._run = path, plan, places, run
        single = len(plan.outputs) == 1
        groups = {output.name: "" if single else f"{_safe(output.name)}/" for output in plan.outputs}
        self.writer = ChunkWriter(str(path), groups)
        if path.exists() or path.is_symlink():
            check_run(path, None if anew else run)
            if anew:
                shutil.rmtree(path)
        if not path.exists():
            self._create()
        self.is_complete = bool(own(path)["complete"])
        self._journal = None if self.is_complete else Journal(path / JOURNAL)
        if self._journal is None:
            self._tidy()
        else:
            try:
                remove_partial(path)
                self._drop_unknown(self._journal)
            except BaseException:
                self._journal.close()
                raise

    def known(self) -> set[Tile]:
        """The tiles that are on the disk."""
        return set(self._plan.tiles()) if self._journal is None else set(self._journal.tiles)

    def note(self, tile: Tile, sizes: Mapping[str, int]) -> None:
        """Notes a tile that `writer` has written."""
        assert self._journal is not None
        self._journal.append(tile, sizes)

    def finish(self, complete: bool) -> None:
        """Computes the pyramids; if all tiles are there, marks the folder as complete."""
        for output in self._plan.outputs:
            self._finish_image(output, complete)
        if complete:
            remove_partial(self.path)
            self._attributes("", {"equiconv": self._root(True)} | self._single(True))
            self.is_complete = True
            self._tidy()

    def close(self) -> None:
        """Lets others write it."""
        if self._journal is not None:
            self._journal.close()

    def arrays(self) -> dict[str, Any]:
        """Level 0 of each output, as Zarr arrays that cannot be written."""
        zarr = package("zarr", "An output .zarr")
        return {
            name: zarr.open_array(store=f"{self.path}/{group}0", mode="r") for name, group in self.writer.groups.items()
        }

    def _create(self) -> None:
        zarr = package("zarr", "An output .zarr")
        beside = self.path.with_name(f".{self.path.name}{PARTIAL}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.parent.mkdir(parents=True, exist_ok=True)
        root = zarr.create_group(store=str(beside), zarr_format=3, attributes={"equiconv": self._root(False)})
        for output in self._plan.outputs:
            name = self.writer.groups[output.name].rstrip("/")
            image = root.create_group(name) if name else root
            for level, extents in enumerate(level_extents(output.extents, output.chunk)):
                self._create_level(image, output, level, extents)
            image.attrs.update(self._image(output, False))
        (beside / JOURNAL).touch()
        for file in [*beside.rglob("*.json"), beside / JOURNAL]:
            sync_file(file)
        beside.rename(self.path)
        sync(self.path.parent)

    def _create_level(self, image: Any, output: PlannedOutput, level: int, extents: tuple[int, int]) -> None:
        codecs = package("zarr.codecs", "An output .zarr")
        dtype = np.dtype(self._run["dtype"])
        compressor = codecs.BloscCodec(cname="zstd", clevel=_LEVEL, shuffle="shuffle", typesize=dtype.itemsize)
        image.create_array(
            name=str(level),
            shape=(output.channels, *extents),
            chunks=(output.channels, *output.chunk),
            dtype=dtype,
            fill_value=np.nan,
            compressors=compressor,
            dimension_names=("c", "y", "x"),
        )

    def _finish_image(self, output: PlannedOutput, complete: bool) -> None:
        zarr = package("zarr", "An output .zarr")
        group = self.writer.groups[output.name]
        count = len(level_extents(output.extents, output.chunk))
        levels = [zarr.open_array(store=f"{self.path}/{group}{level}", mode="r+") for level in range(count)]
        for number, (fine, coarse) in enumerate(pairwise(levels)):
            before, after = (partial(self._chunk, group, level) for level in (number, number + 1))
            fill_level(fine, coarse, before, after)
        if group:
            self._attributes(group, self._image(output, complete, _limits(levels[-1][:])))
        else:
            # Whether all is there is said at the end.
            self._attributes(group, self._image(output, False, _limits(levels[-1][:])))

    def _chunk(self, group: str, level: int, tile: Tile) -> Path:
        return self.path / chunk_path(group, level, tile)

    def _single(self, complete: bool) -> dict[str, Any]:
        """The attribute of a root that is an image itself."""
        if len(self._plan.outputs) > 1:
            return {}
        (output,) = self._plan.outputs
        return {"equiconv": own_attributes(output, self._places[output.name], self._run, complete)}

    def _image(
        self, output: PlannedOutput, complete: bool, limits: tuple[float, float] | None = None
    ) -> dict[str, Any]:
        place = self._places[output.name]
        levels = len(level_extents(output.extents, output.chunk))
        return {
            "ome": ngff(output, place, levels, limits),
            "equiconv": own_attributes(output, place, self._run, complete),
        }

    def _root(self, complete: bool) -> dict[str, Any]:
        return {"outputs": [output.name for output in self._plan.outputs], "complete": complete, "run": dict(self._run)}

    def _attributes(self, group: str, attributes: Mapping[str, Any]) -> None:
        zarr = package("zarr", "An output .zarr")
        folder = f"{self.path}/{group}"
        zarr.open_group(store=folder, mode="r+").attrs.update(attributes)
        sync_file(Path(folder, "zarr.json"))

    def _drop_unknown(self, journal: Journal) -> None:
        """Removes chunks of tiles that the journal does not have, and forgets tiles whose chunks are not as written."""
        for tile, sizes in list(journal.tiles.items()):
            if any(_file_size(self.path / path) != size for path, size in sizes.items()):
                del journal.tiles[tile]
        for tile in self._plan.tiles():
            if tile not in journal.tiles:
                for group in self.writer.groups.values():
                    self._chunk(group, 0, tile).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Removes what a complete folder does not have."""
        if (self.path / JOURNAL).exists():
            (self.path / JOURNAL).unlink()
            sync(self.path)


def own(path: Path) -> Mapping[str, Any]:
    """The attribute ``equiconv`` of a folder. Raises ValueError if it has none."""
    zarr = package("zarr", "An output .zarr")
    try:
        attributes = dict(zarr.open_group(store=str(path), mode="r").attrs)
        found: Mapping[str, Any] = attributes["equiconv"]
        if {"complete", "run"} <= set(found):
            return found
    except (KeyError, OSError, ValueError, TypeError):
        pass
    raise ValueError(f"out is {str(path)!r}, where something else is, expected a new folder or one of a run")


def check_run(path: Path, run: Mapping[str, Any] | None) -> None:
    """Raises ValueError if there is no folder of a run at `path`, or one of another run than this."""
    known = own(path)["run"]
    if run is None:
        return
    for key in sorted({*known, *run}):
        if known.get(key) != run.get(key):
            raise ValueError(
                f"out is {str(path)!r}, a run with {key} {known.get(key)!r}, and this one has {run.get(key)!r}: choose "
                "another out, or resume=False to compute it anew"
            )


def _safe(name: str) -> str:
    """The name of a folder for an output: its own, but for characters that a path may not have."""
    text = quote(name, safe=" ")
    return text if text.strip(".") and not text.startswith("__") else "%2E" + text


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def _limits(x: Array) -> tuple[float, float]:
    """What a viewer shows: the smallest and the largest number of the coarsest level."""
    numbers = x[np.isfinite(x)]
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
