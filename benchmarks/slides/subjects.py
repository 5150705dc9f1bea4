# SPDX-License-Identifier: Apache-2.0
"""What is measured: a network of C4 for every pixel of a slide, as a file and as ONNX, and slides of any size."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from equiconv.slides import Source

BLOCK = 1024
"""Pixels of the square of noise that a slide of noise is made of."""
CLASSES = ("background", "tissue", "nucleus")


class NoiseSlide:
    """A slide of any size that is a square of random pixels, over and over: reading it is copying.

    What a file costs to decode depends on the file, and is left out; `equiconv.slides.SyntheticSlide` draws its pixels,
    which takes longer than this network does.
    """

    channels, dtype, spacing = 3, np.dtype(np.uint8), (1.0, 1.0)
    mpp = (0.5, 0.5)

    def __init__(self, extents: tuple[int, int]) -> None:
        self.extents = extents
        self.name = self.fingerprint = f"noise of {extents[0]} x {extents[1]} pixels"
        self._block = np.random.default_rng(0).integers(0, 256, (3, BLOCK, BLOCK), np.uint8)

    def read(self, begin: tuple[int, int], end: tuple[int, int]) -> np.ndarray[Any, Any]:
        """Rows and columns of the square, from its beginning again at each end."""
        rows, columns = (spans(b, e) for b, e in zip(begin, end, strict=True))
        lines = [np.concatenate([self._block[:, row, column] for column in columns], axis=2) for row in rows]
        return lines[0] if len(lines) == 1 else np.concatenate(lines, axis=1)

    def close(self) -> None:
        """Nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        return NoiseSlide, (self.extents,)


def spans(begin: int, end: int) -> list[slice]:
    """The parts of a square, one after the other, that places of the slide lie in."""
    found = []
    while begin < end:
        start = begin % BLOCK
        count = min(end - begin, BLOCK - start)
        found.append(slice(start, start + count))
        begin += count
    return found


def make_files(folder: Path) -> None:
    """Writes the network, as ``network.safetensors``, and with expanded weights as ``network.onnx``."""
    import equiconv as eq
    import equiconv.torch as et
    import torch
    from torch import nn

    torch.manual_seed(0)
    c4 = eq.cyclic(4)
    module = nn.Sequential(
        et.LiftingConv(3, 8, 5, c4, padding=2), nn.ReLU(), et.SpatialMaxPool(c4, 2),
        et.GroupConv(8, 16, 3, c4, padding=1), nn.ReLU(), et.SpatialMaxPool(c4, 2),
        et.GroupConv(16, 32, 3, c4, padding=1), nn.ReLU(),
        et.GroupConv(32, 32, 3, c4, padding=1), nn.ReLU(), et.GroupPool(c4, "max"),
        nn.Conv2d(32, len(CLASSES), 1), nn.Softmax(1),
    ).eval()  # fmt: skip
    example = torch.zeros(1, 3, 64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        et.save_network(module, folder / "network.safetensors", example, name="slides", classes=CLASSES)
        expanded = et.expand(module)
        free = {"x": {2: torch.export.Dim("h", min=8) * 4, 3: torch.export.Dim("w", min=8) * 4}}
        shapes = (free["x"],)
        torch.onnx.export(
            expanded, (example,), str(folder / "network.onnx"), input_names=["x"], dynamo=True, dynamic_shapes=shapes,
            external_data=False, verbose=False,
        )  # fmt: skip


def source_of(kind: str, extent: int) -> Source:
    """A square slide of a kind."""
    if kind == "noise":
        return NoiseSlide((extent, extent))
    from equiconv.slides import SyntheticSlide

    return SyntheticSlide((extent, extent), seed=0)
