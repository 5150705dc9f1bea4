# SPDX-License-Identifier: Apache-2.0
"""SYNTHETIC patches of cell nuclei in the colors of hematoxylin and eosin, normal or in mitosis.

These are drawings by a random generator, not photographs of tissue, and the label is known because the drawing was
made to show it. They have the geometry of the task (figures at any orientation, of either handedness, that differ in
shape and texture) and not its difficulty: real slides have artifacts, borderline figures and labels on which
pathologists disagree. A score on them says how well a network uses orientation, nothing about how well it would find
mitoses.

Each patch is a map of two stain concentrations that becomes light by the law of Beer and Lambert with the stain vectors
of Ruifrok and Johnston (2001). At the center is one of

    normal     an interphase nucleus (round or elliptic, pale, with rim, chromatin and nucleoli), a spindle-shaped
               fibroblast nucleus, a pyknotic nucleus (small, round, dark, smooth), or two nuclei that touch
    mitotic    a metaphase plate (a ragged dark bar in a clear cell), an anaphase pair of bent bars, or a prometaphase
               clump (dark arms in all directions, no rim)

among other normal nuclei, on fibrous eosin, with varied stains, blur and noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

__all__ = ["KINDS", "MITOTIC_SHARE", "SIZE", "Patches", "patches"]

Map: TypeAlias = NDArray[np.float64]

SIZE = 48
MITOTIC_SHARE = 0.4
# Optical densities of red, green and blue at unit concentration.
_HAEMATOXYLIN, _EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])


@dataclass(frozen=True)
class Patches:
    """Drawn patches.

    Attributes:
        images: shape (N, SIZE, SIZE, 3), uint8.
        labels: shape (N,): 1 for mitotic, 0 for normal.
        kinds: shape (N,): what is at the center, index into `KINDS`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    kinds: NDArray[np.int64]


