# SPDX-License-Identifier: Apache-2.0
"""A layer as the words that a compiled program carries, with all there is to know of it but the batch.

`native/jax/words.c` reads them. A change of their order or meaning needs another LAYER_FORM there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _native
from ..._bases.basis import INTERPOLATIONS, GroupBasis, KernelBasis
from ..._checks.arrays import Shaped
from ..._groups.arguments import Stabilizer
from ..._groups.point_group import PointGroup
from ..._jax import LAYER_FORM
from ..._layer.explanation import Run
from ..._layer.layer import Kernel, Layer
from ..._layer.sampling import ALGORITHMS, PADDING_MODES, Sampling, output_shape

_NAME_BYTES = 32
_PADDING_SAME = -1
_RUNS: dict[Run, int] = {
    "forward": _native.FORWARD,
    "input_gradient": _native.INPUT_GRADIENT,
    "weight_gradient": _native.WEIGHT_GRADIENT,
}


@dataclass(frozen=True)
class Program:
    """A layer of given sizes. Equal, and hashed, by its words."""

    words: bytes
    dtype: np.dtype[Any] = field(compare=False)
    # Shapes without the batch, and of the weight.
    signal: tuple[int, ...] = field(compare=False)
    output: tuple[int, ...] = field(compare=False)
    weight: tuple[int, ...] = field(compare=False)
    # (layer, group, sampling, kernel), for the checks of the engine.
    arguments: tuple[Layer, PointGroup, Sampling, Kernel] = field(compare=False, repr=False)

    def __repr__(self) -> str:
        # As it stands in a printed jaxpr.
        layer, group, _, _ = self.arguments
        return f"{layer.function}[{group.name}]"

    @property
    def attribute(self) -> NDArray[np.int64]:
        """The words as the attribute of a call."""
        return np.frombuffer(self.words, np.int64)

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
        words = np.concatenate(
            [
                _integers([LAYER_FORM]),
                _descriptor(layer, x, weight, extents, group, sampling, kernel),
                _group(group),
                _basis(kernel.basis),
                _group_basis(kernel.group_basis),
                _stabilizer(layer.input_stabilizer),
                _stabilizer(layer.output_stabilizer),
            ]
        )
        shape = output_shape(x, weight.shape[0], extents, group, layer, sampling)
        arguments = (layer, group, sampling, kernel)
        return cls(words.tobytes(), x.dtype, tuple(x.shape[1:]), shape[1:], tuple(weight.shape), arguments)


@lru_cache(maxsize=1024)
def _check(program: Program, run: Run, batch: int) -> None:
    layer, group, sampling, kernel = program.arguments
    _native.explain(
        layer.code, _RUNS[run], False, (batch, *program.signal), program.weight, program.dtype.itemsize == 8, group,
        sampling.stride, sampling.padding, sampling.dilation, sampling.padding_mode, sampling.algorithm, kernel.basis,
        kernel.interpolation, kernel.group_basis, kernel.quadrature, layer.spaces,
    )  # fmt: skip


def _integers(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), np.int64)


def _doubles(values: Iterable[float]) -> NDArray[np.int64]:
    """Words with the bits of the numbers."""
    return np.array(list(values), np.float64).view(np.int64)


def _name(text: str) -> NDArray[np.int64]:
    data = text.encode("ascii")
    assert len(data) < _NAME_BYTES
    return np.frombuffer(data.ljust(_NAME_BYTES, b"\0"), np.int64)


def _axes(sizes: Sequence[int]) -> list[int]:
    """Three numbers, 1 beyond the dimension."""
    return [*sizes, *(1,) * (3 - len(sizes))]


def _descriptor(
    layer: Layer,
    x: Shaped,
    weight: Shaped,
    extents: tuple[int, ...],
    group: PointGroup,
    sampling: Sampling,
    kernel: Kernel,
) -> NDArray[np.int64]:
    d = group.dimension
    same = sampling.padding == "same"
    padding = (_PADDING_SAME,) * d if same else sampling.amounts(extents)
    return _integers(
        [
            layer.code,
            x.dtype.itemsize == 8,
            PADDING_MODES.index(sampling.padding_mode),
            ALGORITHMS.index(sampling.algorithm),
            d,
            layer.depthwise,
            INTERPOLATIONS.index(kernel.interpolation),
            kernel.quadrature,
            x.shape[1],
            weight.shape[0],
            *_axes(x.shape[-d:]),
            *_axes(extents),
            *_axes(sampling.stride),
            *_axes(padding),
            *_axes(sampling.dilation),
        ]
    )


def _group(group: PointGroup) -> NDArray[np.int64]:
    kind, argument = group._recipe
    if isinstance(argument, np.ndarray):
        n, numbers = group.dimension, _doubles(argument.ravel())
    elif isinstance(argument, tuple):
        n, numbers = argument[0], _doubles(argument[1])
    else:
        n, numbers = argument or 0, _doubles([])
    return np.concatenate([_name(kind), _integers([n, len(numbers)]), numbers])


def _basis(basis: KernelBasis | None) -> NDArray[np.int64]:
    if basis is None:
        return _name("")
    kind, extents, number, real, reals, integers = basis._recipe
    return np.concatenate(
        [
            _name(kind),
            _integers([len(extents), *_axes(extents), number]),
            _doubles([real]),
            _integers([len(reals)]),
            _doubles(reals),
            _integers([len(integers), *integers]),
        ]
    )


def _group_basis(basis: GroupBasis | None) -> NDArray[np.int64]:
    if basis is None:
        return _integers([0])
    numbers, degree, scale = basis._recipe
    if scale > 0:
        return np.concatenate([_integers([2, degree]), _doubles([scale]), _integers([len(numbers)]), _doubles(numbers)])
    return _integers([1, len(numbers), *numbers])


def _stabilizer(subgroup: Stabilizer | None) -> NDArray[np.int64]:
    return _integers([0] if subgroup is None else [len(subgroup), *subgroup.get_elements()])
