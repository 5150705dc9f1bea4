# SPDX-License-Identifier: Apache-2.0
"""What a call would do: the answer of `explain`, which prints as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .algorithms import ChosenAlgorithm

Run: TypeAlias = Literal["forward", "input_gradient", "weight_gradient"]


@dataclass(frozen=True, repr=False)
class Explanation:
    """Which algorithm a call uses, and what that costs. Made by `explain`; prints as a table.

    Attributes:
        layer: the function, for example ``"group_conv"``.
        run: ``"forward"``, ``"input_gradient"`` or ``"weight_gradient"``.
        algorithm: ``"direct"``, ``"winograd"``, ``"fourier"`` or ``"group-fourier"``; of PyTorch's backend
            ``"expanded"`` or ``"turned"``.
        tile: size of a tile on each axis: its points for fourier, its outputs for winograd; 0 without tiles.
        operations: floating-point operations that are made, two for each multiply-add.
        definition_operations: those of the layer's definition.
        workspace_bytes: memory of the call, all threads together, besides arrays and transformed weights.
        weight_bytes: transformed weights, which are kept for the next call.
        threads: the number of threads that the call uses.
        seconds: estimated by a cost model of the processor, the transform of the weights included; NaN where there is
            none.
        is_exact: whether turning the signal turns the result to the last bit, for every element of the group that maps
            the grid to itself.
        reason: why this algorithm, in a sentence.
        backend: ``"engine"``, or ``"torch"`` for a layer that PyTorch computes.
    """

    layer: str
    run: Run
    algorithm: ChosenAlgorithm | Literal["expanded", "turned"]
    tile: int
    operations: float
    definition_operations: float
    workspace_bytes: int
    weight_bytes: int
    threads: int
    seconds: float
    is_exact: bool
    reason: str
    backend: Literal["engine", "torch"] = "engine"

    def __repr__(self) -> str:
        rows = {
            "algorithm": self.algorithm + self._tile_text() + (", exact" if self.is_exact else ""),
            "arithmetic": self._arithmetic_text(),
            "workspace": f"{_bytes_text(self.workspace_bytes)} on {_threads_text(self.threads)}",
            "weights": self._weights_text(),
            "estimate": "" if math.isnan(self.seconds) else _seconds_text(self.seconds),
            "reason": self.reason,
        }
        lines = [f"{name:<11} {text}" for name, text in rows.items() if text]
        return "\n".join([f"{self.layer}, {self.run.replace('_', ' ')}", *lines])

    def _tile_text(self) -> str:
        if self.tile == 0:
            return ""
        unit = "points" if self.algorithm == "fourier" else "outputs"
        return f", tiles of {self.tile} x {self.tile} {unit}"

    def _weights_text(self) -> str:
        if not self.weight_bytes:
            return "as they are"
        return f"{_bytes_text(self.weight_bytes)} {'transformed' if self.backend == 'engine' else 'expanded'}"

    def _arithmetic_text(self) -> str:
        text = f"{self.operations / 1e9:.3g} GFLOP"
        if self.operations in (0, self.definition_operations):
            return text
        ratio = self.definition_operations / self.operations
        share = f"{ratio:.3g} times less" if ratio >= 1 else f"{1 / ratio:.3g} times more"
        return f"{text}, {share} than the definition's {self.definition_operations / 1e9:.3g}"


def _threads_text(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _bytes_text(count: int) -> str:
    if count < 1 << 10:
        return f"{count} bytes"
    return f"{count / (1 << 20):.3g} MiB" if count >= 1 << 20 else f"{count / (1 << 10):.3g} KiB"


def _seconds_text(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"
