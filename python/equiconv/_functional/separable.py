# SPDX-License-Identifier: Apache-2.0
"""Group convolution with separable kernels: over H, then over space, channel by channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._bases.basis import Interpolation, KernelBasis
from .._bases.group_bases import localized
from .._checks.arguments import shape_text, value_text
from .._checks.arrays import Array, check_same_dtype, float_array
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .convolutions import Axes, Padding, PaddingMode, group_conv
from .general import conv, conv_vjp
from .gradients import group_conv_vjp

# Of the signal between the two convolutions.
_CACHED_BYTES = 2 << 20


def separable_conv(
    x: ArrayLike, weight_h: ArrayLike, weight_x: ArrayLike, group: PointGroup, bias: ArrayLike | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    quadrature: bool = False, out: Array | None = None,
) -> Array:  # fmt: skip
    """Group convolution G -> G with the kernel ``k[o, c](d, u) = weight_h[o, c](d) weight_x[o](u)``.

    A convolution over H at each point, of O C |H|^2 multiply-adds, then one over space for each output channel, of
    O |H| taps: instead of O C |H|^2 taps for a full kernel (Knigge, Romero and Bekkers, "Exploiting redundancy:
    separable group convolutional networks on Lie groups", ICML 2022). Neither is faster
    on tiles, so that ``"auto"`` is ``"direct"``: equivariant to the last bit.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        weight_h: shape (O, C, |H|): the kernel's factor on the relative elements h^-1 h'.
        weight_x: shape (O, kernel...), or (O, J) with a `basis`: its factor on space.
        group, bias, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, quadrature, out: as for
            `conv`.

    Returns:
        A signal of shape (B, O, |H|, spatial_out...).

    Raises:
        TypeError, ValueError: as `conv`.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves.

    Example:
        >>> x, over_h, over_x = numpy.ones((1, 3, 8, 9, 9)), numpy.ones((5, 3, 8)), numpy.ones((5, 3, 3))
        >>> separable_conv(x, over_h, over_x, cyclic(8), padding="same").shape
        (1, 5, 8, 9, 9)
    """
    checked_group, over_h, over_x = _factors(weight_h, weight_x, group)
    signal = float_array("x", x)

    def layer(images: Array, result: Array | None, room: Array | None = None) -> Array:
        between = group_conv(images, over_h, checked_group, quadrature=quadrature, algorithm="direct", out=room)
        middle = _without_scales(between, checked_group)
        return conv(
            middle, over_x, checked_group, bias, input_stabilizer=[0], output_stabilizer=[0], stride=stride,
            padding=padding, dilation=dilation, padding_mode=padding_mode, algorithm=algorithm, basis=basis,
            interpolation=interpolation, group_basis=localized([0]), groups=over_h.shape[0], out=result,
        )  # fmt: skip

    if out is not None or signal.ndim < 3 or signal.size == 0:
        return layer(signal, out)
    # A few images at a time, so that the signal between the two convolutions stays in the caches.
    image = signal.itemsize * int(np.prod(signal.shape[2:])) * over_h.shape[0]
    step = max(1, _CACHED_BYTES // image)
    first = layer(signal[:step], None)
    if step >= signal.shape[0]:
        return first
    result = np.empty((signal.shape[0], *first.shape[1:]), first.dtype)
    result[:step] = first
    room = np.empty((step, over_h.shape[0], *signal.shape[2:]), signal.dtype)
    for start in range(step, signal.shape[0], step):
        images = signal[start : start + step]
        layer(images, result[start : start + step], room[: len(images)])
    return result


def separable_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight_h: ArrayLike, weight_x: ArrayLike, group: PointGroup, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    quadrature: bool = False,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Gradients of ``sum(grad_out * separable_conv(x, weight_h, weight_x, group, bias, ...))``.

    The signal between the two convolutions is computed again. The gradient of `weight_x` runs on one lane of a vector
    a channel, so it takes several times as long as the layer.

    Args:
        grad_out: shape (B, O, |H|, spatial_out...), that of the output, with the dtype of `x`.
        x, weight_h, weight_x, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
            quadrature: as `separable_conv` was called with.

    Returns:
        (grad_x, grad_weight_h, grad_weight_x, grad_bias), shaped as x, weight_h, weight_x and (O,).

    Raises:
        TypeError, ValueError: as `separable_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, over_h, over_x = numpy.ones((1, 3, 8, 9, 9)), numpy.ones((5, 3, 8)), numpy.ones((5, 3, 3))
        >>> gradients = separable_conv_vjp(numpy.ones((1, 5, 8, 9, 9)), x, over_h, over_x, cyclic(8), padding="same")
        >>> [gradient.shape for gradient in gradients]
        [(1, 3, 8, 9, 9), (5, 3, 8), (5, 3, 3), (5,)]
    """
    checked_group, over_h, over_x = _factors(weight_h, weight_x, group)
    between = group_conv(x, over_h, checked_group, quadrature=quadrature, algorithm="direct")
    middle = _without_scales(between, checked_group)
    grad_middle, grad_over_x, grad_bias = conv_vjp(
        grad_out, middle, over_x, checked_group, input_stabilizer=[0], output_stabilizer=[0], stride=stride,
        padding=padding, dilation=dilation, padding_mode=padding_mode, algorithm=algorithm, basis=basis,
        interpolation=interpolation, group_basis=localized([0]), groups=over_h.shape[0],
    )  # fmt: skip
    grad_x, grad_over_h, _ = group_conv_vjp(
        _without_scales(grad_middle, checked_group), x, over_h, checked_group, quadrature=quadrature,
        algorithm="direct", wanted=("x", "weight"),
    )  # fmt: skip
    return grad_x, grad_over_h.reshape(over_h.shape[:3]), grad_over_x.reshape(np.shape(weight_x)), grad_bias


def _factors(weight_h: ArrayLike, weight_x: ArrayLike, group: object) -> tuple[PointGroup, Array, Array]:
    """The group and the two factors as weights of shape (O, C, |H|, 1...) and (O, 1, 1, kernel...)."""
    checked_group = point_group(group)
    over_h, over_x = float_array("weight_h", weight_h), float_array("weight_x", weight_x)
    check_same_dtype("weight_x", over_x, "weight_h", over_h)
    if over_h.ndim != 3 or over_h.shape[2] != checked_group.order or 0 in over_h.shape:
        raise ValueError(
            f"weight_h has shape {over_h.shape}, expected {shape_text(('O', 'C', '|H|'))} with |H| = "
            f"{checked_group.order} of {checked_group.name}"
        )
    if over_x.ndim < 2 or over_x.shape[0] != over_h.shape[0]:
        raise ValueError(
            f"weight_x has shape {over_x.shape}, expected ({over_h.shape[0]}, kernel...) as weight_h of shape "
            f"{value_text(over_h.shape)} has output channels"
        )
    ones = (1,) * checked_group.dimension
    return checked_group, over_h.reshape(over_h.shape + ones), over_x.reshape(over_x.shape[0], 1, 1, *over_x.shape[1:])


def _without_scales(middle: Array, group: PointGroup) -> Array:
    """Takes back one of two factors 1 / |det h|, which belongs to the whole kernel."""
    determinants = np.abs(group.determinants)
    if np.all(determinants == 1):
        return middle
    shape = (-1,) + (1,) * group.dimension
    scaled: Array = middle * determinants.astype(middle.dtype).reshape(shape)
    return scaled
