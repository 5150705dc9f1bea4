# SPDX-License-Identifier: Apache-2.0
"""The work that is measured, as ordinary data: no peer and no engine is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["group", "lifting", "train"]
KINDS: tuple[Kind, ...] = ("group", "lifting", "train")
ORDERS = {"C4": 4, "D4": 8}
# Batch and side of the images.
SIZES = ((8, 64), (8, 32), (2, 128), (1, 256))
KERNELS = (3, 5, 7, 9)


@dataclass(frozen=True)
class Case:
    """One layer with padding "same" and stride 1. The kind "train" is a group layer, forward and both gradients."""

    kind: Kind
    group: str
    inputs: int
    outputs: int
    kernel: int
    batch: int
    size: int

    @property
    def name(self) -> str:
        """The case in one line, which --cases searches."""
        channels = f"{self.inputs}->{self.outputs}"
        return f"{self.kind} k={self.kernel} {self.group} {channels} {self.batch}x{self.size}"

    @property
    def order(self) -> int:
        """The number of elements of H."""
        return ORDERS[self.group]

    @property
    def flat(self) -> tuple[int, int]:
        """Channels of the equal ordinary convolution, in and out."""
        reads = 1 if self.kind == "lifting" else self.order
        return self.inputs * reads, self.outputs * self.order

    @property
    def operations(self) -> float:
        """Two for each multiply-add of the definition; three times that with both gradients."""
        (reads, writes), passes = self.flat, 3 if self.kind == "train" else 1
        return 2.0 * passes * self.batch * self.size**2 * reads * writes * self.kernel**2

    def to_json(self) -> dict[str, Any]:
        """What `Case(**...)` takes."""
        return asdict(self)


def everything() -> Iterator[Case]:
    """The product of all parameters."""
    for kernel in KERNELS:
        for group in ORDERS:
            for channels in (16, 32):
                for batch, size in SIZES:
                    yield Case("group", group, channels, channels, kernel, batch, size)
                    yield Case("train", group, channels, channels, kernel, batch, size)
            for batch, size in SIZES:
                yield Case("lifting", group, 3, 16, kernel, batch, size)


def grid(complete: bool) -> list[Case]:
    """The cases of a run; without `complete` not the slowest, so that it stays below half an hour on two cores."""
    cases = sorted(everything(), key=lambda case: KINDS.index(case.kind))
    return cases if complete else [case for case in cases if _is_usual(case)]


def _is_usual(case: Case) -> bool:
    """Whether a case belongs to every run."""
    if case.kind == "lifting":
        return (case.batch, case.size) in (SIZES[0], SIZES[3])
    if case.kind == "train":
        return (case.batch, case.size) in SIZES[:2] and case.kernel < 9 and case.operations < 1.3e11
    return case.operations < 1.5e11


def quick_grid() -> list[Case]:
    """A few small cases, to see that every peer works."""
    wide = [Case("group", "C4", 16, 16, kernel, 8, 64) for kernel in KERNELS]
    return [*wide, Case("lifting", "C4", 3, 16, 3, 8, 64), Case("train", "C4", 16, 16, 3, 8, 32)]


def selected(cases: list[Case], pattern: str | None) -> list[Case]:
    """The cases in whose names the regular expression is found."""
    return [case for case in cases if pattern is None or re.search(pattern, case.name)]


@dataclass(frozen=True)
class Target:
    """At least `least` times the peak ("peak"), or the speed of a peer by name, or of the best peer ("best peer")."""

    of: str
    least: float


def targets(case: Case) -> list[Target]:
    """What equiconv aims at in a case."""
    k, width = case.kernel, case.flat[0]
    if case.kind == "lifting":
        return [Target("best peer", 1.0)]
    if case.kind == "train":
        return [Target("best peer", {3: 1.5, 5: 2.5, 7: 3.5}[k])] if k < 9 else []
    if k == 3:
        return [Target("peak", {64: 1.6, 128: 2.2, 256: 2.5}[width]), Target("best peer", 1.15)]
    if k == 5:
        return [Target("peak", 3.0), Target("MNN", 1.4)] if width >= 128 else [Target("MNN", 1.4)]
    return [Target("peak", 4.5), Target("NNPACK", 2.0)] if k == 7 else [Target("peak", 6.0)]
