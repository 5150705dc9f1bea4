"""What a document of a network computes, by the definitions of docs/NetworkFormat.md, in NumPy."""

from __future__ import annotations

import itertools
import math

import equiconv as eq
import numpy as np
from equiconv import _native
from equiconv._groups.point_group import parse_group
from equiconv._layer.spec import LayerSpec


def run_document(document, tensors, x):
    """The outputs by their names."""
    groups = {name: parse_group(entry["text"]) for name, entry in document["groups"].items()}
    own = document["input"]
    kinds = {own["name"]: (groups.get(own.get("group")), own["dimension"])}
    normalization = own.get("normalization")
    if normalization is not None:
        shape = (-1,) + (1,) * (x.ndim - 2)
        mean, deviation = (np.array(normalization[key]).reshape(shape) for key in ("mean", "deviation"))
        x = ((normalization["scale"] * x - mean) / deviation).astype(x.dtype)
    values = {own["name"]: x}
    for operation in document["operations"]:
        inputs = [values[name] for name in operation["inputs"]]
        group, dimension = kinds[operation["inputs"][0]]
        rule = globals()[f"_{operation['kind']}"]
        result, kinds[operation["output"]] = rule(operation, inputs, tensors, groups, group, dimension)
        values[operation["output"]] = np.ascontiguousarray(result.astype(x.dtype))
        assert result.ndim <= 6
    return {output["name"]: values[output["value"]] for output in document["outputs"]}


def _convolution(operation, inputs, tensors, groups, group, dimension):
    spec = LayerSpec.parse(operation["layer"])
    bias = tensors[operation["bias"]] if "bias" in operation else None
    y = _native.forward(spec, inputs[0], tensors[operation["weight"]], bias, None, False)
    return y, (spec.group if spec.layer.writes_group else None, dimension)


def _transposed_convolution(operation, inputs, tensors, groups, group, dimension):
    spec, weight = LayerSpec.parse(operation["layer"]), tensors[operation["weight"]]
    x = inputs[0]
    extents = spec.kernel.extents(weight, dimension)
    more = operation.get("output_padding", [0] * dimension)
    sampling = spec.sampling
    sizes = [
        (n - 1) * stride - 2 * padding + dilation * (k - 1) + 1 + add
        for n, stride, padding, dilation, k, add in zip(
            x.shape[-dimension:],
            sampling.stride,
            sampling.amounts(extents),
            sampling.dilation,
            extents,
            more,
            strict=True,
        )
    ]
    points = spec.layer.input_points(spec.group)
    channels = weight.shape[1] * spec.kernel.groups
    like = np.zeros((x.shape[0], channels, *(() if points is None else (points,)), *sizes), x.dtype)
    y, _, _ = _native.vjp(spec, x, like, weight, True, False, False)
    if "bias" in operation:
        y = y + tensors[operation["bias"]].reshape(-1, *(1,) * (y.ndim - 2))
    return y, (spec.group if spec.layer.reads_group else None, dimension)


def _batch_norm(operation, inputs, tensors, groups, group, dimension):
    x = inputs[0].astype(np.float64)
    shape = (-1,) + (1,) * (x.ndim - 2)
    mean, variance = (tensors[operation[key]].astype(np.float64).reshape(shape) for key in ("mean", "variance"))
    y = (x - mean) / np.sqrt(variance + operation["epsilon"])
    if "weight" in operation:
        y = y * tensors[operation["weight"]].reshape(shape)
    if "bias" in operation:
        y = y + tensors[operation["bias"]].reshape(shape)
    return y, (group, dimension)


def _pointwise(operation, inputs, tensors, groups, group, dimension):
    x = inputs[0].astype(np.float64)
    sigmoid = 1 / (1 + np.exp(-x))
    error = np.vectorize(math.erf, otypes=[float])
    functions = {
        "relu": lambda: np.maximum(x, 0),
        "leaky_relu": lambda: np.where(x > 0, x, operation["slope"] * x),
        "elu": lambda: np.where(x > 0, x, operation["alpha"] * np.expm1(np.minimum(x, 0))),
        "gelu": lambda: x * (1 + error(x / math.sqrt(2))) / 2,
        "gelu_tanh": lambda: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
        "silu": lambda: x * sigmoid,
        "sigmoid": lambda: sigmoid,
        "tanh": lambda: np.tanh(x),
    }
    return functions[operation["function"]](), (group, dimension)


