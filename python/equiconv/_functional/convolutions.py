# SPDX-License-Identifier: Apache-2.0
"""The four layers, and the filter bank of the equal ordinary convolution."""

from __future__ import annotations

from typing import Literal, TypeAlias

from numpy.typing import ArrayLike

from .. import _native
from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import choice
from .._checks.arrays import Array, float_array
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.layer import LAYERS
from .._layer.operands import check_weight
from .._layer.spec import layer_of
from .._layer.weights import PreparedWeight

Axes: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = int | tuple[int, ...] | Literal["same", "valid", "equivariant"]
PaddingMode: TypeAlias = Literal["zeros", "circular", "reflect", "replicate"]
LayerName: TypeAlias = Literal["isotropic", "lifting", "group", "projection"]


def isotropic_conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Isotropic convolution R^d -> R^d: an ordinary convolution with the mean of the kernel over H.

    ``y[o, x] = bias[o] + sum over c, x' of kbar[o, c](x' - x) f[c, x']`` with ``kbar(u) = mean over h of k(h^-1 u)``

    Args:
        x: signal of shape (B, C, spatial...), float32 or float64.
        weight: kernel of shape (O, C / groups, kernel...), with the dtype of `x`; or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel, shared by all of H. None for none.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, groups, out: see `conv`.
        group_basis: None: kernels of signals on the plane are no functions on H.
        quadrature: without effect, as there is no sum over H.

    Returns:
        A signal of shape (B, O, spatial_out...) with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: see `conv`, which also warns.

    Example:
        >>> y = isotropic_conv(numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3)), cyclic(4))
        >>> y.shape
        (1, 5, 6, 6)
    """
    spec = layer_of(
        "isotropic", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    return _native.forward(spec.sized(x, weight) if spec.is_open else spec, x, weight, bias, out, True)


def lifting_conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Lifting convolution R^d -> G: correlation with the kernel turned by every element h of H.

    ``y[o, h, x] = bias[o] + sum over c, x' of k[o, c](h^-1 (x' - x)) f[c, x']``

    Args:
        x: signal of shape (B, C, spatial...), float32 or float64.
        weight: kernel of shape (O, C / groups, kernel...), with the dtype of `x`; or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel, shared by all of H. None for none.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, groups, out: see `conv`.
        group_basis: None: kernels of signals on the plane are no functions on H.
        quadrature: without effect, as there is no sum over H.

    Returns:
        A signal of shape (B, O, |H|, spatial_out...) with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: see `conv`, which also warns.

    Example:
        >>> y = lifting_conv(numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3)), cyclic(4))
        >>> y.shape
        (1, 5, 4, 6, 6)
    """
    spec = layer_of(
        "lifting", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    return _native.forward(spec.sized(x, weight) if spec.is_open else spec, x, weight, bias, out, True)


def group_conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Group convolution G -> G: correlation on the group, over the fiber H and over space.

    ``y[o, h, x] = bias[o] + sum over c, h', x' of k[o, c](h^-1 h', h^-1 (x' - x)) f[c, h', x']``

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        weight: kernel of shape (O, C / groups, |H|, kernel...), with the dtype of `x`; or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel, shared by all of H. None for none.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, groups, out: see `conv`.
        group_basis: functions on H that kernels are made of; weights have its I functions on axis 2 in place of |H|.
        quadrature: whether the sum over H is weighted as an integral by its measure.

    Returns:
        A signal of shape (B, O, |H|, spatial_out...) with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: see `conv`, which also warns.

    Example:
        >>> y = group_conv(numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3)), cyclic(4))
        >>> y.shape
        (1, 5, 4, 6, 6)
    """
    spec = layer_of(
        "group", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    return _native.forward(spec.sized(x, weight) if spec.is_open else spec, x, weight, bias, out, True)


def projection_conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Projection convolution G -> R^d: back to the plane, with the mean of the kernel over H.

    ``y[o, x] = bias[o] + sum over c, h', x' of kbar[o, c](h', x' - x) f[c, h', x']`` with
    ``kbar(h', u) = mean over h of k(h^-1 h', h^-1 u)``

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        weight: kernel of shape (O, C / groups, |H|, kernel...), with the dtype of `x`; or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel, shared by all of H. None for none.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, groups, out: see `conv`.
        group_basis: functions on H that kernels are made of; weights have its I functions on axis 2 in place of |H|.
        quadrature: whether the sum over H is weighted as an integral by its measure.

    Returns:
        A signal of shape (B, O, spatial_out...) with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: see `conv`, which also warns.

    Example:
        >>> y = projection_conv(numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3)), cyclic(4))
        >>> y.shape
        (1, 5, 6, 6)
    """
    spec = layer_of(
        "projection", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups,
    )  # fmt: skip
    return _native.forward(spec.sized(x, weight) if spec.is_open else spec, x, weight, bias, out, True)


def expand(
    weight: ArrayLike,
    group: PointGroup,
    layer: LayerName,
    *,
    basis: KernelBasis | None = None,
    interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None,
    quadrature: bool = False,
) -> Array:
    """The filter bank of the ordinary convolution that equals a layer: the bridge to every other framework.

    ``bank[o |Y| + h, c |X| + h'](u) = k[o, c](h^-1 h', h^-1 u) / |det h|``, where |X| and |Y| are |H| for a signal on
    the group and 1 for one on the plane; for isotropic and projection layers the mean of k over H. A correlation of
    ``x.reshape(B, C * |X|, spatial...)`` with it, without bias, gives ``y.reshape(B, O * |Y|, spatial_out...)``. Where
    elements of `group` enlarge the kernel, the bank is larger than the kernel by an even number m of taps on each axis,
    and that correlation needs m / 2 * dilation more padding.

    Args:
        weight: shape (O, C, kernel...), or (O, C, |H|, kernel...) for group and projection layers.
        group: H, any group on d axes.
        layer: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
        basis, interpolation, group_basis, quadrature: as the layer was called with.

    Returns:
        Shape (O |Y|, C |X|, kernel...), with the dtype of `weight`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> expand(numpy.ones((5, 3, 4, 3, 3)), cyclic(4), "group").shape
        (20, 12, 3, 3)
    """
    name = choice("layer", layer, tuple(LAYERS))
    array = float_array("weight", weight)
    spec = layer_of(name, group, 1, 0, 1, "zeros", "auto", basis, interpolation, group_basis, quadrature, 1)
    check_weight(array, spec.group, spec.layer, spec.kernel, f"expand with layer {name!r}")
    return _native.expand(spec, array)
