# SPDX-License-Identifier: Apache-2.0
"""How many channels the signals of a converted network have, such that sums and concatenations fit.

The channels of a value are a row of segments, each of which becomes ``round(size / divisor)`` channels, at least one,
or so many times its unit: the channels of a group where a convolution reads or writes groups of channels.
A convolution writes one segment. A concatenation is a row of those of its parts, and two terms of a sum have the
segments of both, so that rounding is the same wherever the same channels meet. Segments that leave the network, or that
come from its input, keep their size; so do those of linear maps, unless they meet channels of a convolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class Channels:
    """The channels of a value, shared by all values that must have as many.

    Attributes:
        size: how many the ordinary network has; None for an input, until something reads it.
        is_whole: whether they keep their number.
        is_free: whether they may, which nothing but linear maps has written.
        unit: what the number of channels of a segment stays a multiple of.
        cuts: where segments begin, but the first.
        kept: where those begin that keep their size.
    """

    def __init__(self, size: int | None, is_whole: bool = False, is_free: bool = False) -> None:
        self._same: Channels | None = None
        self.size = size
        self.is_whole, self.is_free = is_whole, is_free
        self.unit = 1
        self.cuts: set[int] = set()
        self.kept: set[int] = set()

    def root(self) -> Channels:
        """What stands for all that were merged."""
        return self if self._same is None else self._same.root()

    def merge(self, other: Channels) -> bool:
        """Makes both the same; False where their sizes differ."""
        one, two = self.root(), other.root()
        if one is two:
            return True
        if None not in (one.size, two.size) and one.size != two.size:
            return False
        one.size = two.size if one.size is None else one.size
        one.is_whole |= two.is_whole
        one.is_free &= two.is_free
        one.unit = math.lcm(one.unit, two.unit)
        two._same = one
        return True

    def expect(self, size: int) -> bool:
        """Tells an unknown size; False where it is another one."""
        root = self.root()
        root.size = size if root.size is None else root.size
        return root.size == size

    def set_unit(self, unit: int) -> None:
        """Makes the number of channels of a segment a multiple of `unit`."""
        root = self.root()
        root.unit = math.lcm(root.unit, unit)

    def count(self, divisor: float) -> int:
        """The channels of the converted network."""
        root = self.root()
        assert root.size is not None
        ends = [*sorted(root.cuts), root.size]
        total = 0
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            total += (
                end - start if start in root.kept else max(1, round((end - start) / divisor / root.unit)) * root.unit
            )
        return total


class Rows:
    """The concatenations of a network, along which segments are passed on."""

    def __init__(self) -> None:
        self._rows: list[tuple[Channels, tuple[Channels, ...]]] = []

    def add(self, whole: Channels, parts: Sequence[Channels]) -> None:
        """`whole` is these parts, one after the other."""
        self._rows.append((whole, tuple(parts)))

    def settle(self, values: Sequence[Channels]) -> None:
        """Cuts all channels where those that meet them are cut, and keeps the sizes that have to stay."""
        self._pass_on("cuts")
        for value in values:
            root = value.root()
            if root.is_whole or root.is_free:
                root.kept |= {0, *root.cuts}
        self._pass_on("kept")

    def _pass_on(self, name: str) -> None:
        """Makes places of rows and of their parts the same, until no row changes any."""
        has_changed = True
        while has_changed:
            has_changed = False
            for whole, parts in self._rows:
                has_changed |= _share(whole, parts, name)


def _share(whole: Channels, parts: Sequence[Channels], name: str) -> bool:
    """Makes the places of a row and of its parts the same; whether that changed any.

    Args:
        whole, parts: of a concatenation.
        name: ``"cuts"``, to which the beginnings of parts but the first are added, or ``"kept"``.
    """
    row: set[int] = getattr(whole.root(), name)
    is_kept = name == "kept"
    has_changed, before, offset = False, len(row), 0
    for part in parts:
        own: set[int] = getattr(part.root(), name)
        size, count = part.root().size, len(own)
        assert size is not None  # concatenations of unknown sizes are refused
        own |= {place - offset for place in row if offset <= place < offset + size and (is_kept or place > offset)}
        has_changed |= len(own) != count
        row |= {place + offset for place in own} | ({offset} if offset and not is_kept else set())
        offset += size
    return has_changed or len(row) != before
