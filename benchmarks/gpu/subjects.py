# SPDX-License-Identifier: Apache-2.0
"""What a library makes of a work, and where. No framework is imported here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equiconv as eq
from case import Case


@dataclass
class Subject:
    """A work made ready: a forward pass in evaluation, and a step, which is the pass in training with all gradients.

    Attributes:
        forward, step: calls.
        seconds: it took to make the module on its device.
    """

    forward: Callable[[], Any]
    step: Callable[[], Any]
    seconds: float


@dataclass(frozen=True)
class Place:
    """Where the works run: the device, and what compiles in tests, where inductor would take too long."""

    device: str = "cuda"
    compiler: str = "inductor"


def spline_of(case: Case) -> eq.KernelBasis:
    """Cubic B-splines, one a tap."""
    return eq.bspline_basis(case.kernel, degree=3, dimension=case.dimension)
