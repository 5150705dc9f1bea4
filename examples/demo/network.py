# SPDX-License-Identifier: Apache-2.0
"""The network lifting - ReLU - group - ReLU - group - projection, with weights fixed by a seed.

The weights are made, not trained, such that the feature maps mean something to the eye:

* lifting, 5 x 5: Gabor kernels. Half of the channels are odd (edges), half even (lines); each looks in a direction of
  its own and at a mixture of the three colors of its own. Channel 0 finds edges in brightness; its direction, 67.5
  degrees, is turned by H to four (C4) or eight (D4) directions at equal distances.
* group, 3 x 3: a small blur of the channel itself at the same element of H, minus the mean of its other elements
  (orientations compete), plus Gaussian noise that mixes all channels and elements.
* projection, 3 x 3: Gaussian noise.

Each kernel is scaled to He's rule: its squares add up to 2, like those of fan_in numbers of variance 2 / fan_in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import equiconv as eq
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LIFTING_KERNEL = 5
GROUP_KERNEL = 3
CHANNELS = 16

_CONVOLUTIONS: Mapping[str, Callable[..., Array]] = {
    "lifting": eq.lifting_conv,
    "group": eq.group_conv,
    "projection": eq.projection_conv,
}


@dataclass(frozen=True)
class Layer:
    """One convolution of the network, and whether a ReLU follows it."""

    name: str
    kind: str
    weight: Array
    group: eq.PointGroup
    relu_follows: bool

    def __call__(self, x: Array, out: Array | None = None) -> Array:
        """The convolution alone, with padding that keeps the size; direct, so that bits can be compared."""
        convolution = _CONVOLUTIONS[self.kind]
        return convolution(x, self.weight, self.group, padding="same", algorithm="direct", out=out)

    def activate(self, y: Array) -> Array:
        """What the next layer reads, given what this one wrote."""
        return np.maximum(y, np.float32(0)) if self.relu_follows else y

    @property
    def spaces(self) -> str:
        """From where to where the layer maps signals."""
        return {"lifting": "R² → G", "group": "G → G", "projection": "G → R²"}[self.kind]

    def flops(self, x: Array) -> float:
        """Floating-point operations of the layer's definition, 2 B O |Y| C |X| k² rows columns.

        |X| and |Y| are |H| for a signal on the group and 1 for one on the plane.
        """
        order = self.group.order
        fiber_in = 1 if self.kind == "lifting" else order
        fiber_out = 1 if self.kind == "projection" else order
        out_channels, in_channels = self.weight.shape[:2]
        taps = self.weight.shape[-2] * self.weight.shape[-1]
        pixels = x.shape[-2] * x.shape[-1]
        return 2.0 * float(x.shape[0] * out_channels * fiber_out * in_channels * fiber_in * taps * pixels)


@dataclass(frozen=True)
class Network:
    """Layers applied one after the other."""

    layers: tuple[Layer, ...]

    def __call__(self, x: Array) -> Array:
        """The output of the last layer."""
        for layer in self.layers:
            x = layer.activate(layer(x))
        return x

    def inputs(self, x: Array) -> list[Array]:
        """What each layer reads when the network reads `x`."""
        signals = [x]
        for layer in self.layers[:-1]:
            signals.append(layer.activate(layer(signals[-1])))
        return signals


def make_network(group: eq.PointGroup, seed: int) -> Network:
    """The network of the demo: three colors in, 16 channels per element of H throughout, 16 channels out."""
    random = np.random.default_rng(seed)
    return Network(
        (
            Layer("lifting", "lifting", _lifting_weight(random), group, True),
            Layer("group 1", "group", _group_weight(group.order, random), group, True),
            Layer("group 2", "group", _group_weight(group.order, random), group, False),
            Layer("projection", "projection", _projection_weight(group.order, random), group, False),
        )
    )


def _he_scaled(weight: NDArray[np.float64]) -> Array:
    """Scales the kernels of each output channel so that their squares add up to 2."""
    axes = tuple(range(1, weight.ndim))
    norm = np.sqrt(np.sum(weight**2, axis=axes, keepdims=True))
    return np.asarray(weight * (np.sqrt(2.0) / norm), np.float32)


def _gabor(angle: float, odd: bool) -> NDArray[np.float64]:
    """A plane wave in the direction `angle` under a Gaussian window, with mean 0."""
    reach = (LIFTING_KERNEL - 1) / 2
    row, column = np.mgrid[:LIFTING_KERNEL, :LIFTING_KERNEL] - reach
    along = np.cos(angle) * column - np.sin(angle) * row
    window = np.exp(-(row**2 + column**2) / (2 * 1.2**2))
    phase = 2 * np.pi * along / 5.0
    kernel = (np.sin(phase) if odd else np.cos(phase)) * window
    return np.asarray(kernel - window * kernel.sum() / window.sum())


def _lifting_weight(random: np.random.Generator) -> Array:
    angles = random.uniform(0, 2 * np.pi, CHANNELS)
    colors = random.normal(size=(CHANNELS, 3))
    angles[0], colors[0] = 3 * np.pi / 8, 1.0
    kernels = np.stack([_gabor(angle, odd=channel % 2 == 0) for channel, angle in enumerate(angles)])
    return _he_scaled(colors[:, :, None, None] * kernels[:, None])


def _group_weight(order: int, random: np.random.Generator) -> Array:
    blur = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
    competition = np.full(order, -1.0 / (order - 1))
    competition[0] = 1.0
    own = competition[:, None, None] * blur
    shape = (CHANNELS, CHANNELS, order, GROUP_KERNEL, GROUP_KERNEL)
    weight = random.normal(scale=0.3 * np.sqrt(np.sum(own**2) / np.prod(shape[1:])), size=shape)
    weight[np.arange(CHANNELS), np.arange(CHANNELS)] += own
    return _he_scaled(weight)


def _projection_weight(order: int, random: np.random.Generator) -> Array:
    return _he_scaled(random.normal(size=(CHANNELS, CHANNELS, order, GROUP_KERNEL, GROUP_KERNEL)))
