# SPDX-License-Identifier: Apache-2.0
"""The four layers as data, and calls of them with arguments that have been checked one by one.

The public functions first hand the user's arguments to the extension as they are. What it declines comes here: to be
converted, warned about, or refused with a message.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._arguments import (
    Array,
    axes,
    boolean,
    check_not_empty,
    check_same_dtype,
    choice,
    float_array,
    integer,
    output,
    shape_text,
    value_text,
)
from ._bases import INTERPOLATIONS, GroupBasis, KernelBasis
from ._errors import EquivarianceWarning
from ._groups import PointGroup

Stabilizer: TypeAlias = NDArray[np.int32]
# basis, interpolation, group_basis, quadrature
KernelArguments: TypeAlias = tuple[object, object, object, object]
# stride, padding, dilation, padding_mode, algorithm
SamplingArguments: TypeAlias = tuple[object, object, object, object, object]

PADDING_MODES = ("zeros", "circular")
ALGORITHMS = ("auto", "direct", "winograd", "fourier")

_SPATIAL_NAMES = {1: ("width",), 2: ("rows", "columns"), 3: ("depth", "rows", "columns")}


@dataclass(frozen=True)
class Layer:
    """A layer X -> Y between signals on R^d x H/K: what the messages and the extension call it."""

    code: int
    function: str
    # The sizes |X| and |Y| of the fiber axes are |H| or those of the quotients; None where there is no such axis.
    reads_group: bool
    writes_group: bool
    # The stabilizers of a layer that has no name of its own.
    input_stabilizer: Stabilizer | None = None
    output_stabilizer: Stabilizer | None = None
    # Whether output channel o reads input channel o alone.
    depthwise: bool = False

    def input_points(self, group: PointGroup) -> int | None:
        """The size of the fiber axis of the input, None without one."""
        return _points(group, self.reads_group, self.input_stabilizer)

    def output_points(self, group: PointGroup) -> int | None:
        """The size of the fiber axis of the output, None without one."""
        return _points(group, self.writes_group, self.output_stabilizer)

    @property
    def spaces(self) -> tuple[Stabilizer, Stabilizer, bool] | None:
        """The stabilizers, and whether the layer is depthwise, for the extension."""
        if self.input_stabilizer is None or self.output_stabilizer is None:
            return None
        return (self.input_stabilizer, self.output_stabilizer, self.depthwise)


def _points(group: PointGroup, has_fiber: bool, stabilizer: Stabilizer | None) -> int | None:
    if not has_fiber:
        return None
    return group.order if stabilizer is None else group.order // len(stabilizer)


LAYERS: Mapping[str, Layer] = {
    "isotropic": Layer(_native.ISOTROPIC, "isotropic_conv", False, False),
    "lifting": Layer(_native.LIFTING, "lifting_conv", False, True),
    "group": Layer(_native.GROUP, "group_conv", True, True),
    "projection": Layer(_native.PROJECTION, "projection_conv", True, False),
}


def general_layer(
    group: PointGroup, input_stabilizer: object, output_stabilizer: object, depthwise: object = False
) -> Layer:
    """The layer between the quotients by two stabilizers."""
    source = stabilizer_elements("input_stabilizer", input_stabilizer, group)
    target = stabilizer_elements("output_stabilizer", output_stabilizer, group)
    flag = boolean("depthwise", depthwise)
    return Layer(_native.GENERAL, "conv", len(source) < group.order, len(target) < group.order, source, target, flag)


def stabilizer_elements(name: str, value: object, group: PointGroup) -> Stabilizer:
    """The elements of a subgroup of `group` (all of them for the plane), ascending. Raises TypeError or ValueError."""
    expected = f"the elements of a subgroup of {group.name}"
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected {expected}")
    items = list(value)
    elements = np.array(
        sorted(integer(f"{name}[{i}]", item, 0, group.order - 1) for i, item in enumerate(items)), np.int32
    )
    if np.array_equal(elements, np.arange(group.order)):
        # Also of a truncated set, which is no group, but stands for one.
        return elements
    try:
        group.get_left_cosets(elements)
    except ValueError as error:
        raise ValueError(f"{name} is {value_text(items)}, expected {expected}: {error}") from None
    return elements


@dataclass(frozen=True)
class Kernel:
    """What kernels are made of, checked."""

    basis: KernelBasis | None
    interpolation: str
    group_basis: GroupBasis | None
    quadrature: bool

    @classmethod
    def checked(cls, group: PointGroup, layer: Layer, arguments: KernelArguments) -> Kernel:
        """Raises TypeError or ValueError for arguments that do not fit the group or the layer."""
        basis, interpolation, group_basis, quadrature = arguments
        if not (basis is None or isinstance(basis, KernelBasis)):
            raise TypeError(
                f"basis is {value_text(basis)} ({type(basis).__name__}), expected a KernelBasis such as "
                "equiconv.bspline_basis(5), or None for pixels"
            )
        if basis is not None and basis.dimension != group.dimension:
            raise ValueError(
                f"basis is {basis!r} of dimension {basis.dimension}, expected {group.dimension} as {group.name}"
            )
        name = choice("interpolation", interpolation, INTERPOLATIONS)
        return cls(basis, name, _checked_group_basis(group, layer, group_basis), boolean("quadrature", quadrature))

    def functions(self, group: PointGroup, layer: Layer) -> int | None:
        """The size of axis 2 of weights, None without such an axis."""
        return layer.input_points(group) if self.group_basis is None else self.group_basis.count

    def has_pixels(self) -> bool:
        """Whether weights have the axes of the kernel, and not one of functions."""
        return self.basis is None or self.basis.is_pixel

    def extents(self, weight: Array, dimension: int) -> tuple[int, ...]:
        """The taps of the kernel."""
        return tuple(weight.shape[-dimension:]) if self.basis is None else self.basis.extents


def _checked_group_basis(group: PointGroup, layer: Layer, group_basis: object) -> GroupBasis | None:
    if group_basis is None:
        return None
    if not isinstance(group_basis, GroupBasis):
        raise TypeError(
            f"group_basis is {value_text(group_basis)} ({type(group_basis).__name__}), expected a GroupBasis such as "
            "equiconv.localised([0, 1]), or None"
        )
    if layer.input_points(group) != group.order:
        raise ValueError(
            f"group_basis is {group_basis!r}, expected None for {layer.function}, whose input is not a signal on the "
            "group"
        )
    try:
        group_basis.matrix(group)
    except ValueError as error:
        raise ValueError(f"group_basis is {group_basis!r}, expected a basis on {group.name}: {error}") from None
    return group_basis


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


def check_signal(name: str, array: Array, group: PointGroup, points: int | None, user: str) -> None:
    """Raises ValueError unless `array` is a signal (B, C, [points,] spatial...) that is not empty."""
    names = ("B", "C") + _fiber_names(group, points) + _SPATIAL_NAMES[group.dimension]
    _check_axes(name, array, names, group, points, user)
    check_not_empty(name, array, first_axis=1)


def check_weight(weight: Array, group: PointGroup, layer: Layer, kernel: Kernel, user: str) -> None:
    """Raises ValueError unless `weight` is (O, C, [functions on H,] kernel... or J) as `layer` needs."""
    functions = kernel.functions(group, layer)
    fiber = _fiber_names(group, functions) if kernel.group_basis is None else ("I",)
    names = ("O", "C") + fiber + (("k",) * group.dimension if kernel.has_pixels() else ("J",))
    if kernel.group_basis is None:
        _check_axes("weight", weight, names, group, functions, user)
    else:
        _check_axes("weight", weight, names, group, None, user)
        if weight.shape[2] != functions:
            raise ValueError(
                f"weight has shape {weight.shape}, expected {shape_text(names)} for {user} with I = {functions} of "
                f"{kernel.group_basis!r} on axis 2"
            )
    check_not_empty("weight", weight)
    basis = kernel.basis
    if basis is not None and weight.shape[-len(basis.shape) :] != basis.shape:
        raise ValueError(
            f"weight has shape {weight.shape}, expected it to end in {basis.shape}, the shape of {basis!r}"
        )


def _fiber_names(group: PointGroup, points: int | None) -> tuple[str, ...]:
    if points is None:
        return ()
    return ("|H|",) if points == group.order else ("|H/K|",)


def _check_axes(
    name: str, array: Array, names: tuple[str, ...], group: PointGroup, points: int | None, user: str
) -> None:
    if array.ndim != len(names):
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"on a {group.dimension}-D group: {len(names)} axes"
        )
    if points is not None and array.shape[2] != points:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"with {names[2]} = {points} of {group.name} on axis 2"
        )


def _check_fit(x: Array, weight: Array, kernel: tuple[int, ...], sampling: Sampling) -> None:
    """Raises ValueError where the kernel leaves no output, or "same" has no symmetric meaning."""
    first = x.ndim - len(kernel)
    sizes = x.shape[first:]
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


def _moved_axes(group: PointGroup) -> frozenset[int]:
    """The spatial array axes that some element mirrors, exchanges with another or mixes; not those it only scales."""
    scales = np.abs(group.determinants) ** (1 / group.dimension)
    diagonals = np.diagonal(group.matrices, axis1=1, axis2=2) / scales[:, None]
    return frozenset(int(axis) for axis in np.flatnonzero(np.any(diagonals < 0.5, axis=0)[::-1]))


def _warn_of_remainders(x: Array, kernel: tuple[int, ...], group: PointGroup, sampling: Sampling) -> None:
    first = x.ndim - group.dimension
    for axis in sorted(_moved_axes(group)):
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


def _operands(
    x: object, weight: object, group: PointGroup, layer: Layer, kernel: Kernel, user: str
) -> tuple[Array, Array]:
    x_array = float_array("x", x)
    weight_array = float_array("weight", weight)
    check_same_dtype("weight", weight_array, "x", x_array)
    check_signal("x", x_array, group, layer.input_points(group), user)
    check_weight(weight_array, group, layer, kernel, user)
    if layer.depthwise and (weight_array.shape[:2] != (x_array.shape[1], 1)):
        raise ValueError(
            f"weight has shape {weight_array.shape}, expected ({x_array.shape[1]}, 1, ...) for a depthwise layer on "
            f"the channels of x of shape {x_array.shape}"
        )
    if not layer.depthwise and x_array.shape[1] != weight_array.shape[1]:
        raise ValueError(
            f"weight has shape {weight_array.shape}, expected {x_array.shape[1]} on axis 1, "
            f"the channels C of x of shape {x_array.shape}"
        )
    return x_array, weight_array


def output_shape(
    x: Array, outputs: int, kernel: tuple[int, ...], group: PointGroup, layer: Layer, sampling: Sampling
) -> tuple[int, ...]:
    """The shape of layer(x, weight): sizes (n + 2 padding - reach) // stride + 1."""
    first = x.ndim - group.dimension
    sizes = tuple(
        (size + 2 * padding - reach) // stride + 1
        for size, padding, reach, stride in zip(
            x.shape[first:], sampling.amounts(kernel), sampling.reach(kernel), sampling.stride, strict=True
        )
    )
    points = layer.output_points(group)
    return (x.shape[0], outputs) + (() if points is None else (points,)) + sizes


