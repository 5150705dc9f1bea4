# SPDX-License-Identifier: Apache-2.0
"""Measurements: is f(L_g x) equal to L_g f(x), to the last bit, and how long does f take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import equiconv as eq
import numpy as np
from network import Array, Layer, Network

REPEATS = 3


@dataclass(frozen=True)
class Equality:
    """f(L_g x) against L_g f(x), for every g in H in order."""

    equal: tuple[bool, ...]
    largest_difference: float
    scale: float
    """The largest |f(x)|, which the difference is to be seen against."""

    @property
    def holds(self) -> bool:
        """Whether all bits are equal for every element."""
        return all(self.equal)


@dataclass(frozen=True)
class LayerResult:
    """What was measured of one layer on what it reads inside the network."""

    layer: Layer
    equality: Equality
    seconds: float
    gflops: float
    """Operations of the layer's definition per second, in thousand millions."""


@dataclass(frozen=True)
class GroupResult:
    """What was measured of the network for one group."""

    group: eq.PointGroup
    layers: tuple[LayerResult, ...]
    network: Equality
    control: Equality
    """An ordinary convolution, which is not equivariant: shows that the comparison can fail."""

    @property
    def holds(self) -> bool:
        """Whether all layers and the network are equivariant to the last bit."""
        return self.network.holds and all(result.equality.holds for result in self.layers)


def same_bits(a: Array, b: Array) -> bool:
    """Whether all bits are equal: stricter than ``==``, for which 0.0 and -0.0 are the same."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def largest_difference(a: Array, b: Array) -> float:
    """``max |a - b|``, taken in double precision."""
    return float(np.max(np.abs(a.astype(np.float64) - b)))


def check(f: Callable[[Array], Array], x: Array, group: eq.PointGroup, advance: Callable[[], object]) -> Equality:
    """Compares f(L_g x) and L_g f(x) for every g in H, calling `advance` after each."""
    value = f(x)
    equal, largest = [], 0.0
    for element in range(group.order):
        turned_first = f(eq.act(x, group, element))
        turned_last = eq.act(value, group, element)
        equal.append(same_bits(turned_first, turned_last))
        if not equal[-1]:
            # Not max(), which would pass over a NaN.
            largest = float(np.maximum(largest, largest_difference(turned_first, turned_last)))
        advance()
    return Equality(tuple(equal), largest, float(np.max(np.abs(value))))


def best_time(layer: Layer, x: Array) -> float:
    """Seconds of the fastest of several runs, after one that is not counted."""
    out = layer(x)
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        layer(x, out=out)
        times.append(perf_counter() - start)
    return min(times)


def steps(network: Network, group: eq.PointGroup) -> int:
    """How many times `measure` calls `advance`."""
    return (len(network.layers) + 2) * group.order


def measure(network: Network, x: Array, group: eq.PointGroup, advance: Callable[[], object]) -> GroupResult:
    """Measures every layer on what it reads when the network reads `x`, then the network as a whole."""
    results = []
    for layer, signal in zip(network.layers, network.inputs(x), strict=True):
        seconds = best_time(layer, signal)
        equality = check(layer, signal, group, advance)
        results.append(LayerResult(layer, equality, seconds, layer.flops(signal) / seconds * 1e-9))
    weight = network.layers[0].weight

    def ordinary(plane: Array) -> Array:
        return np.asarray(eq.isotropic_conv(plane, weight, eq.trivial(2), padding="same", algorithm="direct"))

    return GroupResult(group, tuple(results), check(network, x, group, advance), check(ordinary, x, group, advance))
