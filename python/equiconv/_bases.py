# SPDX-License-Identifier: Apache-2.0
"""What kernels are made of: functions on R^d, and functions on H."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._arguments import choice, integer, value_text
from ._groups import PointGroup

Interpolation: TypeAlias = Literal["bilinear", "bicubic", "bspline3"]
Kernel: TypeAlias = int | tuple[int, ...]

INTERPOLATIONS = ("bilinear", "bicubic", "bspline3")

_LARGEST_EXTENT = 2**31 - 1
_LARGEST_ORDER = 4096


class _Immutable:
    """Values made by a function of this module: equal, hashed, copied and pickled by how they were made."""

    __slots__ = ()

    # The function, its name and its arguments as text, and what makes the handle again.
    _text: str
    _recipe: tuple[Any, ...]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._recipe == other._recipe

    def __hash__(self) -> int:
        return hash(self._recipe)

    def __repr__(self) -> str:
        return self._text

    def __copy__(self) -> _Immutable:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> _Immutable:
        return self


class KernelBasis(_Immutable, _native.Basis):
    """J functions B_j on R^d of which kernels are linear combinations: ``k(u) = sum over j of w_j B_j(u)``.

    Made by `pixel_basis`, `bspline_basis`, `atrous_bspline_basis`, `round_bspline_basis`, `circular_harmonics` or
    `gaussian_derivatives`, and given to a layer as ``basis=``. The kernel is then known between the taps too, and can
    be turned by any angle and scaled. Weights are the coefficients w. Immutable.

    Attributes:
        count: the number J of functions.
        dimension: the number d of coordinates.
        extents: the extents k of the grid of taps on which the identity samples, in array-axis order.
        shape: the trailing shape of weights: ``(J,)``, but `extents` for `pixel_basis`.
    """

    __slots__ = ("_recipe", "_text")

    def __new__(cls, *_arguments: object, **_keywords: object) -> KernelBasis:
        """Always raises TypeError: bases come from the functions named above."""
        raise TypeError(
            "KernelBasis cannot be called: use equiconv.bspline_basis(kernel), circular_harmonics(kernel), "
            "gaussian_derivatives(kernel, order, sigma) or another of its functions"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The trailing shape of weights."""
        return self.extents if self.is_pixel else (self.count,)

    @property
    def is_pixel(self) -> bool:
        """Whether the coefficients are the pixels of the kernel, so that weights have its axes."""
        return bool(self._recipe[0] == "pixel")

    def sample(self, points: ArrayLike) -> NDArray[np.float64]:
        """The values of all functions at points: times coefficients, the kernel there.

        Args:
            points: shape (..., d): coordinates (x), (x, y) or (x, y, z) about the center, in taps; y and z up.

        Returns:
            Shape (..., J), float64. A point that is not finite gives zeros.

        Raises:
            TypeError, ValueError: `points` are not real numbers, or of another shape.

        Example:
            >>> bspline_basis(3, degree=1, dimension=1).sample([[0.0], [0.25]])
            array([[0.  , 1.  , 0.  ],
                   [0.  , 0.75, 0.25]])
        """
        array = _reals("points", points)
        if array.ndim < 1 or array.shape[-1] != self.dimension:
            raise ValueError(f"points has shape {array.shape}, expected (..., {self.dimension}) for {self!r}")
        values = self.sample_points(np.require(array.reshape(-1, self.dimension), requirements=["C", "A"]))
        return values.reshape(*array.shape[:-1], self.count)

    def __reduce__(self) -> tuple[Callable[..., KernelBasis], tuple[Any, ...]]:
        return (_make, (self._text, *self._recipe))


