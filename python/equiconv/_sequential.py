# SPDX-License-Identifier: Apache-2.0
"""Layers one after the other, whose spaces fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from numpy.typing import ArrayLike

from ._arguments import Array, float_array, value_text
from ._modules import Convolution, load_parameters
from ._signal_space import SignalSpace


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
    ``lambda x: numpy.maximum(x, 0)``, are taken to act on each number, and so to keep both.

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
        if not layers:
            raise ValueError("layers is (), expected at least one")
        for number, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(f"layer {number} is {value_text(layer)} ({type(layer).__name__}), expected a callable")
        self._layers = layers
        _check_chain(layers)

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
            if isinstance(layer, Layer)
            for name, array in layer.parameters().items()
        }

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Takes copies of other weights, such as a trained network's.

        Args:
            parameters: arrays for all names of `parameters`, of their shapes; they are converted to their dtypes.

        Raises:
            TypeError: numbers that are not real.
            ValueError: a name too few or too many; another shape; a number beyond the range of the dtype. Nothing is
                changed then.
        """
        load_parameters(self.parameters(), parameters)

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


def _check_chain(layers: tuple[Step, ...]) -> None:
    """Raises ValueError where a layer does not read what the one before it writes."""
    space: SignalSpace | None = None
    channels: int | None = None
    writer = ""
    for number, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            continue
        user = f"layer {number}, {type(layer).__name__},"
        if space is not None and layer.input_space != space:
            raise ValueError(f"{user} wants a signal on {layer.input_space}, got one on {space} from {writer}")
        if isinstance(layer, Convolution):
            if channels is not None and layer.in_channels != channels:
                raise ValueError(f"{user} wants {layer.in_channels} channels, got {channels} from {writer}")
            channels = layer.out_channels
        space, writer = layer.output_space, f"layer {number}, {type(layer).__name__}"


def _text(layer: Step) -> str:
    if isinstance(layer, Layer):
        return repr(layer)
    name = getattr(layer, "__name__", None)
    return repr(layer) if name is None else str(name)
