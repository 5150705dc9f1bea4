# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution: the adjoints of the four layers in their signals, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

from .. import _native
from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import choice
from .._checks.arrays import Array, check_same_dtype, float_array, output
from .._groups.geometry import axis_action, lattice_elements
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.layer import LAYERS
from .._layer.spec import LayerSpec, layer_of
from .._layer.transposed import (
    adjoint_layer,
    by_definition,
    check_transposed_bias,
    checked_output_padding,
    commutes,
    needs_turns,
    transposed_shape,
    warn_of_output_padding,
)
from .._signals.action import act
from .convolutions import Axes, LayerName, Padding, PaddingMode
from .gradients import ALL, Gradients, wanted_flags
from .pool import group_pool


def transposed_conv(
    x: ArrayLike, weight: ArrayLike, group: PointGroup, bias: ArrayLike | None = None, *,
    layer: LayerName = "group",
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
    padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", basis: KernelBasis | None = None,
    interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None, quadrature: bool = False,
    groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Transposed convolution: the adjoint K* of a layer K in its signal, which enlarges signals by its stride.

    ``<K v, x> = <v, K* x>`` for all v, and ``y = K* x + bias``. For a group convolution

    ``y[c, h', x'] = bias[c] + sum over o, h, n of k[o, c](h^-1 h', h^-1 (x' - stride n)) f[o, h, n]``

    With the trivial group it is `torch.nn.functional.conv_transpose2d`. K* commutes with H as K does. Sizes: (n - 1)
    stride - 2 padding + reach + output_padding, with ``reach = dilation (kernel - 1) + 1``. A kernel that reaches over
    stride + 2 padding, such as 4 with stride 2 and padding 1, gives stride n.

    Args:
        x: signal on the space that the layer writes: (B, O, |H|, spatial...) for lifting and group convolutions,
            (B, O, spatial...) for isotropic and projection convolutions; float32 or float64.
        weight: that of the layer, (O, C / groups, kernel...) or (O, C / groups, |H|, kernel...), with the dtype of `x`:
            of the channels of `x` and those of the result, as `torch.nn.ConvTranspose2d` has it.
        group: H, any group on d axes.
        bias: shape (C,): one number for each channel of the result. None for none.
        layer: whose adjoint it is: ``"isotropic"`` R^d -> R^d, ``"lifting"`` G -> R^d, ``"group"`` G -> G or
            ``"projection"`` R^d -> G.
        stride, padding, dilation, padding_mode, basis, interpolation, group_basis, quadrature, groups: of the layer;
            see `conv`. ``"same"`` is dilation (kernel - 1) / 2, and ``"equivariant"`` makes sizes stride n, or 1 less
            where the kernel cannot: where reach - stride is odd.
        output_padding: int or one for each spatial axis, 0 to stride - 1: what the stride of the layer leaves out at
            the end of an axis.
        algorithm: as for `conv`. ``"direct"`` and ``"exact"`` are equivariant to the last bit: where the engine has no
            such pass, a mean over the turned signals is taken, which costs as many passes as there are.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with the inputs.

    Returns:
        A signal on the space that the layer reads, with C channels and the dtype of `x`; `out` if it was given.

    Raises:
        TypeError: an argument of the wrong kind or dtype.
        ValueError: shapes that do not fit each other or `group`; a number out of range; a result without numbers.

    Warns:
        EquivarianceWarning: there is output padding on an axis that `group` moves.

    Example:
        >>> y = transposed_conv(numpy.ones((1, 5, 4, 8, 8)), numpy.ones((5, 3, 4, 4, 4)), cyclic(4), stride=2, padding=1)
        >>> y.shape
        (1, 3, 4, 16, 16)
    """  # noqa: E501
    spec = _spec_of(
        layer,
        group,
        stride,
        padding,
        dilation,
        padding_mode,
        algorithm,
        basis,
        interpolation,
        group_basis,
        quadrature,
        groups,
    )
    more = checked_output_padding(output_padding, spec.sampling)
    x_array, weight_array = float_array("x", x), float_array("weight", weight)
    spec = adjoint_layer(spec, weight_array, more)
    shape = transposed_shape(x_array, weight_array, spec, more)
    bias_array = None if bias is None else _bias(bias, x_array, weight_array, spec)
    if out is None:
        result = np.empty(shape, x_array.dtype)
    else:
        inputs = {"x": (x, x_array), "weight": (weight, weight_array), "bias": (bias, bias_array)}
        result = output(out, shape, x_array.dtype, inputs)
    warn_of_output_padding(shape[-spec.group.dimension :], spec.sampling.stride, more, spec.group)
    _write(spec, x_array, weight_array, result, more)
    if bias_array is not None:
        with np.errstate(all="ignore"):
            result += bias_array.reshape(-1, *(1,) * (result.ndim - 2))
    return result if out is None else out


def transposed_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    layer: LayerName = "group",
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
    padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", basis: KernelBasis | None = None,
    interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None, quadrature: bool = False,
    groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * transposed_conv(x, weight, group, bias, ...))``.

    That of `x` is the layer itself: K of `grad_out`.

    Args:
        grad_out: that of the output, of its shape and with the dtype of `x`.
        x, weight, group, layer, stride, padding, dilation, output_padding, padding_mode, algorithm, basis,
            interpolation, group_basis, quadrature, groups: as `transposed_conv` was called with.
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (C,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `transposed_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight = numpy.ones((1, 5, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3))
        >>> grad_x, grad_weight, grad_bias = transposed_conv_vjp(numpy.ones((1, 3, 4, 10, 10)), x, weight, cyclic(4))
        >>> grad_weight.shape == weight.shape
        True
    """
    spec = _spec_of(
        layer,
        group,
        stride,
        padding,
        dilation,
        padding_mode,
        algorithm,
        basis,
        interpolation,
        group_basis,
        quadrature,
        groups,
    )
    more = checked_output_padding(output_padding, spec.sampling)
    needs_x, needs_weight, needs_bias = wanted_flags(wanted)
    x_array, weight_array = float_array("x", x), float_array("weight", weight)
    spec = adjoint_layer(spec, weight_array, more)
    shape = transposed_shape(x_array, weight_array, spec, more)
    gradient = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", gradient, "x", x_array)
    if gradient.shape != shape:
        raise ValueError(f"grad_out has shape {gradient.shape}, expected {shape}, the shape of the output")
    grad_x = _native.forward(spec, gradient, weight_array, None, None, False) if needs_x else None
    grad_weight = _native.vjp(spec, x_array, gradient, weight_array, False, True, False)[1] if needs_weight else None
    return grad_x, grad_weight, _sum(gradient) if needs_bias else None


