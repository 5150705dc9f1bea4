# SPDX-License-Identifier: Apache-2.0
"""How elements of a group move the axes of arrays. The engine knows; nothing here is worked out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _native
from .point_group import PointGroup


@dataclass(frozen=True)
class AxisAction:
    """How an element g turns arrays: axis a of L_g f is axis ``axes[a]`` of f, reversed where ``signs[a]`` is -1."""

    axes: tuple[int, ...]
    signs: tuple[int, ...]


def axis_action(group: PointGroup, element: int) -> AxisAction:
    """The action of one of the `lattice_elements`."""
    axes, signs = group.get_axis_actions()
    return AxisAction(tuple(axes[element].tolist()), tuple(signs[element].tolist()))


def lattice_elements(group: PointGroup) -> list[int]:
    """The elements whose matrices are signed permutations, a subgroup: those that act without interpolation."""
    axes, _ = group.get_axis_actions()
    return [int(element) for element in np.flatnonzero(axes[:, 0] >= 0)]


def exchanges(group: PointGroup, one: int, other: int) -> bool:
    """Whether a lattice group has an element that takes one array axis to the other."""
    axes, _ = group.get_axis_actions()
    return bool(np.any(axes[:, one] == other))


def axis_orbits(group: PointGroup) -> list[tuple[int, ...]]:
    """The array axes, each with those that lattice elements exchange it with."""
    axes, _ = group.get_axis_actions()
    kept = axes[axes[:, 0] >= 0]
    orbits = [tuple(sorted({int(other) for other in kept[:, axis]})) for axis in range(group.dimension)]
    return list(dict.fromkeys(orbits))


def moved_axes(group: PointGroup) -> tuple[int, ...]:
    """The array axes that some element mirrors, exchanges with another or mixes; not those it only scales."""
    return tuple(int(axis) for axis in np.flatnonzero(group.get_moved_axes()))


def mixed_axes(group: PointGroup) -> list[tuple[int, ...]]:
    """The array axes in sets whose axes elements exchange or mix, and on which strides and padding have to be equal."""
    is_mixed = np.any(group.matrices != 0, axis=0) | np.eye(group.dimension, dtype=bool)
    # After two steps along a relation between at most 3 axes, all that can be reached have been.
    reached = np.linalg.matrix_power(array_matrix(is_mixed.astype(np.float64) + 0.0), 2) != 0
    reached |= reached.T
    return list(dict.fromkeys(tuple(np.flatnonzero(row).tolist()) for row in reached))


def array_matrix(matrix: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The matrix by which a linear map of coordinates (x), (x, y) or (x, y, z) moves displacements on array axes."""
    return _native.array_matrix(np.ascontiguousarray(matrix, np.float64))
