# SPDX-License-Identifier: Apache-2.0
"""Calls of the layers with arguments that have been checked one by one.

The public functions first hand the user's arguments to the extension as they are. What it declines comes here: to be
converted, warned about, or refused with a message.
"""

from __future__ import annotations

from typing import cast

from .. import _native
from .._checks.arguments import choice, is_a
from .._checks.arrays import Array, Shaped, check_same_dtype, float_array, output
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .explanation import ChosenAlgorithm, Explanation, Run
from .layer import LAYERS, Kernel, KernelArguments, Layer
from .operands import check_operands, check_weight
from .sampling import ALGORITHMS, Sampling, SamplingArguments, check_fit, output_shape, warn_of_remainders
from .weights import PreparedWeight

RUNS: dict[Run, int] = {
    "forward": _native.FORWARD,
    "input_gradient": _native.INPUT_GRADIENT,
    "weight_gradient": _native.WEIGHT_GRADIENT,
}


def checked_sampling(
    layer: Layer,
    x: Shaped,
    weight: Shaped,
    bias: Shaped | None,
    group: PointGroup,
    kernel: Kernel,
    sampling_arguments: SamplingArguments,
) -> tuple[Sampling, tuple[int, ...]]:
    """How layer(x, weight) + bias samples, and the taps of its kernel, after every check of shapes and dtypes."""
    check_operands(x, weight, group, layer, kernel, layer.function)
    if bias is not None:
        check_same_dtype("bias", bias, "x", x)
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"bias has shape {bias.shape}, expected {weight.shape[:1]}: one number for each of the output channels "
                f"O of weight of shape {weight.shape}"
            )
    sampling = Sampling.checked(group.dimension, *sampling_arguments)
    extents = kernel.extents(weight, group.dimension)
    check_fit(x, weight, extents, sampling)
    return sampling, extents


def forward(
    layer: Layer,
    x: object,
    weight: object,
    group: object,
    bias: object,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
    out: object,
    warns: bool = True,
) -> Array:
    """layer(x, weight) + bias, after every check. Warns of strides that break equivariance unless told not to."""
    checked_group = point_group(group)
    kernel = Kernel.checked(checked_group, layer, kernel_arguments)
    x_array = float_array("x", x)
    weight_array = weight if is_a(weight, PreparedWeight) else float_array("weight", weight)
    bias_array = None if bias is None else float_array("bias", bias)
    sampling, extents = checked_sampling(
        layer, x_array, weight_array, bias_array, checked_group, kernel, sampling_arguments
    )
    numbers = None
    if out is not None:
        shape = output_shape(x_array, weight_array.shape[0], extents, checked_group, layer, sampling)
        inputs = {"x": (x, x_array), "weight": (weight, weight_array), "bias": (bias, bias_array)}
        numbers = output(out, shape, x_array.dtype, inputs)
    result = _native.forward(
        layer.code, x_array, weight_array, checked_group, bias_array, sampling.stride, sampling.padding,
        sampling.dilation, sampling.padding_mode, sampling.algorithm, numbers, kernel.basis, kernel.interpolation,
        kernel.group_basis, kernel.quadrature, layer.spaces, True,
    )  # fmt: skip
    if warns:
        warn_of_remainders(x_array, extents, checked_group, sampling)
    return result if out is None else cast(Array, out)


def vjp(
    layer: Layer,
    grad_out: object,
    x: object,
    weight: object,
    group: object,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
    wanted: tuple[bool | Array, bool | Array, bool | Array],
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of layer(x, weight) + bias, after every check: those `wanted`, or written to the arrays there."""
    user = layer.function + "_vjp"
    checked_group = point_group(group)
    kernel = Kernel.checked(checked_group, layer, kernel_arguments)
    x_array, weight_array = float_array("x", x), float_array("weight", weight)
    check_operands(x_array, weight_array, checked_group, layer, kernel, user)
    grad_array = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", grad_array, "x", x_array)
    sampling = Sampling.checked(checked_group.dimension, *sampling_arguments)
    extents = kernel.extents(weight_array, checked_group.dimension)
    check_fit(x_array, weight_array, extents, sampling)
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


def explain(
    layer: Layer,
    x: Shaped,
    weight: Shaped,
    group: PointGroup,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
    run: Run,
) -> Explanation:
    """What a run of layer(x, weight) would do, after every check of it; see `equiconv.explain`."""
    kernel = Kernel.checked(group, layer, kernel_arguments)
    check_operands(x, weight, group, layer, kernel, layer.function)
    sampling = Sampling.checked(group.dimension, *sampling_arguments)
    check_fit(x, weight, kernel.extents(weight, group.dimension), sampling)
    algorithm, tile, operations, definition, workspace, weights, threads, seconds, reason = _native.explain(
        layer.code, RUNS[run], isinstance(weight, PreparedWeight), tuple(x.shape), tuple(weight.shape),
        x.dtype.itemsize == 8, group, sampling.stride, sampling.padding, sampling.dilation, sampling.padding_mode,
        sampling.algorithm, kernel.basis, kernel.interpolation, kernel.group_basis, kernel.quadrature, layer.spaces,
    )  # fmt: skip
    chosen = cast(ChosenAlgorithm, ALGORITHMS[algorithm])
    return Explanation(
        layer.function, run, chosen, tile, operations, definition, workspace, weights, threads, seconds, reason
    )
