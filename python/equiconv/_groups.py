# SPDX-License-Identifier: Apache-2.0
"""Finite groups of matrices: the stabilizer H of the origin in G = R^d x| H."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._arguments import integer, value_text

_LARGEST_ORDER = 4096


class PointGroup(_native.Group):
    """A finite group H of d x d matrices acting on R^d, with d = 1, 2 or 3.

    Made by `trivial`, `cyclic`, `dihedral`, `reflection`, `octahedral`, `full_octahedral` or
    `PointGroup.from_matrices`. Immutable; elements are the numbers ``0...order - 1`` and 0 is the identity. Groups are
    equal if they have the same matrices in the same order; they can be hashed, copied and pickled.

    Matrices act on coordinates (x), (x, y) or (x, y, z) with x = column, y = -row (up) and z = -depth, so the rotation
    by +90 degrees turns arrays as `numpy.rot90` does.

    Attributes:
        order: the number of elements |H|.
        dimension: the number d of axes it acts on.
        is_lattice: whether all matrices are signed permutations, so that H maps the pixel grid to itself. Layers
            need such a group.
        name: for example ``"C4"``.

    Example:
        >>> group = cyclic(4)
        >>> int(group.cayley[1, 3])
        0
    """

    __slots__ = ("_arrays", "_recipe")

    # How to make the group again: the kind and argument of _native.Group.
    _recipe: tuple[str, int | NDArray[np.float64] | None]
    _arrays: dict[str, NDArray[Any]]

    def __new__(cls, *_arguments: object, **_keywords: object) -> PointGroup:
        """Always raises TypeError: groups come from the functions named above."""
        raise TypeError(
            "PointGroup cannot be called: use equiconv.cyclic(n), dihedral(n), trivial(d), reflection(), octahedral(), "
            "full_octahedral() or PointGroup.from_matrices(matrices)"
        )

    @classmethod
    def from_matrices(cls, matrices: ArrayLike) -> PointGroup:
        """The group of the given matrices, in their order.

        Args:
            matrices: real numbers of shape (order, d, d), acting on (x), (x, y) or (x, y, z). The first must be the
                identity, and products and inverses must be among them. Entries within 1e-6 count as equal.

        Raises:
            TypeError: `matrices` are not real numbers.
            ValueError: wrong shape; infinite or NaN entries; identity not first; a duplicate; a singular matrix or a
                missing inverse; a missing product. The message names the elements.

        Example:
            >>> half_turn = PointGroup.from_matrices([[[1, 0], [0, 1]], [[-1, 0], [0, -1]]])
            >>> half_turn.order
            2
        """
        try:
            array = np.asarray(matrices)
            if array.dtype.kind not in "iuf":
                raise TypeError(f"matrices has dtype {array.dtype}, expected real numbers")
            array = np.array(array, dtype=np.float64, order="C")
        except ValueError as error:
            raise TypeError(f"matrices cannot be turned into an array of numbers: {error}") from error
        if array.ndim != 3 or array.shape[1] != array.shape[2] or array.shape[1] not in (1, 2, 3):
            raise ValueError(f"matrices has shape {array.shape}, expected (order, d, d) with d = 1, 2 or 3")
        if not 1 <= array.shape[0] <= _LARGEST_ORDER:
            raise ValueError(f"matrices has shape {array.shape}, expected an order from 1 to {_LARGEST_ORDER}")
        array.setflags(write=False)
        return _make("matrices", array)

    @property
    def matrices(self) -> NDArray[np.float64]:
        """The matrices, shape (order, d, d), read-only."""
        return self._array("matrices", self.get_matrices)

    @property
    def cayley(self) -> NDArray[np.int32]:
        """The Cayley table, shape (order, order), read-only: ``cayley[a, b]`` is the number of the product a b."""
        return self._array("cayley", self.get_cayley)

    @property
    def inverses(self) -> NDArray[np.int32]:
        """The number of the inverse of each element, shape (order,), read-only."""
        return self._array("inverses", self.get_inverses)

    @property
    def determinants(self) -> NDArray[np.float64]:
        """The determinant of each matrix, shape (order,), read-only."""
        return self._array("determinants", self.get_determinants)

    def cosets(self, subgroup: Iterable[int]) -> NDArray[np.int32]:
        """The left cosets a K of a subgroup K.

        Args:
            subgroup: the elements of K, in any order.

        Returns:
            Shape (order,): the number of the coset each element is in, numbered by first appearance.

        Raises:
            TypeError: an element is not an integer.
            ValueError: an element does not exist, or K is not a subgroup.

        Example:
            >>> dihedral(2).cosets([0, 2])
            array([0, 1, 0, 1], dtype=int32)
        """
        try:
            elements = [index(element) for element in subgroup]
        except TypeError:
            raise TypeError(f"subgroup is {value_text(subgroup)}, expected a sequence of integers") from None
        for position, element in enumerate(elements):
            if not 0 <= element < self.order:
                raise ValueError(
                    f"subgroup[{position}] is {element}, expected an element of {self.name}: 0 to {self.order - 1}"
                )
        return self.get_left_cosets(np.array(elements, dtype=np.int32))

    def _array(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        array = self._arrays.get(name)
        if array is None:
            array = make()
            array.setflags(write=False)
            array = self._arrays.setdefault(name, array)
        return array

    def _array_axes(self, element: int) -> tuple[int, ...]:
        """For each spatial array axis of L_g f the axis of f that it comes from; lattice groups only."""
        # Row i of g reads coordinate argmax(row); coordinate i is array axis d - 1 - i.
        sources = np.abs(self.matrices[element]).argmax(axis=1)[::-1]
        return tuple(self.dimension - 1 - int(source) for source in sources)

    def _moved_axes(self) -> frozenset[int]:
        """The spatial array axes that some element mirrors or exchanges with another."""
        moved = np.any(np.diagonal(self.matrices, axis1=1, axis2=2) < 0.5, axis=0)[::-1]
        return frozenset(int(axis) for axis in np.flatnonzero(moved))

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"PointGroup is immutable: {name} cannot be deleted")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"PointGroup is immutable: {name} cannot be set")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, PointGroup):
            return NotImplemented
        return self.matrices.shape == other.matrices.shape and bool(np.all(self.matrices == other.matrices))

    def __hash__(self) -> int:
        # Adding zero turns -0.0 into 0.0, which is equal but has other bytes.
        return hash((self.matrices.shape, (self.matrices + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"PointGroup({self.name!r}, order={self.order}, dimension={self.dimension})"

    def __copy__(self) -> PointGroup:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> PointGroup:
        return self

    def __reduce__(self) -> tuple[Callable[..., PointGroup], tuple[Any, ...]]:
        kind, argument = self._recipe
        return (_restore, (kind, argument))


def _make(kind: str, argument: int | NDArray[np.float64] | None) -> PointGroup:
    group = _native.Group.__new__(PointGroup, kind, argument)
    assert isinstance(group, PointGroup)
    object.__setattr__(group, "_recipe", (kind, argument))
    object.__setattr__(group, "_arrays", {})
    return group


# One object for equal calls, so that the engine recognises the group of a plan at a glance.
_make_once = lru_cache(maxsize=64)(_make)


def _named(kind: str, argument: int | None) -> PointGroup:
    # Large groups hold large tables, and should end with their last user.
    return _make_once(kind, argument) if argument is None or argument <= 64 else _make(kind, argument)


def _restore(kind: str, argument: Any) -> PointGroup:
    """Makes a pickled group again."""
    return PointGroup.from_matrices(argument) if kind == "matrices" else _named(kind, argument)


def trivial(d: int) -> PointGroup:
    """The trivial group {1} on d axes: ordinary convolution.

    Args:
        d: 1, 2 or 3.

    Raises:
        TypeError, ValueError: `d` is something else.

    Example:
        >>> trivial(2)
        PointGroup('trivial2', order=1, dimension=2)
    """
    return _named("trivial", integer("d", d, 1, 3))


def cyclic(n: int) -> PointGroup:
    """The n rotations of the plane: element r is the rotation by 2 pi r / n, counter-clockwise.

    A lattice group for n = 1, 2 and 4.

    Args:
        n: 1 to 4096.

    Raises:
        TypeError, ValueError: `n` is something else.

    Example:
        >>> cyclic(4)
        PointGroup('C4', order=4, dimension=2)
    """
    return _named("cyclic", integer("n", n, 1, _LARGEST_ORDER))


def dihedral(n: int) -> PointGroup:
    """The 2 n rotations and reflections of the plane.

    Element ``j * n + r`` is rotation(r) flip^j: first the left-right mirror (`numpy.fliplr`) if j = 1, then the
    rotation by 2 pi r / n. A lattice group for n = 1, 2 and 4.

    Args:
        n: 1 to 2048.

    Raises:
        TypeError, ValueError: `n` is something else.

    Example:
        >>> dihedral(4)
        PointGroup('D4', order=8, dimension=2)
    """
    return _named("dihedral", integer("n", n, 1, _LARGEST_ORDER // 2))


def reflection() -> PointGroup:
    """The group {1, -1} of the line (d = 1).

    Example:
        >>> reflection().order
        2
    """
    return _named("reflection", None)


def octahedral() -> PointGroup:
    """The 24 rotations of the cube (d = 3): signed permutation matrices of determinant 1.

    Example:
        >>> octahedral().order
        24
    """
    return _named("octahedral", None)


def full_octahedral() -> PointGroup:
    """The 48 symmetries of the cube (d = 3): element 24 + i is minus element i of `octahedral`.

    Example:
        >>> full_octahedral().order
        48
    """
    return _named("full_octahedral", None)
