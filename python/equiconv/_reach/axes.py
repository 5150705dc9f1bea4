# SPDX-License-Identifier: Apache-2.0
"""What operations read along one axis of space, as intervals of whole numbers.

An interval ``[begin, end)`` of the places that an operation writes depends on an interval of the places that it reads.
`reads` is that interval where the signal has no ends; `needs` is it in a signal with ends, beyond which an operation
finds zeros, or copies of places within.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

Interval: TypeAlias = tuple[int, int]
"""The places from the first number to that before the second."""


class AxisRule(Protocol):
    """An operation along one axis."""

    @property
    def rate(self) -> Fraction:
        """Places that it writes for each that it reads."""

    @property
    def least(self) -> int:
        """Places that a part of a signal has at least, so that it is computed as in the whole signal."""

    def size(self, size: int) -> int:
        """How many places it writes for so many; less than 1 where it does not fit."""

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""

    def needs(self, begin: int, end: int, size: int) -> Interval:
        """What they depend on in a signal of a size, within the signal."""

    def keeps(self, begin: int, end: int, size: int) -> Interval:
        """The places that a part of what it writes has to have, of a whole of a size, so that these are right."""


def clipped(interval: Interval, size: int) -> Interval:
    """The interval within a signal; beyond one of its ends the place there."""
    begin, end = interval
    return max(0, min(begin, size - 1)), min(size, max(end, 1))


class _Plain:
    """What most rules share."""

    least = 1

    def needs(self, begin: int, end: int, size: int) -> Interval:
        """What they depend on in a signal of a size, within the signal."""
        return clipped(self.reads(begin, end), size)

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""
        return begin, end

    def keeps(self, begin: int, end: int, size: int) -> Interval:
        """The places that a part of what it writes has to have, of a whole of a size, so that these are right."""
        return begin, end


@dataclass(frozen=True)
class Same(_Plain):
    """Each place by itself."""

    @property
    def rate(self) -> Fraction:
        """Places that it writes for each that it reads."""
        return Fraction(1)

    def size(self, size: int) -> int:
        """How many places it writes for so many; less than 1 where it does not fit."""
        return size


@dataclass(frozen=True)
class Windows(_Plain):
    """``y[j]`` of the places from ``j stride - padding`` on, `reach` of them.

    Attributes:
        border: what is beyond the ends: "zeros", "ignored" places of a maximum, "reflect", "replicate" or "circular".
        least: as of `AxisRule`.
    """

    stride: int
    padding: int
    reach: int
    border: str
    least: int = 1

    @property
    def rate(self) -> Fraction:
        """Places that it writes for each that it reads."""
        return Fraction(1, self.stride)

    def size(self, size: int) -> int:
        """How many places it writes for so many; less than 1 where it does not fit."""
        return (size + 2 * self.padding - self.reach) // self.stride + 1

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""
        first = begin * self.stride - self.padding
        return first, (end - 1) * self.stride - self.padding + self.reach

    def needs(self, begin: int, end: int, size: int) -> Interval:
        """What they depend on in a signal of a size, within the signal."""
        first, last = self.reads(begin, end)
        low, high = first, last
        if self.border == "reflect":
            # Place -i is place i, and place n - 1 + i is n - 1 - i.
            high = max(high, 1 - first) if first < 0 else high
            low = min(low, 2 * (size - 1) - (last - 1)) if last > size else low
        return clipped((low, high), size)


@dataclass(frozen=True)
class Adjoint(_Plain):
    """The adjoint of `Windows`: ``y[i]`` of the places j with ``j stride - padding <= i < j stride - padding + reach``.

    Attributes:
        border: that of the layer. "reflect" and "replicate" add up at the ends what is written beyond them.
    """

    stride: int
    padding: int
    reach: int
    more: int
    border: str

    @property
    def rate(self) -> Fraction:
        """Places that it writes for each that it reads."""
        return Fraction(self.stride)

    @property
    def folds(self) -> bool:
        """Whether what is written beyond the ends is added up within them."""
        return self.padding > 0 and self.border in ("reflect", "replicate")

    def size(self, size: int) -> int:
        """How many places it writes for so many; less than 1 where it does not fit."""
        return (size - 1) * self.stride - 2 * self.padding + self.reach + self.more

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""
        last = (end - 1 + self.padding) // self.stride
        # Where a stride is longer than the kernel, some places depend on nothing.
        return min(last, -((self.reach - 1 - begin - self.padding) // self.stride)), last + 1

    def needs(self, begin: int, end: int, size: int) -> Interval:
        """What they depend on in a signal of a size, within the signal."""
        if self.folds:
            whole = self.size(size)
            begin, end = (
                -self.padding if begin <= self.padding else begin,
                whole + self.padding if end >= whole - self.padding else end,
            )
        return clipped(self.reads(begin, end), size)

    def keeps(self, begin: int, end: int, size: int) -> Interval:
        """The places that a part of what it writes has to have, of a whole of a size, so that these are right."""
        if not self.folds:
            return begin, end
        return clipped((begin - self.padding - 1, end + self.padding + 1), size)


@dataclass(frozen=True)
class _Enlarged(_Plain):
    """`factor` places for each."""

    factor: int

    @property
    def rate(self) -> Fraction:
        """Places that it writes for each that it reads."""
        return Fraction(self.factor)

    def size(self, size: int) -> int:
        """How many places it writes for so many; less than 1 where it does not fit."""
        return size * self.factor


@dataclass(frozen=True)
class Repeated(_Enlarged):
    """Each place `factor` times."""

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""
        return begin // self.factor, (end - 1) // self.factor + 1


@dataclass(frozen=True)
class Interpolated(_Enlarged):
    """``y[i]`` at ``(i + 1/2) / factor - 1/2``, from the places on both sides; constant beyond the outer ones."""

    def reads(self, begin: int, end: int) -> Interval:
        """What places that it writes depend on, in a signal without ends."""
        parts = 2 * self.factor
        first = (2 * begin + 1 - self.factor) // parts
        last, rest = divmod(2 * end - 1 - self.factor, parts)
        return first, last + (2 if rest else 1)
