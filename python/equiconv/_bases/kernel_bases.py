# SPDX-License-Identifier: Apache-2.0
"""The families of functions on R^d that kernels are made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod
from typing import TypeAlias

from numpy.typing import ArrayLike

from .._checks.arguments import choice, integer, is_a, items, real, value_text
from .._checks.arrays import reals
from .._checks.texts import integers_text, number_text, numbers_text
from .basis import INTERPOLATIONS, Interpolation, KernelBasis, make_kernel_basis

Kernel: TypeAlias = int | tuple[int, ...]

_LARGEST_EXTENT = 2**31 - 1


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
    return make_kernel_basis(
        f"pixel_basis({extents}, {INTERPOLATIONS[code]!r})", "pixel", integers_text(extents), INTERPOLATIONS[code]
    )


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
    order, width = integer("degree", degree, 0, 5), real("scale", scale)
    if centers is None:
        shown = f"bspline_basis({extents}, {order}, scale={width})"
        return make_kernel_basis(shown, "bspline", integers_text(extents), order, number_text(width))
    points = reals("centers", centers)
    if points.ndim != 2 or points.shape[1] != len(extents) or points.shape[0] == 0:
        raise ValueError(f"centers has shape {points.shape}, expected (J, {len(extents)}) with one center or more")
    text = f"bspline_basis({extents}, {order}, centers={value_text(points.tolist())}, scale={width})"
    numbers = numbers_text(points.ravel().tolist())
    return make_kernel_basis(text, "bspline_at", integers_text(extents), order, number_text(width), numbers)


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
    order, distance = integer("degree", degree, 0, 5), real("spacing", spacing)
    text = f"atrous_bspline_basis({extents}, {order}, spacing={distance})"
    return make_kernel_basis(text, "atrous_bspline", integers_text(extents), order, number_text(distance))


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
    limit = -1.0 if radius is None else real("radius", radius)
    if radius is not None and limit < 0:
        raise ValueError(f"radius is {limit}, expected a number of at least 0 or None")
    shown = f"round_bspline_basis({extents}, {order}, radius={None if radius is None else limit})"
    within = "default" if radius is None else number_text(limit)
    return make_kernel_basis(shown, "round_bspline", integers_text(extents), order, within)


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
    extent = integer("kernel", kernel, 1, isqrt(_LARGEST_EXTENT))
    if radii is None and frequencies is None:
        limit = (
            2**31 - 1 if highest_frequency is None else integer("highest_frequency", highest_frequency, 0, 2**31 - 1)
        )
        text = f"circular_harmonics({extent}, {None if highest_frequency is None else limit})"
        return make_kernel_basis(text, "circular_harmonics", extent, "all" if highest_frequency is None else limit)
    if radii is None or frequencies is None or highest_frequency is not None:
        raise ValueError(
            f"radii is {value_text(radii)} and frequencies is {value_text(frequencies)}, expected both or none "
            "of them, without highest_frequency"
        )
    rings = tuple(map(float, reals("radii", radii).ravel()))
    given = items("frequencies", frequencies, "a sequence of integers")
    highest = tuple(integer(f"frequencies[{i}]", m, 0, 1000) for i, m in enumerate(given))
    if len(rings) != len(highest):
        raise ValueError(f"frequencies has {len(highest)} entries, expected {len(rings)}, one for each of radii")
    width = real("sigma", sigma)
    text = (
        f"circular_harmonics({extent}, radii={value_text(list(rings))}, frequencies={value_text(list(highest))}, "
        f"sigma={width})"
    )
    arguments = (extent, number_text(width), numbers_text(rings), integers_text(highest))
    return make_kernel_basis(text, "harmonic_rings", *arguments)


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
    total, width = integer("order", order, 0, 10), real("sigma", sigma)
    text = f"gaussian_derivatives({extents}, {total}, {width})"
    return make_kernel_basis(text, "gaussian_derivatives", integers_text(extents), total, number_text(width))


def _extents(kernel: object, dimension: object) -> tuple[int, ...]:
    axes = None if dimension is None else integer("dimension", dimension, 1, 3)
    extents = _separate_extents(kernel, axes)
    if prod(extents) > _LARGEST_EXTENT:
        raise ValueError(f"kernel is {value_text(kernel)}, expected at most {_LARGEST_EXTENT} taps, got {extents}")
    return extents


def _separate_extents(kernel: object, axes: int | None) -> tuple[int, ...]:
    if not is_a(kernel, tuple, list):
        return (integer("kernel", kernel, 1, _LARGEST_EXTENT),) * (axes or 2)
    if not 1 <= len(kernel) <= 3 or axes not in (None, len(kernel)):
        raise ValueError(
            f"kernel is {value_text(kernel)}, expected an int or {axes or '1, 2 or 3'} extents, one for each axis"
        )
    return tuple(integer(f"kernel[{axis}]", item, 1, _LARGEST_EXTENT) for axis, item in enumerate(kernel))
