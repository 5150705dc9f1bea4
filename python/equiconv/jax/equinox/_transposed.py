# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution with weights."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..._bases.basis import GroupBasis, Interpolation, KernelBasis
from ..._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from ..._groups.point_group import PointGroup
from ..._layer.algorithms import Algorithm
from ..._nn.attributes import TransposedAttributes
from ..._nn.options import TransposedOptions
from .._nn.layers import transposed_output
from .._primitives.backends import Backend
from .._primitives.operands import JaxArray
from ._convolution import Convolution


class TransposedConv(TransposedAttributes, Convolution):
    """The adjoint of a layer in its signal: `equiconv.jax.transposed_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...) for the adjoint of a group convolution; without |H| where
        the layer has none, on the other side. `weight` is (C, O, |H|, kernel...), that of the layer, for C the channels
        that are read here.

    Example:
        >>> up = TransposedConv(8, 3, 4, cyclic(4), stride=2, padding=1, key=jax.random.key(0))
        >>> up(jax.numpy.zeros((1, 8, 4, 9, 9))).shape
        (1, 3, 4, 18, 18)
    """

    options: TransposedOptions = eqx.field(static=True)

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        layer: LayerName = "group",
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
        padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear",
        group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
        bias: bool = True, backend: Backend | None = None, dtype: Any = jnp.float32, key: JaxArray,
    ) -> None:  # fmt: skip
        """Makes a layer with weights of He's deviation for such kernels and strides, and biases of 0.

        Args:
            in_channels, out_channels: C and O, of what is read here and of what is written.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `equiconv.bspline_basis(5)`.
            group: H, any group.
            layer: whose adjoint it is: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
            stride, padding, dilation, output_padding, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: as of `equiconv.jax.transposed_conv`.
            bias: whether there is one.
            backend: as of `equiconv.jax.conv`.
            dtype: of the parameters: float32, float64, bfloat16 or float16.
            key: of `jax.random`, for the weights.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = TransposedOptions.checked(
            layer, in_channels, out_channels, kernel, group, stride=stride, padding=padding, dilation=dilation,
            output_padding=output_padding, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, backend, dtype, key)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The layer's output for a signal on `input_space`."""
        return transposed_output(self.options, type(self).__name__, x, self.weight, self.bias, self.backend)
