# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution on JAX arrays: the adjoints of the four layers in their signals."""

from __future__ import annotations

import math

import jax.numpy as jnp

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import choice
from .._checks.arrays import check_same_dtype
from .._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from .._groups.geometry import lattice_elements
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
from ._action import act
from ._primitives import calls as _calls
from ._primitives.backends import Backend, checked_backend, may_be_by_engine
from ._primitives.operands import JaxArray, float_operand
from ._primitives.pool_mean import pool_mean


def transposed_conv(
    x: JaxArray, weight: JaxArray, group: PointGroup, bias: JaxArray | None = None, *,
    layer: LayerName = "group",
    stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
    padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", basis: KernelBasis | None = None,
    interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None, quadrature: bool = False,
    groups: int = 1,
    backend: Backend | None = None,
) -> JaxArray:  # fmt: skip
    """Transposed convolution: the adjoint K* of a layer K in its signal, as `equiconv.transposed_conv`.

    ``<K v, x> = <v, K* x>`` for all v, and ``y = K* x + bias``. Differentiable in `x`, `weight` and `bias`, forwards
    and backwards, to any order.

    Args:
        x: signal on the space that the layer writes, of its O channels.
        weight: that of the layer, (O, C, ...): of the channels of `x` and those of the result.
        group, backend: as for `conv`.
        bias: shape (C,): one number for each channel of the result. None for none.
        layer: whose adjoint it is: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
        stride, padding, dilation, output_padding, padding_mode, algorithm, basis, interpolation, group_basis,
            quadrature, groups: as for `equiconv.transposed_conv`.

    Returns:
        A signal on the space that the layer reads, of C channels and of sizes (n - 1) stride - 2 padding + dilation
        (kernel - 1) + 1 + output_padding.

    Raises:
        TypeError, ValueError, NotImplementedError: as `conv` and `equiconv.transposed_conv`.

    Warns:
        EquivarianceWarning: there is output padding on an axis that `group` moves; while JAX traces.

    Example:
        >>> x, weight = jax.numpy.ones((1, 5, 4, 8, 8)), jax.numpy.ones((5, 3, 4, 4, 4))
        >>> transposed_conv(x, weight, cyclic(4), stride=2, padding=1).shape
        (1, 3, 4, 16, 16)
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
    spec = layer_of(choice("layer", layer, tuple(LAYERS)), group, *options)
    return adjoint(spec, x, weight, bias, checked_output_padding(output_padding, spec.sampling), backend)


def adjoint(
    spec: LayerSpec,
    x: object,
    weight: object,
    bias: object,
    output_padding: tuple[int, ...],
    backend: Backend | None,
) -> JaxArray:
    """The adjoint of a layer in its signal, with a bias, after every check; warns of output padding.

    Args:
        spec: the layer.
        x, weight, bias: as of `transposed_conv`.
        output_padding: of each axis, checked.
        backend: as of `conv`.
    """
    checked_backend(backend)
    signal, weights = float_operand("x", x), float_operand("weight", weight)
    biases = None if bias is None else float_operand("bias", bias)
    spec = adjoint_layer(spec, weights, output_padding)
    shape = transposed_shape(signal, weights, spec, output_padding)
    if biases is not None:
        check_same_dtype("bias", biases, "x", signal)
        check_transposed_bias(biases, weights, spec.kernel)
    y = _linear(spec, signal, weights, shape, output_padding, backend)
    warn_of_output_padding(shape[-spec.group.dimension :], spec.sampling.stride, output_padding, spec.group)
    return y if biases is None else y + biases.reshape(-1, *(1,) * (y.ndim - 2))


def _linear(
    spec: LayerSpec,
    x: JaxArray,
    weight: JaxArray,
    shape: tuple[int, ...],
    output_padding: tuple[int, ...],
    backend: Backend | None,
) -> JaxArray:
    """K* x, by turns where that alone is equal to the last bit."""
    is_engine = may_be_by_engine(x.dtype, backend)
    if not is_engine or not needs_turns(spec, shape, tuple(weight.shape), x.dtype.itemsize == 8):
        return _calls.adjoint(spec, x, weight, shape, backend)
    direct, group, d = by_definition(spec), spec.group, spec.group.dimension
    if not commutes(output_padding, group):
        # There are no bits to keep.
        return _calls.adjoint(direct, x, weight, shape, backend)
    terms = []
    for element in lattice_elements(group):
        turned = act(x, group, element)
        sizes = transposed_shape(turned, weight, direct, output_padding)
        part = _calls.adjoint(direct, turned, weight, sizes, backend)
        terms.append(act(part, group, int(group.inverses[element])))
    # The turns stand where elements of H do, and their mean is one of sorted numbers.
    stack = jnp.stack([term.reshape(shape[0], math.prod(shape[1:-d]), *shape[-d:]) for term in terms], axis=2)
    return pool_mean.bind(stack, order=len(terms), backend=backend).reshape(shape)
