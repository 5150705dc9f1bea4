# SPDX-License-Identifier: Apache-2.0
"""The layers on JAX arrays."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import choice
from .._checks.arrays import check_not_empty
from .._functional.convolutions import Axes, Padding, PaddingMode
from .._functional.pool import PoolMode
from .._groups.arguments import plain_stabilizer
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.spec import layer_of
from ._primitives import calls as _calls
from ._primitives.backends import Backend, check_backend_has, checked_backend
from ._primitives.operands import JaxArray, float_operand
from ._primitives.pool_mean import pool_mean


def isotropic_conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Isotropic convolution R^d -> R^d: an ordinary convolution with the mean of the kernel over H.

    ``y[o, x] = bias[o] + sum over c, x' of kbar[o, c](x' - x) f[c, x']`` with ``kbar(u) = mean over h of k(h^-1 u)``

    Args:
        x: signal of shape (B, C, spatial...).
        weight: kernel of shape (O, C, kernel...).
        group, bias, backend: as for `conv`.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature,
            groups: as for `equiconv.isotropic_conv`.

    Returns:
        A signal of shape (B, O, spatial_out...). Errors and warnings are those of `conv`.

    Example:
        >>> isotropic_conv(jax.numpy.ones((1, 3, 8, 8)), jax.numpy.ones((5, 3, 3, 3)), cyclic(4)).shape
        (1, 5, 6, 6)
    """
    options = (
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
    return _calls.forward(layer_of("isotropic", group, *options), x, weight, bias, backend)


def lifting_conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Lifting convolution R^d -> G: correlation with the kernel turned by every element h of H.

    ``y[o, h, x] = bias[o] + sum over c, x' of k[o, c](h^-1 (x' - x)) f[c, x']``

    Args:
        x: signal of shape (B, C, spatial...).
        weight: kernel of shape (O, C, kernel...).
        group, bias, backend: as for `conv`.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature,
            groups: as for `equiconv.lifting_conv`.

    Returns:
        A signal of shape (B, O, |H|, spatial_out...). Errors and warnings are those of `conv`.

    Example:
        >>> lifting_conv(jax.numpy.ones((1, 3, 8, 8)), jax.numpy.ones((5, 3, 3, 3)), cyclic(4)).shape
        (1, 5, 4, 6, 6)
    """
    options = (
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
    return _calls.forward(layer_of("lifting", group, *options), x, weight, bias, backend)


def group_conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Group convolution G -> G: correlation on the group, over the fiber H and over space.

    ``y[o, h, x] = bias[o] + sum over c, h', x' of k[o, c](h^-1 h', h^-1 (x' - x)) f[c, h', x']``

    Args:
        x: signal of shape (B, C, |H|, spatial...).
        weight: kernel of shape (O, C, |H|, kernel...).
        group, bias, backend: as for `conv`.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature,
            groups: as for `equiconv.group_conv`.

    Returns:
        A signal of shape (B, O, |H|, spatial_out...). Errors and warnings are those of `conv`.

    Example:
        >>> group_conv(jax.numpy.ones((1, 3, 4, 8, 8)), jax.numpy.ones((5, 3, 4, 3, 3)), cyclic(4)).shape
        (1, 5, 4, 6, 6)
    """
    options = (
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
    return _calls.forward(layer_of("group", group, *options), x, weight, bias, backend)


def projection_conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Projection convolution G -> R^d: back to the plane, with the mean of the kernel over H.

    ``y[o, x] = bias[o] + sum over c, h', x' of kbar[o, c](h', x' - x) f[c, h', x']`` with
    ``kbar(h', u) = mean over h of k(h^-1 h', h^-1 u)``

    Args:
        x: signal of shape (B, C, |H|, spatial...).
        weight: kernel of shape (O, C, |H|, kernel...).
        group, bias, backend: as for `conv`.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature,
            groups: as for `equiconv.projection_conv`.

    Returns:
        A signal of shape (B, O, spatial_out...). Errors and warnings are those of `conv`.

    Example:
        >>> projection_conv(jax.numpy.ones((1, 3, 4, 8, 8)), jax.numpy.ones((5, 3, 4, 3, 3)), cyclic(4)).shape
        (1, 5, 6, 6)
    """
    options = (
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
    return _calls.forward(layer_of("projection", group, *options), x, weight, bias, backend)


def conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Group convolution R^d x H/K -> R^d x H/K', the layer of which the four named ones are cases.

    ``y[o, p, x] = bias[o] + sum over c, q, x' of kbar[o, c](p, q, x' - x) f[c, q, x']`` for points p of H/K' and q of
    H/K, with ``kbar(p, q, u) = mean over h in p of k(h^-1 q, h^-1 u) / |det h|``; see `equiconv.conv`.

    Differentiable in `x`, `weight` and `bias`, forwards and backwards, to any order.

    Args:
        x: signal of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; a JAX or NumPy array
            of float32, float64, bfloat16 or float16.
        weight: kernel of shape (O, C, |H|/|K|, kernel...), or (O, C, kernel...) if K is all of H, with the dtype of
            `x`.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel. None for none.
        input_stabilizer, output_stabilizer: the elements of K and of K'.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature, groups: as
            for `equiconv.conv`. They, and `group`, are part of the compiled program, not arguments of it.
        backend: ``"engine"``, which is for float32 and float64 on the CPU, ``"xla"``, which expands the kernels and
            calls `jax.lax.conv_general_dilated`, or None for the engine wherever it can. XLA takes ``"auto"`` as
            `algorithm` alone.

    Returns:
        A signal of shape (B, O, |H|/|K'|, spatial_out...), or (B, O, spatial_out...) if K' is all of H, with the dtype
        of `x`.

    Raises:
        TypeError, ValueError: as `equiconv.conv`, while JAX traces; a float64 array of NumPy where JAX has
            float32 only; another backend, or an algorithm or dtype that it does not have.
        NotImplementedError: a program with backend ``"engine"`` is compiled for another platform than the CPU.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves; while JAX traces.

    Example:
        >>> x, weight = jax.numpy.ones((1, 3, 4, 8, 8)), jax.numpy.ones((5, 3, 4, 3, 3))
        >>> conv(x, weight, dihedral(4), input_stabilizer=[0, 4], output_stabilizer=[0]).shape
        (1, 5, 8, 6, 6)
    """
    options = (
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
    stabilizers = (plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer))
    spec = layer_of("conv", group, *options, *stabilizers)
    return _calls.forward(spec, x, weight, bias, backend)


def group_pool(x: JaxArray, mode: PoolMode = "mean", *, backend: Backend | None = None) -> JaxArray:
    """Mean or maximum over H: from signals on the group to signals on the plane.

    ``y[c, x] = mean (or max) over h of f[c, h, x]``. Both commute with the action of the group to the last bit. A
    maximum over values with a NaN is NaN.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32, float64, bfloat16 or float16.
        mode: ``"mean"`` or ``"max"``.
        backend: as for `conv`: what computes the mean.

    Returns:
        Shape (B, C, spatial...), with the dtype of `x`. The gradient of the mean spreads evenly over H; that of the
        maximum goes to the largest value, in equal parts if several are equal.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> group_pool(jax.numpy.arange(8.0).reshape(1, 1, 4, 2), "max").tolist()
        [[[6.0, 7.0]]]
    """
    name = choice("mode", mode, ("mean", "max"))
    checked_backend(backend)
    array = float_operand("x", x)
    check_backend_has(array.dtype, backend)
    if not 4 <= array.ndim <= 6:
        raise ValueError(f"x has shape {array.shape}, expected (B, C, |H|, spatial...) for group_pool: 4 to 6 axes")
    check_not_empty("x", array, first_axis=1)
    if name == "max":
        return jnp.max(array, axis=2)
    return pool_mean.bind(array, order=array.shape[2], backend=backend)
