# SPDX-License-Identifier: Apache-2.0
"""Rotations by any angle and scalings of signals, by spline interpolation: what `equivariance_error` compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import isfinite
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from .._checks.arguments import integer, real, value_text
from .._checks.arrays import Array, reals
from .._groups.geometry import array_matrix
from .._groups.point_group import PointGroup
from .array_maps import ArrayMap

_FACTORS = "one or more numbers in 1/1024...1024"
_QUARTER_TURNS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True)
class Transform:
    """Rotation by an angle, then scaling by a factor: a matrix on (x), (x, y) or (x, y, z)."""

    angle: float
    scale: float
    matrix: NDArray[np.float64]

    @property
    def is_exact(self) -> bool:
        """Whether it maps the grid to itself."""
        return bool(self.scale == 1 and self.angle % 90 == 0)

    def element(self, group: PointGroup) -> int | None:
        """The number of the element of a group with this matrix, or None."""
        distances = np.abs(group.matrices - self.matrix).max(axis=(1, 2))
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] <= 1e-6 else None

    def __str__(self) -> str:
        return f"{self.angle:g} degrees" + (f" and scale {self.scale:g}" if self.scale != 1 else "")


@dataclass(frozen=True)
class Sampling:
    """How signals are resampled, and where they are compared."""

    spline_order: int
    radius: float
    # scipy.ndimage; None where all transforms are exact.
    ndimage: ModuleType | None

    def move(self, x: Array, transform: Transform) -> Array:
        """``x(A^-1 u)`` about the center of the array, on the last d axes; quarter turns exactly."""
        d = len(transform.matrix)
        if transform.is_exact:
            return x if d != 2 else np.rot90(x, round(transform.angle / 90), axes=(-2, -1))
        assert self.ndimage is not None
        matrix = array_matrix(np.linalg.inv(transform.matrix))
        center = (np.array(x.shape[-d:]) - 1) / 2
        result = np.empty(x.shape, x.dtype)
        for index in np.ndindex(x.shape[:-d]):
            result[index] = self.ndimage.affine_transform(
                x[index].astype(np.float64), matrix, center - matrix @ center, order=self.spline_order, mode="mirror"
            )
        return result

    def disc(self, shape: tuple[int, ...], scale: float) -> NDArray[np.bool_]:
        """Which pixels are within the radius of the center."""
        offsets = np.ogrid[tuple(slice(size) for size in shape)]
        squares = sum((axis - (size - 1) / 2) ** 2 for axis, size in zip(offsets, shape, strict=True))
        mask: NDArray[np.bool_] = np.asarray(squares <= (self.radius * min(1.0, scale) * min(shape) / 2) ** 2)
        if not mask.any():
            raise ValueError(
                f"radius is {self.radius}, within which an output of {shape} pixels has none: expected more"
            )
        return mask


@dataclass(frozen=True)
class Space:
    """Where a signal lives: on H/K, on H with no K, on the plane, or nowhere (B, C)."""

    name: str
    group: PointGroup
    points: NDArray[np.int32] | None
    has_axes: bool = True

    def move(self, x: Array, transform: Transform, sampling: Sampling) -> tuple[Array, NDArray[np.bool_] | None]:
        """The signal moved, and which points have a value: not all, where a set of elements is truncated."""
        if not self.has_axes:
            return x, None
        if self.points is None:
            return sampling.move(x, transform), None
        element = transform.element(self.group)
        if element is None:
            raise ValueError(
                f"{self.name} is a signal on {self.group.name}, which has no element that is a rotation by "
                f"{transform}: expected an element for each of angles and scales, or signals on the plane, as "
                "group_pool makes them"
            )
        sources = self._sources(element)
        moved = sampling.move(np.take(x, np.maximum(sources, 0), axis=2), transform)
        moved = np.where((sources >= 0).reshape(-1, *(1,) * self.group.dimension), moved, np.zeros((), x.dtype))
        return moved, sources >= 0

    def _sources(self, element: int) -> NDArray[np.int64]:
        """For each point p the point g^-1 p, or -1 where a truncated set does not have it."""
        assert self.points is not None
        sources = np.full(int(self.points.max()) + 1, -1, np.int64)
        products = self.group.cayley[element]
        known = products >= 0
        sources[self.points[products[known]]] = self.points[known]
        return sources


def space_of(name: str, x: Array, group: PointGroup, stabilizer: Sequence[int] | None) -> Space:
    """The space of a signal whose shape has been checked, by its number of axes."""
    d = group.dimension
    if x.ndim == 2 or x.ndim == 2 + d:
        return Space(name, group, None, x.ndim > 2)
    points = np.arange(group.order, dtype=np.int32) if stabilizer is None else group.cosets(stabilizer)
    return Space(name, group, points)


def transforms(angles: object, scales: object, group: PointGroup) -> list[Transform]:
    """All combinations of the angles and scales. Raises TypeError or ValueError."""
    degrees = [0.0] if angles is None else _numbers("angles", angles, "one or more finite numbers of degrees")
    factors = [1.0] if scales is None else _numbers("scales", scales, _FACTORS)
    if angles is not None and group.dimension != 2:
        raise ValueError(
            f"angles is {value_text(angles)}, expected None for {group.name}, which acts on {group.dimension}-D"
        )
    for factor in factors:
        if not 1 / 1024 <= factor <= 1024:
            raise ValueError(f"scales is {value_text(scales)}, expected {_FACTORS}")
    return [Transform(a, s, s * _rotation(a, group.dimension)) for s in factors for a in degrees]


def _numbers(name: str, value: object, expected: str) -> list[float]:
    numbers = [float(number) for number in reals(name, value).ravel()]
    if not numbers or not all(map(isfinite, numbers)):
        raise ValueError(f"{name} is {value_text(value)}, expected {expected}")
    return list(dict.fromkeys(numbers))


def _rotation(angle: float, d: int) -> NDArray[np.float64]:
    if d != 2:
        return np.eye(d)
    radians = np.deg2rad(angle)
    cos, sin = _QUARTER_TURNS[round(angle / 90) % 4] if angle % 90 == 0 else (np.cos(radians), np.sin(radians))
    return np.array([[cos, -sin], [sin, cos]], np.float64)


def sampling_of(spline_order: object, radius: object, moves: Sequence[Transform]) -> Sampling:
    """The resampler. Raises TypeError or ValueError, and ModuleNotFoundError if it is needed and SciPy is missing."""
    order, fraction = integer("spline_order", spline_order, 1, 5), real("radius", radius)
    if not 0 < fraction <= 1:
        raise ValueError(f"radius is {fraction}, expected a number above 0 and at most 1")
    if all(move.is_exact for move in moves):
        return Sampling(order, fraction, None)
    try:
        ndimage = import_module("scipy.ndimage")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "equivariance_error with angles other than quarter turns or with scales needs SciPy: pip install scipy",
            name=error.name,
        ) from error
    return Sampling(order, fraction, ndimage)


def resampled_error(
    f: ArrayMap,
    signals: tuple[Array, Array],
    spaces: tuple[Space, Space],
    moves: Sequence[Transform],
    sampling: Sampling,
) -> float:
    """The largest over A of ``|f(L_A x) - L_A f(x)| / |L_A f(x)|``, L2 norms over the disc."""
    errors = []
    for move in moves:
        expected, is_known = spaces[1].move(signals[1], move, sampling)
        actual = f("f(L_A x)", spaces[0].move(signals[0], move, sampling)[0])
        if actual.shape != expected.shape:
            raise ValueError(
                f"f(L_A x) has shape {actual.shape} for A of {move}, expected {expected.shape}, the shape of L_A f(x)"
            )
        if is_known is not None:
            actual, expected = actual[:, :, is_known], expected[:, :, is_known]
        if spaces[1].has_axes:
            mask = sampling.disc(expected.shape[-len(move.matrix) :], move.scale)
            actual, expected = actual[..., mask], expected[..., mask]
        errors.append(_relative(actual, expected))
    return float(np.max(errors))


def _relative(actual: Array, expected: Array) -> float:
    difference = float(np.linalg.norm(np.subtract(actual, expected, dtype=np.float64)))
    norm = float(np.linalg.norm(expected.astype(np.float64)))
    if difference == 0.0:
        return 0.0
    return difference / norm if norm != 0.0 else difference * np.inf
