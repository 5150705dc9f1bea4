# SPDX-License-Identifier: Apache-2.0
"""The cases of `make bench`, and the share of the multiply-add peak that each aims at; 0 for none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from case import Case, Run

Aimed = tuple[Case, float]
PASSES: tuple[Run, ...] = ("forward", "input gradient", "weight gradient")


def cases(kind: str) -> Iterator[Aimed]:
    """The cases of one kind: "forward", "gradients", "others", "sampled" or "avx2"."""
    return {"forward": _forward, "gradients": _gradients, "others": _others, "sampled": _sampled, "avx2": _avx2}[kind]()


def _grid() -> Iterator[Case]:
    """Group layers of C4 and D4."""
    for group in ("C4", "D4"):
        for channels in (16, 32):
            for size in (64, 32):
                for kernel in (3, 5, 7):
                    yield Case("group", group, (channels, channels), size, kernel)


def _forward() -> Iterator[Aimed]:
    for case in _grid():
        yield case, 0.90
    for size in (64, 32):
        for kernel in (3, 5, 7):
            yield Case("lifting", "C4", (3, 16), size, kernel), 0.60
    yield Case("group", "octahedral", (8, 8), 24, 3), 0.80


def _gradients() -> Iterator[Aimed]:
    for case in _grid():
        yield replace(case, run="input gradient"), 0.85
        yield replace(case, run="weight gradient"), 0.80


def _others() -> Iterator[Aimed]:
    for run in PASSES:
        yield Case("group", "C4", (16, 16), 64, 3, run=run, dtype="float64"), 0.80
        yield Case("group", "C4", (16, 16), 65, 3, run=run, stride=2), 0.80
    yield Case("group", "C4", (32, 32), 65, 5, stride=2), 0.80
    yield Case("projection", "C4", (16, 16), 64, 3), 0
    yield Case("isotropic", "D4", (64, 64), 64, 3), 0


def _sampled() -> Iterator[Aimed]:
    # A lattice group of the same order beside each: sampled weights should cost no more than their operations.
    for run in PASSES:
        for kernel in (3, 5, 7):
            yield Case("group", "D4", (16, 16), 64, kernel, run=run), 0
            yield Case("group", "C8", (16, 16), 64, kernel, run=run), 0.77
    yield Case("group", "C16", (16, 16), 64, 5, localized=(0, 1, 15)), 0.60
    yield Case("group", "C16", (16, 16), 32, 3, localized=(0, 1, 15)), 0.60
    yield Case("separable", "C8", (16, 16), 64, 5), 0.60
    yield Case("separable", "C8", (32, 32), 64, 7), 0.60


def _avx2() -> Iterator[Aimed]:
    for kernel in (3, 5, 7):
        yield Case("group", "C4", (16, 16), 64, kernel), 0.85
        yield Case("group", "D4", (16, 16), 32, kernel), 0.85