class GroupBasis(_Immutable, _native.GroupBasis):
    """I functions on the relative elements d = h^-1 h' of H: kernels on the group are combinations of them.

    Made by `localised` or `group_bspline`, and given to `group_conv`, `projection_conv` or `conv` as
    ``group_basis=``. Weights then have I numbers in place of |H| on axis 2. Immutable.

    Attributes:
        count: the number I of functions.
    """

    __slots__ = ("_recipe", "_text")

    def __new__(cls, *_arguments: object, **_keywords: object) -> GroupBasis:
        """Always raises TypeError: bases come from the functions named above."""
        raise TypeError("GroupBasis cannot be called: use equiconv.localised(elements) or group_bspline(degree, count)")

    def matrix(self, group: PointGroup) -> NDArray[np.float64]:
        """The values of the functions on the elements of a group, shape (|H|, I).

        Raises:
            TypeError: `group` is no PointGroup.
            ValueError: the group does not have these functions.

        Example:
            >>> localised([0, 3]).matrix(dihedral(2))
            array([[1., 0.],
                   [0., 0.],
                   [0., 0.],
                   [0., 1.]])
        """
        if not isinstance(group, PointGroup):
            raise TypeError(f"group is {value_text(group)} ({type(group).__name__}), expected a PointGroup")
        return _native.group_basis_matrix(self, group)

    def __reduce__(self) -> tuple[Callable[..., GroupBasis], tuple[Any, ...]]:
        return (_make_group_basis, (self._text, *self._recipe))


# ---- Kernels ----


def pixel_basis(
    kernel: Kernel, interpolation: Interpolation = "bilinear", *, dimension: int | None = None
) -> KernelBasis:
    """The pixels of a kernel with an interpolation: what a layer without ``basis=`` is made of.

    Weights have the axes ``kernel...``.

    Args:
        kernel: extents of the grid of taps, one for each axis; an int for the same on each of `dimension` axes.
        interpolation: ``"bilinear"``, ``"bicubic"`` (Keys 1981) or ``"bspline3"``, the cubic spline through the values.
        dimension: the number of axes of an int `kernel`, 2 if not given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> pixel_basis(5, "bicubic").shape
        (5, 5)
    """
    extents = _extents(kernel, dimension)
    code = INTERPOLATIONS.index(choice("interpolation", interpolation, INTERPOLATIONS))
    return _make(f"pixel_basis({extents}, {interpolation!r})", "pixel", extents, code, 0.0)


def bspline_basis(
    kernel: Kernel,
    degree: int = 3,
    centers: ArrayLike | None = None,
    scale: float = 1.0,
    *,
    dimension: int | None = None,
) -> KernelBasis:
    """B-splines ``B_j(u) = product over axes of beta_n((u - c_j) / scale)``: smooth kernels, at any resolution.

    Without `centers` they are `scale` apart, symmetric about the center of the kernel, as many as fit between the
    outermost taps: floor((k - 1) / scale) + 1 on each axis, in row-major order of the array. Splines of degree n are 0
    at a distance of (n + 1) / 2 scale. Source: Bekkers, "B-Spline CNNs on Lie Groups", ICLR 2020, section 3.

    Args:
        kernel: extents of the grid of taps, one for each axis; an int for the same on each of `dimension` axes.
        degree: n, 0 to 5.
        centers: shape (J, d), or None: points (x), (x, y) or (x, y, z) anywhere, in taps about the center, y and z up.
        scale: the width of a spline in taps, > 0.
        dimension: the number of axes of an int `kernel`, 2 if not given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> bspline_basis(5, degree=3, scale=2.0).count
        9
    """
    extents = _extents(kernel, dimension)
    order, width = integer("degree", degree, 0, 5), _real("scale", scale)
    if centers is None:
        return _make(f"bspline_basis({extents}, {order}, scale={width})", "bspline", extents, order, width)
    points = _reals("centers", centers)
    if points.ndim != 2 or points.shape[1] != len(extents) or points.shape[0] == 0:
        raise ValueError(f"centers has shape {points.shape}, expected (J, {len(extents)}) with one center or more")
    text = f"bspline_basis({extents}, {order}, centers={value_text(points.tolist())}, scale={width})"
    return _make(text, "bspline_at", extents, order, width, tuple(map(float, points.ravel())))


def atrous_bspline_basis(
    kernel: Kernel, degree: int = 3, spacing: float = 2.0, *, dimension: int | None = None
) -> KernelBasis:
    """B-splines one tap wide about centers `spacing` apart: the analogue of dilated kernels.

    Args:
        kernel, degree, dimension: as for `bspline_basis`.
        spacing: the distance of centers in taps, > 0.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> atrous_bspline_basis(9, spacing=4.0).count
        9
    """
    extents = _extents(kernel, dimension)
    order, distance = integer("degree", degree, 0, 5), _real("spacing", spacing)
    text = f"atrous_bspline_basis({extents}, {order}, spacing={distance})"
    return _make(text, "atrous_bspline", extents, order, distance)


