# SPDX-License-Identifier: Apache-2.0
"""The gradients of the four layers: vector-Jacobian products."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from .. import _native
from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import items, value_text
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.spec import layer_of
from .convolutions import Axes, Padding, PaddingMode

# Arrays, or None for gradients that were not wanted.
Gradients: TypeAlias = tuple[Any, Any, Any]

ALL = ("x", "weight", "bias")


def wanted_flags(names: object) -> tuple[bool, bool, bool]:
    """Whether x, weight and bias are among the names. Raises TypeError or ValueError."""
    if names is ALL:
        return (True, True, True)
    expected = "a collection of 'x', 'weight' and 'bias'"
    given = items("wanted", names, expected)
    if not all(isinstance(name, str) and name in ALL for name in given):
        raise ValueError(f"wanted is {value_text(names)}, expected {expected}")
    return ("x" in given, "weight" in given, "bias" in given)


def isotropic_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * isotropic_conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: shape (B, O, spatial_out...), that of the output, with the dtype of `x`.
        x, weight, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
            group_basis, quadrature, groups: as `isotropic_conv` was called with;
            x of shape (B, C, spatial...) and weight (O, C, kernel...).
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (O,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `isotropic_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight = numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3))
        >>> grad_x, grad_weight, grad_bias = isotropic_conv_vjp(numpy.ones((1, 5, 6, 6)), x, weight, cyclic(4))
        >>> grad_weight.shape == weight.shape
        True
    """
    spec = layer_of(
        "isotropic", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    spec = spec.sized(x, weight) if spec.is_open else spec
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))


def lifting_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * lifting_conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: shape (B, O, |H|, spatial_out...), that of the output, with the dtype of `x`.
        x, weight, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
            group_basis, quadrature, groups: as `lifting_conv` was called with;
            x of shape (B, C, spatial...) and weight (O, C, kernel...).
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (O,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `lifting_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight = numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3))
        >>> grad_x, grad_weight, grad_bias = lifting_conv_vjp(numpy.ones((1, 5, 4, 6, 6)), x, weight, cyclic(4))
        >>> grad_weight.shape == weight.shape
        True
    """
    spec = layer_of(
        "lifting", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    spec = spec.sized(x, weight) if spec.is_open else spec
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))


def group_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * group_conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: shape (B, O, |H|, spatial_out...), that of the output, with the dtype of `x`.
        x, weight, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
            group_basis, quadrature, groups: as `group_conv` was called with;
            x of shape (B, C, |H|, spatial...) and weight (O, C, |H|, kernel...).
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (O,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `group_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight = numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3))
        >>> grad_x, grad_weight, grad_bias = group_conv_vjp(numpy.ones((1, 5, 4, 6, 6)), x, weight, cyclic(4))
        >>> grad_weight.shape == weight.shape
        True
    """
    spec = layer_of(
        "group", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    spec = spec.sized(x, weight) if spec.is_open else spec
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))


def projection_conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * projection_conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: shape (B, O, spatial_out...), that of the output, with the dtype of `x`.
        x, weight, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
            group_basis, quadrature, groups: as `projection_conv` was called with;
            x of shape (B, C, |H|, spatial...) and weight (O, C, |H|, kernel...).
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (O,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `projection_conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight = numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3))
        >>> grad_x, grad_weight, grad_bias = projection_conv_vjp(numpy.ones((1, 5, 6, 6)), x, weight, cyclic(4))
        >>> grad_weight.shape == weight.shape
        True
    """
    spec = layer_of(
        "projection", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    spec = spec.sized(x, weight) if spec.is_open else spec
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))
