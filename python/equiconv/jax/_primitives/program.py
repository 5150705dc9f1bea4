# SPDX-License-Identifier: Apache-2.0
"""A layer between arrays of given shapes: what is static in a program of JAX."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ... import _native
from ..._checks.arrays import Shaped
from ..._groups.point_group import PointGroup
from ..._layer.calls import RUNS
from ..._layer.explanation import Run
from ..._layer.layer import Kernel, Layer
from ..._layer.sampling import Sampling, output_shape


@dataclass(frozen=True)
class Program:
    """A layer of given sizes, but for the batch.

    Attributes:
        text: the layer (docs/LayerFormat.md), which compiled programs carry.
        dtype: of all arrays.
        signal, output: shapes without the batch.
        weight: its shape.
    """

    text: str
    dtype: np.dtype[Any]
    signal: tuple[int, ...]
    output: tuple[int, ...]
    weight: tuple[int, ...]
    # (layer, group, sampling, kernel), for the checks of the engine.
    arguments: tuple[Layer, PointGroup, Sampling, Kernel] = field(compare=False, repr=False)

    def __repr__(self) -> str:
        # As it stands in a printed jaxpr.
        layer, group, _, _ = self.arguments
        return f"{layer.function}[{group.name}]"

    @property
    def identity(self) -> str:
        """A text that is equal for equal programs, in any process."""
        return f"{self.dtype} {self.signal} {self.output} {self.weight} {self.text}"

    def check(self, run: Run, batch: int) -> None:
        """Raises the ValueError that the engine has for this run, if it has one."""
        _check(self, run, batch)

    @classmethod
    def of(
        cls,
        layer: Layer,
        x: Shaped,
        weight: Shaped,
        group: PointGroup,
        sampling: Sampling,
        kernel: Kernel,
    ) -> Program:
        """The layer between arrays of these shapes, which have been checked."""
        extents = kernel.extents(weight, group.dimension)
        shape = output_shape(x, weight.shape[0], extents, group, layer, sampling)
        text = _native.layer_text(
            layer.code, tuple(x.shape), tuple(weight.shape), x.dtype.itemsize == 8, group, sampling.stride,
            sampling.padding, sampling.dilation, sampling.padding_mode, sampling.algorithm, kernel.basis,
            kernel.interpolation, kernel.group_basis, kernel.quadrature, layer.spaces,
        )  # fmt: skip
        arguments = (layer, group, sampling, kernel)
        return cls(text, x.dtype, tuple(x.shape[1:]), shape[1:], tuple(weight.shape), arguments)


@lru_cache(maxsize=1024)
def _check(program: Program, run: Run, batch: int) -> None:
    layer, group, sampling, kernel = program.arguments
    _native.explain(
        layer.code, RUNS[run], False, (batch, *program.signal), program.weight, program.dtype.itemsize == 8, group,
        sampling.stride, sampling.padding, sampling.dilation, sampling.padding_mode, sampling.algorithm, kernel.basis,
        kernel.interpolation, kernel.group_basis, kernel.quadrature, layer.spaces,
    )  # fmt: skip
