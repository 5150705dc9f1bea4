# SPDX-License-Identifier: Apache-2.0
"""The one layer that all others are cases of: between signals on R^d x H/K for any subgroups K."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from numpy.typing import ArrayLike

from .. import _native
from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arrays import Array
from .._groups.arguments import plain_stabilizer
from .._groups.point_group import PointGroup
from .._layer.spec import layer_of
from .._layer.weights import PreparedWeight
from .convolutions import Algorithm, Axes, Padding, PaddingMode
from .gradients import ALL, Gradients, wanted_flags


def conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False,
    depthwise: bool = False, out: Array | None = None,
) -> Array:  # fmt: skip
    """Group convolution R^d x H/K -> R^d x H/K', the layer of which the four named ones are cases.

    ``y[o, p, x] = bias[o] + sum over c, q, x' of kbar[o, c](p, q, x' - x) f[c, q, x']`` for points p of H/K' and q of
    H/K, with ``kbar(p, q, u) = mean over h in p of k(h^-1 q, h^-1 u) / |det h|``

    The mean is the projection on kernels that K' leaves as they are (Bekkers, ICLR 2020, Theorem 1). Points of H/K are
    the left cosets of K, numbered by first appearance as by `PointGroup.cosets`.

    Args:
        x: signal of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; float32 or float64.
        weight: shape (O, C, |H|/|K|, kernel...), or (O, C, kernel...) if K is all of H, with the dtype of `x`;
            or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel. None for none.
        input_stabilizer: the elements of K in any order: ``[0]`` for signals on the group, ``range(group.order)`` for
            signals on the plane.
        output_stabilizer: the elements of K'.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature, out: as for
            `group_conv`; `group_basis` for K = {e} only.
        depthwise: whether output channel o reads input channel o alone; then O = C and `weight` has shape (O, 1, ...).

    Returns:
        A signal of shape (B, O, |H|/|K'|, spatial_out...), or (B, O, spatial_out...) if K' is all of H.

    Raises:
        TypeError, ValueError: as `group_conv`; a stabilizer that is not a subgroup.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves.

    Example:
        >>> x, weight = numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3))
        >>> conv(x, weight, dihedral(4), input_stabilizer=[0, 4], output_stabilizer=[0]).shape
        (1, 5, 8, 6, 6)
    """
    spec = layer_of(
        "conv", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer), depthwise,
    )  # fmt: skip
    return _native.forward(spec, x, weight, bias, out, True)


def conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False,
    depthwise: bool = False, wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: that of the output: its shape, with the dtype of `x`.
        x, weight, group, input_stabilizer, output_stabilizer, stride, padding, dilation, padding_mode, algorithm,
            basis, interpolation, group_basis, quadrature, depthwise: as `conv` was called with.
        wanted: which gradients to compute, of ``"x"``, ``"weight"`` and ``"bias"``.

    Returns:
        (grad_x, grad_weight, grad_bias), shaped as x, weight and (O,); None in place of one that is not wanted.

    Raises:
        TypeError, ValueError: as `conv`; `grad_out` does not have the shape of the output.

    Example:
        >>> x, weight, group = numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3)), cyclic(4)
        >>> stabilizers = {"input_stabilizer": range(4), "output_stabilizer": [0, 2]}
        >>> conv_vjp(numpy.ones((1, 5, 2, 6, 6)), x, weight, group, **stabilizers)[1].shape
        (5, 3, 3, 3)
    """
    spec = layer_of(
        "conv", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer), depthwise,
    )  # fmt: skip
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))
