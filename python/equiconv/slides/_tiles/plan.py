# SPDX-License-Identifier: Apache-2.0
"""Tiles: a grid over the slide, and for each the places of every output that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm

from ..._network.network import Network
from ..._reach.geometry import TileGeometry, Window

Tile = tuple[int, int]
"""Row and column in the grid."""
Region = tuple[tuple[int, int], tuple[int, int]]
"""Pixels [begin, end), y before x."""


@dataclass(frozen=True)
class PlannedOutput:
    """An output of the network over the whole slide.

    Attributes:
        name: of the output.
        channels: C, or C |X| of an output on a group, whose elements lie behind each channel.
        labels: a name for each channel, or None.
        extents: places, y before x.
        chunk: places of a tile that does not meet the edge.
        geometry: what blocks of it read.
    """

    name: str
    channels: int
    labels: tuple[str, ...] | None
    extents: tuple[int, int]
    chunk: tuple[int, int]
    geometry: TileGeometry

    def block(self, tile: Tile) -> Region | None:
        """The places [begin, end) of a tile; None if it has none, as at the end of a network without padding."""
        begin = (tile[0] * self.chunk[0], tile[1] * self.chunk[1])
        end = (min(begin[0] + self.chunk[0], self.extents[0]), min(begin[1] + self.chunk[1], self.extents[1]))
        return (begin, end) if begin[0] < end[0] and begin[1] < end[1] else None

    def window(self, tile: Tile) -> Window | None:
        """What a tile reads, and where its block lies in what the network makes of that."""
        block = self.block(tile)
        return None if block is None else self.geometry.window(*block)


@dataclass(frozen=True)
class TilePlan:
    """The tiles of a slide. Integers alone: it pickles, and equal arguments give equal plans.

    Attributes:
        extents: pixels of the slide, y before x.
        pixels: of a tile, a multiple of the total stride of every output.
        outputs: what is computed.
        grid: tiles, rows and columns.
    """

    extents: tuple[int, int]
    pixels: tuple[int, int]
    outputs: tuple[PlannedOutput, ...]
    grid: tuple[int, int]

    def tiles(self) -> Iterator[Tile]:
        """All tiles, row by row."""
        return ((row, column) for row in range(self.grid[0]) for column in range(self.grid[1]))

    def area(self, tile: Tile) -> Region:
        """The pixels of the slide that a tile stands for, without what it reads around them."""
        begin = (tile[0] * self.pixels[0], tile[1] * self.pixels[1])
        end = (min(begin[0] + self.pixels[0], self.extents[0]), min(begin[1] + self.pixels[1], self.extents[1]))
        return begin, end

    def windows(self, tile: Tile) -> dict[Region, list[tuple[PlannedOutput, Window]]]:
        """What a tile reads, each region once, with the outputs that the network gives for it."""
        found: dict[Region, list[tuple[PlannedOutput, Window]]] = {}
        for output in self.outputs:
            window = output.window(tile)
            if window is not None:
                found.setdefault(region_of(window), []).append((output, window))
        return found

    def largest_read(self) -> tuple[int, int]:
        """The extents that bound those of every region that a tile reads. Looks at tiles around corners and middle."""
        rows, columns = (sorted({0, 1, n // 2, n - 2, n - 1} & set(range(n))) for n in self.grid)
        regions = [region for row in rows for column in columns for region in self.windows((row, column))]
        return tuple(max(end[axis] - begin[axis] for begin, end in regions) for axis in (0, 1))  # type: ignore[return-value]


def region_of(window: Window) -> Region:
    """What a window reads."""
    (top, left), (bottom, right) = window.read_begin, window.read_end
    return (top, left), (bottom, right)


def plan_tiles(network: Network, extents: tuple[int, int], tile: int, outputs: Sequence[str] | None = None) -> TilePlan:
    """The tiles of a slide.

    Args:
        network: which reads signals on the plane in two dimensions.
        extents: pixels of the slide, y before x.
        tile: pixels of a tile on each axis, rounded down to a multiple of the network's total stride, and at least
            that.
        outputs: their names; all if not given.

    Raises:
        ValueError: a network that cannot be computed in tiles, with the operation and the reason; unknown outputs.
    """
    names = _chosen(network, outputs)
    geometries = {name: TileGeometry(network, extents, name) for name in names}
    stride = [lcm(*(geometry.period[axis] for geometry in geometries.values())) for axis in (0, 1)]
    pixels = tuple(max(1, tile // step) * step for step in stride)
    planned = tuple(_planned(network, name, geometry, pixels) for name, geometry in geometries.items())
    grid = tuple(max(-(-output.extents[axis] // output.chunk[axis]) for output in planned) for axis in (0, 1))
    return TilePlan(extents, pixels, planned, grid)  # type: ignore[arg-type]


def _planned(network: Network, name: str, geometry: TileGeometry, pixels: tuple[int, ...]) -> PlannedOutput:
    channels, labels = _channels(network, name, geometry.extents)
    chunk = tuple(
        size // period * count
        for size, period, count in zip(pixels, geometry.period, geometry.outputs_per_period, strict=True)
    )
    extents = tuple(geometry.output_extents)
    if 0 in extents:
        raise ValueError(
            f"output {name!r} has no place on a slide of {geometry.extents} pixels, its extents: {extents}"
        )
    clipped = tuple(min(size, extent) for size, extent in zip(chunk, extents, strict=True))
    return PlannedOutput(name, channels, labels, extents, clipped, geometry)  # type: ignore[arg-type]


def _channels(network: Network, name: str, extents: tuple[int, ...]) -> tuple[int, tuple[str, ...] | None]:
    """Channels of an output with the elements of a group behind each, and their names."""
    document = network.document
    number = network.output_names.index(name)
    shape = network.output_shape((1, document["input"]["channels"], *extents), number)
    fiber = shape[2] if len(shape) == 5 else 1
    classes = document["outputs"][number].get("classes")
    if classes is None:
        return shape[1] * fiber, None
    if fiber == 1:
        return shape[1], tuple(classes)
    return shape[1] * fiber, tuple(f"{label}, element {element}" for label in classes for element in range(fiber))


def _chosen(network: Network, outputs: Sequence[str] | None) -> tuple[str, ...]:
    given = network.document["input"]
    if given["dimension"] != 2 or given["space"] != "plane":
        raise ValueError(
            f"network reads a signal on {given['space']} in {given['dimension']} dimensions, expected one on the plane "
            "in 2"
        )
    if outputs is None:
        return network.output_names
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    unknown = [name for name in names if name not in network.output_names]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f"outputs is {names}, expected different names of {network.output_names}")
    return names
