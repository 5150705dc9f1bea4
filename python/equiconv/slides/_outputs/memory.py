# SPDX-License-Identifier: Apache-2.0
"""Outputs in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..._checks.arrays import Array
from .._tiles.plan import Tile, TilePlan


class ArrayOutput:
    """Arrays (C, H, W) by the names of outputs, NaN where no tile has been written. Its methods are a `ZarrFolder`'s.

    Args:
        plan: of the run.
        dtype: of the arrays.
    """

    is_complete = False

    def __init__(self, plan: TilePlan, dtype: np.dtype[Any]) -> None:
        self._chunks = {output.name: output.chunk for output in plan.outputs}
        self._arrays = {
            output.name: np.full((output.channels, *output.extents), np.nan, dtype) for output in plan.outputs
        }
        self.writer = self

    def write(self, tile: Tile, blocks: Mapping[str, Array]) -> dict[str, int]:
        """Copies the blocks of a tile."""
        for name, block in blocks.items():
            top, left = (index * size for index, size in zip(tile, self._chunks[name], strict=True))
            self._arrays[name][:, top : top + block.shape[1], left : left + block.shape[2]] = block
        return {}

    def known(self) -> set[Tile]:
        """None."""
        return set()

    def note(self, tile: Tile, sizes: Mapping[str, int]) -> None:
        """Nothing: they end with the process."""

    def finish(self, complete: bool) -> None:
        """Nothing: they have no pyramids."""

    def close(self) -> None:
        """Nothing."""

    def arrays(self) -> dict[str, Any]:
        """The arrays."""
        return self._arrays