def _spec_of(layer: object, *options: object) -> LayerSpec:
    return layer_of(choice("layer", layer, tuple(LAYERS)), *options)


def _bias(value: object, x: Array, weight: Array, spec: LayerSpec) -> Array:
    bias = float_array("bias", value)
    check_same_dtype("bias", bias, "x", x)
    check_transposed_bias(bias, weight, spec.kernel)
    return bias


def _sum(gradient: Array) -> Array:
    """The sum over all but channels, accumulated in double precision."""
    axes = (0, *range(2, gradient.ndim))
    with np.errstate(all="ignore"):
        total: Array = gradient.sum(axes, dtype=np.float64).astype(gradient.dtype)
    return total


def _write(spec: LayerSpec, x: Array, weight: Array, result: Array, output_padding: tuple[int, ...]) -> None:
    """Writes K* x to an array."""
    if not needs_turns(spec, result.shape, weight.shape, x.dtype.itemsize == 8):
        _write_pass(spec, x, weight, result)
    elif commutes(output_padding, spec.group):
        _write_by_turns(by_definition(spec), x, weight, result)
    else:
        # There are no bits to keep.
        _write_pass(by_definition(spec), x, weight, result)


def _write_pass(spec: LayerSpec, x: Array, weight: Array, result: Array) -> None:
    # Of an array that no gradient needs the shape matters alone.
    _native.vjp(spec, x, result, weight, result, False, False)


def _write_by_turns(spec: LayerSpec, x: Array, weight: Array, result: Array) -> None:
    """The mean over all turns g of ``g^-1 K* g x``, whose bits do not depend on the order of the turns.

    Of a signal that was turned before, the terms are the same but for that turn, in another order.
    """
    group, d = spec.group, spec.group.dimension
    leading, sizes = result.shape[:-d], result.shape[-d:]
    elements = lattice_elements(group)
    # The turns stand where elements of H do, and their mean is one of sorted numbers.
    terms = np.empty((leading[0], math.prod(leading[1:]), len(elements), *sizes), x.dtype)
    for place, element in enumerate(elements):
        turned_sizes = tuple(sizes[axis] for axis in axis_action(group, element).axes)
        part = np.empty((*leading, *turned_sizes), x.dtype)
        _write_pass(spec, act(x, group, element), weight, part)
        terms[:, :, place] = act(part, group, int(group.inverses[element])).reshape(*terms.shape[:2], *sizes)
    group_pool(terms, out=result.reshape(*terms.shape[:2], *sizes))
