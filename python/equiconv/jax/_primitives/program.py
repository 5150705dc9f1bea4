# SPDX-License-Identifier: Apache-2.0
"""A layer between arrays of given shapes: what is static in a program of JAX."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from ... import _native
from ..._checks.arrays import Shaped
from ..._layer.explanation import Run
from ..._layer.spec import RUNS, LayerSpec
from .backends import Backend, check_algorithm, check_backend_has, may_be_by_engine


@dataclass(frozen=True)
class Program:
    """A layer of given sizes, but for the batch.

    Attributes:
        spec: the layer, whose text compiled programs carry: one object for equal layers.
        dtype: of all arrays.
        signal, output: shapes without the batch.
        weight: its shape.
        backend: what computes it; None for what fits the dtype and the platform.
        precision: that of XLA's products where the layer is called, as `jax.default_matmul_precision` sets it.
    """

    spec: LayerSpec
    dtype: np.dtype[Any]
    signal: tuple[int, ...]
    output: tuple[int, ...]
    weight: tuple[int, ...]
    backend: Backend | None
    precision: str | None

    @classmethod
    def of(cls, spec: LayerSpec, x: Shaped, weight: Shaped, backend: Backend | None) -> Program:
        """The layer between arrays of these shapes. Raises TypeError or ValueError where they do not fit."""
        shape = spec.check_operands(x, weight)
        check_backend_has(x.dtype, backend)
        precision = jax.config.jax_default_matmul_precision
        return cls(spec, x.dtype, tuple(x.shape[1:]), shape[1:], tuple(weight.shape), backend, precision)

    def __repr__(self) -> str:
        # As it stands in a printed jaxpr.
        return f"{self.spec.layer.function}[{self.spec.group.name}]"

    @property
    def identity(self) -> str:
        """A text that is equal for equal programs, in any process."""
        return (
            f"{self.dtype} {self.signal} {self.output} {self.weight} {self.backend} {self.precision} {self.spec.text}"
        )

    @property
    def extents(self) -> tuple[int, ...]:
        """The taps of the kernel."""
        basis, d = self.spec.kernel.basis, self.spec.group.dimension
        return self.weight[-d:] if basis is None else basis.extents

    def check(self, run: Run, batch: int) -> None:
        """Raises the ValueError that the backend has for this run, if it has one."""
        if may_be_by_engine(self.dtype, self.backend):
            _check(self, run, batch)
        else:
            check_algorithm(self.spec.sampling.algorithm)


@lru_cache(maxsize=1024)
def _check(program: Program, run: Run, batch: int) -> None:
    shapes = (batch, *program.signal), program.weight
    _native.explain(program.spec, RUNS[run], False, *shapes, program.dtype.itemsize == 8)