def forward(
    layer: Layer,
    x: object,
    weight: object,
    group: object,
    bias: object,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
    out: object,
) -> Array:
    """layer(x, weight) + bias, after every check. Warns of strides that break equivariance."""
    checked_group = point_group(group)
    kernel = Kernel.checked(checked_group, layer, kernel_arguments)
    x_array, weight_array = _operands(x, weight, checked_group, layer, kernel, layer.function)
    bias_array = None if bias is None else float_array("bias", bias)
    if bias_array is not None:
        check_same_dtype("bias", bias_array, "x", x_array)
        if bias_array.shape != weight_array.shape[:1]:
            raise ValueError(
                f"bias has shape {bias_array.shape}, expected {weight_array.shape[:1]}: one number for each of the "
                f"output channels O of weight of shape {weight_array.shape}"
            )
    sampling = Sampling.checked(checked_group.dimension, *sampling_arguments)
    extents = kernel.extents(weight_array, checked_group.dimension)
    _check_fit(x_array, weight_array, extents, sampling)
    if out is not None:
        shape = output_shape(x_array, weight_array.shape[0], extents, checked_group, layer, sampling)
        out = output(out, shape, x_array.dtype, {"x": x, "weight": weight, "bias": bias})
    result = _native.forward(
        layer.code, x_array, weight_array, checked_group, bias_array, sampling.stride, sampling.padding,
        sampling.dilation, sampling.padding_mode, sampling.algorithm, out, kernel.basis, kernel.interpolation,
        kernel.group_basis, kernel.quadrature, layer.spaces, True,
    )  # fmt: skip
    _warn_of_remainders(x_array, extents, checked_group, sampling)
    return result


