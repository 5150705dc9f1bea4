# SPDX-License-Identifier: Apache-2.0
"""A layer between arrays of given shapes: what is static in a program of JAX."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ... import _native
from ..._checks.arrays import Shaped
from ..._layer.explanation import Run
from ..._layer.spec import RUNS, LayerSpec


@dataclass(frozen=True)
class Program:
    """A layer of given sizes, but for the batch.

    Attributes:
        spec: the layer, whose text compiled programs carry: one object for equal layers.
        dtype: of all arrays.
        signal, output: shapes without the batch.
        weight: its shape.
    """

    spec: LayerSpec
    dtype: np.dtype[Any]
    signal: tuple[int, ...]
    output: tuple[int, ...]
    weight: tuple[int, ...]

    @classmethod
    def of(cls, spec: LayerSpec, x: Shaped, weight: Shaped) -> Program:
        """The layer between arrays of these shapes. Raises TypeError or ValueError where they do not fit."""
        shape = spec.check_operands(x, weight)
        return cls(spec, x.dtype, tuple(x.shape[1:]), shape[1:], tuple(weight.shape))

    def __repr__(self) -> str:
        # As it stands in a printed jaxpr.
        return f"{self.spec.layer.function}[{self.spec.group.name}]"

    @property
    def identity(self) -> str:
        """A text that is equal for equal programs, in any process."""
        return f"{self.dtype} {self.signal} {self.output} {self.weight} {self.spec.text}"

    def check(self, run: Run, batch: int) -> None:
        """Raises the ValueError that the engine has for this run, if it has one."""
        _check(self, run, batch)


@lru_cache(maxsize=1024)
def _check(program: Program, run: Run, batch: int) -> None:
    shapes = (batch, *program.signal), program.weight
    _native.explain(program.spec, RUNS[run], False, *shapes, program.dtype.itemsize == 8)
