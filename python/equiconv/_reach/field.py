# SPDX-License-Identifier: Apache-2.0
"""What a place of an output depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import lcm
from typing import Any

from numpy.typing import ArrayLike

from .axes import Adjoint, AxisRule, Interpolated, Interval, Windows
from .geometry import check_steps, rates_of
from .graph import Graph, Step, graph_of
from .sources import as_network

_NAMED = 3
"""Operations that a sentence about padding names."""

_MOST_OUTPUTS = 2**14
"""Places of a period, each of which is followed to the input."""


@dataclass(frozen=True)
class ReceptiveField:
    """Which pixels an output of a network depends on; one entry for each axis of space. Prints as text.

    A *block* is the outputs of some whole periods: the places from ``a outputs_per_period`` to before
    ``b outputs_per_period``, beside the pixels from ``a period`` to before ``b period``.

    Attributes:
        size: the pixels between the first and the last that one place depends on, both included; the most of all
            places of a period.
        before: how many pixels before the first of its own a block reads.
        after: how many behind the last of its own.
        period: the total stride: a shift of the image by so many pixels shifts the output by `outputs_per_period`
            places.
        outputs_per_period: 1 for a map of a classifier, as many as `period` for a U-Net.
        padding: what the network finds beyond the edge of an image: ``"none"`` where it reads nothing there,
            ``"zeros"``, ``"reflect"``, ``"replicate"``, ``"circular"``, ``"ignored"`` for maxima of what is there; or
            which operation finds what.
    """

    size: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    period: tuple[int, ...]
    outputs_per_period: tuple[int, ...]
    padding: str

    def __str__(self) -> str:
        rows = (
            ("receptive field", f"{_product(self.size)} pixels"),
            ("read beside a block", f"{_product(self.before)} pixels before, {_product(self.after)} after"),
            ("period", f"{_product(self.period)} pixels, with {_product(self.outputs_per_period)} outputs"),
            ("beyond the edge", self.padding),
        )
        return "\n".join(f"{name:<20} {text}" for name, text in rows)


def receptive_field(network: Any, output: str | None = None, *, example: ArrayLike | None = None) -> ReceptiveField:
    """Which pixels of its input an output of a network depends on.

    With ``y[j]`` a function of the pixels ``[low(j), high(j))`` on an axis, far from the edges: ``size = max_j high(j)
    - low(j)``, ``low(j + outputs_per_period) = low(j) + period`` and so for `high`. The intervals follow from the
    operations of the network, one after the other from the output to the input, in whole numbers.

    Args:
        network: a `Network`; the path of a network file, or its bytes; a `Sequential` or a module of PyTorch.
        output: the name of an output; the first if not given.
        example: a signal (B, C, spatial...) that a `Sequential` or a module reads; others need none.

    Returns:
        A `ReceptiveField`, which prints as text. In O(operations) time for each place of a period.

    Raises:
        TypeError: `network` is none of these; a module or a `Sequential` without an example.
        ValueError: an output that does not exist, or that depends on all of the image by a mean over space or a
            flattening, which `dense` replaces; interpolation between aligned corners, with which places depend on the
            size of the image; more than 2^14 places per period.
        OSError: the file cannot be read.

    Example:
        >>> network = Sequential(LiftingConv(1, 2, 5, cyclic(4)), SpatialMaxPool(cyclic(4), 2), GroupPool(cyclic(4)))
        >>> field = receptive_field(network, example=numpy.zeros((1, 1, 16, 16), "float32"))
        >>> print(field)
        receptive field      6 x 6 pixels
        read beside a block  0 x 0 pixels before, 4 x 4 after
        period               2 x 2 pixels, with 1 x 1 outputs
        beyond the edge      none
    """
    graph = graph_of(as_network(network, example))
    (value,) = graph.values_of(output)
    steps = graph.before((value,))
    check_steps(step for step in steps if not _is_circular(step))
    axes = [_along(graph, steps, value, axis) for axis in range(graph.dimension)]
    size, before, after, period, outputs = (tuple(numbers) for numbers in zip(*axes, strict=True))
    return ReceptiveField(size, before, after, period, outputs, _padding(steps))


def reads_of(steps: list[Step], value: int, axis: int, begin: int, end: int) -> Interval:
    """The pixels that the places of a value from `begin` to before `end` depend on, in an image without edges."""
    needed = {value: (begin, end)}
    for step in reversed(steps):
        low, high = step.rules[axis].reads(*needed[step.output])
        for source in step.inputs:
            known = needed.get(source, (low, high))
            needed[source] = (min(known[0], low), max(known[1], high))
    return needed[0]


def _along(graph: Graph, steps: list[Step], value: int, axis: int) -> tuple[int, int, int, int, int]:
    """The entries of one axis."""
    rates = rates_of(graph, axis)
    used = {0, *(step.output for step in steps)}
    period = lcm(*(rates[number].denominator for number in used))
    outputs = int(period * rates[value])
    if outputs > _MOST_OUTPUTS:
        raise ValueError(f"output has {outputs} places per period on axis {axis}, expected at most {_MOST_OUTPUTS}")
    fields = [reads_of(steps, value, axis, place, place + 1) for place in range(outputs)]
    first, last = reads_of(steps, value, axis, 0, outputs)
    size = max(high - low for low, high in fields)
    return size, max(0, -first), max(0, last - period), period, outputs


def _product(numbers: Iterable[int]) -> str:
    return " x ".join(map(str, numbers))


def _is_circular(step: Step) -> bool:
    return any(isinstance(rule, Windows | Adjoint) and rule.border == "circular" for rule in step.rules)


# ---- Beyond the edge


def _padding(steps: Iterable[Step]) -> str:
    """What operations find beyond the edge of an image."""
    found: dict[str, list[str]] = {}
    for step in steps:
        for border in dict.fromkeys(_border(rule) for rule in step.rules):
            if border is not None:
                found.setdefault(border, []).append(step.name)
    if len(found) <= 1:
        return next(iter(found), "none")
    return "; ".join(f"{border} in {_some(names)}" for border, names in found.items())


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _border(rule: AxisRule) -> str | None:
    """What a rule finds beyond the ends of a signal; None where it reads nothing there."""
    find = _BORDERS.get(type(rule))
    return None if find is None else find(rule)


def _of_windows(rule: Windows) -> str | None:
    return rule.border if rule.padding else None


def _of_adjoint(rule: Adjoint) -> str | None:
    if rule.folds or (rule.border == "circular" and rule.padding):
        return rule.border
    size = rule.reach
    first, last = rule.reads(0, 1)[0], rule.reads(rule.size(size) - 1, rule.size(size))[1]
    return "zeros" if first < 0 or last > size else None


def _of_interpolation(rule: Interpolated) -> str | None:
    return "replicate" if rule.factor > 1 else None


_BORDERS: Mapping[type, Callable[[Any], str | None]] = {
    Windows: _of_windows,
    Adjoint: _of_adjoint,
    Interpolated: _of_interpolation,
}
