# SPDX-License-Identifier: Apache-2.0
"""A network over a whole slide, tile by tile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..._checks.arguments import boolean, choice, integer, value_text
from ..._network.network import Mode
from .._outputs.memory import ArrayOutput
from .._outputs.metadata import Placement, placement
from .._outputs.zarr_folder import ZarrFolder
from .._tiles.plan import Tile, plan_tiles
from .arguments import chosen_tiles, opened, prepared_network, run_entry
from .converted import CONVERTED, Converted
from .job import Record, TileJob
from .local import run_here
from .progress import progress_bar
from .results import Counts, FailedTile, Prediction, Times
from .workers import run_on_workers

Output: TypeAlias = ArrayOutput | ZarrFolder | Converted
LARGEST_TILE = 2**20


def predict(
    network: Any,
    source: Any,
    out: str | os.PathLike[str] | None = None,
    *,
    mpp: float | tuple[float, float] | None = None,
    level: int | None = None,
    tile: int = 512,
    mask: Any = None,
    resume: bool = True,
    client: Any = None,
    mode: Mode = "exact",
    progress: bool = True,
    retries: int = 2,
    outputs: Sequence[str] | None = None,
    axes: str | None = None,
    detect: Mapping[str, Any] | None = None,
) -> Prediction:
    """The outputs of a network for a slide of any size, tile by tile.

    ``predict(network, source).array`` is ``network(source)[0]``: to the last bit in mode ``"exact"``, and up to
    rounding in ``"fast"``. Each tile reads as much around it as the network does, no more than is there, and its
    windows begin at multiples of the total stride. The network reads the numbers of the source as they are, and
    normalizes them itself.

    Reading the next tile and writing the last overlap with the network. Memory beyond that of the process before is
    at most (see `memory_bound`)

        C h w (2 S + s) + 2 N(h, w) + O (h' w' + 3 t') S

    with C channels of s bytes, numbers of S bytes in the network, h x w pixels that the largest tile reads, N(h, w)
    bytes that one call of the network needs for those beside its input and its outputs, twice as the engine keeps those
    of the last call until larger ones replace them, and outputs of O channels, h' w' places for what is read, t' of a
    tile. What the reader of a file holds comes on top, and some MiB of the allocator.

    Args:
        network: the path of a network file, or its bytes; a `Network`; a `Sequential`; a module of PyTorch.
        source: whatever `open_source` opens.
        out: None for arrays in memory. ``*.zarr``: a folder with an image of OME-NGFF 0.5 for each output.
            ``*.ome.tif`` or ``*.ome.tiff``: a pyramidal file of one output. ``*.geojson``: detections. The last two are
            made of a folder beside, which is removed in the end.
        mpp, level, axes: as of `open_source`.
        tile: pixels of the source of a tile on each axis, rounded down to a multiple of the network's total stride. A
            tile is a chunk of the folder.
        mask: where to compute: an array of any resolution that covers the slide, or ``"tissue"`` for `tissue_mask`.
            A tile without a pixel of it is left out, and is NaN.
        resume: whether to go on with a run that was killed, and to return one that is complete as it is. False
            computes it anew.
        client: a `distributed.Client`: its workers read and write the tiles, on a file system that all share. They need
            the same package, and `out`.
        mode: ``"exact"`` or ``"fast"``, as of `load_network`.
        progress: whether to show a bar on a terminal, where tqdm is installed.
        retries: how often to try tiles again that could not be read, after all others.
        outputs: the names of those wanted; all if not given.
        detect: with ``*.geojson``, the arguments ``threshold`` and ``distance`` of `detections`, and others of it.

    Returns:
        A `Prediction`. Tiles that could not be read are in its `failed`, and NaN.

    Raises:
        TypeError, ValueError: an argument that is none; a network that cannot be computed in tiles, with the operation
            and the reason; `out` of another run, with what differs.
        OSError: the source cannot be opened; `out` cannot be written, or is being written by another process.
        ModuleNotFoundError: a package is missing, with what to install.
    """
    retries = integer("retries", retries, 0, 100)
    tile = integer("tile", tile, 1, LARGEST_TILE)
    choice("mode", mode, ("exact", "fast"))
    target = _target(out, client, detect)
    with opened(source, mpp=mpp, level=level, axes=axes) as pixels:
        prepared, digest = prepared_network(network, pixels, mode)
        job = TileJob(prepared, pixels, plan_tiles(prepared, pixels.extents, tile, outputs))
        chosen, mask_text = chosen_tiles(job.plan, mask, pixels)
        places = _places(job)
        run = run_entry(prepared, digest, mode, pixels, job.plan, mask_text)
        with closing(_output(target, job, places, run, boolean("resume", resume), detect)) as output:
            run_of = _Run(job, output, chosen, client, retries, boolean("progress", progress))
            return run_of.result(places, target)


@dataclass
class _Run:
    """The tiles of a run, tried until they are there."""

    job: TileJob
    output: Output
    chosen: list[Tile]
    client: Any
    retries: int
    progress: bool

    def result(self, places: Mapping[str, Placement], path: Path | None) -> Prediction:
        """Runs it."""
        start = time.perf_counter()
        times, plan = Times(), self.job.plan
        known = self.output.known()
        pending = [tile for tile in self.chosen if tile not in known]
        failed = {} if self.output.is_complete else self._tried(pending, len(self.chosen), times)
        if not self.output.is_complete:
            middle = time.perf_counter()
            self.output.finish(not failed)
            times.pyramid = time.perf_counter() - middle
        times.total = time.perf_counter() - start
        all_tiles = plan.grid[0] * plan.grid[1]
        counts = Counts(
            all_tiles,
            len(pending) - len(failed),
            len(self.chosen) - len(pending),
            all_tiles - len(self.chosen),
        )
        return Prediction(
            self.output.arrays(),
            places,
            {output.name: output.labels for output in plan.outputs},
            path,
            counts,
            tuple(FailedTile(tile, plan.area(tile), failed[tile]) for tile in sorted(failed)),
            times,
        )

    def _tried(self, pending: list[Tile], count: int, times: Times) -> dict[Tile, str]:
        """Computes tiles; those that failed every time, with their errors."""
        failed: dict[Tile, str] = {}
        with progress_bar(self.progress, count, count - len(pending)) as step:
            for _ in range(self.retries + 1):
                failed = {}
                for record in self._records(pending):
                    times.add(*record.seconds)
                    if record.error is None:
                        self.output.note(record.tile, record.sizes)
                        step()
                    else:
                        failed[record.tile] = record.error
                pending = sorted(failed)
                if not pending:
                    break
        return failed

    def _records(self, tiles: list[Tile]) -> Iterator[Record]:
        if self.client is None:
            return run_here(self.job, self.output.writer, tiles)
        return run_on_workers(self.client, self.job, self.output.writer, tiles)


def _places(job: TileJob) -> dict[str, Placement]:
    pixel = getattr(job.source, "spacing", (1.0, 1.0))
    return {output.name: placement(job.network, output, pixel, job.source.mpp) for output in job.plan.outputs}


def _target(out: object, client: Any, detect: Any) -> Path | None:
    """The path of `out`, checked."""
    kinds: tuple[str, ...] = (".zarr", *CONVERTED)
    if (detect is not None) != os.fsdecode(out if isinstance(out, str | os.PathLike) else "").endswith(".geojson"):
        raise ValueError(f"detect is {value_text(detect)}, expected thresholds and distances for .geojson alone")
    if out is None:
        if client is not None:
            raise ValueError("out is None, expected a path for workers to write to, as client is given")
        return None
    if not isinstance(out, str | os.PathLike):
        raise TypeError(f"out is {value_text(out)} ({type(out).__name__}), expected a path or None")
    path = Path(os.fsdecode(out)).absolute()
    if not path.name.endswith(kinds) or path.name in kinds:
        raise ValueError(f"out is {value_text(out)}, expected a name with one of {', '.join(kinds)}")
    return path


def _output(
    target: Path | None, job: TileJob, places: Mapping[str, Placement], run: dict[str, Any], resume: bool,
    detect: Mapping[str, Any] | None,
) -> Output:  # fmt: skip
    if target is None:
        return ArrayOutput(job.plan, job.network.dtype)
    if target.suffix == ".zarr":
        return ZarrFolder(target, job.plan, places, run, not resume)
    return Converted(target, job.plan, places, run, not resume, detect)
