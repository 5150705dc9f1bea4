# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution as a layer that holds its weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arrays import Array, float_array
from .._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from .._functional.transposed import transposed_conv
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .attributes import TransposedAttributes
from .modules import Convolution, Random
from .options import TransposedOptions


class TransposedConv(TransposedAttributes, Convolution):
    """The adjoint of a layer with weights of its own: `transposed_conv` as an object.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...) for the adjoint of a group convolution; without |H| where
        the layer has none, on the other side. `weight` is (C, O, |H|, kernel...), that of the layer, for C the channels
        that are read here.

    Example:
        >>> up = TransposedConv(8, 3, 4, cyclic(4), stride=2, padding=1)
        >>> up(numpy.zeros((1, 8, 4, 9, 9), "float32")).shape
        (1, 3, 4, 18, 18)
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        layer: LayerName = "group",
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
        padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear",
        group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
        bias: bool = True, dtype: DTypeLike = np.float32, rng: Random = None,
    ) -> None:  # fmt: skip
        """Makes a layer with normal weights and biases of 0.

        Weights have He's deviation for such kernels and strides, with which the layer and a rectifier keep the variance
        of a signal: ``sqrt(2 stride^d / (C |H| k^d))`` for the pixels of the adjoint of a group convolution on a
        lattice group, since one of stride^d taps meets a number. It is the mean over the places between the strides,
        and follows the stride that the layer is made with.

        Args:
            in_channels, out_channels: C and O, of what is read here and of what is written.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `bspline_basis(5)`.
            group: H, any group.
            layer: whose adjoint it is: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
            stride, padding, dilation, output_padding, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: see `transposed_conv`. They are attributes, and may be set.
            bias: whether there is one.
            dtype: float32 or float64.
            rng: a `numpy.random.Generator` or a seed for the weights.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = TransposedOptions.checked(
            layer, in_channels, out_channels, kernel, group, stride=stride, padding=padding, dilation=dilation,
            output_padding=output_padding, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, dtype, rng)

    def __call__(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """The layer's output for a signal.

        Args:
            x: signal on `input_space`, with the dtype of the weights.
            out: as for `transposed_conv`.

        Raises:
            TypeError, ValueError: `x` is no such signal, or as `transposed_conv`.
        """
        array = float_array("x", x)
        self.options.check(type(self).__name__, array.shape)
        return transposed_conv(array, self.weight, self.options.group, self.bias, **self.options.keywords, out=out)
