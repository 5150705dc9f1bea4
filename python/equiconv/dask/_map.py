# SPDX-License-Identifier: Apache-2.0
"""The output of a network for an array of Dask, block by block."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from .._checks.arguments import choice, integer, value_text
from .._checks.arrays import Array
from .._network.check import outputs_of
from .._network.network import Mode, Network
from .._reach.geometry import TileGeometry, Window
from .._reach.methods import steady_network
from .._reach.sources import as_network
from ..slides._outputs.optional import package
from ..slides._run.arguments import in_mode

Span: TypeAlias = tuple[int, int]
LARGEST_TILE = 2**20


def map(  # noqa: A001 (as dask.bag.map)
    network: Any, array: Any, *, tile: int | None = None, output: str | None = None, mode: Mode = "exact"
) -> Any:
    """The output of a network for an array of Dask, as an array of Dask.

    ``map(network, array).compute()`` is ``network(array.compute())``: to the last bit in mode ``"exact"``, and up to
    rounding in ``"fast"``. Each block of the output reads the exact region that it depends on, from as many blocks of
    the array as that takes: regions differ at edges and by the strides of the network, so that this is not
    `dask.array.map_overlap`, whose depth is one for all.

    Args:
        network: the path of a network file, or its bytes; a `Network`; a `Sequential`; a module of PyTorch.
        array: (C, [|X|,] spatial...), or with B before, of any chunks, and of the network's dtype or one whose numbers
            that has exactly.
        tile: pixels of the blocks on each spatial axis, rounded down to a multiple of the network's total stride; the
            chunks of the array, rounded likewise, if not given.
        output: its name; the first if not given.
        mode: ``"exact"`` or ``"fast"``, as of `load_network`.

    Returns:
        (O, [|X|,] spatial...), or with B before. Channels are in one chunk, images in those of the array.

    Raises:
        TypeError: not an array of Dask; another dtype.
        ValueError: unknown chunks; a shape that the network does not read; an unknown output; a network that cannot be
            computed in tiles.
        ModuleNotFoundError: Dask is not installed.
    """
    dask_array = package("dask.array", "equiconv.dask", "dask")
    if not isinstance(array, dask_array.Array):
        raise TypeError(f"array is {value_text(array)} ({type(array).__name__}), expected a dask.array.Array")
    if any(np.isnan(size) for size in array.shape):
        raise ValueError(f"array has shape {array.shape}, expected known sizes: array.compute_chunk_sizes()")
    choice("mode", mode, ("exact", "fast"))
    side = None if tile is None else integer("tile", tile, 1, LARGEST_TILE)
    loaded = as_network(network, np.zeros(_example(array.shape), array.dtype))
    given = loaded.document["input"]
    rank = len(loaded.example_shape())
    batched = array[None] if array.ndim == rank - 1 else array
    _check(loaded, array, batched.ndim == rank)
    extents = batched.shape[rank - given["dimension"] :]
    loaded = steady_network(loaded, extents) if mode == "exact" else in_mode(loaded, mode)
    name = _output_name(loaded, output)
    result = _Blocks(dask_array, loaded, name, batched, extents).array(side)
    return result if batched is array else result[0]


class _Blocks:
    """Blocks of one output of a network, as tasks."""

    def __init__(self, dask_array: Any, network: Network, output: str, array: Any, extents: tuple[int, ...]) -> None:
        delayed = package("dask", "equiconv.dask", "dask").delayed
        self._dask_array, self._array, self._name = dask_array, array, output
        self._geometry = TileGeometry(network, extents, output)
        shape = network.output_shape((1, *array.shape[1:]), network.output_names.index(output))
        self._features = shape[1 : len(shape) - len(extents)]
        self._dtype = network.dtype
        # One task, so that a worker gets the network once.
        self._network = delayed(network)
        self._compute: Callable[..., Any] = delayed(_compute)

    def array(self, tile: int | None) -> Any:
        """All of it."""
        rank = len(self._geometry.extents)
        bounds = [self._spans(axis, self._array.chunks[axis - rank], tile) for axis in range(rank)]
        images = _spans(self._array.chunks[0])
        return self._dask_array.concatenate([self._dask_array.block(self._nested(each, bounds)) for each in images])

    def _spans(self, axis: int, chunks: tuple[int, ...], tile: int | None) -> list[Span]:
        """Places of the blocks on an axis, for pixels of the tiles or of the chunks of the array."""
        period, count = self._geometry.period[axis], self._geometry.outputs_per_period[axis]
        extent = self._geometry.output_extents[axis]
        if tile is None:
            ends = [int(end) for end in np.cumsum(chunks)]
        else:
            step = max(1, tile // period) * period
            ends = list(range(step, self._geometry.extents[axis] + step, step))
        cuts = sorted({0, extent, *(cut for end in ends if 0 < (cut := end // period * count) < extent)})
        return list(pairwise(cuts))

    def _nested(self, images: Span, bounds: list[list[Span]], chosen: tuple[Span, ...] = ()) -> Any:
        """Blocks in lists of lists, as `dask.array.block` takes them."""
        if len(chosen) < len(bounds):
            return [self._nested(images, bounds, (*chosen, span)) for span in bounds[len(chosen)]]
        window = self._geometry.window(tuple(begin for begin, _ in chosen), tuple(end for _, end in chosen))
        region = self._array[(slice(*images), ..., *window.read)].rechunk(-1)
        block = self._compute(self._network, region.to_delayed().item(), window, self._name)
        shape = (images[1] - images[0], *self._features, *(end - begin for begin, end in chosen))
        return self._dask_array.from_delayed(block, shape, dtype=self._dtype)


def _compute(network: Network, region: Array, window: Window, output: str) -> Array:
    """A block."""
    pixels = np.ascontiguousarray(region, network.dtype)
    found = dict(zip(network.output_names, outputs_of(network, pixels), strict=True))[output]
    cut: tuple[Any, ...] = (Ellipsis, *window.crop)
    block: Array = found[cut]
    return np.ascontiguousarray(block)


def _spans(chunks: tuple[int, ...]) -> list[Span]:
    ends = np.cumsum(chunks)
    return [(int(end) - size, int(end)) for end, size in zip(ends, chunks, strict=True) if size]


def _example(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a small signal like an array, with which a module is traced."""
    batched = shape if len(shape) > 3 else (1, *shape)
    return (1, batched[1], *(min(size, 64) for size in batched[2:]))


def _check(network: Network, array: Any, fits: bool) -> None:
    """Raises TypeError or ValueError."""
    given = network.document["input"]
    axes = ", ".join(given["axes"][1:]) if "axes" in given else f"channel, {given['dimension']} axes of space"
    if not fits:
        raise ValueError(f"array has shape {array.shape}, expected axes ({axes}), or with batch before")
    if not np.can_cast(array.dtype, network.dtype, "safe"):
        raise TypeError(
            f"array has dtype {array.dtype}, expected one whose numbers {network.dtype}, which the network reads, has "
            "exactly"
        )


def _output_name(network: Network, output: str | None) -> str:
    if output is not None and output not in network.output_names:
        raise ValueError(f"output is {value_text(output)}, expected one of {network.output_names}")
    return network.output_names[0] if output is None else output
