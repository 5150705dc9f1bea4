# SPDX-License-Identifier: Apache-2.0
"""A trained network that was read from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from numpy.typing import ArrayLike

from .. import _native
from .._checks.arguments import choice, integer, items
from .._checks.arrays import Array, float_array
from .explanation import NetworkExplanation, Summary, channels_text, read_explanation, summarize
from .file import Document, Tensor, document_of, document_text, file_source, listed_tensors, path_text, tensors_of
from .values import stabilizer_in

Mode: TypeAlias = Literal["fast", "exact"]
_MODES = ("fast", "exact")
LARGEST_RANK = 6
"""Of signals: batch, channels, fiber and three axes of space."""


class Network(_native.Network):
    """A trained network, which computes on NumPy arrays. Made by `load_network`.

    ``network(x)`` is its output for a signal (B, C, [|X|,] spatial...) of `dtype`. Immutable, and safe to call from
    several threads at once: the interpreter's lock is released while computing. It pickles as its document and its
    tensors, and is prepared anew where it is loaded.

    Attributes:
        document: what docs/NetworkFormat.md describes: operations, groups, input, outputs, geometry.
        mode: ``"fast"`` or ``"exact"``.
        dtype: of its input and its outputs, float32 or float64.
        tensors: the arrays of its file by their names, read-only.
        classes: the names of the channels of the first output that has names; None if none has.
        output_names: the names of its outputs, in order.
    """

    # Tensors are not held: their arrays hold the network, and NumPy's arrays take no part in garbage collection.
    __slots__ = ("__weakref__", "_document", "_way")
    _document: Document
    _way: Mode

    def __new__(cls, *_arguments: object, **_keywords: object) -> Network:
        """Always raises TypeError: networks come from `load_network`."""
        raise TypeError("Network cannot be called: use equiconv.load_network(path)")

    def __call__(self, x: ArrayLike) -> Array | dict[str, Array]:
        """The output for a batch of signals.

        Args:
            x: the signal, of shape (B, C, [|X|,] spatial...) and of the network's dtype.

        Returns:
            An array, or a dict of arrays by the names of the outputs if there are several.

        Raises:
            TypeError: another dtype.
            ValueError: a shape that the network does not read.
        """
        outputs = _native.run_network(self, self._input(x))
        return outputs[0] if len(outputs) == 1 else dict(zip(self.output_names, outputs, strict=True))

    @property
    def document(self) -> Document:
        """What docs/NetworkFormat.md describes; a copy."""
        return document_of(self)

    @property
    def mode(self) -> Mode:
        """How its layers are computed."""
        return self._way

    @property
    def name(self) -> str:
        """What its document calls it."""
        return str(self._document["name"])

    @property
    def tensors(self) -> Mapping[str, Array]:
        """The arrays of its file by their names, read-only."""
        return MappingProxyType({name: array for name, _, array in tensors_of(self)})

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the channels of the first output that has names."""
        named = (output["classes"] for output in self._document["outputs"] if output.get("classes") is not None)
        return next((tuple(classes) for classes in named), None)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of its outputs, in order."""
        return tuple(output["name"] for output in self._document["outputs"])

    def reserve(self, shape: tuple[int, ...], /) -> None:
        """Makes what calls with a signal of this shape need, so that the first is as fast as the next.

        Raises:
            TypeError, ValueError: a shape that the network does not read.
        """
        super().reserve(self._shape(shape))

    def output_shape(self, shape: tuple[int, ...], output: int = 0) -> tuple[int, ...]:
        """The shape of an output for a signal of a shape.

        Args:
            shape: that of the signal.
            output: the number of the output.

        Raises:
            TypeError, ValueError: a shape that the network does not read, or an output that does not exist.
        """
        number = integer("output", output, 0, len(self.output_names) - 1)
        return self.find_output_shape(number, self._shape(shape))

    def explain(self, shape: tuple[int, ...], /) -> NetworkExplanation:  # type: ignore[override]
        """What a call with a signal of this shape does, operation by operation. Runs the network twice, on zeros.

        Args:
            shape: that of the signal.

        Returns:
            A `NetworkExplanation`, which prints as a table.

        Raises:
            TypeError, ValueError: a shape that the network does not read.
        """
        return read_explanation(super().explain(self._shape(shape)))

    def summary(self, shape: tuple[int, ...] | None = None) -> Summary:
        """A table of the operations: kind, output shape, parameters, algorithm, time. Runs it twice.

        Args:
            shape: that of the signal; by default that of the test signal in the file, or one of 32 pixels an axis.

        Raises:
            TypeError, ValueError: a shape that the network does not read.
        """
        chosen = self.example_shape() if shape is None else self._shape(shape)
        return summarize(self._document, self.tensors, self.explain(chosen), chosen)

    def plot(self, shape: tuple[int, ...] | None = None, axes: Any = None) -> Any:
        """Draws the graph of operations with the shapes of their outputs. Needs Matplotlib.

        Args:
            shape: that of the signal, as of `summary`.
            axes: where to draw, axes of Matplotlib; new ones if not given.

        Returns:
            The axes.

        Raises:
            ModuleNotFoundError: Matplotlib is not installed.
        """
        from .plot import draw

        return draw(self.summary(shape), self._document, axes)

    def save(self, path: str | os.PathLike[str], /) -> None:
        """Writes its file: beside `path` first, and then in its place.

        Raises:
            TypeError: no path.
            OSError: the file cannot be written.
        """
        super().save(path_text("path", path))

    def example_shape(self, batch: int = 1, size: int | None = None) -> tuple[int, ...]:
        """A shape that the network reads: fixed extents as they are, free ones of `size` pixels.

        Without `size`, free extents are those of the test signal in the file, or 32.
        """
        given, tested = self._document["input"], self._document.get("test")
        if tested is not None and size is None:
            return (batch, *self.tensors[tested["input"]].shape[1:])
        fiber = () if given["space"] == "plane" else (self._points(given),)
        free = 32 if size is None else size
        return (batch, given["channels"], *fiber, *(free if extent is None else extent for extent in given["extents"]))

    def __repr__(self) -> str:
        given = self._document["input"]
        count = len(self._document["operations"])
        outputs = ", ".join(self.output_names)
        return (
            f"equiconv.Network({self.name!r}: {given['name']}, {channels_text(given['channels'])} -> {outputs}; "
            f"{count} operations, {self.dtype}, {self._way})"
        )

    def __copy__(self) -> Network:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> Network:
        return self

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[object, ...]]:
        return (_rebuild, (self.describe(), tensors_of(self), self._way))

    def _input(self, x: ArrayLike) -> Array:
        array = float_array("x", x)
        if array.dtype != self.dtype:
            raise TypeError(f"x has dtype {array.dtype}, expected {self.dtype}: use x.astype(numpy.{self.dtype})")
        if array.ndim > LARGEST_RANK:
            raise ValueError(f"x has shape {array.shape}, expected at most {LARGEST_RANK} axes")
        return array

    def _shape(self, shape: object) -> tuple[int, ...]:
        sizes = items("shape", shape, "a shape, a tuple of ints")
        if len(sizes) > LARGEST_RANK:
            raise ValueError(f"shape is {tuple(sizes)}, expected at most {LARGEST_RANK} sizes")
        return tuple(integer(f"shape[{axis}]", size, 0, 2**48) for axis, size in enumerate(sizes))

    def _points(self, given: Mapping[str, Any]) -> int:
        """The size of the fiber of the input."""
        order = len(self._document["groups"][given["group"]]["matrices"])
        return order // len(stabilizer_in(given["space"]))


def load_network(source: str | os.PathLike[str] | bytes, mode: Mode = "fast") -> Network:
    """Reads a trained network from a file, to run it.

    Args:
        source: the path of a file that `equiconv.torch.save_network` or `Network.save` wrote, or its bytes.
        mode: ``"fast"`` for the algorithms expected to be fastest, equivariant up to rounding; ``"exact"`` for
            results that turn with the input to the last bit, and that depend neither on threads nor on the batch.

    Returns:
        A `Network`, which is called with arrays.

    Raises:
        TypeError: `source` is neither a path nor bytes.
        OSError: the file cannot be read.
        ValueError: it is no network file, or one that this version does not know, with the place that is wrong; an
            unknown `mode`.
    """
    is_exact = choice("mode", mode, _MODES) == "exact"
    return _load(file_source(source), None, is_exact)


def network_of(document: Mapping[str, Any], tensors: Mapping[str, Any], mode: Mode = "fast") -> Network:
    """The network of a document and its tensors, without a file.

    Args:
        document, tensors: as of `write_file`.
        mode: as of `load_network`.

    Raises:
        TypeError, ValueError: as of `write_file`.
    """
    return _load(document_text(document), listed_tensors(tensors), mode == "exact")


def _rebuild(document: str, tensors: tuple[Tensor, ...], mode: Mode) -> Network:
    return _load(document.encode(), tensors, mode == "exact")


def _load(source: str | bytes, tensors: tuple[Tensor, ...] | None, is_exact: bool) -> Network:
    network = _native.Network.__new__(Network, source, tensors, is_exact)
    network._document = document_of(network)
    network._way = "exact" if is_exact else "fast"
    return network
