# SPDX-License-Identifier: Apache-2.0
"""Homogeneous spaces of G = Z_n^d x| H on a periodic grid, and the subgroups that define them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from .._checks.arguments import LARGEST, axes, integer, value_text
from .._groups.arguments import point_group, stabilizer_of
from .._groups.geometry import axis_action, exchanges
from .._groups.point_group import PointGroup

Points = NDArray[np.intp]

_LARGEST_SIZE = 2**26


@dataclass(frozen=True)
class Space:
    """The homogeneous space grid x H/K, on which G = Z_n^d x| H acts transitively.

    The grid is a torus: each axis is periodic, so that translations are a finite group and G acts exactly. Its origin
    is index ``n // 2`` on every axis; H fixes it. On an axis of odd size that is the center of the array, and H then
    acts on signals as `equiconv.act` does. (For even sizes `act` turns about a point between pixels. On the torus that
    is one of the elements of G too, with another translation.)

    An element g = (t, h) first applies h, then shifts by t: ``g (x, a K) = (h x + t, h a K)``. A signal on the space
    has the shape `signal_shape`; its points are numbered in that array's order.

    Attributes:
        group: H, a lattice group on d axes.
        shape: the sizes n of the d axes; equal on axes that H exchanges.
        stabilizer: the elements of the subgroup K, sorted: all of H for the plane, (0,) for the group G itself.

    Raises:
        TypeError, ValueError: an attribute of the wrong kind or value, a group that is not a lattice group, a
            stabilizer that is not a subgroup.

    Example:
        >>> Space(cyclic(4), (5, 5), (0, 2)).signal_shape
        (2, 5, 5)
    """

    group: PointGroup
    shape: tuple[int, ...]
    stabilizer: tuple[int, ...]

    def __post_init__(self) -> None:
        group = point_group(self.group)
        if not group.is_lattice:
            raise ValueError(f"group is {group.name}, expected a lattice group, which maps the grid to itself")
        shape = axes("shape", self.shape, group.dimension, 1)
        for one, other in combinations(range(group.dimension), 2):
            if exchanges(group, one, other) and shape[one] != shape[other]:
                raise ValueError(
                    f"shape is {shape}, expected equal sizes on axes {one} and {other}, which {group.name} exchanges"
                )
        elements = tuple(sorted(stabilizer_of("stabilizer", self.stabilizer, group).get_elements().tolist()))
        if prod(shape) * (group.order // len(elements)) > _LARGEST_SIZE:
            raise ValueError(f"shape is {value_text(shape)}, expected at most 2^26 points of grid x H/K")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "stabilizer", elements)

    @classmethod
    def plane(cls, group: PointGroup, shape: int | tuple[int, ...]) -> Space:
        """The grid itself, K = H: signals (B, C, spatial...).

        Example:
            >>> Space.plane(cyclic(4), 5).size
            25
        """
        checked = point_group(group)
        return cls(checked, axes("shape", shape, checked.dimension, 1), tuple(range(checked.order)))

    @classmethod
    def whole_group(cls, group: PointGroup, shape: int | tuple[int, ...]) -> Space:
        """The group G itself, K = {1}: signals (B, C, |H|, spatial...).

        Example:
            >>> Space.whole_group(cyclic(4), 5).size
            100
        """
        return cls(group, axes("shape", shape, point_group(group).dimension, 1), (0,))

    @property
    def fiber(self) -> int:
        """The number of cosets |H/K|."""
        return self.group.order // len(self.stabilizer)

    @property
    def size(self) -> int:
        """The number of points: grid points times |H/K|."""
        return self.fiber * prod(self.shape)

    @property
    def signal_shape(self) -> tuple[int, ...]:
        """The shape of one channel: (spatial...) if K = H, else (|H/K|, spatial...).

        Cosets are in the order of `PointGroup.cosets`: numbered by first appearance, K is number 0.
        """
        return self.shape if self.fiber == 1 else (self.fiber, *self.shape)

    @property
    def origin(self) -> int:
        """The number of the point (0, K), whose stabilizer in G is K."""
        return int(np.ravel_multi_index(tuple(n // 2 for n in self.shape), self.shape))

    def permutation(self, translation: tuple[int, ...], h: int) -> Points:
        """How g = (t, h) moves the points: point i goes to point ``p[i]``.

        On signals, ``(L_g f)[p] = f``, which is ``(L_g f)(x) = f(g^-1 x)``.

        Args:
            translation: t, an integer for each array axis: shifts as `numpy.roll` does.
            h: the number of an element of H.

        Returns:
            p, of shape (size,).

        Raises:
            TypeError, ValueError: not d integers; no such element.

        Example:
            >>> f = numpy.arange(5)
            >>> moved = numpy.empty(5, int)
            >>> moved[Space.plane(reflection(), 5).permutation((1,), 0)] = f
            >>> moved
            array([4, 0, 1, 2, 3])
        """
        shift = axes("translation", translation, self.group.dimension, -LARGEST)
        element = integer("h", h, 0, self.group.order - 1)
        sizes = np.array(self.shape)[:, None]
        offsets = np.indices(self.shape).reshape(len(self.shape), -1) - sizes // 2
        action = axis_action(self.group, element)
        turned = np.array(action.signs)[:, None] * offsets[list(action.axes)]
        moved = (turned + np.array(shift)[:, None] + sizes // 2) % sizes
        grid = np.ravel_multi_index(tuple(moved), self.shape)
        return np.asarray((coset_permutation(self, element)[:, None] * grid.size + grid).ravel(), np.intp)

    def representatives(self) -> Points:
        """For each coset of H/K its first element, shape (fiber,); the first is the identity."""
        firsts: Points = np.unique(self.group.cosets(self.stabilizer), return_index=True)[1]
        return firsts


def coset_permutation(space: Space, h: int) -> Points:
    """The number of h a K for each coset a K."""
    cosets = space.group.cosets(space.stabilizer)
    return np.asarray(cosets[space.group.cayley[h, space.representatives()]], np.intp)


def subgroups(group: PointGroup) -> list[tuple[int, ...]]:
    """All subgroups of H, each as the sorted tuple of its elements; sorted by order, then by elements.

    Adds one element at a time to the subgroups found so far, and takes the closure. Every subgroup of a finite group
    has generators, so none is missed. About (subgroups) |H|^2 (generators) operations: fine to order 100 or so.

    Args:
        group: any closed group H, lattice group or not.

    Raises:
        TypeError: `group` is not a PointGroup.
        ValueError: `group` is a set that is not closed, as scalings are.

    Example:
        >>> subgroups(cyclic(4))
        [(0,), (0, 2), (0, 1, 2, 3)]
    """
    checked_group = point_group(group)
    found: set[tuple[int, ...]] = {(0,)}
    pending = list(found)
    while pending:
        smaller = pending.pop()
        for element in sorted(set(range(checked_group.order)) - set(smaller)):
            larger = checked_group.subgroup((*smaller, element))
            if larger not in found:
                found.add(larger)
                pending.append(larger)
    return sorted(found, key=lambda elements: (len(elements), elements))
