# SPDX-License-Identifier: Apache-2.0
"""The memory of a run, known before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._network.network import Mode
from .._tiles.memory import plan_memory
from .._tiles.plan import plan_tiles
from .arguments import opened, prepared_network


def memory_bound(
    network: Any,
    source: Any,
    *,
    mpp: float | tuple[float, float] | None = None,
    level: int | None = None,
    tile: int = 512,
    mode: Mode = "exact",
    outputs: Sequence[str] | None = None,
    axes: str | None = None,
) -> int:
    """The bytes that `predict` takes beyond the process before, by its formula; without what a reader holds.

    Runs the network twice on zeros of the size of the largest tile, for what its operations need; see
    `Network.explain`.

    Args:
        network, source, mpp, level, tile, mode, outputs, axes: as of `predict`.

    Raises:
        TypeError, ValueError, OSError: as of `predict`.
    """
    with opened(source, mpp=mpp, level=level, axes=axes) as pixels:
        prepared, _ = prepared_network(network, pixels, mode)
        return plan_memory(prepared, pixels, plan_tiles(prepared, pixels.extents, tile, outputs))
