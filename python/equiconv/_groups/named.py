# SPDX-License-Identifier: Apache-2.0
"""The named groups, and the sets of scalings."""

from __future__ import annotations

from collections.abc import Iterable

from .._checks.arguments import choice, integer, items, real
from .._checks.texts import numbers_text
from .point_group import LARGEST_ORDER, PointGroup, make_group

_AXES = ("x", "y", "z")


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
    return make_group("trivial", integer("d", d, 1, 3))


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
    return make_group("cyclic", integer("n", n, 1, LARGEST_ORDER))


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
    return make_group("dihedral", integer("n", n, 1, LARGEST_ORDER // 2))


def reflection() -> PointGroup:
    """The group {1, -1} of the line (d = 1).

    Example:
        >>> reflection().order
        2
    """
    return make_group("reflection")


def octahedral() -> PointGroup:
    """The 24 rotations of the cube (d = 3): signed permutation matrices of determinant 1.

    Example:
        >>> octahedral().order
        24
    """
    return make_group("octahedral")


def full_octahedral() -> PointGroup:
    """The 48 symmetries of the cube (d = 3): element 24 + i is minus element i of `octahedral`.

    Example:
        >>> full_octahedral().order
        48
    """
    return make_group("full_octahedral")


def tetrahedral() -> PointGroup:
    """The 12 rotations of the tetrahedron (d = 3), a lattice group, in the order of `octahedral`.

    Element ``4 * i + j`` reads the columns (0, 1, 2), (1, 2, 0), (2, 0, 1) for i = 0, 1, 2 with the signs +++, +--,
    -+-, --+ for j = 0, 1, 2, 3.

    Example:
        >>> tetrahedral().is_lattice
        True
    """
    return make_group("tetrahedral")


def pyritohedral() -> PointGroup:
    """The tetrahedral rotations and their negatives (d = 3), order 24: element 12 + i is minus element i.

    Example:
        >>> pyritohedral().order
        24
    """
    return make_group("pyritohedral")


def icosahedral() -> PointGroup:
    """The 60 rotations of the icosahedron with the vertices (0, ±1, ±p) and cyclic, p = (1 + √5)/2 (d = 3).

    Element ``12 * j + t`` is f^j times element t of `tetrahedral`; f turns by 72 degrees, counter-clockwise, about
    (0, 1, p). The first 12 elements are those that map the pixel grid to itself.

    Example:
        >>> icosahedral().order
        60
    """
    return make_group("icosahedral")


def full_icosahedral() -> PointGroup:
    """The 120 symmetries of the icosahedron (d = 3): element 60 + i is minus element i of `icosahedral`.

    Example:
        >>> full_icosahedral().order
        120
    """
    return make_group("full_icosahedral")


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
    return make_group("axial_cyclic", integer("n", n, 1, LARGEST_ORDER), choice("axis", axis, _AXES))


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
    return make_group("axial_dihedral", integer("n", n, 1, LARGEST_ORDER // 2), choice("axis", axis, _AXES))


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
    values = _factors(factors, LARGEST_ORDER)
    return make_group("scaling", d, numbers_text(values))


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
    rotations = integer("n", n, 1, LARGEST_ORDER)
    values = _factors(factors, LARGEST_ORDER // rotations)
    return make_group("similarity", rotations, numbers_text(values))


def _factors(factors: Iterable[float], limit: int) -> tuple[float, ...]:
    """The factors as floats; which numbers they may be the engine says."""
    given = items("factors", factors, "a sequence of numbers")
    values = tuple(real(f"factors[{i}]", factor) for i, factor in enumerate(given))
    if not 1 <= len(values) <= limit:
        raise ValueError(f"factors has {len(values)} numbers, expected 1 to {limit}")
    return values
