# SPDX-License-Identifier: Apache-2.0
"""Finite groups of matrices: the stabilizer H of the origin in G = R^d x| H."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _native
from .._checks.arguments import choice, integer, items, real
from .._checks.arrays import reals

if TYPE_CHECKING:
    from .._native import GroupArgument

_LARGEST_ORDER = 4096
_AXES = ("x", "y", "z")


class PointGroup(_native.Group):
    """A finite group H of d x d matrices acting on R^d, with d = 1, 2 or 3.

    Made by `trivial`, `cyclic`, `dihedral`, `reflection`, `octahedral` and the other functions of this module, or by
    `PointGroup.from_matrices`. Immutable; elements are the numbers ``0...order - 1`` and 0 is the identity. Groups are
    equal if they have the same matrices in the same order; they can be hashed, copied and pickled.

    Matrices act on coordinates (x), (x, y) or (x, y, z) with x = column, y = -row (up) and z = -depth, so the rotation
    by +90 degrees turns arrays as `numpy.rot90` does.

    Infinite groups, those of `scaling` and `similarity`, come as a finite set of elements that is not closed:
    `cayley` and `inverses` have -1 where a product or an inverse is not in the set.

    Attributes:
        order: the number of elements |H|.
        dimension: the number d of axes it acts on.
        is_lattice: whether all matrices are signed permutations, so that H maps the pixel grid to itself and
            nothing is interpolated.
        is_closed: whether every product of elements is an element; False for scalings.
        name: for example ``"C4"``.

    Example:
        >>> group = cyclic(4)
        >>> int(group.cayley[1, 3])
        0
    """

    __slots__ = ("__weakref__", "_arrays", "_recipe")

    # How to make the group again: the kind and argument of _native.Group.
    _recipe: tuple[str, GroupArgument]
    _arrays: dict[str, NDArray[Any]]

    def __new__(cls, *_arguments: object, **_keywords: object) -> PointGroup:
        """Always raises TypeError: groups come from the functions named above."""
        raise TypeError(
            "PointGroup cannot be called: use equiconv.cyclic(n), dihedral(n), trivial(d), reflection(), octahedral(), "
            "another of its functions or PointGroup.from_matrices(matrices)"
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
        array = reals("matrices", matrices)
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
        """The Cayley table, shape (order, order), read-only: ``cayley[a, b]`` is the number of the product a b.

        -1 where a set that is not closed does not have the product.
        """
        return self._array("cayley", self.get_cayley)

    @property
    def inverses(self) -> NDArray[np.int32]:
        """The number of the inverse of each element, shape (order,), read-only; -1 where there is none."""
        return self._array("inverses", self.get_inverses)

    @property
    def determinants(self) -> NDArray[np.float64]:
        """The determinant of each matrix, shape (order,), read-only."""
        return self._array("determinants", self.get_determinants)

    @property
    def quadrature_weights(self) -> NDArray[np.float64]:
        """Weights of the elements, shape (order,), read-only, with the sum 1.

        The weighted sum of a function over H stands for its mean by the Haar measure. 1 / order for a closed group; for
        scalings the trapezoidal rule in log s over the sorted factors, divided among the rotations of a similarity.
        """
        return self._array("quadrature_weights", self.get_quadrature_weights)

    def subgroup(self, generators: Iterable[int]) -> tuple[int, ...]:
        """The elements, ascending, of the smallest subgroup that contains the given ones.

        Args:
            generators: elements, in any order.

        Raises:
            TypeError: an element is not an integer.
            ValueError: an element does not exist, or a product is not in a set that is not closed.

        Example:
            >>> dihedral(4).subgroup([2, 4])
            (0, 2, 4, 6)
        """
        elements = self._elements("generators", generators)
        members = {0}
        frontier = [0]
        while frontier:
            products = {int(product) for product in self.cayley[np.ix_(frontier, elements)].flat}
            if -1 in products:
                raise ValueError(f"generators is {elements}, expected elements of a subgroup in {self.name}")
            frontier = sorted(products - members)
            members.update(frontier)
        return tuple(sorted(members))

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
        elements = np.array(self._elements("subgroup", subgroup), dtype=np.int32)
        return _native.Subgroup(self, elements).get_left_cosets()

    def _elements(self, name: str, values: Iterable[int]) -> list[int]:
        """The values as elements of this group; raises TypeError or ValueError."""
        given = items(name, values, "a sequence of integers")
        try:
            return [integer(f"{name}[{i}]", element, 0, self.order - 1) for i, element in enumerate(given)]
        except ValueError as error:
            raise ValueError(f"{error}, an element of {self.name}") from None

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


def _make(kind: str, argument: GroupArgument) -> PointGroup:
    group = _native.Group.__new__(PointGroup, kind, argument)
    assert isinstance(group, PointGroup)
    object.__setattr__(group, "_recipe", (kind, argument))
    object.__setattr__(group, "_arrays", {})
    return group


# One object for equal calls, so that the engine recognizes the group of a plan at a glance.
_make_once = lru_cache(maxsize=64)(_make)


def _named(kind: str, argument: int | None) -> PointGroup:
    # Large groups hold large tables, and should end with their last user.
    return _make_once(kind, argument) if argument is None or argument <= 64 else _make(kind, argument)


def _scaled(kind: str, n: int, factors: tuple[float, ...], order: int) -> PointGroup:
    return _make_once(kind, (n, factors)) if order <= 64 else _make(kind, (n, factors))


def _restore(kind: str, argument: Any) -> PointGroup:
    """Makes a pickled group again."""
    if kind == "matrices":
        return PointGroup.from_matrices(argument)
    return _make(kind, argument) if isinstance(argument, tuple) else _named(kind, argument)


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


def tetrahedral() -> PointGroup:
    """The 12 rotations of the tetrahedron (d = 3), a lattice group, in the order of `octahedral`.

    Element ``4 * i + j`` reads the columns (0, 1, 2), (1, 2, 0), (2, 0, 1) for i = 0, 1, 2 with the signs +++, +--,
    -+-, --+ for j = 0, 1, 2, 3.

    Example:
        >>> tetrahedral().is_lattice
        True
    """
    return _named("tetrahedral", None)


def pyritohedral() -> PointGroup:
    """The tetrahedral rotations and their negatives (d = 3), order 24: element 12 + i is minus element i.

    Example:
        >>> pyritohedral().order
        24
    """
    return _named("pyritohedral", None)


def icosahedral() -> PointGroup:
    """The 60 rotations of the icosahedron with the vertices (0, ±1, ±p) and cyclic, p = (1 + √5)/2 (d = 3).

    Element ``12 * j + t`` is f^j times element t of `tetrahedral`; f turns by 72 degrees, counter-clockwise, about
    (0, 1, p). The first 12 elements are those that map the pixel grid to itself.

    Example:
        >>> icosahedral().order
        60
    """
    return _named("icosahedral", None)


def full_icosahedral() -> PointGroup:
    """The 120 symmetries of the icosahedron (d = 3): element 60 + i is minus element i of `icosahedral`.

    Example:
        >>> full_icosahedral().order
        120
    """
    return _named("full_icosahedral", None)


def axial_cyclic(n: int, axis: str = "z") -> PointGroup:
    """The n rotations of space about an axis: element r is the rotation by 2 pi r / n.

    Counter-clockwise seen from the tip of the axis: x to y about z, y to z about x, z to x about y. About z, the depth,
    each slice of a volume is turned as `cyclic` turns the plane. A lattice group for n = 1, 2 and 4.

    Args:
        n: 1 to 4096.
        axis: "x", "y" or "z".

    Raises:
        TypeError, ValueError: an argument is something else.

    Example:
        >>> axial_cyclic(4)
        PointGroup('C4 about z', order=4, dimension=3)
    """
    return _named(f"axial_cyclic_{choice('axis', axis, _AXES)}", integer("n", n, 1, _LARGEST_ORDER))


def axial_dihedral(n: int, axis: str = "z") -> PointGroup:
    """The n rotations about an axis and the half turns about n axes perpendicular to it, order 2 n (d = 3).

    Element ``j * n + r`` is rotation(r) half^j, where half = diag(-1, 1, -1) for the axis z. On the plane of the two
    other axes in cyclic order, x and y for z, the elements are those of `dihedral`. A lattice group for n = 1, 2 and 4.

    Args:
        n: 1 to 2048.
        axis: "x", "y" or "z".

    Raises:
        TypeError, ValueError: an argument is something else.

    Example:
        >>> axial_dihedral(3, "x")
        PointGroup('D3 about x', order=6, dimension=3)
    """
    return _named(f"axial_dihedral_{choice('axis', axis, _AXES)}", integer("n", n, 1, _LARGEST_ORDER // 2))


def scaling(factors: Iterable[float], dimension: int = 2) -> PointGroup:
    """Scalings by finitely many factors: element i multiplies by ``factors[i]``.

    A truncated set: its products by which it would leave the factors are missing (-1 in `cayley`), and contribute
    nothing to a convolution. Determinants are ``factors[i] ** dimension``.

    Args:
        factors: 1 to 4096 numbers in 1/1024...1024; the first is 1, and any two differ by more than 1e-5 of their size.
            Products are looked up to 1e-6.
        dimension: 1, 2 or 3.

    Raises:
        TypeError, ValueError: an argument is something else.

    Example:
        >>> scaling([1, 2, 4]).cayley[1].tolist()
        [1, 2, -1]
    """
    d = integer("dimension", dimension, 1, 3)
    values = _factors(factors, _LARGEST_ORDER)
    return _scaled("scaling", d, values, len(values))


def similarity(n: int, factors: Iterable[float]) -> PointGroup:
    """Rotations of the plane times scalings: element ``i * n + r`` is ``factors[i]`` times element r of ``cyclic(n)``.

    A truncated set, as `scaling`; its first n elements are the subgroup of rotations.

    Args:
        n: 1 to 4096.
        factors: as for `scaling`, at most 4096 // n.

    Raises:
        TypeError, ValueError: an argument is something else.

    Example:
        >>> similarity(4, [1, 2]).order
        8
    """
    rotations = integer("n", n, 1, _LARGEST_ORDER)
    values = _factors(factors, _LARGEST_ORDER // rotations)
    return _scaled("similarity", rotations, values, rotations * len(values))


def _factors(factors: Iterable[float], limit: int) -> tuple[float, ...]:
    """The factors as floats; which numbers they may be the engine says."""
    given = items("factors", factors, "a sequence of numbers")
    values = tuple(real(f"factors[{i}]", factor) for i, factor in enumerate(given))
    if not 1 <= len(values) <= limit:
        raise ValueError(f"factors has {len(values)} numbers, expected 1 to {limit}")
    return values
