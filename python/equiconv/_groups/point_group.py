# SPDX-License-Identifier: Apache-2.0
"""Finite groups of matrices: the stabilizer H of the origin in G = R^d x| H."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _native
from .._checks.arguments import integer, items
from .._checks.arrays import reals

LARGEST_ORDER = 4096
# Groups of at most this order are made once: larger ones hold large tables, and should end with their last user.
_LARGEST_SHARED_ORDER = 64


class PointGroup(_native.Group):
    """A finite group H of d x d matrices acting on R^d, with d = 1, 2 or 3.

    Made by `trivial`, `cyclic`, `dihedral`, `reflection`, `octahedral` and the other functions of `named`, or by
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

    __slots__ = ("__weakref__", "_arrays")

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
        if not 1 <= array.shape[0] <= LARGEST_ORDER:
            raise ValueError(f"matrices has shape {array.shape}, expected an order from 1 to {LARGEST_ORDER}")
        array.setflags(write=False)
        return _make(array)

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

    def __reduce__(self) -> tuple[Callable[[str], PointGroup], tuple[str]]:
        return (parse_group, (self.text,))


def _make(made_of: str | NDArray[np.float64]) -> PointGroup:
    group = _native.Group.__new__(PointGroup, made_of)
    object.__setattr__(group, "_arrays", {})
    return group


# Small groups, kept so that equal calls give one object, which plans recognize by identity.
_KEPT: deque[PointGroup] = deque(maxlen=64)
_BY_TEXT: WeakValueDictionary[str, PointGroup] = WeakValueDictionary()


def parse_group(text: str) -> PointGroup:
    """The group of a text of the engine, such as ``"equiconv-group/1 cyclic(4)"``; see docs/LayerFormat.md.

    One object for one text, as long as it lives. Raises ValueError for anything else, for matrices that are no
    group, and for factors that are no scalings.
    """
    known = _BY_TEXT.get(text)
    if known is not None:
        return known
    group = _make(text)
    if group.order <= _LARGEST_SHARED_ORDER:
        _KEPT.append(group)
    return _BY_TEXT.setdefault(text, group)


def make_group(name: str, *arguments: str | int) -> PointGroup:
    """The group of a function of the engine and its arguments, as its texts spell them."""
    return parse_group(f"equiconv-group/1 {name}" + (f"({','.join(map(str, arguments))})" if arguments else ""))
