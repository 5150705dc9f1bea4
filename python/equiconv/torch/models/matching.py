# SPDX-License-Identifier: Apache-2.0
"""Widths of a network whose number of parameters is to be near to that of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from ..._checks.arguments import LARGEST, integer, items

Matching: TypeAlias = Literal["parameters", "width"]
Widths: TypeAlias = tuple[int, ...]


def checked_widths(name: str, value: object, count: int) -> Widths:
    """So many positive integers; one integer stands for all. Raises TypeError or ValueError."""
    if isinstance(value, int | np.integer):
        return (integer(name, value, 1, LARGEST),) * count
    widths = items(name, value, f"an integer or {count} integers")
    if len(widths) != count:
        raise ValueError(f"{name} has {len(widths)} numbers, expected {count}")
    return tuple(integer(f"{name}[{place}]", width, 1, LARGEST) for place, width in enumerate(widths))


def scaled(widths: Widths, factor: Fraction) -> Widths:
    """The widths times a factor, rounded (halves up), at least 1."""
    return tuple(max(1, int(width * factor + Fraction(1, 2))) for width in widths)


def nearest(widths: Widths, guess: Fraction, target: int, count: Callable[[Widths], int]) -> Widths:
    """The widths among those of `scaled` whose count comes nearest to a target.

    Counts grow with the factor, so that the search goes from a guess, one change of widths after the other, until they
    pass the target. The guess is improved first, as if counts were squares of the factor.

    Args:
        widths: those that are scaled.
        guess: of the factor.
        target: the count to come near.
        count: of a network with these widths.
    """
    for _ in range(6):
        ratio = Fraction(target, max(1, count(scaled(widths, guess))))
        if abs(ratio - 1) < Fraction(1, 50):
            break
        guess = Fraction(guess * Fraction(float(ratio) ** 0.5)).limit_denominator(10**6)
    here = scaled(widths, guess)
    has_more = count(here) < target
    while True:
        there = _next(widths, here, has_more)
        if there is None or (count(there) < target) != has_more:
            break
        here = there
    choices = [here] if there is None else [here, there]
    return min(choices, key=lambda each: abs(count(each) - target))


def _next(widths: Widths, here: Widths, is_up: bool) -> Widths | None:
    """The next widths of larger or smaller factors; None if all are 1 already."""
    if is_up:
        steps = [(2 * now + 1) / Fraction(2 * width) for width, now in zip(widths, here, strict=True)]
        return tuple(now + (step == min(steps)) for now, step in zip(here, steps, strict=True))
    falls = [_below(width, now) for width, now in zip(widths, here, strict=True)]
    if not any(falls):
        return None
    return tuple(now - (fall == max(falls)) for now, fall in zip(here, falls, strict=True))


def _below(width: int, now: int) -> Fraction:
    """Below which factor a width is smaller; 0 if it is 1."""
    return Fraction(2 * now - 1, 2 * width) if now > 1 else Fraction(0)


def by_width(widths: Sequence[int], order: int) -> Widths:
    """As many numbers a pixel as the widths: each divided by the order of the group, at least 1."""
    return scaled(tuple(widths), Fraction(1, order))