def _softmax(operation, inputs, tensors, groups, group, dimension):
    x = inputs[0].astype(np.float64)
    powers = np.exp(x - x.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True), (group, dimension)


def _group_pool(operation, inputs, tensors, groups, group, dimension):
    x = inputs[0]
    pool = np.mean if operation["mode"] == "mean" else np.max
    if "stabilizer" not in operation:
        return pool(x, axis=2), (None, dimension)
    cosets = group.cosets(operation["stabilizer"])
    return np.stack([pool(x[:, :, cosets == p], axis=2) for p in range(cosets.max() + 1)], axis=2), (group, dimension)


def _windows(operation, x, dimension, pool, filler):
    kernel, stride, padding = (operation[key] for key in ("kernel", "stride", "padding"))
    pairs = [(0, 0)] * (x.ndim - dimension) + [(p, p) for p in padding]
    padded = np.pad(x.astype(np.float64), pairs, constant_values=filler)
    sizes = [(n - k) // s + 1 for n, k, s in zip(padded.shape[-dimension:], kernel, stride, strict=True)]
    parts = [
        padded[(..., *(slice(o, o + s * (n - 1) + 1, s) for o, s, n in zip(offset, stride, sizes, strict=True)))]
        for offset in itertools.product(*map(range, kernel))
    ]
    return pool(np.stack(parts), axis=0)


def _spatial_max_pool(operation, inputs, tensors, groups, group, dimension):
    return _windows(operation, inputs[0], dimension, np.max, -np.inf), (group, dimension)


def _spatial_mean_pool(operation, inputs, tensors, groups, group, dimension):
    return _windows(operation, inputs[0], dimension, np.mean, 0), (group, dimension)


def _spatial_mean(operation, inputs, tensors, groups, group, dimension):
    x = inputs[0]
    flat = x.reshape(*x.shape[: x.ndim - dimension], -1)
    return np.apply_along_axis(math.fsum, -1, flat) / flat.shape[-1], (group, 0)


def _upsample(operation, inputs, tensors, groups, group, dimension):
    y = inputs[0].astype(np.float64)
    for axis, factor in zip(range(y.ndim - dimension, y.ndim), operation["factors"], strict=True):
        if operation["mode"] == "nearest":
            y = np.repeat(y, factor, axis=axis)
        else:
            y = _linear_axis(y, axis, factor, operation.get("align_corners", False))
    return y, (group, dimension)


def _linear_axis(x, axis, factor, corners):
    n = x.shape[axis]
    places = np.arange(n * factor, dtype=np.float64)
    if corners:
        at = places * ((n - 1) / (n * factor - 1)) if n * factor > 1 else places * 0
    else:
        at = np.maximum((places + 0.5) / factor - 0.5, 0)
    below = np.minimum(at.astype(int), n - 1)
    above = np.minimum(below + 1, n - 1)
    part = (at - below).reshape(-1, *(1,) * (x.ndim - axis - 1))
    return np.take(x, below, axis) * (1 - part) + np.take(x, above, axis) * part


def _add(operation, inputs, tensors, groups, group, dimension):
    assert len(inputs) >= 2
    assert len({value.shape for value in inputs}) == 1
    return sum(inputs[1:], inputs[0]), (group, dimension)


def _concatenate(operation, inputs, tensors, groups, group, dimension):
    return np.concatenate(inputs, axis=1), (group, dimension)


def _restrict(operation, inputs, tensors, groups, group, dimension):
    y = eq.restrict(inputs[0], group, operation["subgroup"])
    part = eq.PointGroup.from_matrices(group.matrices[sorted(operation["subgroup"])])
    return y.reshape(y.shape[0], -1, *y.shape[3:]), (part, dimension)


def _induce(operation, inputs, tensors, groups, group, dimension):
    group = groups[operation["group"]]
    return eq.induce(inputs[0], group, operation["stabilizer"]), (group, dimension)


def _linear(operation, inputs, tensors, groups, group, dimension):
    y = inputs[0].astype(np.float64) @ tensors[operation["weight"]].astype(np.float64).T
    return y + (tensors[operation["bias"]] if "bias" in operation else 0), (None, 0)


def _flatten(operation, inputs, tensors, groups, group, dimension):
    return inputs[0].reshape(len(inputs[0]), -1), (None, 0)
