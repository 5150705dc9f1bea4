# SPDX-License-Identifier: Apache-2.0
"""Whole networks, as ordinary data: what each library builds with its own layers. No library is imported here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from case import Case

Array: TypeAlias = np.ndarray[Any, Any]
CLASSES, SEED, RATE = 10, 0, 1e-3


@dataclass(frozen=True)
class Conv:
    """A layer without bias, the first of a network from the plane to the group, others from the group to itself."""

    outputs: int
    kernel: int
    stride: int = 1


@dataclass(frozen=True)
class Norm:
    """Batch norm over batch, fiber and space, one scale and shift a channel; then ReLU, if asked for."""

    relu: bool = True


@dataclass(frozen=True)
class MaxPool:
    """Windows of `size` on each axis, side by side."""

    size: int = 2


@dataclass(frozen=True)
class Residual:
    """ReLU of the sum of two branches."""

    main: tuple[Step, ...]
    shortcut: tuple[Step, ...]


Step: TypeAlias = Conv | Norm | MaxPool | Residual


@dataclass(frozen=True)
class Network:
    """Steps, then the maximum over H, the mean over space and a linear classifier.

    Attributes:
        group: as of a `Case`.
        inputs: channels of the images.
        size: of the images, on each axis.
        batch: images.
        steps: from the images on.
    """

    group: str
    inputs: int
    size: int
    batch: int
    steps: tuple[Step, ...]

    def layers(self) -> Iterator[Case]:
        """The layers in the order in which they run, with the sizes they meet."""
        found: list[Case] = []
        first = Case("lifting", self.group, (self.inputs, 1), self.size, 1, batch=self.batch)
        self._walk(self.steps, first, found)
        return iter(found)

    def _walk(self, steps: tuple[Step, ...], at: Case, found: list[Case]) -> Case:
        """Appends the layers of steps that begin with the signal that `at` reads; gives what reads the next."""
        for step in steps:
            if isinstance(step, Conv):
                layer = replace(at, channels=(at.channels[0], step.outputs), kernel=step.kernel, stride=step.stride)
                found.append(layer)
                at = replace(at, layer="group", channels=(step.outputs, 1), size=layer.output_size, kernel=1, stride=1)
            elif isinstance(step, MaxPool):
                at = replace(at, size=at.size // step.size)
            elif isinstance(step, Residual):
                after = self._walk(step.main, at, found)
                self._walk(step.shortcut, at, found)
                at = after
        return at


def _block(outputs: int, stride: int) -> Residual:
    """Of a residual network; the shortcut has a kernel of one tap."""
    main = (Conv(outputs, 3, stride), Norm(), Conv(outputs, 3), Norm(relu=False))
    return Residual(main, (Conv(outputs, 1, stride), Norm(relu=False)))


_STRIDED = (Conv(8, 5, 2), Norm(), _block(8, 2), _block(16, 2), _block(32, 2))
_POOLS = (Conv(8, 5), MaxPool(), Norm(), Conv(12, 5), MaxPool(), Norm(), Conv(16, 5), Norm())
_DIGITS = (Conv(8, 5), Norm(), Conv(8, 5), Norm(), Conv(16, 5), Norm())
_SPACE = (Conv(4, 3), Norm(), Conv(4, 3), Norm(), Conv(8, 3, 2), Norm(), Conv(8, 3), Norm())


def _plain(kernel: int) -> tuple[Step, ...]:
    """Two pools between layers whose channels double: the network of Cohen and Welling (2016) for rotated images."""
    wide = (Conv(32, kernel), Norm(), Conv(32, kernel), Norm(), MaxPool(), Conv(64, kernel), Norm())
    return (Conv(16, kernel), Norm(), Conv(16, kernel), Norm(), MaxPool(), *wide)


NETWORKS = {
    "C4 ResNet with strides": Network("C4", 3, 65, 16, _STRIDED),
    "D4 ResNet with strides": Network("D4", 3, 65, 16, _STRIDED),
    "C4 network with pools": Network("C4", 3, 48, 32, _POOLS),
    "D4 network": Network("D4", 1, 16, 32, _DIGITS),
    "octahedral network": Network("octahedral", 1, 17, 4, _SPACE),
    "C4 plain k3": Network("C4", 3, 64, 16, _plain(3)),
    "D4 plain k3": Network("D4", 3, 64, 16, _plain(3)),
    "C8 plain k3": Network("C8", 3, 64, 16, _plain(3)),
    "C4 plain k5": Network("C4", 3, 64, 16, _plain(5)),
    "D4 plain k5": Network("D4", 3, 64, 16, _plain(5)),
}


@dataclass(frozen=True)
class NetworkCase:
    """A network of the table, run one way: forward, or a step of training. Has what `Bench` asks of a case."""

    network: str
    run: Literal["forward", "training"] = "forward"
    dtype: str = "float32"
    # Images, if not as many as the network has in the table.
    batch: int = 0

    @property
    def name(self) -> str:
        """The case in one line."""
        made = self.made
        dimension = next(made.layers()).dimension
        end = "" if self.run == "forward" else " step"
        return f"{self.network} {made.batch}x{made.size}^{dimension}{end}"

    @property
    def made(self) -> Network:
        """The network."""
        made = NETWORKS[self.network]
        return replace(made, batch=self.batch) if self.batch else made

    @property
    def operations(self) -> float:
        """Those of the layers' definitions; in training with all gradients but that of the images."""
        total = 0.0
        for layer in self.made.layers():
            passes = 1 if self.run == "forward" else 2 if layer.layer == "lifting" else 3
            total += passes * layer.operations
        return total

    def to_json(self) -> dict[str, Any]:
        """What `NetworkCase(**...)` takes."""
        return {"network": self.network, "run": self.run, "dtype": self.dtype, "batch": self.batch}


def data_of(case: NetworkCase) -> tuple[Array, Array, list[Array]]:
    """Images, labels, and the parameters in the order of the steps: weights; scales and shifts; then the classifier's.

    The main branch of a residual step comes before its shortcut.
    """
    rng, made = np.random.default_rng(SEED), case.made
    dimension, layers = next(made.layers()).dimension, made.layers()
    parameters: list[Array] = []

    def normal(*shape: int, deviation: float = 1.0) -> Array:
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)

    def walk(steps: tuple[Step, ...], channels: int) -> int:
        for step in steps:
            if isinstance(step, Conv):
                layer, channels = next(layers), step.outputs
                fiber = () if layer.layer == "lifting" else (layer.order,)
                shape = (step.outputs, layer.channels[0], *fiber, *(step.kernel,) * dimension)
                parameters.append(normal(*shape, deviation=math.sqrt(2 / math.prod(shape[1:]))))
            elif isinstance(step, Norm):
                parameters.extend((1 + normal(channels, deviation=0.1), normal(channels, deviation=0.1)))
            elif isinstance(step, Residual):
                after = walk(step.main, channels)
                walk(step.shortcut, channels)
                channels = after
        return channels

    channels = walk(made.steps, made.inputs)
    parameters += [normal(CLASSES, channels, deviation=channels**-0.5), np.zeros(CLASSES, np.float32)]
    images = normal(made.batch, made.inputs, *(made.size,) * dimension)
    return images, rng.integers(0, CLASSES, made.batch), parameters
