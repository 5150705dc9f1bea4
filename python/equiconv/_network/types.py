# SPDX-License-Identifier: Apache-2.0
"""The types of values: on which space a signal of a network lives, and what operations make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from .._groups.arguments import stabilizer_of
from .._groups.point_group import PointGroup
from .._layer.layer import Layer
from .._layer.spec import LayerSpec

# The functions of pointwise operations, with the key and the default of their number.
POINTWISE: Mapping[str, str | None] = {
    "relu": None,
    "leaky_relu": "slope",
    "elu": "alpha",
    "gelu": None,
    "gelu_tanh": None,
    "silu": None,
    "sigmoid": None,
    "tanh": None,
}

# What each operation has beside kind, name, inputs and output: keys, and those of them that are optional.
KEYS: Mapping[str, tuple[set[str], set[str]]] = {
    "convolution": ({"layer", "weight"}, {"bias"}),
    "transposed_convolution": ({"layer", "weight"}, {"bias", "output_padding"}),
    "batch_norm": ({"mean", "variance", "epsilon"}, {"weight", "bias"}),
    "pointwise": ({"function"}, {"slope", "alpha"}),
    "softmax": (set(), set()),
    "group_pool": ({"mode"}, {"stabilizer"}),
    "spatial_max_pool": ({"kernel", "stride", "padding"}, set()),
    "spatial_mean_pool": ({"kernel", "stride", "padding"}, set()),
    "spatial_mean": (set(), set()),
    "upsample": ({"mode", "factors"}, {"align_corners"}),
    "add": (set(), set()),
    "concatenate": (set(), set()),
    "restrict": ({"subgroup"}, set()),
    "induce": ({"group", "stabilizer"}, set()),
    "linear": ({"weight"}, {"bias"}),
    "flatten": (set(), set()),
}


@dataclass(frozen=True)
class ValueType:
    """What a value is: a signal on the plane, on a group H or on a quotient of it; or one that has no axes of space.

    Attributes:
        channels: C; None where it depends on the size of a signal.
        dimension: the number of spatial axes, 0 after a mean over space, a linear map or a flattening.
        group: H, None on the plane.
        stabilizer: the elements of K of a signal on H/K.
    """

    channels: int | None
    dimension: int
    group: PointGroup | None = None
    stabilizer: tuple[int, ...] = (0,)

    @property
    def fiber(self) -> int | None:
        """The number of points of the fiber; None without that axis."""
        return None if self.group is None else self.group.order // len(self.stabilizer)

    @property
    def is_vector(self) -> bool:
        """Whether it is (B, C)."""
        return self.dimension == 0 and self.group is None

    @property
    def is_on_group(self) -> bool:
        """Whether it is a signal on H, not on a quotient."""
        return self.group is not None and len(self.stabilizer) == 1

    def is_on(self, space: ValueType) -> bool:
        """Whether both are signals on one space."""
        return (self.dimension, self.group, self.stabilizer) == (space.dimension, space.group, space.stabilizer)

    def __str__(self) -> str:
        if self.group is None:
            return f"a signal on R^{self.dimension}" if self.dimension else "a vector"
        quotient = "" if len(self.stabilizer) == 1 else f"/{set(self.stabilizer)}"
        return f"a signal on {self.group.name}{quotient}" + (f" and R^{self.dimension}" if self.dimension else "")


def layer_types(spec: LayerSpec) -> tuple[ValueType, ValueType]:
    """What a layer reads and writes, with channels None."""
    layer, group = spec.layer, spec.group
    return (
        _space(group, layer.reads_group, layer.input_stabilizer),
        _space(group, layer.writes_group, layer.output_stabilizer),
    )


def _space(group: PointGroup, has_fiber: bool, stabilizer: Any) -> ValueType:
    if not has_fiber:
        return ValueType(None, group.dimension)
    elements = (0,) if stabilizer is None else tuple(sorted(map(int, stabilizer.get_elements())))
    return ValueType(None, group.dimension, group, elements)


def is_plain(layer: Layer, group: PointGroup) -> bool:
    """Whether a layer is an ordinary convolution of signals on the plane."""
    return group.order == 1 and not layer.reads_group and not layer.writes_group


@lru_cache(maxsize=64)
def subgroup_of(group: PointGroup, elements: tuple[int, ...]) -> PointGroup:
    """A subgroup as a group of its own, with its elements ascending."""
    return PointGroup.from_matrices(group.matrices[list(elements)])


def checked_subgroup(name: str, group: PointGroup, elements: object) -> tuple[int, ...]:
    """The elements of a subgroup, ascending. Raises TypeError or ValueError."""
    return tuple(sorted(map(int, stabilizer_of(name, elements, group).get_elements())))


def written_type(
    operation: Mapping[str, Any],
    inputs: Sequence[ValueType],
    shapes: Mapping[str, tuple[int, ...]],
    groups: Mapping[str, PointGroup],
) -> ValueType:
    """The type of what an operation writes.

    Args:
        operation: of a document.
        inputs: the types of what it reads.
        shapes: of the tensors.
        groups: of the document.

    Raises:
        ValueError: an operation that is unknown, or does not fit what it reads or its tensors.
    """
    kind = operation["kind"]
    _check_keys(operation)
    if kind not in ("add", "concatenate") and len(inputs) != 1:
        raise _wrong(operation, f"reads {len(inputs)} values, expected 1")
    rule = _RULES.get(kind)
    return inputs[0] if rule is None else rule(operation, inputs, shapes, groups)


def _check_keys(operation: Mapping[str, Any]) -> None:
    if operation["kind"] not in KEYS:
        raise _wrong(operation, f"expected a kind of {', '.join(KEYS)}")
    required, optional = KEYS[operation["kind"]]
    keys = set(operation) - {"kind", "name", "inputs", "output"}
    if not required <= keys or keys - required - optional:
        raise _wrong(operation, f"has {sorted(keys)}, expected {sorted(required)} and optionally {sorted(optional)}")


def _wrong(operation: Mapping[str, Any], text: str) -> ValueError:
    return ValueError(f"operation {operation.get('name')!r} ({operation['kind']}): {text}")


def _wants(operation: Mapping[str, Any], value: ValueType, space: ValueType, channels: int | None) -> None:
    if not value.is_on(space):
        raise _wrong(operation, f"wants {space}, reads {value}")
    if None not in (channels, value.channels) and channels != value.channels:
        raise _wrong(operation, f"wants {channels} channels, reads {value.channels}")


def _convolution(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    spec = LayerSpec.parse(operation["layer"])
    source, target = layer_types(spec)
    outputs, channels = shapes[operation["weight"]][:2]
    if operation["kind"] == "convolution":
        _wants(operation, inputs[0], source, channels * spec.kernel.groups)
        return replace(target, channels=outputs)
    _wants(operation, inputs[0], target, outputs)
    return replace(source, channels=channels * spec.kernel.groups)


def _batch_norm(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    for key in ("mean", "variance", "weight", "bias"):
        shape = shapes[operation[key]] if key in operation else None
        if shape is not None and (len(shape) != 1 or value.channels not in (None, shape[0])):
            raise _wrong(operation, f"reads {value.channels} channels, and {key} has shape {shape}")
    return value


def _group_pool(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    if value.group is None or ("stabilizer" in operation and not value.is_on_group):
        raise _wrong(operation, f"wants a signal on a group, reads {value}")
    if "stabilizer" not in operation:
        return replace(value, group=None, stabilizer=(0,))
    elements = checked_subgroup("stabilizer", value.group, operation["stabilizer"])
    if len(elements) == value.group.order:
        return replace(value, group=None, stabilizer=(0,))
    return replace(value, stabilizer=elements)


def _spatial(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    for key in ("kernel", "stride", "padding", "factors"):
        if key in operation and (len(operation[key]) != value.dimension or value.dimension == 0):
            raise _wrong(operation, f"{key} is {operation[key]}, and it reads {value}")
    return value


def _spatial_mean(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    if value.dimension == 0:
        raise _wrong(operation, f"wants a signal with axes of space, reads {value}")
    return replace(value, dimension=0)


def _sum(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    channels = [value.channels for value in inputs]
    known = {count for count in channels if count is not None}
    is_sum = operation["kind"] == "add"
    fits = all(value.is_on(inputs[0]) for value in inputs) and not (is_sum and len(known) > 1)
    if len(inputs) < 2 or not fits:
        raise _wrong(operation, f"wants 2 or more signals that fit, reads {', '.join(map(str, inputs))}: {channels}")
    value: ValueType = inputs[0]
    return value if is_sum else replace(value, channels=None if None in channels else sum(channels))


def _restrict(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    if value.group is None or not value.is_on_group:
        raise _wrong(operation, f"wants a signal on a group, reads {value}")
    elements = checked_subgroup("subgroup", value.group, operation["subgroup"])
    cosets = value.group.order // len(elements)
    channels = None if value.channels is None else value.channels * cosets
    return replace(value, channels=channels, group=subgroup_of(value.group, elements))


def _induce(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    group = groups[operation["group"]]
    elements = checked_subgroup("stabilizer", group, operation["stabilizer"])
    is_plane = len(elements) == group.order
    source = ValueType(None, value.dimension, None if is_plane else group, (0,) if is_plane else elements)
    _wants(operation, value, source, None)
    return replace(value, group=group, stabilizer=(0,))


def _linear(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    outputs, features = shapes[operation["weight"]]
    _wants(operation, inputs[0], ValueType(None, 0), features)
    return ValueType(outputs, 0)


def _flatten(operation: Any, inputs: Any, shapes: Any, groups: Any) -> ValueType:
    value: ValueType = inputs[0]
    count = None if value.dimension or value.channels is None else value.channels * (value.fiber or 1)
    return ValueType(count, 0)


_RULES: Mapping[str, Any] = {
    "convolution": _convolution,
    "transposed_convolution": _convolution,
    "batch_norm": _batch_norm,
    "group_pool": _group_pool,
    "spatial_max_pool": _spatial,
    "spatial_mean_pool": _spatial,
    "spatial_mean": _spatial_mean,
    "upsample": _spatial,
    "add": _sum,
    "concatenate": _sum,
    "restrict": _restrict,
    "induce": _induce,
    "linear": _linear,
    "flatten": _flatten,
}


def group_entry(group: PointGroup) -> dict[str, Any]:
    """A group as a document has it: its text, and its matrices row by row."""
    rows: list[list[float]] = [[_number(value) for value in matrix.ravel()] for matrix in group.matrices]
    return {"text": group.text, "matrices": rows}


def _number(value: float) -> float:
    number = float(np.float64(value))
    # Texts have integers where matrices do.
    return int(number) if number.is_integer() else number
