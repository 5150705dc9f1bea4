# SPDX-License-Identifier: Apache-2.0
"""How the lattice elements of a group act on what a layer reads and writes: what turned signals need.

With L the elements that map the grid to itself, and l in L,

    y[l p, x] = L_l (conv(L_{l^-1} f, k_p)),  (L_{l^-1} f)(q, x) = f(l q, l x)

for one point p of each orbit of L on Y: kernels are not turned, signals are. Where several l take p to one point, their
results agree up to rounding, and the layer is the mean of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._groups.arguments import Stabilizer
from .._groups.cosets import left_cosets
from .._groups.geometry import AxisAction, axis_action, lattice_elements
from .._groups.point_group import PointGroup
from .spec import LayerSpec

_Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Orbits:
    """The action of L on the points of a space.

    Attributes:
        moved: (|L|, points), the point l p.
        representatives: the points p of which each is in another orbit.
        elements, orbits: (R, points): for each point all pairs of an element l and an orbit whose representative l
            takes there, by their numbers. Orbits with fewer pairs than others have each of them as often as it takes.
    """

    moved: _Places
    representatives: tuple[int, ...]
    elements: _Places
    orbits: _Places

    @classmethod
    def of(cls, moved: _Places) -> Orbits:
        """The orbits of an action."""
        # The smallest point of the orbit of each, which the elements of a group reach from it.
        smallest = moved.min(axis=0)
        representatives, orbit_of = np.unique(smallest, return_inverse=True)
        pairs = [np.flatnonzero(moved[:, smallest[point]] == point) for point in range(moved.shape[1])]
        count = math.lcm(*(len(found) for found in pairs))
        elements = np.stack([np.repeat(found, count // len(found)) for found in pairs], axis=1)
        orbits = np.broadcast_to(orbit_of, elements.shape)
        return cls(moved, tuple(representatives.tolist()), elements, orbits)


@dataclass(frozen=True, eq=False)
class Turning:
    """L, and its action on space and on the points of X and Y.

    Attributes:
        turns, back: for each element how L_{l^-1} and L_l turn arrays.
        inputs, outputs: the orbits on X and on Y.
    """

    turns: tuple[AxisAction, ...]
    back: tuple[AxisAction, ...]
    inputs: Orbits
    outputs: Orbits


@lru_cache(maxsize=256)
def turning_of(spec: LayerSpec) -> Turning:
    """The turning of a layer. L is the identity alone in a set of elements that L does not map to itself."""
    group, layer = spec.group, spec.layer
    elements = np.array(lattice_elements(group))
    inverses = group.inverses[elements]
    if np.any(group.cayley[elements] < 0) or np.any(inverses < 0):
        elements = inverses = np.zeros(1, np.int64)
    inputs = _action(group, elements, layer.reads_group, layer.input_stabilizer)
    outputs = _action(group, elements, layer.writes_group, layer.output_stabilizer)
    turns, back = (tuple(axis_action(group, int(element)) for element in numbers) for numbers in (inverses, elements))
    return Turning(turns, back, Orbits.of(inputs), Orbits.of(outputs))


def _action(group: PointGroup, elements: NDArray[Any], has_fiber: bool, stabilizer: Stabilizer | None) -> _Places:
    """(|L|, points): where each element takes each point."""
    if not has_fiber:
        return np.zeros((len(elements), 1), np.int64)
    moved: _Places = group.cayley[elements].astype(np.int64)
    if stabilizer is not None:
        moved = stabilizer.get_left_cosets().astype(np.int64)[moved[:, left_cosets(stabilizer)[:, 0]]]
    return moved
