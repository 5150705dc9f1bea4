# SPDX-License-Identifier: Apache-2.0
"""Which layers are equal to the last bit, and what that costs: a table of docs/measured/Accuracy.md."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import equiconv as eq
import numpy as np
from calls import Array, Operands, call_of, chosen, group_of, operands
from case import Case, pretty

ROUNDS = 5
RULES = ("auto", "exact")
ALGORITHMS = ("direct", "group-fourier", "winograd", "fourier")


def cases() -> Iterator[Case]:
    """Layers of lattice groups over kernels and strides, and the other layers."""
    for group in ("C4", "D4"):
        for kernel in (1, 3, 5, 7, 9):
            yield Case("group", group, (16, 16), 32, kernel)
        for kernel in (3, 5):
            yield Case("group", group, (16, 16), 33, kernel, stride=2)
        yield Case("lifting", group, (3, 16), 32, 5)
        yield Case("projection", group, (16, 16), 32, 3)
    yield Case("isotropic", "D4", (64, 64), 32, 3)
    for group in ("tetrahedral", "octahedral", "full octahedral"):
        yield Case("group", group, (4, 4), 12, 3, batch=1)
    yield Case("group", "octahedral", (4, 4), 13, 3, batch=1, stride=2)
    yield Case("lifting", "octahedral", (1, 4), 12, 3, batch=4)


def line(case: Case) -> str:
    """The line of a layer."""
    arrays, cells = operands(case), [pretty(case.name)]
    for algorithm in RULES:
        try:
            both = [chosen(each, arrays, algorithm) for each in (case, _backward(case))]
            cells += [", ".join(both), "yes" if is_equal(case, arrays, algorithm) else "no"]
        except ValueError:
            cells += ["none", ""]
    price = _price(case, arrays)
    return "| " + " | ".join([*cells, f"{price:.2f}" if price < float("inf") else ""]) + " |"


def _backward(case: Case) -> Case:
    return replace(case, run="input gradient")


def is_equal(case: Case, arrays: Operands, algorithm: str) -> bool:
    """Whether the layer and its input gradient commute with every element, bit by bit."""
    group = group_of(case)

    def results(given: Operands) -> list[Array]:
        y = call_of(case, given, algorithm)()["y"]
        return [y, call_of(_backward(case), given, algorithm)()["grad_x"]]

    plain = results(arrays)
    for g in range(1, group.order):
        turned = results(replace(arrays, x=eq.act(arrays.x, group, g), grad=eq.act(arrays.grad, group, g)))
        if any(not np.array_equal(of, eq.act(result, group, g)) for of, result in zip(turned, plain, strict=True)):
            return False
    return True


def _price(case: Case, arrays: Operands) -> float:
    """The time of "exact" over that of the fastest algorithm, both directions together: the median of rounds."""
    ratio = []
    for _ in range(ROUNDS):
        exact = fastest = 0.0
        for each in (case, _backward(case)):
            mine = _seconds(each, arrays, "exact")
            exact, fastest = exact + mine, fastest + min(mine, *(_seconds(each, arrays, name) for name in ALGORITHMS))
        ratio.append(exact / fastest)
    return statistics.median(ratio)


def _seconds(case: Case, arrays: Operands, algorithm: str) -> float:
    """Processor time of the shorter of two calls; infinity where the algorithm does not compute the case."""
    call, times = call_of(case, arrays, algorithm), []
    for _ in range(2):
        begin = time.process_time()
        try:
            call()
        except ValueError:
            return float("inf")
        times.append(time.process_time() - begin)
    return min(times)
