# SPDX-License-Identifier: Apache-2.0
"""``python -m equiconv slides``: networks over slides on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..._checks.arrays import Array
from ..._machine.config import get_num_threads, set_num_threads
from ..._network.explanation import bytes_text, channels_text
from .._outputs.optional import package
from .._sources.opening import open_pyramid
from .._sources.pyramid import described
from .._tiles.memory import plan_memory
from .._tiles.plan import plan_tiles
from .arguments import opened, prepared_network
from .predict import predict


def main(arguments: Sequence[str]) -> int:
    """Runs a command; its exit status: 0, 1 for tiles that failed, 2 for a wrong call or a file that is none."""
    options = _parser().parse_args(arguments)
    try:
        if options.threads is not None:
            set_num_threads(options.threads)
        return int(options.run(options))
    except (OSError, ValueError, TypeError, ModuleNotFoundError) as error:
        print(f"python -m equiconv slides {options.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m equiconv slides", description="Networks over whole slides.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "computes a network's outputs for a slide, goes on with a run that was killed; exit status 1 if tiles fail"
    command = commands.add_parser("predict", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=_predict)
    command.add_argument("network", metavar="NET", help="a network file")
    _add_slide(command)
    command.add_argument("-o", "--output", required=True, metavar="OUT", help=".zarr, .ome.tif or .geojson")
    command.add_argument("--mask", help="where to compute: 'tissue', an array .npy or an image")
    command.add_argument("--mode", choices=("exact", "fast"), default="exact", help="exact unless given")
    command.add_argument("--outputs", nargs="+", metavar="NAME", help="of the network; all unless given")
    command.add_argument("--workers", type=int, metavar="N", help="processes of Dask, which share the threads")
    command.add_argument("--retries", type=int, default=2, help="of tiles that cannot be read; 2 unless given")
    command.add_argument("--anew", action="store_true", help="removes what an earlier run wrote to OUT")
    command.add_argument("--threshold", type=float, help="of detections, for .geojson")
    command.add_argument("--distance", type=float, help="between detections in pixels, for .geojson")
    command.add_argument("--quiet", action="store_true", help="without a bar")
    text = "prints what is known of a slide, and of a run of a network over it"
    command = commands.add_parser("info", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=_info)
    _add_slide(command)
    command.add_argument("--network", metavar="NET", help="a network file: tiles and memory of its run")
    return parser


def _add_slide(command: argparse.ArgumentParser) -> None:
    command.add_argument("slide", metavar="SLIDE", help="a file or a folder that equiconv.slides.open_source opens")
    command.add_argument("--mpp", type=float, help="micrometers per pixel to read at")
    command.add_argument("--level", type=int, help="of the pyramid to read")
    command.add_argument("--axes", help="of an array, such as YXC")
    command.add_argument("--tile", type=int, default=512, help="pixels of a tile; 512 unless given")
    command.add_argument("--threads", type=int, help="of the engine")


def _predict(options: argparse.Namespace) -> int:
    detect = {"threshold": options.threshold, "distance": options.distance}
    given = {name: value for name, value in detect.items() if value is not None}
    with _cluster(options.workers) as client:
        found = predict(
            options.network,
            options.slide,
            options.output,
            mpp=options.mpp,
            level=options.level,
            tile=options.tile,
            mask=_mask(options.mask),
            resume=not options.anew,
            client=client,
            mode=options.mode,
            progress=not options.quiet,
            retries=options.retries,
            outputs=options.outputs,
            axes=options.axes,
            detect=given or None,
        )
    print(found)
    for failed in found.failed:
        print(failed, file=sys.stderr)
    if found.failed:
        print(f"{len(found.failed)} tiles failed; the others stay, and a next run tries these again", file=sys.stderr)
    return 1 if found.failed else 0


def _info(options: argparse.Namespace) -> int:
    print(options.slide)
    print(described(open_pyramid(options.slide, axes=options.axes)))
    with opened(options.slide, mpp=options.mpp, level=options.level, axes=options.axes) as source:
        height, width = source.extents
        print(f"read: {height} x {width} pixels, {channels_text(source.channels)}, {source.dtype}")
        print("resolution unknown" if source.mpp is None else f"{source.mpp[0]:g} x {source.mpp[1]:g} um per pixel")
        if options.network is not None:
            network, _ = prepared_network(options.network, source, "exact")
            plan = plan_tiles(network, source.extents, options.tile)
            rows, columns = plan.largest_read()
            print(f"{plan.grid[0]} x {plan.grid[1]} tiles of {plan.pixels[0]} x {plan.pixels[1]} pixels")
            print(f"the largest reads {rows} x {columns} pixels; {bytes_text(plan_memory(network, source, plan))}")
            for output in plan.outputs:
                print(f"output {output.name}: {output.channels} x {output.extents[0]} x {output.extents[1]}")
    return 0


def _mask(text: str | None) -> Array | str | None:
    """A mask of a file: where any channel is not 0."""
    if text is None or text == "tissue":
        return text
    if Path(text).suffix == ".npy":
        array: Array = np.load(text, allow_pickle=False)
        return array
    with opened(text) as source:
        pixels: Array = np.any(source.read((0, 0), source.extents), axis=0)
        return pixels


@contextmanager
def _cluster(workers: int | None) -> Iterator[Any]:
    """A client of a cluster of so many processes on this machine, or None."""
    if workers is None:
        yield None
        return
    if workers < 1:
        raise ValueError(f"--workers is {workers}, expected at least 1")
    distributed = package("distributed", "--workers", "dask")
    share = max(1, get_num_threads() // workers)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=share, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
