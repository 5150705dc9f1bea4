# SPDX-License-Identifier: Apache-2.0
"""Networks whose bits depend neither on the size of what they read nor on where in it a place lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._checks.arrays import Array
from .._layer.spec import LayerSpec
from .._network.network import Network, network_of
from .._network.types import ValueType
from .._network.values import value_types
from .geometry import checked_extents, sizes_of
from .graph import Graph, graph_of

# Sums that are the same wherever a place lies. Tiles of transforms lie on a grid that begins at a signal's corner.
_STEADY = ("direct", "group-fourier")


def steady_network(network: Network, extents: Sequence[int]) -> Network:
    """The network with one method for each layer, which computes parts of an image as the image.

    Mode ``"exact"`` chooses methods by the size of a signal, and so may compute a part of an image by other sums than
    the image, whose last bits differ. Here each layer keeps the method that this mode has for an image of these
    extents. Where that is one of tiles, whose grid begins at the corner of a signal, it is computed directly.

    Args:
        network: a network.
        extents: the sizes of the whole image on its axes of space.

    Returns:
        A network of the same document but for the algorithms of layers, and without the file's test. It is as
        equivariant as in mode ``"exact"``.

    Raises:
        ValueError: extents that the network does not read.
    """
    document, tensors = network.document, network.tensors
    graph = graph_of(network)
    shapes = _Shapes(graph, document, tensors, checked_extents(extents, graph))
    for step, operation in zip(graph.steps, document["operations"], strict=True):
        if "layer" in operation:
            is_adjoint = operation["kind"] == "transposed_convolution"
            signal = shapes.of(operation["output"] if is_adjoint else operation["inputs"][0], step, is_adjoint)
            operation["layer"] = _fixed(operation["layer"], signal, tensors[operation["weight"]], is_adjoint)
    used = {name for operation in document["operations"] for name in operation.values() if isinstance(name, str)}
    document.pop("test", None)
    kept = {name: array for name, array in tensors.items() if name in used}
    return network_of(document, kept)


class _Shapes:
    """The shapes of the values of a network for one image."""

    def __init__(
        self, graph: Graph, document: Mapping[str, Any], tensors: Mapping[str, Array], extents: tuple[int, ...]
    ) -> None:
        self._types: Mapping[str, ValueType] = value_types(dict(document), tensors)
        self._sizes = [sizes_of(graph.steps, axis, size) for axis, size in enumerate(extents)]
        self._dtype = np.dtype(document["dtype"])

    def of(self, name: str, step: Any, is_output: bool) -> Array:
        """An array of the shape of a value, without memory of its own."""
        value = self._types[name]
        number = step.output if is_output else step.inputs[0]
        fiber = () if value.fiber is None else (value.fiber,)
        shape = (1, value.channels or 1, *fiber, *(sizes[number] for sizes in self._sizes))
        return np.broadcast_to(np.zeros((), self._dtype), shape)


def _fixed(text: str, signal: Array, weight: Array, is_adjoint: bool) -> str:
    """A layer with the method that mode "exact" has for a signal."""
    exact, direct = (_with_algorithm(text, algorithm) for algorithm in ("exact", "direct"))
    try:
        method = exact.explain(signal, weight, "input_gradient" if is_adjoint else "forward").algorithm
    except ValueError:
        return direct.text  # No method is exact, or the sizes are beyond what is counted.
    return _with_algorithm(text, method).text if method in _STEADY else direct.text


def _with_algorithm(text: str, algorithm: str) -> LayerSpec:
    spec = LayerSpec.parse(text)
    return LayerSpec.checked(spec.layer, spec.group, replace(spec.sampling, algorithm=algorithm), spec.kernel)
