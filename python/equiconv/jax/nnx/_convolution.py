# SPDX-License-Identifier: Apache-2.0
"""The layers with weights."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
from flax import nnx

from ..._bases.basis import GroupBasis, Interpolation, KernelBasis
from ..._checks.arguments import boolean
from ..._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from ..._groups.point_group import PointGroup
from ..._layer.algorithms import Algorithm
from ..._nn.attributes import ConvolutionAttributes
from ..._nn.options import ConvolutionOptions
from .._nn.layers import drawn_weight, layer_output, parameter_dtype
from .._primitives.backends import Backend, checked_backend
from .._primitives.operands import JaxArray
from ._module import Module


class Convolution(ConvolutionAttributes, Module):
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common."""

    layer_name: ClassVar[LayerName]

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
        algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None,
        quadrature: bool = False, groups: int = 1,
        bias: bool = True, backend: Backend | None = None, dtype: Any = jnp.float32, rngs: nnx.Rngs,
    ) -> None:  # fmt: skip
        """Makes a layer with weights of He's deviation for such kernels, as `equiconv.GroupConv`, and biases of 0.

        Args:
            in_channels, out_channels: C and O.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `equiconv.bspline_basis(5)`.
            group: H, any group.
            stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: as the function of the layer, such as `equiconv.group_conv`.
            bias: whether there is one.
            backend: as of `equiconv.jax.conv`: what computes the layer, ``"engine"``, ``"xla"``, or None for what fits.
            dtype: of the parameters: float32, float64, bfloat16 or float16.
            rngs: whose stream `params` the weights are drawn from.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = ConvolutionOptions.checked(
            self.layer_name, in_channels, out_channels, kernel, group, stride=stride, padding=padding,
            dilation=dilation, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, backend, dtype, rngs)

    def _make_parameters(self, bias: bool, backend: Backend | None, dtype: Any, rngs: nnx.Rngs) -> None:
        """Draws the weights of the options."""
        self.backend = checked_backend(backend)
        number_type = parameter_dtype(dtype)
        meaning = self.options.signature
        self.weight = nnx.Param(drawn_weight(self.options, rngs.params(), number_type), signature=meaning)
        self.bias = nnx.Param(jnp.zeros(self.options.out_channels, number_type)) if boolean("bias", bias) else None

    def __call__(self, x: JaxArray) -> JaxArray:
        """The layer's output for a signal on `input_space`."""
        meaning = self.weight.get_metadata().get("signature", self.options.signature)
        if meaning != self.options.signature:
            raise ValueError(f"weight is of {meaning}, expected one of {self.options.signature}")
        bias = None if self.bias is None else self.bias[...]
        return self._computed(x, self.weight[...], bias)

    def _computed(self, x: JaxArray, weight: JaxArray, bias: JaxArray | None) -> JaxArray:
        return layer_output(self.options, type(self).__name__, x, weight, bias, self.backend)


class IsotropicConv(Convolution):
    """Isotropic convolution R^d -> R^d: `equiconv.jax.isotropic_conv` as a module.

    Shape:
        (B, C, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 5, 5)
    """

    layer_name = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G: `equiconv.jax.lifting_conv` as a module.

    Shape:
        (B, C, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> LiftingConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G: `equiconv.jax.group_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> GroupConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d: `equiconv.jax.projection_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> ProjectionConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 5, 5)
    """

    layer_name = "projection"
