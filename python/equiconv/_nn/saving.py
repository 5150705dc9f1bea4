# SPDX-License-Identifier: Apache-2.0
"""Sequences of layers as network files."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .._checks.arguments import axes, value_text
from .._checks.arrays import Array, float_array
from .._functional.pointwise import elu, gelu_tanh, leaky_relu, relu, sigmoid, silu, softmax
from .._layer.fitting import EQUIVARIANT, Window, padding_of_all_sizes
from .._layer.spec import LayerSpec, layer_of
from .._layer.transposed import adjoint_layer
from .._network.about import About
from .._network.builder import NetworkBuilder, with_test
from .._network.file import Path, write_file
from .._network.types import ValueType
from .._signals.space import SignalSpace
from .heads import BatchNorm, Linear
from .modules import Convolution, GroupPool
from .resizing import Upsample
from .spatial import SpatialAvgPool, SpatialMaxPool, SpatialMean
from .transposed import TransposedConv

# The operation of a function, with its keys; and what its arguments are called there, with their defaults.
_FUNCTIONS: Mapping[Any, tuple[str, dict[str, Any], dict[str, Any]]] = {
    relu: ("pointwise", {"function": "relu"}, {}),
    leaky_relu: ("pointwise", {"function": "leaky_relu"}, {"slope": 0.01}),
    elu: ("pointwise", {"function": "elu"}, {"alpha": 1.0}),
    gelu_tanh: ("pointwise", {"function": "gelu_tanh"}, {}),
    silu: ("pointwise", {"function": "silu"}, {}),
    sigmoid: ("pointwise", {"function": "sigmoid"}, {}),
    np.tanh: ("pointwise", {"function": "tanh"}, {}),
    softmax: ("softmax", {}, {}),
}
_KNOWN = (
    "a layer of equiconv, equiconv.relu, leaky_relu, elu, gelu_tanh, silu, sigmoid or softmax (with functools.partial "
    "for their arguments), or numpy.tanh"
)


def save_sequence(
    layers: Iterable[tuple[str, Any]], path: Path, example: object, input_name: str,
    about: tuple[object, object, object, object, object],
) -> None:  # fmt: skip
    """Writes layers one after the other as a network file.

    Args:
        layers: with the names of their operations.
        path, example, input_name, about: as of `Sequential.save`; `about` from the name to the size of a pixel.
    """
    steps = list(layers)
    x = float_array("example", example)
    if x.ndim < 3 or 0 in x.shape:
        raise ValueError(f"example has shape {x.shape}, expected (B, C, spatial...) or (B, C, |H|, spatial...)")
    texts = About.checked(*about, x.shape[1])
    value_type = _input_type(steps, x)
    needs_sizes = any(_is_of_one_size(layer) for _, layer in steps)
    sizes = list(x.shape[-value_type.dimension :]) if needs_sizes else [None] * value_type.dimension
    builder = NetworkBuilder(input_name, value_type, sizes, x.dtype)
    value, signal = input_name, x if texts.normalization is None else texts.normalization.apply(x)
    for name, layer in steps:
        kind, keys = _operation(builder, name, layer, signal)
        value = builder.add(kind, name, [value], **keys)
        signal = layer(signal)
    test, tensors = with_test(builder.tensors, x, [signal])
    write_file(builder.document(texts, [("y", value)], test), tensors, path)


def _input_type(layers: Iterable[tuple[str, Any]], x: Array) -> ValueType:
    """What the first layer that knows its space reads; a signal on the plane if there is none."""
    spaces = (getattr(layer, "input_space", None) for _, layer in layers)
    space = next((space for space in spaces if isinstance(space, SignalSpace)), SignalSpace(x.ndim - 2))
    if not space.holds(x.shape):
        raise ValueError(f"example has shape {x.shape}, expected a signal on {space} {space.shape_text('C')}")
    return ValueType(x.shape[1], space.dimension, space.group)


def _is_of_one_size(layer: Any) -> bool:
    """Whether a layer has a padding of its own for each size, of which a file has the numbers."""
    if getattr(layer, "padding", 0) != EQUIVARIANT or isinstance(layer, TransposedConv):
        return False
    strides = axes("stride", layer.stride, layer.group.dimension, 1)
    return padding_of_all_sizes([Window(1, stride) for stride in strides]) is None


def _operation(builder: NetworkBuilder, name: str, layer: Any, signal: Array) -> tuple[str, dict[str, Any]]:
    """The kind and the keys of the operation of a layer for a signal. Raises TypeError for what files do not have."""
    rule = next((rule for kind, rule in _LAYERS.items() if type(layer) is kind), None)
    if rule is None and isinstance(layer, Convolution):
        rule = _transposed if isinstance(layer, TransposedConv) else _convolution
    if isinstance(layer, SpatialMaxPool | SpatialAvgPool) and not layer.options.is_of_files:
        raise TypeError(
            f"layer {name} is {layer!r}, expected for a file neither ceil_mode nor padding left out of means"
        )
    if rule is not None:
        kind, keys = rule(layer, signal)
        arrays = layer.parameters()
        tensors = {_KEYS.get(key, key): builder.tensor(f"{name}.{key}", array) for key, array in arrays.items()}
        return kind, {**keys, **tensors}
    function, arguments = layer, {}
    if isinstance(layer, functools.partial) and not layer.args:
        function, arguments = layer.func, layer.keywords
    known = _FUNCTIONS.get(function) if callable(function) and function.__hash__ is not None else None
    if known is None or not set(arguments) <= set(known[2]):
        # Functions of NumPy have no `__qualname__` before version 2.
        names = (getattr(layer, key, None) for key in ("__qualname__", "__name__"))
        title = next(filter(None, names), value_text(layer))
        raise TypeError(f"layer {name} is {title} ({type(layer).__name__}), expected for a file {_KNOWN}")
    return known[0], {**known[1], **known[2], **arguments}


def _convolution(layer: Convolution, x: Array) -> tuple[str, dict[str, Any]]:
    return "convolution", {"layer": _spec(layer).sized(x, layer.weight).text}


def _transposed(layer: TransposedConv, _x: Array) -> tuple[str, dict[str, Any]]:
    more = layer.options.more
    text = adjoint_layer(_spec(layer), layer.weight, more).text
    return "transposed_convolution", {"layer": text, "output_padding": list(more) if any(more) else None}


def _spec(layer: Convolution) -> LayerSpec:
    """The layer without its sizes and numbers."""
    options = layer.options
    arguments = (*options.sampling_arguments, *options.kernel_arguments)
    return layer_of(options.layer_name, options.group, *arguments)


def _pool(kind: str, layer: SpatialMaxPool | SpatialAvgPool, x: Array) -> tuple[str, dict[str, Any]]:
    own = layer.options
    return kind, {"kernel": list(own.kernel), "stride": list(own.stride), "padding": list(own.amounts(x.shape))}


def _upsample(layer: Upsample, _x: Array) -> tuple[str, dict[str, Any]]:
    own = layer.options
    return "upsample", {"mode": own.mode, "factors": list(own.factor), "align_corners": own.align_corners or None}


# What operations call parameters.
_KEYS = {"running_mean": "mean", "running_var": "variance"}
_LAYERS: Mapping[type, Callable[[Any, Array], tuple[str, dict[str, Any]]]] = {
    GroupPool: lambda layer, _x: ("group_pool", {"mode": layer.mode}),
    BatchNorm: lambda layer, _x: ("batch_norm", {"epsilon": layer.eps}),
    SpatialMean: lambda layer, _x: ("spatial_mean", {}),
    SpatialMaxPool: functools.partial(_pool, "spatial_max_pool"),
    SpatialAvgPool: functools.partial(_pool, "spatial_mean_pool"),
    Upsample: _upsample,
    Linear: lambda layer, _x: ("linear", {}),
}
