# SPDX-License-Identifier: Apache-2.0
"""Files that are made of a folder of Zarr when all tiles are in it: OME-TIFF, and detections as GeoJSON."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from .._outputs.durable import PARTIAL, sync_file
from .._outputs.metadata import Placement
from .._outputs.ome_tiff import TiffArray, read_run, write_ome_tiff
from .._outputs.zarr_folder import ChunkWriter, ZarrFolder
from .._tiles.plan import Tile, TilePlan

TIFF = (".ome.tif", ".ome.tiff")
CONVERTED = (*TIFF, ".geojson")


class Converted:
    """A file, and the hidden folder beside it that it is made of and that is removed then.

    Args:
        path: of the file.
        plan, places, run, anew: as of `ZarrFolder`.
        detect: arguments of `detections`, for ``.geojson``.

    Raises:
        ValueError: several outputs; a file of another run, or one of unknown origin.
    """

    def __init__(
        self, path: Path, plan: TilePlan, places: Mapping[str, Placement], run: Mapping[str, Any], anew: bool,
        detect: Mapping[str, Any] | None,
    ) -> None:  # fmt: skip
        if len(plan.outputs) > 1:
            names = [output.name for output in plan.outputs]
            raise ValueError(f"out is {str(path)!r}, a file of one output, expected outputs to name one of {names}")
        self._path, self._plan, self._places, self._run, self._detect = path, plan, places, run, detect
        self.is_complete = False
        if path.exists() and not anew:
            self._check_file()
            self.is_complete = True
        hidden = path.with_name(f".{path.name}.zarr")
        self._folder = None if self.is_complete else ZarrFolder(hidden, plan, places, run, anew)

    @property
    def writer(self) -> ChunkWriter:
        """What puts the blocks of tiles on the disk."""
        assert self._folder is not None
        return self._folder.writer

    def known(self) -> set[Tile]:
        """The tiles that are on the disk."""
        return set(self._plan.tiles()) if self._folder is None else self._folder.known()

    def note(self, tile: Tile, sizes: Mapping[str, int]) -> None:
        """Notes a tile that `writer` has written."""
        assert self._folder is not None
        self._folder.note(tile, sizes)

    def finish(self, complete: bool) -> None:
        """Writes the file if all tiles are there; the folder stays otherwise."""
        assert self._folder is not None
        if not self._folder.is_complete:
            self._folder.finish(complete)
        if complete:
            beside = self._path.with_name(f".{self._path.name}{PARTIAL}")
            self._write(beside, self._folder.path)
            sync_file(beside)
            os.replace(beside, self._path)
            sync_file(self._path)
            self._folder.close()
            shutil.rmtree(self._folder.path)
            self._folder, self.is_complete = None, True

    def close(self) -> None:
        """Lets others write it."""
        if self._folder is not None:
            self._folder.close()

    def arrays(self) -> dict[str, Any]:
        """The output of a TIFF file, or of a folder that waits for tiles; nothing of detections."""
        (output,) = self._plan.outputs
        if self._folder is not None:
            return self._folder.arrays()
        return {output.name: TiffArray(self._path)} if self._path.name.endswith(TIFF) else {}

    def _write(self, path: Path, folder: Path) -> None:
        (output,) = self._plan.outputs
        if self._path.name.endswith(TIFF):
            write_ome_tiff(path, folder, output, self._places[output.name], self._run)
        else:
            slides = import_module("equiconv.slides")
            found = slides.detections(folder, **(self._detect or {}))
            slides.write_geojson(found, path)

    def _check_file(self) -> None:
        """Raises ValueError unless the file is that of this run."""
        known = read_run(self._path) if self._path.name.endswith(TIFF) else None
        if known is None:
            raise ValueError(
                f"out is {str(self._path)!r}, which is there and does not say of which run, expected a new file, or "
                "resume=False to replace it"
            )
        for key in sorted({*known, *self._run}):
            if known.get(key) != self._run.get(key):
                raise ValueError(
                    f"out is {str(self._path)!r}, of a run with {key} {json.dumps(known.get(key))}, and this one has "
                    f"{json.dumps(self._run.get(key))}: choose another out, or resume=False to replace it"
                )
