# SPDX-License-Identifier: Apache-2.0
"""Classifiers as networks of maps: scores for each place of a large image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from numpy.typing import ArrayLike

from .._checks.arguments import axes
from .._checks.arrays import Array
from .._groups.named import trivial
from .._layer.spec import layer_of
from .._network.file import Document
from .._network.network import Network, network_of
from .._network.types import ValueType, group_entry
from .._network.values import value_types
from .geometry import sizes_of
from .graph import Graph, Step, graph_of
from .sources import as_network

_BY_PLACE = ("pointwise", "add")
"""What acts alike on a map and on a vector that was a part of one."""


def dense(
    network: Any,
    *,
    patch: int | Sequence[int] | None = None,
    stride: int | Sequence[int] | None = None,
    example: ArrayLike | None = None,
) -> Network:
    """A classifier of patches as a network that scores each place of an image of any size.

    Linear maps become convolutions of one pixel, and behind a flattening of a map of extents m convolutions of extents
    m: ``W.reshape(O, C, *m)``. Without `patch` the mean over space is left out, so that the scores are those of single
    places of the map; of a linear head ``dense(network)(x).mean(space) == network(x)``, to rounding. With `patch` it
    becomes a mean over windows, as large as the map of a patch: ``dense(network, patch=p)(x)[..., 0, 0] ==
    network(x)`` for x of extents p, to rounding. On a larger image each place has the score of a patch, which begins
    `stride` places of the map behind the patch before. Scores are those of the patches alone where the layers have no
    padding; with padding, patches see their neighbors in place of it.

    Args:
        network: as of `receptive_field`: (B, C, spatial...) -> (B, O).
        patch: the extents in pixels of the patches that the network was trained on, one number or one for each axis.
        stride: places of the map from one window to the next; by default as many as the map of a patch has, so that
            windows lie beside each other.
        example: as of `receptive_field`.

    Returns:
        A `Network` (B, C, spatial...) -> (B, O, spatial...) of the same mode, whose outputs have the names and classes
        that they had, without the file's test. It can be saved. In time and memory of its tensors.

    Raises:
        TypeError, ValueError: as of `receptive_field`; `patch` without a mean over space, or a patch that the network
            does not read; `stride` without `patch`; an operation on flattened maps that convolutions do not have.

    Example:
        >>> network = Sequential(LiftingConv(1, 2, 5, cyclic(4)), GroupPool(cyclic(4)), SpatialMean(cyclic(4)))
        >>> x = numpy.zeros((1, 1, 9, 9), "float32")
        >>> dense(network, example=x)(x).shape
        (1, 2, 5, 5)
    """
    source = as_network(network, example)
    document, tensors = source.document, source.tensors
    maps = _Maps(document, tensors, graph_of(source))
    maps.set_windows(patch, stride)
    for step, operation in zip(maps.steps, document["operations"], strict=True):
        maps.add(operation, step)
    return network_of(maps.document(), maps.tensors(), source.mode)


class _Maps:
    """A document that grows by the operations of another, with maps in place of vectors.

    A vector that was a flattened map is a map here too. Of these `_parts` has the extents of a whole vector.

    Attributes:
        steps: those of the other document.
    """

    def __init__(self, document: Document, tensors: Mapping[str, Array], graph: Graph) -> None:
        self._document = document
        self._given = tensors
        self._graph = graph
        self.steps = graph.steps
        self._types: Mapping[str, ValueType] = value_types(document, tensors)
        self._operations: list[Document] = []
        self._reshaped: dict[str, Array] = {}
        self._names = {document["input"]["name"]: document["input"]["name"]}
        self._parts: dict[str, tuple[int, ...]] = {}
        self._windows: list[dict[int, int]] | None = None
        self._stride: tuple[int, ...] | None = None
        self._ones = (1,) * graph.dimension

    def set_windows(self, patch: int | Sequence[int] | None, stride: int | Sequence[int] | None) -> None:
        """What means over space are over. Raises TypeError or ValueError for arguments that do not fit."""
        if patch is None:
            if stride is not None:
                raise ValueError(f"stride is {stride}, expected None without patch")
            return
        if all(step.kind != "spatial_mean" for step in self.steps):
            raise ValueError(f"patch is {patch}, expected None for a network without a mean over space")
        extents = axes("patch", patch, self._graph.dimension, 1)
        try:
            self._windows = [sizes_of(self.steps, axis, size) for axis, size in enumerate(extents)]
        except ValueError as error:
            raise ValueError(f"patch is {patch}, expected extents that the network reads: {error}") from None
        self._stride = None if stride is None else axes("stride", stride, self._graph.dimension, 1)

    def add(self, operation: Document, step: Step) -> None:
        """Adds what an operation is on maps. Raises ValueError where it is nothing."""
        kind, read = operation["kind"], self._types[operation["inputs"][0]]
        parts = {self._parts.get(name, self._ones) for name in operation["inputs"]}
        if kind == "spatial_mean":
            self._add_mean(operation, step)
        elif kind == "flatten":
            self._add_flattening(operation, step, read)
        elif kind == "linear":
            self._add_linear(operation)
        elif parts == {self._ones} or (len(parts) == 1 and kind in _BY_PLACE):
            self._keep(operation)
            self._parts[operation["output"]] = parts.pop()
        else:
            raise ValueError(
                f"operation {operation['name']!r} ({kind}) reads a flattened map of more than one pixel, expected "
                "linear, pointwise or add"
            )

    def document(self) -> Document:
        """The document. Raises ValueError for an output that is a flattened map."""
        for output in self._document["outputs"]:
            if self._parts.get(output["value"], self._ones) != self._ones:
                raise ValueError(f"output {output['name']!r} is a flattened map, expected one of scores")
            output["value"] = self._names[output["value"]]
            output.pop("axes", None)
        document = {key: value for key, value in self._document.items() if key not in ("geometry", "test")}
        document["input"] |= {"extents": [None] * self._graph.dimension}
        document["operations"] = self._operations
        if any(operation.get("layer") == self._layer for operation in self._operations):
            document["groups"] = self._groups()
        return document

    def tensors(self) -> dict[str, Array]:
        """The tensors that its operations name."""
        used = {value for operation in self._operations for value in operation.values() if isinstance(value, str)}
        return {name: array for name, array in {**self._given, **self._reshaped}.items() if name in used}

    # ---- Operations

    def _keep(self, operation: Document, **changes: Any) -> None:
        self._names[operation["output"]] = operation["output"]
        read = [self._names[name] for name in operation["inputs"]]
        self._operations.append({**operation, "inputs": read, **changes})

    def _leave_out(self, operation: Document) -> None:
        self._names[operation["output"]] = self._names[operation["inputs"][0]]

    def _add_mean(self, operation: Document, step: Step) -> None:
        if self._windows is None:
            self._leave_out(operation)
            return
        kernel = [sizes[step.inputs[0]] for sizes in self._windows]
        stride, padding = list(self._stride or kernel), [0] * len(kernel)
        self._keep(operation, kind="spatial_mean_pool", kernel=kernel, stride=stride, padding=padding)

    def _add_flattening(self, operation: Document, step: Step, read: ValueType) -> None:
        extents = self._ones
        if read.dimension:
            given = self._document["input"]["extents"]
            extents = tuple(sizes_of(self.steps, axis, size)[step.inputs[0]] for axis, size in enumerate(given))
        self._parts[operation["output"]] = extents
        if read.fiber is None:
            self._leave_out(operation)
            return
        if not read.is_on_group:
            raise ValueError(f"operation {operation['name']!r} (flatten) reads {read}, expected one on a group")
        # Restricted to its identity, a signal on a group has a channel for each element.
        middle, name = self._free(operation["output"] + ".elements"), operation["name"]
        self._keep({**operation, "output": middle, "name": f"{name}.elements"}, kind="restrict", subgroup=[0])
        pool = {"kind": "group_pool", "inputs": [middle], "mode": "mean"}
        self._keep({**pool, "name": name, "output": operation["output"]})

    def _add_linear(self, operation: Document) -> None:
        extents = self._parts.get(operation["inputs"][0], self._ones)
        weight = self._given[operation["weight"]]
        name = operation["weight"] + ".map" + "x".join(map(str, extents))
        self._reshaped[name] = weight.reshape(len(weight), weight.shape[1] // prod(extents), *extents)
        self._keep(operation, kind="convolution", layer=self._layer, weight=name)

    # ---- Names

    @property
    def _layer(self) -> str:
        """An ordinary convolution."""
        options = (1, 0, 1, "zeros", "auto", None, "bilinear", None, False, 1)
        return layer_of("isotropic", trivial(self._graph.dimension), *options).text

    def _groups(self) -> dict[str, Any]:
        """The groups of the document, with that of ordinary convolutions."""
        groups: dict[str, Any] = self._document["groups"]
        entry = group_entry(trivial(self._graph.dimension))
        if any(known["text"] == entry["text"] for known in groups.values()):
            return groups
        name = "trivial"
        while name in groups:
            name += "'"
        return dict(sorted({**groups, name: entry}.items()))

    def _free(self, name: str) -> str:
        while name in self._types or name in self._names:
            name += "'"
        return name
