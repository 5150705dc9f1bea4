# SPDX-License-Identifier: Apache-2.0
"""The layers as functions on tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import choice
from .._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from .._functional.pool import PoolMode
from .._groups.arguments import plain_stabilizer
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.layer import LAYERS
from ._backends import Backend, checked_backend, forward, transposed
from ._expanded.operands import check_numbers
from ._operators.adjoints import output_padding_of, warn_of_adjoint
from ._operators.layers import text_of, warn_of_layer
from ._operators.library import operators
from ._operators.pools import pool_mean
from ._operators.tensors import check_is_dense, check_is_tensor
from ._operators.tracing import is_traced, written_down


def isotropic_conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
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
        >>> isotropic_conv(torch.ones(1, 3, 8, 8), torch.ones(5, 3, 3, 3), cyclic(4)).shape
        torch.Size([1, 5, 6, 6])
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
    return _apply(text_of("isotropic", group, *options), x, weight, bias, backend)


def lifting_conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
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
        >>> lifting_conv(torch.ones(1, 3, 8, 8), torch.ones(5, 3, 3, 3), cyclic(4)).shape
        torch.Size([1, 5, 4, 6, 6])
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
    return _apply(text_of("lifting", group, *options), x, weight, bias, backend)


def group_conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
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
        >>> group_conv(torch.ones(1, 3, 4, 8, 8), torch.ones(5, 3, 4, 3, 3), cyclic(4)).shape
        torch.Size([1, 5, 4, 6, 6])
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
    return _apply(text_of("group", group, *options), x, weight, bias, backend)


def projection_conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
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
        >>> projection_conv(torch.ones(1, 3, 4, 8, 8), torch.ones(5, 3, 4, 3, 3), cyclic(4)).shape
        torch.Size([1, 5, 6, 6])
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
    return _apply(text_of("projection", group, *options), x, weight, bias, backend)


def conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    input_stabilizer: Sequence[int], output_stabilizer: Sequence[int],
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
    algorithm: Algorithm = "auto", basis: KernelBasis | None = None, interpolation: Interpolation = "bilinear",
    group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
    """`equiconv.conv` on tensors, between signals on R^d x H/K and R^d x H/K'; the four named layers are cases of it.

    Differentiable in `x`, `weight` and `bias`, forwards and backwards, to any order.

    Args:
        x: signal of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; float32, float64,
            bfloat16 or float16, on any device.
        weight: kernel of shape (O, C, |H|/|K|, kernel...), or (O, C, kernel...) if K is all of H, with the dtype of
            `x`.
        group: H, any group on d axes.
        bias: shape (O,): one number for each output channel. None for none.
        input_stabilizer, output_stabilizer: the elements of K and of K'.
        stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature, groups: as
            for `equiconv.conv`.
        backend: ``"engine"``, which is for float32 and float64 on the CPU, ``"torch"``, which expands the kernels and
            calls PyTorch's convolution, or None for the engine wherever it can.

    Returns:
        A signal of shape (B, O, |H|/|K'|, spatial_out...), or (B, O, spatial_out...) if K' is all of H.

    Raises:
        TypeError, ValueError: as `equiconv.conv`; tensors of different dtypes or devices, or of a layout or dtype that
            the backend does not have there.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves. Not under a compiler.

    Example:
        >>> x, weight = torch.ones(1, 3, 4, 8, 8), torch.ones(5, 3, 4, 3, 3)
        >>> conv(x, weight, dihedral(4), input_stabilizer=[0, 4], output_stabilizer=[0]).shape
        torch.Size([1, 5, 8, 6, 6])
    """
    stabilizers = (plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer))
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
    return _apply(text_of("conv", group, *options, *stabilizers), x, weight, bias, backend)


def transposed_conv(
    x: Tensor, weight: Tensor, group: PointGroup, bias: Tensor | None = None, *,
    layer: LayerName = "group",
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
    padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", basis: KernelBasis | None = None,
    interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None, quadrature: bool = False,
    groups: int = 1,
    backend: Backend | None = None,
) -> Tensor:  # fmt: skip
    """Transposed convolution: the adjoint K* of a layer K in its signal, `equiconv.transposed_conv` on tensors.

    ``<K v, x> = <v, K* x>`` for all v, and ``y = K* x + bias``. Differentiable in `x`, `weight` and `bias`, forwards
    and backwards, to any order.

    Args:
        x: signal on the space that the layer writes, of its O channels.
        weight: that of the layer, (O, C, ...): of the channels of `x` and those of the result.
        group, backend: as for `conv`. Where the engine has no pass that is equal to the last bit, ``"direct"`` and
            ``"exact"`` are computed by PyTorch's convolutions of the turned signals.
        bias: shape (C,): one number for each channel of the result. None for none.
        layer: whose adjoint it is: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
        stride, padding, dilation, output_padding, padding_mode, algorithm, basis, interpolation, group_basis,
            quadrature, groups: as for `equiconv.transposed_conv`.

    Returns:
        A signal on the space that the layer reads, of C channels and of sizes (n - 1) stride - 2 padding + dilation
        (kernel - 1) + 1 + output_padding.

    Raises:
        TypeError, ValueError: as `conv` and `equiconv.transposed_conv`.

    Warns:
        EquivarianceWarning: there is output padding on an axis that `group` moves. Not under a compiler.

    Example:
        >>> x, weight = torch.ones(1, 5, 4, 8, 8), torch.ones(5, 3, 4, 4, 4)
        >>> transposed_conv(x, weight, cyclic(4), stride=2, padding=1).shape
        torch.Size([1, 3, 4, 16, 16])
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
    text = text_of(choice("layer", layer, tuple(LAYERS)), group, *options)
    more = output_padding_of(text, output_padding)
    if _is_written_down(x, weight, bias, backend):
        return written_down(transposed, x, weight, bias, text, more, backend)  # type: ignore[no-any-return]
    y = transposed(x, weight, bias, text, more, backend)
    if not torch.compiler.is_compiling():
        warn_of_adjoint(text, y, more)
    return y


def group_pool(x: Tensor, mode: PoolMode = "mean") -> Tensor:
    """Mean or maximum over H: `equiconv.group_pool` on tensors, with derivatives of all orders.

    ``y[c, x] = mean (or max) over h of f[c, h, x]``. The bits of the mean do not depend on the order of the
    numbers: the engine sorts them and adds in double precision, other devices add without rounding, as `SpatialMean`,
    and those without double precision sort and add in single. So both commute with the group to the last bit. The
    gradient of the maximum is shared by equal largest values.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32, float64, bfloat16 or float16, on any device.
        mode: ``"mean"`` or ``"max"``.

    Returns:
        Shape (B, C, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> group_pool(torch.arange(8.0).reshape(1, 1, 4, 2), "max")
        tensor([[[6., 7.]]])
    """
    is_max = choice("mode", mode, ("mean", "max")) == "max"
    if not isinstance(x, Tensor) or x.is_nested:
        if not is_traced(x):
            check_is_dense("x", x)
        return x.amax(2) if is_max else operators.pool_mean(x)
    check_numbers("x", x)
    # As for layers by the engine: what autocast has made half precision is computed in float32.
    is_half = x.is_cpu and torch.is_autocast_enabled("cpu") and x.dtype in (torch.bfloat16, torch.float16)
    signal = x.float() if is_half else x
    if not 4 <= signal.dim() <= 6:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected (B, C, |H|, spatial...) for group_pool: 4 to 6 axes")
    if 0 in x.shape[1:]:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected at least 1 on all axes but the first")
    return signal.amax(2) if is_max else pool_mean(signal)


def _apply(layer: str, x: Tensor, weight: Tensor, bias: Tensor | None, backend: Backend | None) -> Tensor:
    """The layer of a text; warns the caller of the public function of strides that do not fit."""
    if _is_written_down(x, weight, bias, backend):
        return written_down(forward, x, weight, bias, layer, backend)  # type: ignore[no-any-return]
    y = forward(x, weight, bias, layer, backend)
    if not torch.compiler.is_compiling():
        warn_of_layer(layer, x, weight)
    return y


def _is_written_down(x: object, weight: object, bias: object, backend: Backend | None) -> bool:
    """Whether `torch.fx` writes down the call. Raises TypeError or ValueError for other values and backends."""
    checked_backend(backend)
    if isinstance(x, Tensor) and isinstance(weight, Tensor) and (bias is None or isinstance(bias, Tensor)):
        return False
    if not is_traced(x, weight, bias):
        for title, value in (("x", x), ("weight", weight), ("bias", bias)):
            check_is_tensor(title, value)
    return True