def round_bspline_basis(
    kernel: Kernel, degree: int = 3, radius: float | None = None, *, dimension: int | None = None
) -> KernelBasis:
    """B-splines one tap wide about the taps within a radius of the center: round kernels, as rotations call for.

    Args:
        kernel, degree, dimension: as for `bspline_basis`.
        radius: in taps, >= 0; None for (k - 1) / 2 - 1 with the smallest extent k, where cubic splines have all but
            decayed at the edge of the grid.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> round_bspline_basis(5).count
        5
    """
    extents = _extents(kernel, dimension)
    order = integer("degree", degree, 0, 5)
    limit = -1.0 if radius is None else _real("radius", radius)
    if radius is not None and limit < 0:
        raise ValueError(f"radius is {limit}, expected a number of at least 0 or None")
    return _make(f"round_bspline_basis({extents}, {order}, radius={radius})", "round_bspline", extents, order, limit)


def circular_harmonics(
    kernel: int,
    highest_frequency: int | None = None,
    *,
    radii: Sequence[float] | None = None,
    frequencies: Sequence[int] | None = None,
    sigma: float = 0.65,
) -> KernelBasis:
    """Circular harmonics on Gaussian rings in the plane: ``psi(|u|) cos(m phi)`` and ``psi(|u|) sin(m phi)``.

    Rings are one tap apart up to (k - 3) / 2 and carry frequencies m up to twice their radius, unless `radii` and
    `frequencies` say otherwise. Order: rings, for each m = 0, then cos(phi), sin(phi), cos(2 phi), ... Source: Weiler,
    Hamprecht and Storath, "Learning steerable filters for rotation equivariant CNNs", 2018.

    Args:
        kernel: the extent k of the square grid of taps.
        highest_frequency: a limit of m for all rings, or None. 0 gives isotropic kernels.
        radii: the radius of each ring in taps, 0 to 64; with `frequencies`.
        frequencies: the highest m on each ring, from 0 to pi times its radius.
        sigma: the width of the rings given by `radii`, 0.25 to 4.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> circular_harmonics(7).count
        15
    """
    extent = integer("kernel", kernel, 1, _LARGEST_EXTENT)
    if radii is None and frequencies is None:
        limit = (
            2**31 - 1 if highest_frequency is None else integer("highest_frequency", highest_frequency, 0, 2**31 - 1)
        )
        text = f"circular_harmonics({extent}, {highest_frequency})"
        return _make(text, "circular_harmonics", (extent,), limit, 0.0)
    if radii is None or frequencies is None or highest_frequency is not None:
        raise ValueError(
            f"radii is {value_text(radii)} and frequencies is {value_text(frequencies)}, expected both or none "
            "of them, without highest_frequency"
        )
    rings = tuple(map(float, _reals("radii", radii).ravel()))
    highest = tuple(integer(f"frequencies[{i}]", m, 0, 1000) for i, m in enumerate(frequencies))
    if len(rings) != len(highest):
        raise ValueError(f"frequencies has {len(highest)} entries, expected {len(rings)}, one for each of radii")
    width = _real("sigma", sigma)
    text = f"circular_harmonics({extent}, radii={list(rings)}, frequencies={list(highest)}, sigma={width})"
    return _make(text, "harmonic_rings", (extent,), 0, width, rings, highest)


def gaussian_derivatives(kernel: Kernel, order: int, sigma: float, *, dimension: int | None = None) -> KernelBasis:
    """The partial derivatives of a Gaussian up to a total order N, with unit norms of their Hermite polynomials.

    Order of functions: 1; dx, dy; dxx, dxy, dyy; ...: (N + d choose d) of them. Source: Koenderink and van Doorn,
    "Representation of local geometry in the visual system", 1987.

    Args:
        kernel, dimension: as for `bspline_basis`.
        order: N, 0 to 10.
        sigma: the width of the Gaussian in taps, > 0.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> gaussian_derivatives(7, order=2, sigma=1.0).count
        6
    """
    extents = _extents(kernel, dimension)
    total, width = integer("order", order, 0, 10), _real("sigma", sigma)
    text = f"gaussian_derivatives({extents}, {total}, {width})"
    return _make(text, "gaussian_derivatives", extents, total, width)


# ---- Functions on H ----