class _Canvas:
    """Two concentration maps, and drawing in the frame of a cell: its center and orientation."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.hematoxylin = np.zeros((SIZE, SIZE))
        self.eosin = np.zeros((SIZE, SIZE))

    def frame(self, center: tuple[float, float], angle: float) -> tuple[Map, Map]:
        """Coordinates (x, y) of all pixels in a frame at `center`, turned by `angle`."""
        steps = np.arange(SIZE) - (SIZE - 1) / 2
        x, y = steps[None, :] - center[0], -steps[:, None] - center[1]
        return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x

    def texture(self, scale: float) -> Map:
        """Smooth noise of mean 0 and variance 1 with grains of about `scale` pixels."""
        noise = ndimage.gaussian_filter(self.rng.standard_normal((SIZE, SIZE)), scale, mode="wrap")
        return np.asarray((noise - noise.mean()) / noise.std())


def _ellipse(canvas: _Canvas, x: Map, y: Map, a: float, b: float, ragged: float = 0.04, soft: float = 0.6) -> Map:
    """1 within an ellipse of half axes a and b whose outline wavers, 0 outside, soft between."""
    angle = np.arctan2(y / b, x / a)
    outline = np.ones_like(angle)
    for order in range(2, 7):
        phase = canvas.rng.uniform(0, 2 * np.pi)
        outline += ragged * canvas.rng.standard_normal() * np.cos(order * angle + phase) / np.sqrt(order)
    distance = (outline - np.hypot(x / a, y / b)) * min(a, b)
    return np.asarray(expit(distance / (soft / 2)))


def _rod(canvas: _Canvas, x: Map, y: Map, length: float, width: float, bend: float = 0.0, ragged: float = 0.25) -> Map:
    """1 within a bar along x, bent into a parabola, with a ragged outline."""
    y = y - bend * (x / (length / 2)) ** 2
    half = width / 2 * (1 + ragged * canvas.texture(1.5))
    return np.asarray(expit((half - np.abs(y)) / 0.4) * expit((length / 2 - np.abs(x) + canvas.texture(1.2)) / 0.5))


def _interphase(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    radius, aspect = rng.uniform(6.5, 10), rng.uniform(1, 1.6)
    x, y = canvas.frame(center, angle)
    a, b = radius * np.sqrt(aspect), radius / np.sqrt(aspect)
    inside = _ellipse(canvas, x, y, a, b)
    rim = inside - ndimage.gaussian_filter(inside, 1.2)
    chromatin = 0.55 + rng.uniform(0.1, 0.3) * canvas.texture(rng.uniform(1, 1.8))
    density = inside * (chromatin.clip(0.15, 1.4) + 1.1 * rim.clip(0))
    for _ in range(rng.integers(0, 3)):
        place = rng.uniform(-0.4, 0.4, 2) * (a, b)
        density += (
            inside * 0.9 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * rng.uniform(0.9, 1.5) ** 2))
        )
    canvas.hematoxylin = np.maximum(canvas.hematoxylin, rng.uniform(0.75, 1.25) * density)
    canvas.eosin *= 1 - 0.5 * inside


def _fibroblast(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    length, width = rng.uniform(18, 27), rng.uniform(3.5, 6.5)
    x, y = canvas.frame(center, angle)
    y = y - rng.uniform(-2, 2) * (2 * x / length) ** 2
    taper = (1 - (2 * x / length) ** 2).clip(0)
    inside = expit((width / 2 * taper - np.abs(y)) / 0.35) * (np.abs(x) < length / 2)
    density = inside * (1.25 + 0.2 * canvas.texture(1.2))
    canvas.hematoxylin = np.maximum(canvas.hematoxylin, rng.uniform(0.8, 1.35) * density)


def _pyknotic(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    x, y = canvas.frame(center, angle)
    radius, aspect = rng.uniform(3.5, 6), rng.uniform(1, 1.5)
    cell = _ellipse(canvas, x, y, radius * 2, radius * 1.8, soft=2)
    canvas.eosin += 0.5 * cell
    density = _ellipse(canvas, x, y, radius * aspect, radius / aspect, ragged=0.03, soft=0.5)
    for _ in range(rng.integers(0, 4)):
        turn, away, size = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.4, 2), rng.uniform(0.8, 2)
        density = np.maximum(density, expit((size - np.hypot(x - away * np.cos(turn), y - away * np.sin(turn))) / 0.3))
    density = density * rng.uniform(1.2, 2.2) * (1 + 0.05 * canvas.texture(2))
    canvas.hematoxylin = np.maximum(canvas.hematoxylin, density)


def _overlapping(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    away = canvas.rng.uniform(4.5, 7)
    for side in (-1, 1):
        place = (center[0] + side * away * np.cos(angle), center[1] + side * away * np.sin(angle))
        _interphase(canvas, place, canvas.rng.uniform(0, 2 * np.pi))


def _clear_cell(canvas: _Canvas, x: Map, y: Map, a: float, b: float) -> None:
    """The cytoplasm of a dividing cell: round, paler than what is about it."""
    cell = _ellipse(canvas, x, y, a, b, soft=2)
    canvas.hematoxylin *= 1 - 0.95 * cell
    canvas.eosin *= 1 - canvas.rng.uniform(0, 0.4) * cell


def _chromosomes(canvas: _Canvas, inside: Map) -> None:
    density = inside * canvas.rng.uniform(1.1, 2.1) * (1 + 0.12 * canvas.texture(1))
    canvas.hematoxylin = np.maximum(canvas.hematoxylin, density)


def _metaphase(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    x, y = canvas.frame(center, angle)
    length, width = rng.uniform(14, 22), rng.uniform(3.5, 6.5)
    _clear_cell(canvas, x, y, length * 0.65, length * 0.65)
    _chromosomes(canvas, _rod(canvas, x, y, length, width, rng.uniform(-1, 1)))


def _anaphase(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    x, y = canvas.frame(center, angle)
    length, width, away, bend = rng.uniform(10, 16), rng.uniform(3, 4.5), rng.uniform(3.5, 7), rng.uniform(-2, 0.5)
    _clear_cell(canvas, x, y, length * 0.75, away + length * 0.55)
    bars = [_rod(canvas, x, side * y - away, length * rng.uniform(0.9, 1.1), width, bend) for side in (-1, 1)]
    _chromosomes(canvas, np.maximum(*bars))


def _prometaphase(canvas: _Canvas, center: tuple[float, float], angle: float) -> None:
    rng = canvas.rng
    x, y = canvas.frame(center, angle)
    radius = rng.uniform(4, 6.5)
    _clear_cell(canvas, x, y, radius * 2, radius * 2)
    inside = _ellipse(canvas, x, y, radius, radius * rng.uniform(0.6, 0.9), ragged=0.2)
    inside *= 1 - rng.uniform(0, 0.6) * expit((canvas.texture(1.2) - 0.5) * 4)
    for turn in rng.uniform(0, 2 * np.pi, rng.integers(6, 12)):
        away = radius * rng.uniform(0.5, 1.0)
        arm = canvas.frame(
            (center[0] + away * np.cos(turn), center[1] + away * np.sin(turn)), turn + rng.normal(0, 0.5)
        )
        inside = np.maximum(inside, _rod(canvas, *arm, rng.uniform(3, 6), rng.uniform(1.2, 2.2), ragged=0.1))
    _chromosomes(canvas, inside)


_Draw: TypeAlias = Callable[[_Canvas, tuple[float, float], float], None]
_NORMAL: Mapping[str, tuple[_Draw, float]] = {
    "interphase": (_interphase, 0.35),
    "fibroblast": (_fibroblast, 0.25),
    "pyknotic": (_pyknotic, 0.2),
    "overlapping": (_overlapping, 0.2),
}
_MITOTIC: Mapping[str, tuple[_Draw, float]] = {
    "metaphase": (_metaphase, 0.4),
    "anaphase": (_anaphase, 0.3),
    "prometaphase": (_prometaphase, 0.3),
}
KINDS = (*_NORMAL, *_MITOTIC)
"""What can be at the center; normal ones first."""


def _background(canvas: _Canvas) -> None:
    """Fibers of eosin along one direction, and normal nuclei beside the middle."""
    rng = canvas.rng
    _, y = canvas.frame((0, 0), rng.uniform(0, np.pi))
    waves = np.sin(y * rng.uniform(0.3, 0.9) + 0.6 * canvas.texture(4) + rng.uniform(0, 6))
    canvas.eosin = (rng.uniform(0.25, 0.55) * (1 + 0.2 * waves + 0.15 * canvas.texture(2))).clip(0.05)
    for _ in range(rng.integers(0, 4)):
        turn, away = rng.uniform(0, 2 * np.pi), rng.uniform(19, 27)
        draw = (_interphase, _interphase, _fibroblast)[rng.integers(3)]
        draw(canvas, (away * np.cos(turn), away * np.sin(turn)), rng.uniform(0, 2 * np.pi))


def _develop(canvas: _Canvas) -> NDArray[np.uint8]:
    """Light through the stains, by Beer and Lambert, with varied stains, blur and noise."""
    rng = canvas.rng
    stains = [vector * rng.uniform(0.85, 1.15, 3) for vector in (_HAEMATOXYLIN, _EOSIN)]
    amounts = [rng.uniform(0.7, 1.25) * canvas.hematoxylin, rng.uniform(0.6, 1.5) * canvas.eosin]
    density = sum(amount[..., None] * stain for amount, stain in zip(amounts, stains, strict=True))
    light = np.exp(-np.asarray(density)) * rng.uniform(0.93, 1.0, 3)
    blur = rng.uniform(0.7, 1.7)
    light = ndimage.gaussian_filter(light, (blur, blur, 0)) + rng.normal(0, rng.uniform(0.01, 0.05), light.shape)
    return np.asarray((255 * light.clip(0, 1)).round(), np.uint8)


def _patch(label: int, rng: Generator) -> tuple[NDArray[np.uint8], int]:
    """One patch, and what is at its center."""
    kinds = _MITOTIC if label else _NORMAL
    name = list(kinds)[rng.choice(len(kinds), p=[share for _, share in kinds.values()])]
    canvas = _Canvas(rng)
    _background(canvas)
    jitter: Any = rng.uniform(-2, 2, 2)
    kinds[name][0](canvas, (jitter[0], jitter[1]), rng.uniform(0, 2 * np.pi))
    return _develop(canvas), KINDS.index(name)


def patches(count: int, seed: int) -> Patches:
    """Draws patches: the same for the same arguments, and other ones for each seed.

    Args:
        count: how many, at least 2; a share of `MITOTIC_SHARE` is mitotic.
        seed: 0 or more.

    Returns:
        The patches, both classes mixed.

    Example:
        >>> patches(4, seed=0).images.shape
        (4, 48, 48, 3)
    """
    labels = np.zeros(count, np.int64)
    labels[: max(1, round(MITOTIC_SHARE * count))] = 1
    order, *seeds = np.random.SeedSequence(seed).spawn(count + 1)
    labels = np.random.default_rng(order).permutation(labels)
    drawn = [_patch(int(label), np.random.default_rng(one)) for label, one in zip(labels, seeds, strict=True)]
    return Patches(np.stack([image for image, _ in drawn]), labels, np.array([kind for _, kind in drawn]))
