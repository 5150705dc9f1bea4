# SPDX-License-Identifier: Apache-2.0
"""Points of an image with scores and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..._checks.arguments import items, real, value_text
from ..._checks.arrays import as_array

__all__ = ["Detections", "Floats", "Indices", "mpp_of", "pair_of", "points_of"]

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Detections:
    """Points that were found in an image, or that are known to be there.

    Coordinates are continuous and in pixels of the image at full resolution, as QuPath has them: pixel i reaches from i
    to i + 1, and its middle is i + 0.5.

    Attributes:
        positions: (N, 2), y and x of each point.
        scores: (N,), how sure each is.
        classes: (N,), indices of `names`.
        names: of the classes.
        mpp: micrometers of a pixel, (y, x); None where it is not known.

    Raises:
        TypeError, ValueError: shapes, numbers or names that do not fit, or numbers that are not finite.

    Example:
        >>> found = Detections([[10.5, 20.5], [30.5, 40.5]], [0.9, 0.6])
        >>> len(found), len(found.above(0.8))
        (2, 1)
    """

    positions: Floats
    scores: Floats
    classes: Indices = None  # type: ignore[assignment]
    names: tuple[str, ...] = ("detection",)
    mpp: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        positions = _positions("positions", self.positions)
        count = len(positions)
        classes = np.zeros(count, np.int64) if self.classes is None else self.classes
        names = _names(self.names)
        fields = {
            "positions": positions,
            "scores": _numbers("scores", self.scores, count),
            "classes": _classes(classes, count, len(names)),
            "names": names,
            "mpp": mpp_of(self.mpp),
        }
        for name, value in fields.items():
            # Frozen for those who use it; its own fields become what they are declared to be.
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        counts = np.bincount(self.classes, minlength=len(self.names))
        text = ", ".join(f"{count:,} {name}" for name, count in zip(self.names, counts, strict=True))
        return f"<Detections: {text}>"

    def select(self, chosen: NDArray[Any]) -> Detections:
        """The points with these indices, in this order, or where this mask is true."""
        return replace(self, positions=self.positions[chosen], scores=self.scores[chosen], classes=self.classes[chosen])

    def above(self, threshold: float) -> Detections:
        """The points with a score of at least `threshold`."""
        return self.select(self.scores >= real("threshold", threshold))

    def of_class(self, name: str) -> Detections:
        """The points of a class. Raises ValueError if no class has this name."""
        if name not in self.names:
            raise ValueError(f"name is {value_text(name)}, expected one of {', '.join(map(repr, self.names))}")
        return self.select(self.classes == self.names.index(name))


def points_of(name: str, value: object) -> Floats:
    """Positions (N, 2) of detections, or an array of them. Raises TypeError or ValueError."""
    return value.positions if isinstance(value, Detections) else _positions(name, value)


def pair_of(name: str, value: object, *, positive: bool) -> tuple[float, float]:
    """A finite number for y and one for x; one number stands for both. Raises TypeError or ValueError."""
    values = items(name, value, "a number, or one for y and one for x") if _is_sequence(value) else [value] * 2
    numbers = tuple(real(name, item) for item in values)
    if len(numbers) != 2 or not np.isfinite(numbers).all() or (positive and min(numbers) <= 0):
        kind = "positive, finite" if positive else "finite"
        raise ValueError(f"{name} is {value_text(value)}, expected a {kind} number, or one for y and one for x")
    return numbers[0], numbers[1]


def mpp_of(value: object) -> tuple[float, float] | None:
    """Micrometers of a pixel, (y, x), or None. Raises TypeError or ValueError."""
    return None if value is None else pair_of("mpp", value, positive=True)


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _positions(name: str, value: object) -> Floats:
    array = as_array(name, value)
    if array.size == 0 and array.shape in ((0,), (0, 2)):
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} has shape {array.shape}, expected (N, 2): y and x of each point")
    return _finite(name, array)


def _numbers(name: str, value: object, count: int) -> Floats:
    array = as_array(name, value)
    if array.shape != (count,):
        raise ValueError(f"{name} has shape {array.shape}, expected ({count},), one for each point")
    return _finite(name, array)


def _finite(name: str, array: NDArray[Any]) -> Floats:
    if array.size > 0 and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    result = np.array(array, np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"{name} has {result[~np.isfinite(result)][0]}, expected finite numbers")
    return result


def _classes(value: object, count: int, names: int) -> Indices:
    array = as_array("classes", value)
    if array.shape != (count,):
        raise ValueError(f"classes has shape {array.shape}, expected ({count},), one for each point")
    if count == 0:
        return np.zeros(0, np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"classes has dtype {array.dtype}, expected integers")
    if array.min() < 0 or array.max() >= names:
        raise ValueError(f"classes has {array.min()} to {array.max()}, expected indices of {names} names")
    return array.astype(np.int64)


def _names(value: object) -> tuple[str, ...]:
    names = items("names", value, "a text for each class")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"names has {value_text(name)} ({type(name).__name__}), expected texts")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"names is {value_text(value)}, expected one or more texts, each once")
    return tuple(names)
