# SPDX-License-Identifier: Apache-2.0
"""The measured cases: layer, group, sizes, and the share of the multiply-add peak that each aims at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import equiconv as eq
import numpy as np


@dataclass(frozen=True)
class Case:
    """One layer run one way. Operations are those of its definition, two for each multiply-add."""

    layer: str
    group: str
    channels: tuple[int, int]
    size: int
    kernel: int
    run: str = "forward"
    target: float = 0.0
    batch: int = 8
    stride: int = 1
    dtype: str = "float32"
    dimension: int = 2
    # Relative elements of H that weights are given for; None for all.
    localized: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """What it is, in one line."""
        extras = [f"stride {self.stride}"] * (self.stride > 1) + [self.dtype] * (self.dtype != "float32")
        if self.localized is not None:
            extras.append(f"{len(self.localized)} of {self.point_group.order}")
        sizes = f"{self.channels[0]}→{self.channels[1]}, {self.size}{'²³'[self.dimension - 2]}, k={self.kernel}"
        return " ".join([f"{self.group} {self.layer} {sizes}", *extras])

    @property
    def point_group(self) -> eq.PointGroup:
        """The group's object."""
        if self.group == "octahedral":
            return eq.octahedral()
        return {"C": eq.cyclic, "D": eq.dihedral}[self.group[0]](int(self.group[1:]))

    @property
    def taps(self) -> int:
        """Taps of a kernel; for groups that are not lattice groups, those in the disc |u| <= k / 2."""
        k, d = self.kernel, self.dimension
        if self.point_group.is_lattice:
            return k**d
        squares = np.add.reduce(np.meshgrid(*[(np.arange(k) - (k - 1) / 2) ** 2] * d))
        return int(np.count_nonzero(squares <= k * k / 4 + 1e-9))

    @property
    def operations(self) -> float:
        """2 B O |Y| C |X| taps outputs; 2 B O |Y| (C |X| + taps) outputs for separable kernels."""
        order = self.point_group.order
        reads = order if self.layer in ("group", "projection", "separable") else 1
        if self.localized is not None:
            reads = len(self.localized)
        writes = order if self.layer in ("group", "lifting", "separable") else 1
        outputs = ((self.size - 1) // self.stride + 1) ** self.dimension
        weights = self.channels[0] * reads
        weights = weights + self.taps if self.layer == "separable" else weights * self.taps
        return 2.0 * self.batch * self.channels[1] * writes * weights * outputs


def cases(kind: str) -> Iterator[Case]:
    """The cases of one kind: "forward", "gradients", "others", "sampled" or "avx2"."""
    grid = [
        (group, (channels, channels), size, kernel)
        for group in ("C4", "D4")
        for channels in (16, 32)
        for size in (64, 32)
        for kernel in (3, 5, 7)
    ]
    if kind == "forward":
        for arguments in grid:
            yield Case("group", *arguments, target=0.90)
        for size in (64, 32):
            for kernel in (3, 5, 7):
                yield Case("lifting", "C4", (3, 16), size, kernel, target=0.60)
        yield Case("group", "octahedral", (8, 8), 24, 3, target=0.80, dimension=3)
    elif kind == "gradients":
        for arguments in grid:
            yield Case("group", *arguments, run="input gradient", target=0.85)
            yield Case("group", *arguments, run="weight gradient", target=0.80)
    elif kind == "others":
        for run in ("forward", "input gradient", "weight gradient"):
            yield Case("group", "C4", (16, 16), 64, 3, run=run, dtype="float64", target=0.80)
            yield Case("group", "C4", (16, 16), 65, 3, run=run, stride=2, target=0.80)
        yield Case("group", "C4", (32, 32), 65, 5, stride=2, target=0.80)
        yield Case("projection", "C4", (16, 16), 64, 3)
        yield Case("isotropic", "D4", (64, 64), 64, 3)
    elif kind == "sampled":
        # A lattice group of the same order beside each: sampled weights should cost no more than their operations.
        for run in ("forward", "input gradient", "weight gradient"):
            for kernel in (3, 5, 7):
                yield Case("group", "D4", (16, 16), 64, kernel, run=run)
                yield Case("group", "C8", (16, 16), 64, kernel, run=run, target=0.77)
        yield Case("group", "C16", (16, 16), 64, 5, localized=(0, 1, 15), target=0.60)
        yield Case("group", "C16", (16, 16), 32, 3, localized=(0, 1, 15), target=0.60)
        yield Case("separable", "C8", (16, 16), 64, 5, target=0.60)
        yield Case("separable", "C8", (32, 32), 64, 7, target=0.60)
    elif kind == "avx2":
        for kernel in (3, 5, 7):
            yield Case("group", "C4", (16, 16), 64, kernel, target=0.85)
            yield Case("group", "D4", (16, 16), 32, kernel, target=0.85)