def vjp(
    layer: Layer,
    grad_out: object,
    x: object,
    weight: object,
    group: object,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
    wanted: tuple[bool, bool, bool],
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of layer(x, weight) + bias, after every check."""
    user = layer.function + "_vjp"
    checked_group = point_group(group)
    kernel = Kernel.checked(checked_group, layer, kernel_arguments)
    x_array, weight_array = _operands(x, weight, checked_group, layer, kernel, user)
    grad_array = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", grad_array, "x", x_array)
    sampling = Sampling.checked(checked_group.dimension, *sampling_arguments)
    extents = kernel.extents(weight_array, checked_group.dimension)
    _check_fit(x_array, weight_array, extents, sampling)
    shape = output_shape(x_array, weight_array.shape[0], extents, checked_group, layer, sampling)
    if grad_array.shape != shape:
        raise ValueError(f"grad_out has shape {grad_array.shape}, expected {shape}, the shape of the output")
    return _native.vjp(
        layer.code, grad_array, x_array, weight_array, checked_group, sampling.stride, sampling.padding,
        sampling.dilation, sampling.padding_mode, sampling.algorithm, kernel.basis, kernel.interpolation,
        kernel.group_basis, kernel.quadrature, layer.spaces, *wanted, True,
    )  # fmt: skip


def expand(weight: object, group: object, layer: object, kernel_arguments: KernelArguments) -> Array:
    """The filter bank of the equal ordinary convolution; see `equiconv.expand`."""
    checked_group = point_group(group)
    name = choice("layer", layer, tuple(LAYERS))
    kernel = Kernel.checked(checked_group, LAYERS[name], kernel_arguments)
    array = float_array("weight", weight)
    check_weight(array, checked_group, LAYERS[name], kernel, f"expand with layer {name!r}")
    return _native.expand(
        LAYERS[name].code, array, checked_group, kernel.basis, kernel.interpolation, kernel.group_basis,
        kernel.quadrature,
    )  # fmt: skip
