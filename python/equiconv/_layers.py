# SPDX-License-Identifier: Apache-2.0
"""The four layers as data, and calls of them with arguments that have been checked one by one.

The public functions first hand the user's arguments to the extension as they are. What it declines comes here: to be
converted, warned about, or refused with a message.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from . import _native
from ._arguments import (
    Array,
    axes,
    check_not_empty,
    check_same_dtype,
    choice,
    float_array,
    output,
    shape_text,
    value_text,
)
from ._errors import EquivarianceWarning
from ._groups import PointGroup

PADDING_MODES = ("zeros", "circular")
ALGORITHMS = ("auto", "direct", "winograd", "fourier")

_SPATIAL_NAMES = {1: ("width",), 2: ("rows", "columns"), 3: ("depth", "rows", "columns")}


@dataclass(frozen=True)
class Layer:
    """One of the four layers X -> Y, where X and Y are the plane or the group."""

    code: int
    function: str
    reads_group: bool
    writes_group: bool


LAYERS: Mapping[str, Layer] = {
    "isotropic": Layer(_native.ISOTROPIC, "isotropic_conv", False, False),
    "lifting": Layer(_native.LIFTING, "lifting_conv", False, True),
    "group": Layer(_native.GROUP, "group_conv", True, True),
    "projection": Layer(_native.PROJECTION, "projection_conv", True, False),
}


@dataclass(frozen=True)
class Sampling:
    """Stride, padding, dilation, padding mode and algorithm of one call, checked."""

    stride: tuple[int, ...]
    padding: tuple[int, ...] | str
    dilation: tuple[int, ...]
    padding_mode: str
    algorithm: str

    @classmethod
    def checked(
        cls, dimension: int, stride: object, padding: object, dilation: object, padding_mode: object, algorithm: object
    ) -> Sampling:
        """Raises TypeError or ValueError for arguments that no layer on `dimension` axes takes."""
        return cls(
            axes("stride", stride, dimension, 1),
            _padding(padding, dimension),
            axes("dilation", dilation, dimension, 1),
            choice("padding_mode", padding_mode, PADDING_MODES),
            choice("algorithm", algorithm, ALGORITHMS),
        )

    def amounts(self, kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The padding of each axis in numbers."""
        if self.padding == "same":
            return tuple(dilation * (k - 1) // 2 for dilation, k in zip(self.dilation, kernel, strict=True))
        return (0,) * len(kernel) if isinstance(self.padding, str) else self.padding

    def reach(self, kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The extent of the dilated kernel on each axis."""
        return tuple(dilation * (k - 1) + 1 for dilation, k in zip(self.dilation, kernel, strict=True))


def _padding(value: object, dimension: int) -> tuple[int, ...] | str:
    if isinstance(value, str):
        return choice("padding", value, ("same", "valid"))
    try:
        return axes("padding", value, dimension, 0)
    except TypeError as error:
        raise TypeError(f'{error}, "same" or "valid"') from None


def point_group(value: object) -> PointGroup:
    """`value` if it is a PointGroup, else TypeError."""
    if isinstance(value, PointGroup):
        return value
    raise TypeError(
        f"group is {value_text(value)} ({type(value).__name__}), expected a PointGroup such as equiconv.cyclic(4)"
    )


def check_signal(name: str, array: Array, group: PointGroup, on_group: bool, user: str) -> None:
    """Raises ValueError unless `array` is a signal (B, C, spatial...) or (B, C, |H|, spatial...) that is not empty."""
    names = ("B", "C") + ("|H|",) * on_group + _SPATIAL_NAMES[group.dimension]
    _check_axes(name, array, names, group, on_group, user)
    check_not_empty(name, array, first_axis=1)


def check_weight(weight: Array, group: PointGroup, layer: Layer, user: str) -> None:
    """Raises ValueError unless `weight` is (O, C, kernel...) or (O, C, |H|, kernel...) as `layer` needs."""
    names = ("O", "C") + ("|H|",) * layer.reads_group + ("k",) * group.dimension
    _check_axes("weight", weight, names, group, layer.reads_group, user)
    check_not_empty("weight", weight)


def _check_axes(name: str, array: Array, names: tuple[str, ...], group: PointGroup, on_group: bool, user: str) -> None:
    if array.ndim != len(names):
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"on a {group.dimension}-D group: {len(names)} axes"
        )
    if on_group and array.shape[2] != group.order:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"with |H| = {group.order} of {group.name} on axis 2"
        )


def _check_fit(x: Array, weight: Array, dimension: int, sampling: Sampling) -> None:
    """Raises ValueError where the kernel leaves no output, or "same" has no symmetric meaning."""
    first = x.ndim - dimension
    kernel, sizes = weight.shape[first:], x.shape[first:]
    for axis, (k, size) in enumerate(zip(kernel, sizes, strict=True)):
        if sampling.padding == "same" and k % 2 == 0:
            raise ValueError(
                f"padding is 'same', expected a number for weight of shape {weight.shape}: its kernel extent {k} on "
                f"axis {first + axis} is even, and no symmetric padding keeps the size"
            )
        reach, padding = sampling.reach(kernel)[axis], sampling.amounts(kernel)[axis]
        if reach > size + 2 * padding:
            raise ValueError(
                f"weight has shape {weight.shape}: its kernel reaches over {reach} (dilation {sampling.dilation[axis]})"
                f" on axis {first + axis}, expected at most {size + 2 * padding}, the size {size} of x of shape "
                f"{x.shape} and padding {padding} on both sides"
            )


def _warn_of_remainders(x: Array, weight: Array, group: PointGroup, sampling: Sampling) -> None:
    first = x.ndim - group.dimension
    kernel = weight.shape[first:]
    moved = group._moved_axes() if group.is_lattice else frozenset()
    for axis in sorted(moved):
        size, stride = x.shape[first + axis], sampling.stride[axis]
        reach, padding = sampling.reach(kernel)[axis], sampling.amounts(kernel)[axis]
        remainder = (size + 2 * padding - reach) % stride
        if remainder:
            below, above = size - remainder, size + stride - remainder
            safe = f"{below} or {above}" if below >= 1 else f"{above}"
            warnings.warn(
                f"stride {stride} does not fit size {size} of x on axis {first + axis}: ({size} + 2 * {padding} - "
                f"{reach}) % {stride} is {remainder}, expected 0; the result is not equivariant under {group.name}. "
                f"Nearest sizes that fit: {safe}",
                EquivarianceWarning,
                # The caller of the public function, which called `forward`, which called this.
                stacklevel=4,
            )


def _operands(x: object, weight: object, group: PointGroup, layer: Layer, user: str) -> tuple[Array, Array]:
    x_array = float_array("x", x)
    weight_array = float_array("weight", weight)
    check_same_dtype("weight", weight_array, "x", x_array)
    check_signal("x", x_array, group, layer.reads_group, user)
    check_weight(weight_array, group, layer, user)
    if x_array.shape[1] != weight_array.shape[1]:
        raise ValueError(
            f"weight has shape {weight_array.shape}, expected {x_array.shape[1]} on axis 1, "
            f"the channels C of x of shape {x_array.shape}"
        )
    return x_array, weight_array


def output_shape(x: Array, weight: Array, group: PointGroup, layer: Layer, sampling: Sampling) -> tuple[int, ...]:
    """The shape of layer(x, weight): sizes (n + 2 padding - reach) // stride + 1."""
    first = x.ndim - group.dimension
    kernel = weight.shape[first:]
    sizes = tuple(
        (size + 2 * padding - reach) // stride + 1
        for size, padding, reach, stride in zip(
            x.shape[first:], sampling.amounts(kernel), sampling.reach(kernel), sampling.stride, strict=True
        )
    )
    return (x.shape[0], weight.shape[0]) + (group.order,) * layer.writes_group + sizes


def forward(
    layer: Layer,
    x: object,
    weight: object,
    group: object,
    bias: object,
    sampling_arguments: tuple[object, object, object, object, object],
    out: object,
) -> Array:
    """layer(x, weight) + bias, after every check. Warns of strides that break equivariance."""
    checked_group = point_group(group)
    x_array, weight_array = _operands(x, weight, checked_group, layer, layer.function)
    bias_array = None if bias is None else float_array("bias", bias)
    if bias_array is not None:
        check_same_dtype("bias", bias_array, "x", x_array)
        if bias_array.shape != weight_array.shape[:1]:
            raise ValueError(
                f"bias has shape {bias_array.shape}, expected {weight_array.shape[:1]}: one number for each of the "
                f"output channels O of weight of shape {weight_array.shape}"
            )
    sampling = Sampling.checked(checked_group.dimension, *sampling_arguments)
    _check_fit(x_array, weight_array, checked_group.dimension, sampling)
    if out is not None:
        shape = output_shape(x_array, weight_array, checked_group, layer, sampling)
        out = output(out, shape, x_array.dtype, {"x": x, "weight": weight, "bias": bias})
    result = _native.forward(
        layer.code, x_array, weight_array, checked_group, bias_array, sampling.stride, sampling.padding,
        sampling.dilation, sampling.padding_mode, sampling.algorithm, out, True,
    )  # fmt: skip
    _warn_of_remainders(x_array, weight_array, checked_group, sampling)
    return result


def vjp(
    layer: Layer,
    grad_out: object,
    x: object,
    weight: object,
    group: object,
    sampling_arguments: tuple[object, object, object, object, object],
    wanted: tuple[bool, bool, bool],
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of layer(x, weight) + bias, after every check."""
    user = layer.function + "_vjp"
    checked_group = point_group(group)
    x_array, weight_array = _operands(x, weight, checked_group, layer, user)
    grad_array = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", grad_array, "x", x_array)
    sampling = Sampling.checked(checked_group.dimension, *sampling_arguments)
    _check_fit(x_array, weight_array, checked_group.dimension, sampling)
    shape = output_shape(x_array, weight_array, checked_group, layer, sampling)
    if grad_array.shape != shape:
        raise ValueError(f"grad_out has shape {grad_array.shape}, expected {shape}, the shape of the output")
    return _native.vjp(
        layer.code, grad_array, x_array, weight_array, checked_group, sampling.stride, sampling.padding,
        sampling.dilation, sampling.padding_mode, sampling.algorithm, *wanted, True,
    )  # fmt: skip


def expand(weight: object, group: object, layer: object) -> Array:
    """The filter bank of the equal ordinary convolution; see `equiconv.expand`."""
    checked_group = point_group(group)
    name = choice("layer", layer, tuple(LAYERS))
    array = float_array("weight", weight)
    check_weight(array, checked_group, LAYERS[name], f"expand with layer {name!r}")
    return _native.expand(LAYERS[name].code, array, checked_group)
