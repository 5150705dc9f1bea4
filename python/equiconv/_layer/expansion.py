# SPDX-License-Identifier: Apache-2.0
"""The filter bank of a layer, as tables: what a front needs to compute the layer by ordinary convolutions.

    bank[(o, p), (c, q), u] = mean over h in p of  sum over i, j of  fiber[h, q, i] space[h, u, j] w[o, c, i, j]

for points p of Y and q of X, taps u, functions i on the group and coefficients j of the kernel. The engine makes the
two factors. Where a factor takes each number from one place, as for all pixel kernels on lattice groups, it is a table
of places, and the bank is made without arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _native
from .._groups.cosets import left_cosets
from .spec import LayerSpec, layer_of

_Floats = NDArray[np.float64]
_Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Factor:
    """One of the two factors: a table of places, or a matrix.

    Attributes:
        places: (|H|, outputs) of numbers of inputs, -1 for none; None for a matrix.
        matrix: (|H|, outputs, inputs); None for a table.
        outputs, inputs: how many there are for one element.
    """

    places: _Places | None
    matrix: _Floats | None
    outputs: int
    inputs: int

    @classmethod
    def of_matrix(cls, matrix: _Floats) -> Factor:
        """The factor with this matrix, as a table where each row has a single 1 at most."""
        _, outputs, inputs = matrix.shape
        filled = np.count_nonzero(matrix, axis=2)
        if np.any(filled > 1) or np.any((matrix != 0) & (matrix != 1)):
            return cls(None, matrix, outputs, inputs)
        return cls(np.where(filled == 1, matrix.argmax(axis=2), -1), None, outputs, inputs)

    @classmethod
    def of_numbers(cls, numbers: _Floats, inputs: int) -> Factor:
        """The table whose entries are these less 1: what a bank holds if its weights are 1, 2, 3 and so on."""
        places = np.rint(numbers).astype(np.int64) - 1
        return cls(places, None, places.shape[1], inputs)


@dataclass(frozen=True, eq=False)
class Expansion:
    """How the bank of a layer is made of its weights.

    Attributes:
        fiber: from the functions on H to the points of X.
        space: from the coefficients of a kernel to the taps of the bank.
        cosets: (|Y|, |K'|), the elements over which each point of Y takes the mean.
        order: |H|.
        taps: the extents of the bank, at least those of the kernel.
    """

    fiber: Factor
    space: Factor
    cosets: _Places
    order: int
    taps: tuple[int, ...]


@lru_cache(maxsize=256)
def expansion_of(spec: LayerSpec, extents: tuple[int, ...]) -> Expansion:
    """The expansion of a layer whose kernels have these taps."""
    space, taps = _space(spec, extents)
    return Expansion(_fiber(spec), space, _cosets(spec), spec.group.order, taps)


def _space(spec: LayerSpec, extents: tuple[int, ...]) -> tuple[Factor, tuple[int, ...]]:
    group, kernel = spec.group, spec.kernel
    lifting = layer_of("lifting", group, 1, 0, 1, "zeros", "direct", kernel.basis, kernel.interpolation, None, False, 1)
    ends = extents if kernel.basis is None else kernel.basis.shape
    count = math.prod(ends)
    if group.is_lattice and kernel.has_pixels():
        bank = _native.expand(lifting, np.arange(1.0, count + 1).reshape(1, 1, *ends))
        return Factor.of_numbers(bank.reshape(group.order, -1), count), bank.shape[2:]
    bank = _native.expand(lifting, np.eye(count).reshape(count, 1, *ends))
    return Factor.of_matrix(bank.reshape(count, group.order, -1).transpose(1, 2, 0)), bank.shape[2:]


def _fiber(spec: LayerSpec) -> Factor:
    group, kernel, layer = spec.group, spec.kernel, spec.layer
    points = layer.input_points(group)
    if points is None:
        return Factor(np.zeros((group.order, 1), np.int64), None, 1, 1)
    source = (0,) if layer.input_stabilizer is None else tuple(map(int, layer.input_stabilizer.get_elements()))
    # With kernels of one pixel, whose value at the origin is their number for every element.
    options = (1, 0, 1, "zeros", "direct", None, "bilinear", kernel.group_basis, kernel.quadrature, 1)
    # Where H is a single element, its stabilizer is all of H, which to `conv` says that there is no axis.
    is_single = group.order == 1
    pixel = layer_of("group", group, *options) if is_single else layer_of("conv", group, *options, source, (0,))
    ones = (1,) * group.dimension
    functions = kernel.functions(group, layer) or 1
    is_table = kernel.group_basis is None and not kernel.quadrature
    weights: _Floats = np.arange(1.0, functions + 1)[None] if is_table else np.eye(functions)
    bank = _native.expand(pixel, weights.reshape(len(weights), 1, functions, *ones))
    center = (slice(None), slice(None), *(size // 2 for size in bank.shape[2:]))
    values = bank[center].reshape(len(weights), group.order, points) * np.abs(group.determinants)[:, None]
    return Factor.of_numbers(values[0], functions) if is_table else Factor.of_matrix(values.transpose(1, 2, 0))


def _cosets(spec: LayerSpec) -> _Places:
    group, layer = spec.group, spec.layer
    if not layer.writes_group:
        return np.arange(group.order)[None]
    if layer.output_stabilizer is None:
        return np.arange(group.order)[:, None]
    return left_cosets(layer.output_stabilizer)


@dataclass(frozen=True, eq=False)
class BankTables:
    """The steps from weights (O, C, I, J) to a bank, for a number of channels.

    1. v = w, or w times `space` along j: (O, C, I, |H| T)
    2. if there is a `fiber`, its matrix along i, for each element: (O, C, |H|, |X|, J or T)
    3. flat = (O, C and all the rest as one axis), with a zero at the end; bank = flat[:, index], of shape (O, *shape),
       and the mean over its axis of cosets, if that is longer than 1.

    The adjoint of the third step, before the mean, is a gather as well: flat[:, n] = sum over r of bank[:, adjoint[r,
    n]], with a zero at the end of the bank.

    Attributes:
        space: (J, |H| T), or None.
        fiber: (|H|, |X|, I), or None.
        index: (M,) int32.
        adjoint: (R, N) int32, N the length of the flat axis without the zero.
        has_zero, adjoint_has_zero: whether an entry of `index` or `adjoint` is that of the zero.
        shape: of the bank after O, with the axes of `order`.
    """

    space: _Floats | None
    fiber: _Floats | None
    index: NDArray[np.int32]
    adjoint: NDArray[np.int32]
    has_zero: bool
    adjoint_has_zero: bool
    shape: tuple[int, ...]


# Axes of banks: points p of Y, elements h of a point, taps u, channels c, points q of X.
FLAT_FIRST, FLAT_LAST, POINTS_OUTSIDE = "phcqu", "phucq", "phuqc"


def bank_tables(
    expansion: Expansion,
    channels: int,
    order: str = FLAT_FIRST,
    outputs: tuple[int, ...] | None = None,
    inputs: tuple[int, ...] | None = None,
) -> BankTables:
    """The steps by which a bank is made.

    Args:
        expansion: of the layer.
        channels: C of the weights.
        order: of the axes of the bank: `FLAT_FIRST` is that of a convolution's weight, the others have the axes of
            channels last.
        outputs, inputs: points of Y and of X, for a part of the bank; all if not given.
    """
    fiber, space = expansion.fiber, expansion.space
    cosets = expansion.cosets if outputs is None else expansion.cosets[list(outputs)]
    points = np.arange(fiber.outputs) if inputs is None else np.array(inputs, np.int64)
    columns, count = _columns(fiber, space, expansion.order)
    # (p, h, q, u), then with channels: (p, h, c, q, u).
    chosen = columns[cosets][:, :, points][:, :, None]
    zero = channels * count
    starts = (np.arange(channels) * count)[:, None, None]
    index = np.where(chosen < 0, zero, chosen + starts)
    index = index.transpose([FLAT_FIRST.index(axis) for axis in order])
    adjoint, adjoint_has_zero = _adjoint(index.ravel(), zero)
    matrix = None if space.matrix is None else space.matrix.reshape(-1, space.inputs).T
    return BankTables(
        None if matrix is None else np.ascontiguousarray(matrix), fiber.matrix, index.ravel().astype(np.int32),
        adjoint, bool(np.any(index == zero)), adjoint_has_zero, index.shape,
    )  # fmt: skip


def _columns(fiber: Factor, space: Factor, order: int) -> tuple[_Places, int]:
    """Where entry (h, q, u) of the bank of one channel stands after the second step, -1 for none; and their number."""
    elements = np.arange(order)[:, None, None]
    taps = np.arange(space.outputs) if space.places is None else space.places[:, None]
    width = space.inputs if space.places is not None else space.outputs
    if fiber.places is None:
        # (h, q, u or j)
        columns = (elements * fiber.outputs + np.arange(fiber.outputs)[:, None]) * width + taps
        count = order * fiber.outputs * width
    elif space.places is None:
        # (i, h, u)
        columns = (fiber.places[:, :, None] * order + elements) * width + taps
        count = fiber.inputs * order * width
    else:
        # (i, j)
        columns = fiber.places[:, :, None] * width + taps
        count = fiber.inputs * width
    absent: Any = np.zeros(columns.shape, bool)
    if fiber.places is not None:
        absent = absent | (fiber.places < 0)[:, :, None]
    if space.places is not None:
        absent = absent | (space.places < 0)[:, None]
    return np.where(absent, -1, columns), count


def _adjoint(index: _Places, count: int) -> tuple[NDArray[np.int32], bool]:
    """The places of each of `count` numbers in `index`, an array (R, count) filled up with ``len(index)``."""
    places = np.argsort(index, kind="stable")
    often = np.bincount(index, minlength=count + 1)[:count]
    rows = int(often.max(initial=1))
    # The r-th place of number n is that after the places of all smaller numbers, and r more.
    starts = np.concatenate([[0], np.cumsum(often)[:-1]])
    nth = np.arange(rows)[:, None]
    wanted = np.minimum(starts + nth, len(index) - 1)
    adjoint = np.where(nth < often, places[wanted], len(index))
    return adjoint.astype(np.int32), bool(np.any(often < rows))
