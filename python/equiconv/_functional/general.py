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
from .._layer.algorithms import Algorithm
from .._layer.spec import layer_of
from .._layer.weights import PreparedWeight
from .convolutions import Axes, Padding, PaddingMode
from .gradients import ALL, Gradients, wanted_flags


def conv(
    x: ArrayLike, weight: ArrayLike | PreparedWeight, group: PointGroup, bias: ArrayLike | None = None, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Group convolution R^d x H/K -> R^d x H/K', the layer of which the four named ones are cases.

    ``y[o, p, x] = bias[o] + sum over c, q, x' of kbar[o, c](p, q, x' - x) f[c, q, x']`` for points p of H/K' and q of
    H/K, with ``kbar(p, q, u) = mean over h in p of k(h^-1 q, h^-1 u) / |det h|``

    The mean is the projection on kernels that K' leaves as they are (Bekkers, ICLR 2020, Theorem 1). Points of H/K are
    the left cosets of K, numbered by first appearance as by `PointGroup.cosets`. Sizes: spatial_out = (spatial +
    2 padding - dilation (kernel - 1) - 1) // stride + 1.

    Args:
        x: signal of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; float32 or float64.
        weight: shape (O, C, |H|/|K|, kernel...), or (O, C, kernel...) if K is all of H, with the dtype of `x`;
            or one that `prepare` made.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel. None for none.
        input_stabilizer: the elements of K in any order: ``[0]`` for signals on the group, ``range(group.order)`` for
            signals on the plane.
        output_stabilizer: the elements of K'.
        stride: int or one for each spatial axis, >= 1.
        padding: int or one for each spatial axis, >= 0, added on both sides; ``"valid"`` for 0; ``"same"`` for
            dilation (kernel - 1) / 2, which keeps the size at stride 1 and needs odd kernel extents; ``"equivariant"``
            for the least with which the stride fits the size on each axis that `group` moves, and that gives at least
            size / stride outputs: an error where there is none, such as for odd extents, even sizes and stride 2.
        dilation: int or one for each spatial axis, >= 1.
        padding_mode: what lies around the signal: ``"zeros"``; ``"circular"``: the signal is periodic; ``"reflect"``:
            it is mirrored in its first and last number, which are not repeated; ``"replicate"``: these go on.
        algorithm: ``"auto"`` for speed, by a cost model: the fastest method that is equivariant to the last bit where
            that costs at most 10 % more than the fastest of all, which `explain` names; ``"exact"`` for bits, always
            the fastest such method; ``"direct"`` for the definition, equivariant to the last bit; ``"fourier"``,
            ``"winograd"`` or ``"group-fourier"``, an error where they cannot do it. All but ``"direct"`` add and scale
            numbers before they multiply: they may spread a NaN or an infinity over outputs that do not read it, and
            overflow from numbers of about 1e34 in float32 and 1e300 in float64 on; ``"winograd"`` loses digits where
            the mean of x is many times its deviation.
        basis: what kernels are made of, for example `bspline_basis(5)`; weights then end in its J functions in place
            of the axes ``kernel...``. None for pixels.
        interpolation: how pixels continue between the taps where an element of `group` does not map the grid to
            itself: ``"bilinear"``, ``"bicubic"`` or ``"bspline3"``. Without effect on lattice groups.
        group_basis: functions on H that kernels are made of, for K = {e} only; weights have its I functions on axis 2
            in place of |H|.
        quadrature: whether the sum over H is weighted as an integral by its measure. Without effect on signals on the
            plane.
        groups: parts of the channels: output channels of part i read input channels of part i alone, and `weight` has
            shape (O, C / groups, ...). With ``groups=C`` the layer is depthwise.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with the inputs.

    Returns:
        A signal of shape (B, O, |H|/|K'|, spatial_out...), or (B, O, spatial_out...) if K' is all of H.

    Raises:
        TypeError: an argument of the wrong kind or dtype.
        ValueError: shapes that do not fit each other or `group`; a number out of range; a kernel larger than the
            padded signal; sizes that differ along axes which `group` exchanges; a basis that does not fit; a
            stabilizer that is not a subgroup.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves.

    Example:
        >>> x, weight = numpy.ones((1, 3, 4, 8, 8)), numpy.ones((5, 3, 4, 3, 3))
        >>> conv(x, weight, dihedral(4), input_stabilizer=[0, 4], output_stabilizer=[0]).shape
        (1, 5, 8, 6, 6)
    """
    spec = layer_of(
        "conv", group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis,
        quadrature, groups, plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer),
    )  # fmt: skip
    return _native.forward(spec.sized(x, weight) if spec.is_open else spec, x, weight, bias, out, True)


def conv_vjp(
    grad_out: ArrayLike, x: ArrayLike, weight: ArrayLike, group: PointGroup, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    wanted: Collection[str] = ALL,
) -> Gradients:  # fmt: skip
    """Gradients of ``sum(grad_out * conv(x, weight, group, bias, ...))``.

    Args:
        grad_out: that of the output: its shape, with the dtype of `x`.
        x, weight, group, input_stabilizer, output_stabilizer, stride, padding, dilation, padding_mode, algorithm,
            basis, interpolation, group_basis, quadrature, groups: as `conv` was called with.
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
        quadrature, groups, plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer),
    )  # fmt: skip
    spec = spec.sized(x, weight) if spec.is_open else spec
    return _native.vjp(spec, grad_out, x, weight, *wanted_flags(wanted))
