# SPDX-License-Identifier: Apache-2.0
"""Which module an operation is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..._checks.arrays import Array
from ..._groups.geometry import axis_orbits
from ..._groups.named import trivial
from ..._groups.point_group import PointGroup
from ..._layer.layer import LAYERS
from ..._layer.spec import LayerSpec
from ..._network.types import ValueType, is_plain
from .._nn.convolutions import Convolution, GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from .._nn.fibers import Induce, PartialProjection, Restrict
from .._nn.group_pool import GroupPool
from .._nn.norm import BatchNorm
from .._nn.ordinary import FiberPool, PlainUpsample
from .._nn.resizing import Upsample
from .._nn.spatial import SpatialAvgPool, SpatialMaxPool, SpatialMean
from .._nn.transposed import TransposedConv
from .._operators.layers import spec_of
from .modules import (
    Add,
    BatchNormFunction,
    Concatenate,
    ConvolutionFunction,
    LinearFunction,
    TransposedFunction,
)
from .texts import mixing_text, plain_text

_PLAIN: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_PLAIN_TRANSPOSED: tuple[Any, ...] = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LAYERS: dict[str, type[Convolution]] = {
    "isotropic_conv": IsotropicConv,
    "lifting_conv": LiftingConv,
    "group_conv": GroupConv,
    "projection_conv": ProjectionConv,
}
_BUFFERS = ("mean", "variance")


@dataclass
class Choice:
    """The module of an operation.

    Attributes:
        module: one that holds its tensors, on the meta device; None if there is none.
        function: one that is given its tensors.
        attributes: what `module` calls the tensors.
    """

    module: nn.Module | None
    function: nn.Module | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def is_buffer(key: str) -> bool:
        """Whether a tensor is not trained."""
        return key in _BUFFERS


def choose(
    operation: Mapping[str, Any],
    inputs: Sequence[ValueType],
    tensors: Mapping[str, Array],
    groups: Mapping[str, PointGroup],
) -> Choice:
    """The module of an operation.

    Args:
        operation: of a document.
        inputs: the types of what it reads.
        tensors: its tensors, by its keys.
        groups: of the document.
    """
    kind = operation["kind"]
    if kind == "pointwise":
        return Choice(_pointwise(operation))
    if kind == "induce":
        return Choice(Induce(groups[operation["group"]], operation["stabilizer"]))
    if kind in _WITH_TENSORS:
        choice: Choice = _WITH_TENSORS[kind](operation, inputs[0], tensors)
        return choice
    return Choice(_WITHOUT_TENSORS[kind](operation, inputs[0]))


def _own_names(tensors: Mapping[str, Array]) -> dict[str, str]:
    return {key: key for key in tensors}


def _convolution(operation: Mapping[str, Any], value: ValueType, tensors: Mapping[str, Array]) -> Choice:
    spec, weight = spec_of(operation["layer"]), tensors["weight"]
    function = ConvolutionFunction(operation["layer"])
    module = _layer(spec, weight, "bias" in tensors)
    return Choice(module, function, _own_names(tensors))


def _layer(spec: LayerSpec, weight: Array, has_bias: bool) -> nn.Module | None:
    extents = spec.kernel.extents(weight, spec.group.dimension)
    sampling, groups = spec.sampling, spec.kernel.groups
    if spec.text == mixing_text(spec.group) and spec.group.dimension < 3:
        taps = (1,) * (spec.group.dimension + 1)
        plain: nn.Module = _PLAIN[len(taps) - 1](
            weight.shape[1], weight.shape[0], taps, bias=has_bias, device="meta", dtype=_dtype(weight)
        )
        return plain
    if _is_of_torch(spec, extents):
        return _PLAIN[len(extents) - 1](  # type: ignore[no-any-return]
            weight.shape[1] * groups, weight.shape[0], extents, stride=sampling.stride,
            padding=sampling.amounts(extents), dilation=sampling.dilation, padding_mode=sampling.padding_mode,
            groups=groups, bias=has_bias, device="meta", dtype=_dtype(weight),
        )  # fmt: skip
    made = _LAYERS.get(spec.layer.function)
    if made is None:
        return None
    kernel = spec.kernel
    return made(
        weight.shape[1] * groups, weight.shape[0], extents if kernel.basis is None else kernel.basis, spec.group,
        stride=sampling.stride, padding=sampling.padding, dilation=sampling.dilation,  # type: ignore[arg-type]
        padding_mode=sampling.padding_mode, algorithm=sampling.algorithm,  # type: ignore[arg-type]
        interpolation=kernel.interpolation, group_basis=kernel.group_basis, quadrature=kernel.quadrature,  # type: ignore[arg-type]
        groups=kernel.groups, bias=has_bias, device="meta", dtype=_dtype(weight),
    )  # fmt: skip


def _is_of_torch(spec: LayerSpec, extents: tuple[int, ...]) -> bool:
    """Whether a layer is what a convolution of torch becomes in a file."""
    sampling = spec.sampling
    if not is_plain(spec.layer, spec.group):
        return False
    sizes = (sampling.stride, sampling.amounts(extents), sampling.dilation)
    return spec.text == plain_text(*sizes, sampling.padding_mode, spec.kernel.groups)


def _transposed(operation: Mapping[str, Any], value: ValueType, tensors: Mapping[str, Array]) -> Choice:
    spec, weight = spec_of(operation["layer"]), tensors["weight"]
    extents = spec.kernel.extents(weight, spec.group.dimension)
    sampling = spec.sampling
    more = tuple(operation.get("output_padding", (0,) * len(extents)))
    function = TransposedFunction(operation["layer"], more)
    module: nn.Module | None = None
    if _is_of_torch(spec, extents) and sampling.padding_mode == "zeros":
        groups = spec.kernel.groups
        module = _PLAIN_TRANSPOSED[len(extents) - 1](
            weight.shape[0], weight.shape[1] * groups, extents, stride=sampling.stride,
            padding=sampling.amounts(extents), output_padding=more, groups=groups, bias="bias" in tensors,
            dilation=sampling.dilation, device="meta", dtype=_dtype(weight),
        )  # fmt: skip
    elif spec.layer.function in _LAYERS:
        module = _transposed_layer(spec, weight, more, "bias" in tensors)
    return Choice(module, function, _own_names(tensors))


def _transposed_layer(spec: LayerSpec, weight: Array, more: tuple[int, ...], has_bias: bool) -> nn.Module:
    extents = spec.kernel.extents(weight, spec.group.dimension)
    kernel, sampling = spec.kernel, spec.sampling
    name = next(name for name, layer in LAYERS.items() if layer.function == spec.layer.function)
    return TransposedConv(
        weight.shape[0], weight.shape[1] * kernel.groups, extents if kernel.basis is None else kernel.basis, spec.group,
        layer=name, stride=sampling.stride, padding=sampling.padding, dilation=sampling.dilation,  # type: ignore[arg-type]
        output_padding=more, padding_mode=sampling.padding_mode, algorithm=sampling.algorithm,  # type: ignore[arg-type]
        interpolation=kernel.interpolation, group_basis=kernel.group_basis, quadrature=kernel.quadrature,  # type: ignore[arg-type]
        groups=kernel.groups, bias=has_bias, device="meta", dtype=_dtype(weight),
    )  # fmt: skip


def _batch_norm(operation: Mapping[str, Any], value: ValueType, tensors: Mapping[str, Array]) -> Choice:
    epsilon, count = operation["epsilon"], len(tensors["mean"])
    attributes = _own_names(tensors) | {"mean": "running_mean", "variance": "running_var"}
    module: nn.Module | None = None
    if ("weight" in tensors) == ("bias" in tensors):
        kind: Any = nn.BatchNorm1d if value.is_vector else BatchNorm
        module = kind(count, epsilon, affine="weight" in tensors, device="meta", dtype=_dtype(tensors["mean"]))
        module.num_batches_tracked = torch.tensor(0)
    return Choice(module, BatchNormFunction(epsilon), attributes)


def _linear(operation: Mapping[str, Any], value: ValueType, tensors: Mapping[str, Array]) -> Choice:
    outputs, features = tensors["weight"].shape
    dtype = _dtype(tensors["weight"])
    module = nn.Linear(features, outputs, bias="bias" in tensors, device="meta", dtype=dtype)
    return Choice(module, LinearFunction(), _own_names(tensors))


def _dtype(array: Array) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, array.dtype.name)
    return dtype


def _pointwise(operation: Mapping[str, Any]) -> nn.Module:
    function = operation["function"]
    makers: dict[str, Any] = {
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(operation["slope"]),
        "elu": lambda: nn.ELU(operation["alpha"]),
        "gelu": nn.GELU,
        "gelu_tanh": lambda: nn.GELU("tanh"),
        "silu": nn.SiLU,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
    }
    if function not in makers:
        raise ValueError(f"operation {operation['name']!r} has function {function!r}, expected {', '.join(makers)}")
    module: nn.Module = makers[function]()
    return module


def _group_pool(operation: Mapping[str, Any], value: ValueType) -> nn.Module:
    group = _group_of(value)
    if "stabilizer" in operation:
        return PartialProjection(group, operation["stabilizer"], operation["mode"])
    is_of_group = value.dimension > 0 and value.is_on_group
    return GroupPool(group, operation["mode"]) if is_of_group else FiberPool(operation["mode"])


def _windows(operation: Mapping[str, Any], value: ValueType) -> nn.Module:
    kernel, stride, padding = (tuple(operation[key]) for key in ("kernel", "stride", "padding"))
    is_max = operation["kind"] == "spatial_max_pool"
    return (SpatialMaxPool if is_max else SpatialAvgPool)(_group_of(value), kernel, stride, padding)


def _upsample(operation: Mapping[str, Any], value: ValueType) -> nn.Module:
    group, factors = _group_of(value), tuple(operation["factors"])
    arguments = (factors, operation["mode"], operation.get("align_corners", False))
    # Factors that differ on axes that the group exchanges do not commute with it, but are in files.
    is_alike = all(len({factors[axis] for axis in orbit}) == 1 for orbit in axis_orbits(group))
    return Upsample(group, *arguments) if is_alike else PlainUpsample(*arguments)


def _group_of(value: ValueType) -> PointGroup:
    return trivial(value.dimension) if value.group is None else value.group


_WITH_TENSORS: Mapping[str, Any] = {
    "convolution": _convolution,
    "transposed_convolution": _transposed,
    "batch_norm": _batch_norm,
    "linear": _linear,
}
_WITHOUT_TENSORS: Mapping[str, Any] = {
    "softmax": lambda operation, value: nn.Softmax(1),
    "group_pool": _group_pool,
    "spatial_max_pool": _windows,
    "spatial_mean_pool": _windows,
    "spatial_mean": lambda operation, value: SpatialMean(_group_of(value)),
    "upsample": _upsample,
    "add": lambda operation, value: Add(),
    "concatenate": lambda operation, value: Concatenate(),
    "restrict": lambda operation, value: Restrict(_group_of(value), operation["subgroup"]),
    "flatten": lambda operation, value: nn.Flatten(),
}
