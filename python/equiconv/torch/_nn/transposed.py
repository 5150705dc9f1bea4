# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution as a module, to train."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..._bases.basis import GroupBasis, Interpolation, KernelBasis
from ..._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from ..._groups.point_group import PointGroup
from ..._layer.algorithms import Algorithm
from ..._nn.attributes import TransposedAttributes
from ..._nn.options import TransposedOptions
from .._backends import Backend, checked_backend, transposed
from .._expanded.layer import bank_of
from .._operators.adjoints import adjoint_text, warn_of_adjoint
from .._operators.layers import spec_of
from .._operators.tracing import written_down
from .convolutions import Convolution
from .ordinary import ordinary_transposed


class TransposedConv(TransposedAttributes, Convolution):
    """The adjoint of a layer in its signal: `equiconv.transposed_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...) for the adjoint of a group convolution; without |H| where
        the layer has none, on the other side. `weight` is (C, O, |H|, kernel...), that of the layer, for C the channels
        that are read here.

    Example:
        >>> TransposedConv(8, 3, 4, cyclic(4), stride=2, padding=1)(torch.zeros(1, 8, 4, 9, 9)).shape
        torch.Size([1, 3, 4, 18, 18])
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        layer: LayerName = "group",
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, output_padding: Axes = 0,
        padding_mode: PaddingMode = "zeros", algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear",
        group_basis: GroupBasis | None = None, quadrature: bool = False, groups: int = 1,
        bias: bool = True, backend: Backend | None = None, device: Any = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        """Makes a layer with weights of He's deviation for such kernels and strides, and biases of 0.

        Args:
            in_channels, out_channels: C and O, of what is read here and of what is written.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `equiconv.bspline_basis(5)`.
            group: H, any group.
            layer: whose adjoint it is: ``"isotropic"``, ``"lifting"``, ``"group"`` or ``"projection"``.
            stride, padding, dilation, output_padding, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: as of `transposed_conv`.
            bias: whether there is one.
            backend: as of `transposed_conv`.
            device, dtype: of the parameters: any device; float32, float64, bfloat16 or float16.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        nn.Module.__init__(self)
        self.backend = checked_backend(backend)
        self.options = TransposedOptions.checked(
            layer, in_channels, out_channels, kernel, group, stride=stride, padding=padding, dilation=dilation,
            output_padding=output_padding, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, device, dtype)

    def expand(self) -> nn.Module:  # type: ignore[override]
        """The equal transposed convolution of PyTorch, from (B, C |X|, spatial...) to (B, O |Y|, spatial_out...).

        |X| and |Y| are |H| for a signal on the group, flattened into channels, and 1 for one on the plane. A copy: it
        is equal up to rounding until one of both is trained on. PyTorch has no padding but zeros there: another module
        behind it then adds what lies beyond the border to where it is again.
        """
        options = self.options
        # Once: a parametrization computes them each time.
        weight, bias = self.weight.detach(), self.bias
        points = options.layer.input_points(options.group) or 1
        biases = None if bias is None else bias.detach().repeat_interleave(points)
        text = adjoint_text(self._text, weight, options.more)
        bank = bank_of(weight, weight.dtype, text)
        return ordinary_transposed(bank, biases, options.extents, spec_of(text).sampling, options.more, options.groups)

    def text_for(self, x: Tensor) -> str:
        """The text with padding in numbers, which are the same for all signals."""
        return adjoint_text(self._text, self.weight, self.options.more)

    def _computed(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return transposed(x, weight, bias, self._text, self.options.more, self.backend, self._kept(weight))

    def _warn(self, x: Tensor, weight: Tensor, y: Tensor) -> None:
        warn_of_adjoint(self._text, y, self.options.more)

    def _traced(self, x: Any) -> Any:
        return written_down(transposed, x, self.weight, self.bias, self._text, self.options.more, self.backend)
