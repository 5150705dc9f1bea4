# SPDX-License-Identifier: Apache-2.0
"""Which part of a large image a network reads for a block of its output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from .._checks.arguments import integer, items, value_text
from .axes import AxisRule, Interval, clipped
from .graph import Graph, Step, graph_of
from .sources import as_network

_LARGEST = 2**48


@dataclass(frozen=True)
class Window:
    """What to read for a block of the output, and where the block is in what the network writes for it.

    ``network(image[..., *read])[..., *crop]`` is ``network(image)[..., *block]``. One entry for each axis of space.

    Attributes:
        read_begin, read_end: the part of the image, in pixels.
        crop_begin, crop_end: the block, in places of the output for that part.
    """

    read_begin: tuple[int, ...]
    read_end: tuple[int, ...]
    crop_begin: tuple[int, ...]
    crop_end: tuple[int, ...]

    @property
    def read(self) -> tuple[slice, ...]:
        """The part of the image as slices."""
        return tuple(map(slice, self.read_begin, self.read_end))

    @property
    def crop(self) -> tuple[slice, ...]:
        """The block as slices of the output for the part."""
        return tuple(map(slice, self.crop_begin, self.crop_end))


class TileGeometry:
    """How an output of a network on a large image is made of outputs on parts of it.

    For each block of places of the output `window` has the part of the image that the network is to read. The results
    are those of the whole image, to the last bit where the network computes each layer by one method for all sizes, as
    `steady_network` makes it. Parts begin at multiples of `period`, and end at the end of the image or a multiple of
    `period` before it, so that strides, skips and sizes act as on the whole image; beyond the ends of the image the
    network pads as it does on the whole image.

    Immutable, and pickles as numbers alone.

    Args:
        network: as of `receptive_field`.
        extents: the sizes of the whole image on its axes of space.
        output: the name of an output, or names of some that have places in common; the first if not given.

    Attributes:
        extents: the sizes of the image.
        output_extents: those of the output for the whole image.
        period: pixels whose multiples parts begin at.
        outputs_per_period: places of the output on so many pixels.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a network that does not read an image of
            these extents; one whose output depends on all of the image, or on where its ends are: by a mean over
            space, a flattening, circular padding, or interpolation between aligned corners; extents that the network
            fixes at others.
    """

    def __init__(self, network: Any, extents: Sequence[int], output: str | Sequence[str] | None = None) -> None:
        graph = graph_of(as_network(network))
        values = graph.values_of(output)
        check_steps(graph.before(values))
        self.extents = checked_extents(extents, graph)
        self._axes = tuple(_Axis.of(graph, values, axis, size) for axis, size in enumerate(self.extents))
        self.output_extents = tuple(axis.written for axis in self._axes)
        self.period = tuple(axis.period for axis in self._axes)
        self.outputs_per_period = tuple(int(axis.period * axis.rate) for axis in self._axes)

    def window(self, begin: Sequence[int], end: Sequence[int]) -> Window:
        """The part of the image for the block of places from `begin` to before `end`. O(operations) time.

        Args:
            begin, end: in places of the output, one number for each axis: ``0 <= begin < end <= output_extents``.

        Raises:
            TypeError, ValueError: no block of the output.
        """
        first, last = _places("begin", begin, self.output_extents), _places("end", end, self.output_extents)
        for axis, (low, high) in enumerate(zip(first, last, strict=True)):
            if low >= high:
                raise ValueError(f"end[{axis}] is {high}, expected more than begin[{axis}], {low}")
        parts = [axis.part(low, high) for axis, low, high in zip(self._axes, first, last, strict=True)]
        starts = [int(part[0] * axis.rate) for axis, part in zip(self._axes, parts, strict=True)]
        return Window(
            tuple(part[0] for part in parts),
            tuple(part[1] for part in parts),
            tuple(low - start for low, start in zip(first, starts, strict=True)),
            tuple(high - start for high, start in zip(last, starts, strict=True)),
        )

    def __repr__(self) -> str:
        return (
            f"TileGeometry({self.extents} -> {self.output_extents}, period {self.period}, "
            f"{self.outputs_per_period} outputs per period)"
        )


@dataclass(frozen=True)
class _Link:
    """A step along one axis."""

    inputs: tuple[int, ...]
    output: int
    rule: AxisRule


@dataclass(frozen=True)
class _Axis:
    """One axis of an image.

    Attributes:
        period: as of `TileGeometry`.
        rate: places of the output per pixel.
        least: the smallest part that every operation fits.
        written: places of the output.
        targets: the values that are the outputs.
        links: the steps that they depend on.
        sizes, rates: of the values that these are between.
    """

    period: int
    rate: Fraction
    least: int
    written: int
    targets: tuple[int, ...]
    links: tuple[_Link, ...]
    sizes: dict[int, int]
    rates: dict[int, Fraction]

    @classmethod
    def of(cls, graph: Graph, values: tuple[int, ...], axis: int, size: int) -> _Axis:
        """The axis of an image of a size. Raises ValueError where the network does not read it."""
        rates = rates_of(graph, axis)
        sizes = sizes_of(graph.steps, axis, size)
        _check_outputs(values, rates, sizes)
        links = tuple(_Link(step.inputs, step.output, step.rules[axis]) for step in graph.before(values))
        used = {0, *values, *(value for link in links for value in link.inputs)}
        period = lcm(*(rate.denominator for rate in rates.values()))
        return cls(
            period, rates[values[0]], _least(graph, axis, size, period), sizes[values[0]], values, links,
            {value: sizes[value] for value in used}, {value: rates[value] for value in used},
        )  # fmt: skip

    def part(self, begin: int, end: int) -> Interval:
        """The pixels that the network is to read for an interval of places of the output."""
        needed = self._needed(begin, end)
        size = self.sizes[0]
        steps = min(int(low // (self.period * self.rates[value])) for value, (low, _) in needed.items())
        left_out = min(
            int((self.sizes[value] - high) // (self.period * self.rates[value])) for value, (_, high) in needed.items()
        )
        first, last = steps * self.period, size - left_out * self.period
        if last - first < self.least:
            last = min(size, last + -(-(self.least - last + first) // self.period) * self.period)
        if last - first < self.least:
            first = max(0, last - self.least) // self.period * self.period
        return first, last

    def _needed(self, begin: int, end: int) -> dict[int, Interval]:
        """For each value the places that a part has to have."""
        needed: dict[int, Interval] = dict.fromkeys(self.targets, (begin, end))
        for link in reversed(self.links):
            first, last = needed[link.output]
            for value in link.inputs:
                low, high = link.rule.needs(first, last, self.sizes[value])
                known = needed.get(value, (low, high))
                needed[value] = (min(known[0], low), max(known[1], high))
            needed[link.output] = link.rule.keeps(first, last, self.sizes[link.output])
        return {value: clipped(interval, self.sizes[value]) for value, interval in needed.items()}


def rates_of(graph: Graph, axis: int) -> dict[int, Fraction]:
    """The places per pixel of all values with axes of space. Raises ValueError where values of several grids meet."""
    rates = {0: Fraction(1)}
    for step in graph.steps:
        if not step.rules or step.inputs[0] not in rates:
            continue
        rate = rates[step.inputs[0]]
        for value in step.inputs[1:]:
            if rates[value] != rate:
                raise ValueError(
                    f"{step} reads signals of {rate} and {rates[value]} places per pixel on axis {axis}, expected "
                    "signals on one grid"
                )
        rates[step.output] = rate * step.rules[axis].rate
    return rates


def sizes_of(steps: Sequence[Step], axis: int, size: int) -> dict[int, int]:
    """The sizes of all values with axes of space, on one of them. Raises ValueError for an image that does not fit."""
    sizes = {0: size}
    for step in steps:
        if not step.rules:
            continue
        read = {sizes[value] for value in step.inputs}
        sizes[step.output] = step.rules[axis].size(sizes[step.inputs[0]])
        if len(read) > 1 or sizes[step.output] < 1:
            found = "sizes " + " and ".join(map(str, sorted(read)))
            expected = "equal sizes" if len(read) > 1 else "more, so that it writes at least 1"
            raise ValueError(f"extents[{axis}] is {size}: {step} reads {found} there, expected {expected}")
    return sizes


def _least(graph: Graph, axis: int, size: int, period: int) -> int:
    """The smallest part of an image that every operation fits, and that is computed as in the whole."""
    if graph.extents[axis] is not None:
        return size
    # How many periods may be left out.
    known, most = 0, (size - 1) // period
    while known < most:
        middle = (known + most + 1) // 2
        if _is_enough(graph.steps, axis, size - middle * period):
            known = middle
        else:
            most = middle - 1
    return size - known * period


def _is_enough(steps: Sequence[Step], axis: int, size: int) -> bool:
    try:
        sizes = sizes_of(steps, axis, size)
    except ValueError:
        return False
    return all(sizes[value] >= step.rules[axis].least for step in steps if step.rules for value in step.inputs)


def check_steps(steps: Iterable[Step]) -> None:
    """Raises ValueError for steps whose output does not depend on a part of the image alone."""
    for step in steps:
        if step.fault is not None:
            raise ValueError(f"{step} {step.fault}, expected operations that read a part of space alone{_hint(step)}")


def _hint(step: Step) -> str:
    return ": equiconv.dense makes a network of maps" if step.kind in ("spatial_mean", "flatten") else ""


def _check_outputs(values: tuple[int, ...], rates: dict[int, Fraction], sizes: dict[int, int]) -> None:
    if len({(rates[value], sizes[value]) for value in values}) > 1:
        found = " and ".join(f"{sizes[value]} places" for value in values)
        raise ValueError(f"output names outputs of {found}, expected outputs that have their places in common")


def checked_extents(extents: Sequence[int], graph: Graph) -> tuple[int, ...]:
    """The sizes of an image that a network reads, one for each axis. Raises TypeError or ValueError."""
    sizes = items("extents", extents, "a size for each axis of space")
    if len(sizes) != graph.dimension:
        raise ValueError(f"extents is {value_text(extents)}, expected {graph.dimension} sizes, one for each axis")
    checked = tuple(integer(f"extents[{axis}]", size, 1, _LARGEST) for axis, size in enumerate(sizes))
    for axis, (size, fixed) in enumerate(zip(checked, graph.extents, strict=True)):
        if fixed not in (None, size):
            raise ValueError(f"extents[{axis}] is {size}, expected {fixed}, which the network fixes")
    return checked


def _places(name: str, value: Sequence[int], extents: tuple[int, ...]) -> tuple[int, ...]:
    numbers = items(name, value, "a place for each axis of space")
    if len(numbers) != len(extents):
        raise ValueError(f"{name} is {value_text(value)}, expected {len(extents)} numbers, one for each axis")
    return tuple(
        integer(f"{name}[{axis}]", number, 0, size)
        for axis, (number, size) in enumerate(zip(numbers, extents, strict=True))
    )
