# SPDX-License-Identifier: Apache-2.0
"""The operations of a network, as rules along each axis of space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from unicodedata import normalize

import numpy as np

from .._checks.arguments import items, value_text
from .._groups.point_group import PointGroup
from .._layer.spec import LayerSpec
from .._network.network import Network
from .._network.types import ValueType
from .._network.values import value_types
from .axes import Adjoint, AxisRule, Interpolated, Repeated, Same, Windows

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Step:
    """An operation between values, which have numbers; 0 is the input.

    Attributes:
        kind, name: of the operation.
        inputs, output: values.
        rules: one for each axis of space; none where it writes a vector.
        fault: why what it writes cannot be computed part by part; None where it can.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    output: int
    rules: tuple[AxisRule, ...]
    fault: str | None = None

    def __str__(self) -> str:
        return f"operation {self.name!r} ({self.kind})"


@dataclass
class Graph:
    """The values of a network, and the steps between them.

    Attributes:
        dimension: the axes of space of the input.
        extents: of the input, None where they are free.
        steps: in order; step i writes value i + 1.
        outputs: the values that the network writes, by their names.
    """

    dimension: int
    extents: tuple[int | None, ...]
    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)

    def before(self, values: Sequence[int]) -> list[Step]:
        """The steps that values depend on, in order."""
        wanted, found = set(values), []
        for step in reversed(self.steps):
            if step.output in wanted:
                wanted.update(step.inputs)
                found.append(step)
        return found[::-1]

    def values_of(self, output: str | Sequence[str] | None) -> tuple[int, ...]:
        """The values of outputs, given by one name, some, or None for the first. Raises TypeError or ValueError."""
        expected = "the name of an output, some names, or None"
        given = next(iter(self.outputs)) if output is None else output
        names = [given] if isinstance(given, str) else items("output", given, expected)
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"output is {value_text(output)}, expected {expected}")
            if normalize("NFC", name) not in self.outputs:
                known = ", ".join(map(repr, self.outputs))
                raise ValueError(f"output is {value_text(name)}, expected one of the network's outputs: {known}")
        if not names:
            raise ValueError(f"output is {value_text(output)}, expected at least one name")
        return tuple(self.outputs[normalize("NFC", name)] for name in names)


def graph_of(network: Network) -> Graph:
    """The operations of a network as rules. O(operations) time and memory."""
    document, tensors = network.document, network.tensors
    types = value_types(document, tensors)
    shapes = {name: array.shape for name, array in tensors.items()}
    given = document["input"]
    graph = Graph(given["dimension"], tuple(given["extents"]))
    numbers = {normalize("NFC", given["name"]): 0}
    for operation in document["operations"]:
        inputs = tuple(numbers[normalize("NFC", name)] for name in operation["inputs"])
        numbers[normalize("NFC", operation["output"])] = len(numbers)
        rules, fault = _rules(operation, types[operation["inputs"][0]], shapes)
        step = Step(operation["kind"], operation["name"], inputs, len(numbers) - 1, rules, fault)
        graph.steps.append(step)
    graph.outputs = {
        normalize("NFC", output["name"]): numbers[normalize("NFC", output["value"])] for output in document["outputs"]
    }
    return graph


_Shapes = Mapping[str, tuple[int, ...]]
_Rules = tuple[tuple[AxisRule, ...], str | None]


def _rules(operation: Mapping[str, Any], read: ValueType, shapes: _Shapes) -> _Rules:
    """The rules of an operation, and what is wrong with them."""
    if operation["kind"] in ("spatial_mean", "flatten") and read.dimension:
        return (), "reads all of space"
    special = _SPECIAL.get(operation["kind"])
    if special is None or not read.dimension:
        return (Same(),) * read.dimension, None
    return special(operation, shapes)


def _layer(operation: Mapping[str, Any], shapes: _Shapes) -> _Rules:
    spec = LayerSpec.parse(operation["layer"])
    shape = shapes[operation["weight"]]
    kernel = spec.kernel.extents(np.broadcast_to(np.float32(0), shape), spec.group.dimension)
    taps = sampled_extents(kernel, spec.group)
    sampling = spec.sampling
    amounts = sampling.amounts_of_bank(kernel, taps)
    more = operation.get("output_padding", (0,) * len(kernel))
    columns = zip(sampling.stride, amounts, sampling.reach(taps), more, strict=True)
    mode = sampling.padding_mode
    fault = "pads its signal by the signal's other end" if mode == "circular" and any(amounts) else None
    if operation["kind"] == "convolution":
        return tuple(Windows(stride, padding, reach, mode) for stride, padding, reach, _ in columns), fault
    return tuple(Adjoint(*numbers, mode) for numbers in columns), fault


def sampled_extents(kernel: tuple[int, ...], group: PointGroup) -> tuple[int, ...]:
    """The extents of the grid that all elements sample a kernel on: larger where some element enlarges the kernel."""
    if group.is_lattice:
        return kernel
    scale = float(np.max(np.linalg.norm(group.matrices, 2, axis=(1, 2))))
    return tuple(max(extent, _scaled(extent, scale)) for extent in kernel)


def _scaled(extent: int, scale: float) -> int:
    """As many places as the outer ones reach, about the same center."""
    reach = scale * (extent - 1) / 2
    steps = max(0, ceil(reach - (0 if extent % 2 else 0.5) - _ROUNDING * reach))
    return 2 * steps + (1 if extent % 2 else 2)


def _pool(operation: Mapping[str, Any], shapes: _Shapes) -> _Rules:
    is_mean = operation["kind"] == "spatial_mean_pool"
    border = "zeros" if is_mean else "ignored"
    columns = zip(operation["stride"], operation["padding"], operation["kernel"], strict=True)
    # How a mean of many numbers is rounded follows from how many of a window's places a signal has.
    rules = (Windows(stride, padding, kernel, border, kernel if is_mean else 1) for stride, padding, kernel in columns)
    return tuple(rules), None


def _upsample(operation: Mapping[str, Any], shapes: _Shapes) -> _Rules:
    if operation["mode"] == "nearest":
        return tuple(map(Repeated, operation["factors"])), None
    fault = "has align_corners, with which places depend on the size" if operation.get("align_corners") else None
    return tuple(map(Interpolated, operation["factors"])), fault


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], _Shapes], _Rules]] = {
    "convolution": _layer,
    "transposed_convolution": _layer,
    "spatial_max_pool": _pool,
    "spatial_mean_pool": _pool,
    "upsample": _upsample,
}
