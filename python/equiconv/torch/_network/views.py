# SPDX-License-Identifier: Apache-2.0
"""How the axes of a tensor are those of a value: a reshaped signal is the same signal.

A value has the axes B, C, X (the fiber) and one for each axis of space. A tensor of it may have several of them in one,
as after `flatten`, and axes of size 1 that are none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch.fx.experimental.symbolic_shapes import statically_known_true

from ..._network.types import ValueType

# An int, or a symbol of `torch.export`.
Size: TypeAlias = Any
# The axes of a value that make each axis of a tensor, in order.
Axes: TypeAlias = tuple[tuple[str, ...], ...]


def natural_axes(value: ValueType) -> Axes:
    """The axes of a tensor that is a value as it stands."""
    fiber = () if value.group is None else (("X",),)
    return (("B",), ("C",), *fiber, *((str(axis),) for axis in range(value.dimension)))


@dataclass
class Cell:
    """A value that an operation in place may replace, for all tensors that share its memory."""

    name: str
    type: ValueType
    sizes: Mapping[str, Size]

    @property
    def space(self) -> tuple[str, ...]:
        """Its axes of space."""
        return tuple(str(axis) for axis in range(self.type.dimension))


@dataclass(frozen=True)
class Padding:
    """What surrounds a signal, for the convolution that reads it."""

    mode: str
    amounts: tuple[int, ...]


@dataclass(frozen=True)
class Tracked:
    """A tensor of a program: which value it is, and how.

    Attributes:
        cell: the value.
        axes: what its axes are made of.
        dtype: of its numbers, which are those of the value.
        padding: pixels about it, which are not in the value.
        node: where it got its axes, if not natural.
    """

    cell: Cell
    axes: Axes
    dtype: torch.dtype
    padding: Padding | None = None
    node: Any = None

    @property
    def is_natural(self) -> bool:
        """Whether it is the value as it stands."""
        return self.axes == natural_axes(self.cell.type) and self.padding is None

    @property
    def is_flat(self) -> bool:
        """Whether it is (B, F) with all axes but the batch in one, in order."""
        rest = tuple(name for axis in natural_axes(self.cell.type)[1:] for name in axis)
        return self.axes == (("B",), rest) and self.padding is None

    def axis(self, number: int) -> tuple[str, ...]:
        """What an axis, which may count from the end, is made of."""
        return self.axes[number]

    def without_ones(self) -> Tracked:
        """Without axes that are none of the value's."""
        return replace(self, axes=tuple(axis for axis in self.axes if axis))

    def reshaped(self, shape: Sequence[Size], node: Any) -> Tracked | None:
        """The same value with another shape; None if its axes would be cut."""
        atoms = [name for axis in self.axes for name in axis]
        axes = _grouped(atoms, self.cell.sizes, shape)
        return None if axes is None or self.padding is not None else replace(self, axes=axes, node=node)


def _grouped(atoms: list[str], sizes: Mapping[str, Size], shape: Sequence[Size]) -> Axes | None:
    """The atoms, in order, in axes of these sizes."""
    axes: list[tuple[str, ...]] = []
    start = 0
    for index, size in enumerate(shape):
        end, product = start, 1
        # An axis of size 1 takes an atom of size 1, if that is next.
        while end < len(atoms) and (not are_equal(product, size) or (end == start and are_equal(sizes[atoms[end]], 1))):
            product = product * sizes[atoms[end]]
            end += 1
        if not are_equal(product, size):
            return None
        # The only element of a group of one goes with the channels, unless it has an axis of its own.
        has_own = index + 1 < len(shape) and are_equal(shape[index + 1], 1)
        if start < end < len(atoms) and atoms[end] == "X" and are_equal(sizes["X"], 1) and not has_own:
            end += 1
        axes.append(tuple(atoms[start:end]))
        start = end
    rest = atoms[start:]
    if any(not are_equal(sizes[name], 1) for name in rest) or (rest and not axes):
        return None
    if rest:
        axes[-1] += tuple(rest)
    return tuple(axes)


def fixed(size: Size) -> int | None:
    """A size that is a number; None for one that depends on the input."""
    if isinstance(size, torch.SymInt):
        number: int | None = size.node.maybe_as_int()
        return number
    return int(size)


def are_equal(first: Size, second: Size) -> bool:
    """Whether two sizes are equal for all sizes of an input."""
    if isinstance(first, int) and isinstance(second, int):
        return first == second
    return bool(statically_known_true(first == second))