def localised(elements: Sequence[int]) -> GroupBasis:
    """Kernels on the group that are 0 but on these relative elements: fewer weights, and faster.

    Args:
        elements: one or more different elements; weights are in this order.

    Raises:
        TypeError, ValueError: `elements` are something else.

    Example:
        >>> localised([0, 1, 7])
        equiconv.localised([0, 1, 7])
    """
    if isinstance(elements, str):
        raise TypeError(f"elements is {elements!r}, expected a sequence of integers")
    numbers = tuple(integer(f"elements[{i}]", h, 0, _LARGEST_ORDER - 1) for i, h in enumerate(elements))
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"elements is {value_text(elements)}, expected one or more different elements")
    return _make_group_basis(f"localised({list(numbers)})", numbers, 0, 0.0)


def group_bspline(
    degree: int = 3,
    count: int | None = None,
    *,
    centers: Sequence[float] | None = None,
    scale: float | None = None,
) -> GroupBasis:
    """Kernels on `cyclic(n)` that are periodic B-splines of the angle. Other groups refuse it.

    Args:
        degree: 0 to 5.
        count: splines about so many equally spaced angles, beginning with 0, as wide as their distance.
        centers: or angles in radians, with `scale`.
        scale: the width of a spline in radians, > 0 and at most 2 pi.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> group_bspline(3, 4).matrix(cyclic(8)).shape
        (8, 4)
    """
    order = integer("degree", degree, 0, 5)
    if (count is None) == (centers is None) or (centers is None) != (scale is None):
        raise ValueError(
            f"count is {count}, centers is {value_text(centers)} and scale is {scale}, expected count, or centers and "
            "scale"
        )
    if count is not None:
        step = 2 * np.pi / integer("count", count, 1, _LARGEST_ORDER)
        text = f"group_bspline({order}, {count})"
        return _make_group_basis(text, tuple(float(i * step) for i in range(count)), order, float(step))
    angles = tuple(map(float, _reals("centers", centers).ravel()))
    width = _real("scale", scale)
    return _make_group_basis(
        f"group_bspline({order}, centers={list(angles)}, scale={width})", angles, order, width, is_spline=True
    )


# ---- Making them ----


def _make(
    text: str,
    kind: str,
    extents: tuple[int, ...],
    number: int,
    real: float,
    reals: tuple[float, ...] = (),
    integers: tuple[int, ...] = (),
) -> KernelBasis:
    """Also makes a pickled basis again."""
    arrays = np.array(extents, np.int64), np.array(reals, np.float64), np.array(integers, np.int32)
    basis = _native.Basis.__new__(KernelBasis, kind, arrays[0], number, real, arrays[1], arrays[2])
    object.__setattr__(basis, "_text", text if text.startswith("equiconv.") else "equiconv." + text)
    object.__setattr__(basis, "_recipe", (kind, extents, number, real, reals, integers))
    return basis


def _make_group_basis(
    text: str, numbers: tuple[float, ...], degree: int, scale: float, *, is_spline: bool = False
) -> GroupBasis:
    is_spline = is_spline or scale > 0
    array = np.array(numbers, np.float64) if is_spline else np.array(numbers, np.int32)
    basis = _native.GroupBasis.__new__(GroupBasis, array, degree, scale)
    object.__setattr__(basis, "_text", text if text.startswith("equiconv.") else "equiconv." + text)
    object.__setattr__(basis, "_recipe", (numbers, degree, scale))
    return basis


def _extents(kernel: object, dimension: object) -> tuple[int, ...]:
    axes = None if dimension is None else integer("dimension", dimension, 1, 3)
    if not isinstance(kernel, tuple | list):
        return (integer("kernel", kernel, 1, _LARGEST_EXTENT),) * (axes or 2)
    if not 1 <= len(kernel) <= 3 or axes not in (None, len(kernel)):
        raise ValueError(
            f"kernel is {value_text(kernel)}, expected an int or {axes or '1, 2 or 3'} extents, one for each axis"
        )
    return tuple(integer(f"kernel[{axis}]", item, 1, _LARGEST_EXTENT) for axis, item in enumerate(kernel))


def _real(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a number")
    return float(value)


def _reals(name: str, value: object) -> NDArray[np.float64]:
    try:
        array = np.asarray(value)
        if array.size > 0 and array.dtype.kind not in "iuf":
            raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
        return np.array(array, dtype=np.float64, order="C")
    except ValueError as error:
        raise TypeError(f"{name} cannot be turned into an array of numbers: {error}") from error
