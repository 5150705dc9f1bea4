# SPDX-License-Identifier: Apache-2.0
"""Layers one after the other, whose spaces fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from numpy.typing import ArrayLike

from .._checks.arguments import value_text
from .._checks.arrays import Array, float_array
from .._network.file import Path
from .._signals.space import SignalSpace
from .parameters import load_parameters
from .saving import save_sequence


@runtime_checkable
class Holder(Protocol):
    """What has weights, but no known spaces, such as `BatchNorm`, or a `Sequential` in another."""

    def parameters(self) -> dict[str, Array]:
        """Its weights by their names."""

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Copies others into it."""


@runtime_checkable
class Layer(Protocol):
    """What reads and writes signals on known spaces, such as `LiftingConv` and `GroupPool`."""

    @property
    def input_space(self) -> SignalSpace:
        """What it reads."""

    @property
    def output_space(self) -> SignalSpace:
        """What it writes."""

    def parameters(self) -> dict[str, Array]:
        """Its weights by their names."""

    def __call__(self, x: ArrayLike) -> Array:
        """Its output."""


Step: TypeAlias = Layer | Callable[[Any], Any]


class Sequential:
    """Layers and functions one after the other: for inference, checked when it is made.

    Each layer has to read the space that the one before it writes, and as many channels. Other callables, such as
    ``lambda x: numpy.maximum(x, 0)``, are expected to act on each number by itself, which keeps both.

    Args:
        layers: what to call, in order: at least one.

    Raises:
        TypeError: one cannot be called.
        ValueError: spaces or channels that do not fit, or no layers.

    Example:
        >>> network = Sequential(LiftingConv(3, 8, 5, cyclic(4)), numpy.tanh, GroupPool(cyclic(4)))
        >>> network(numpy.zeros((1, 3, 9, 9), "float32")).shape
        (1, 8, 5, 5)
        >>> Sequential(GroupConv(3, 8, 5, cyclic(4)), GroupConv(8, 8, 5, dihedral(4)))
        Traceback (most recent call last):
        ...
        ValueError: layer 1, GroupConv, wants a signal on G for D4, got one on G for C4 from layer 0, GroupConv
    """

    def __init__(self, *layers: Step) -> None:
        check_chain(layers)
        self._layers = layers

    def __call__(self, x: ArrayLike) -> Array:
        """The output for a signal on the space that the first layer reads.

        Raises:
            TypeError, ValueError: as the layers.
        """
        value = float_array("x", x)
        for layer in self._layers:
            value = layer(value)
        return value

    def parameters(self) -> dict[str, Array]:
        """The weights of all layers, named as by `torch.nn.Sequential`: ``0.weight``, ``0.bias``, ... No copies."""
        return {
            f"{number}.{name}": array
            for number, layer in enumerate(self._layers)
            for name, array in _weights(layer).items()
        }

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Copies other weights into the layers, such as a trained network's.

        Args:
            parameters: arrays for all names of `parameters`, of their shapes; they are converted to their dtypes.

        Raises:
            TypeError: numbers that are not real.
            ValueError: a name too few or too many; another shape; a number beyond the range of the dtype. Nothing is
                changed then.
        """
        load_parameters(self.parameters(), parameters)

    def save(
        self, path: Path, example: ArrayLike, *, name: str = "Sequential", description: str | None = None,
        classes: Sequence[str] | None = None, normalization: Mapping[str, Any] | None = None,
        pixel_size: float | Sequence[float] | None = None, input_name: str = "x",
    ) -> None:  # fmt: skip
        """Writes the network as one file, which Equiconv runs without Python; see docs/NetworkFormat.md.

        Functions between layers have to be known by name: `relu`, `leaky_relu`, `elu`, `gelu_tanh`, `silu`, `sigmoid`,
        `softmax`, or `numpy.tanh`; with arguments, as ``functools.partial(leaky_relu, slope=0.1)``.

        Args:
            path: of the file; one that is there is replaced.
            example: a signal that the network reads; it is in the file, with the output for it, as a test.
            name, description: for people.
            classes: names of the channels of the output.
            normalization: a dictionary of ``mean`` and ``deviation``, numbers or one for each channel, and ``scale``:
                the file reads x, and computes the network of ``(scale x - mean) / deviation``. The example is such an
                x.
            pixel_size: in micrometers, a number or one for each spatial axis.
            input_name: of the input; the output is ``y``.

        Raises:
            TypeError: a layer that files do not have; an argument of the wrong kind.
            ValueError: an example that the network does not read; an argument out of range.
            OSError: the file cannot be written.

        Example:
            ``network.save("network.safetensors", numpy.zeros((1, 3, 32, 32), "float32"))``.
        """
        about = (name, description, classes, normalization, pixel_size)
        save_sequence(_named(self), path, example, input_name, about)

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._layers)

    def __getitem__(self, number: int) -> Step:
        return self._layers[number]

    def __repr__(self) -> str:
        lines = [f"  ({number}) {_text(layer)}" for number, layer in enumerate(self._layers)]
        count = sum(array.size for array in self.parameters().values())
        return "\n".join(["Sequential(", *lines, f"): {count:,} parameters"])


def check_chain(layers: tuple[Step, ...]) -> None:
    """Raises where layers cannot be called one after the other.

    A layer is what has an `input_space` and an `output_space`, and it changes the channels if it has `in_channels` and
    `out_channels`: those of this package in any framework.

    Raises:
        TypeError: one cannot be called.
        ValueError: no layers, or one that does not read what the one before it writes.
    """
    if not layers:
        raise ValueError("layers is (), expected at least one")
    space: SignalSpace | None = None
    channels: int | None = None
    writer = ""
    for number, layer in enumerate(layers):
        if not callable(layer):
            raise TypeError(f"layer {number} is {value_text(layer)} ({type(layer).__name__}), expected a callable")
        reads, writes = getattr(layer, "input_space", None), getattr(layer, "output_space", None)
        if not (isinstance(reads, SignalSpace) and isinstance(writes, SignalSpace)):
            continue
        user = f"layer {number}, {type(layer).__name__},"
        if space is not None and reads != space:
            raise ValueError(f"{user} wants a signal on {reads}, got one on {space} from {writer}")
        wanted = getattr(layer, "in_channels", None)
        if wanted is not None:
            if channels is not None and wanted != channels:
                raise ValueError(f"{user} wants {wanted} channels, got {channels} from {writer}")
            channels = getattr(layer, "out_channels", None)
        space, writer = writes, f"layer {number}, {type(layer).__name__}"


def _weights(layer: Step) -> dict[str, Array]:
    """The weights of a layer by their names; none for a function."""
    return layer.parameters() if isinstance(layer, Layer | Holder) else {}


def _named(network: Sequential, prefix: str = "") -> Iterator[tuple[str, Step]]:
    """The layers at any depth, with their names."""
    for number, layer in enumerate(network):
        if isinstance(layer, Sequential):
            yield from _named(layer, f"{prefix}{number}.")
        else:
            yield f"{prefix}{number}", layer


def _text(layer: Step) -> str:
    if isinstance(layer, Layer | Holder):
        return repr(layer)
    name = getattr(layer, "__name__", None)
    return repr(layer) if name is None else str(name)
