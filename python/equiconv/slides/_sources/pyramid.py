# SPDX-License-Identifier: Apache-2.0
"""One image at several resolutions, and the choice of a level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ..._checks.arguments import integer
from .resampling import NEAR, Resampled, factor, whole_factors
from .source import Place, Resolution, Source


@dataclass(frozen=True)
class Level:
    """The size of a level, micrometers per pixel where the file says them, and pixels of the finest level per pixel."""

    extents: Place
    mpp: Resolution | None
    spacing: Resolution = (1.0, 1.0)


class Pyramid(ABC):
    """The levels of an image, finest first.

    Attributes:
        name: the path, for messages.
        levels: their sizes.
    """

    name: str
    levels: tuple[Level, ...]

    @abstractmethod
    def open(self, level: int) -> Source:
        """A level as a source of its own."""


class OneLevel(Pyramid):
    """An image that has one resolution."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.levels = source.name, (Level(source.extents, source.mpp, source.spacing),)

    def open(self, level: int) -> Source:
        """The image itself."""
        return self._source


def levels_of(extents: Sequence[Place], finest: Resolution | None) -> tuple[Level, ...]:
    """Levels of which a file says the sizes, and the resolution of the first.

    Every level covers the same slide, so its pixels are larger by the ratio of the sizes, or by a whole number k where
    the sizes are those of squares of k pixels, with what was left over at an edge left out or made a pixel.
    """

    def level(size: Place) -> Level:
        y, x = (_ratio(n, m) for n, m in zip(extents[0], size, strict=True))
        return Level(size, None if finest is None else (finest[0] * y, finest[1] * x), (y, x))

    return tuple(level(size) for size in extents)


def _ratio(finest: int, size: int) -> float:
    whole = max(1, round(finest / size))
    return float(whole) if abs(finest - size * whole) < whole else finest / size


def at_level(pyramid: Pyramid, level: object) -> Source:
    """A level as it is. Raises TypeError or ValueError for one that the file does not have."""
    number = integer("level", level, 0, 2**31 - 1)
    if number >= len(pyramid.levels):
        raise ValueError(f"level is {number}, expected at most {len(pyramid.levels) - 1}: {described(pyramid)}")
    return pyramid.open(number)


def at_resolution(pyramid: Pyramid, mpp: Resolution, upsample: bool) -> Source:
    """The image at a resolution: of the coarsest level that is not coarser, resampled where it differs.

    Raises ValueError if the file says no resolution, or if its finest level is coarser and `upsample` is false.
    """
    if any(level.mpp is None for level in pyramid.levels[:1]):
        raise ValueError(f"mpp is {mpp[0]:g}, but {pyramid.name} does not say its resolution: pass level, or nothing")
    chosen, factors = None, (0.0, 0.0)
    for number, level in enumerate(pyramid.levels):
        if level.mpp is None:
            continue
        ratios = factor(mpp[0], level.mpp[0]), factor(mpp[1], level.mpp[1])
        if chosen is None or min(ratios) >= 1:
            chosen, factors = number, ratios
    assert chosen is not None
    if min(factors) < 1 and not upsample:
        raise ValueError(
            f"mpp is {mpp[0]:g}, finer than {pyramid.name} is by more than {NEAR:.0%}: {described(pyramid)}; "
            "pass upsample=True to interpolate"
        )
    source = pyramid.open(chosen)
    return source if whole_factors(factors) else Resampled(source, factors)


def overview_level(pyramid: Pyramid, longest: int) -> int:
    """The coarsest level with at least `longest` pixels along its longer side; the finest if none has."""
    enough = [number for number, level in enumerate(pyramid.levels) if max(level.extents) >= longest]
    return enough[-1] if enough else 0


def described(pyramid: Pyramid) -> str:
    """The levels for messages, a line of sizes and resolutions."""

    def text(number: int, level: Level) -> str:
        mpp = "" if level.mpp is None else f" at {level.mpp[0]:.4g} micrometers"
        return f"level {number} has {level.extents[0]} x {level.extents[1]} pixels{mpp}"

    return ", ".join(text(number, level) for number, level in enumerate(pyramid.levels))
