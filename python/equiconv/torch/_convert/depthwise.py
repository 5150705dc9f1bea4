# SPDX-License-Identifier: Apache-2.0
"""Depthwise layers as modules."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..._groups.point_group import PointGroup
from ..._signals.space import check_signal_space
from .._nn.convolutions import Convolution
from .._operators.layers import text_of


class _DepthwiseConv(Convolution):
    """`equiconv.torch.conv` with ``depthwise=True`` as a module: output channel o reads input channel o alone."""

    def __init__(self, channels: int, kernel: tuple[int, ...], group: PointGroup, **options: Any) -> None:
        """Makes a layer with as many output channels as inputs.

        Args:
            channels: C.
            kernel, group, options: as for `GroupConv`.
        """
        super().__init__(1, channels, kernel, group, **options)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        options = self.options
        if isinstance(x, Tensor) and tuple(x.shape[1:2]) != (options.out_channels,):
            check_signal_space(type(self).__name__, options.input_space, options.out_channels, tuple(x.shape))
        return super().forward(x)

    def _follow_options(self) -> None:
        super()._follow_options()
        options = self.options
        arguments = (*options.sampling_arguments, *options.kernel_arguments)
        reads = (0,) if options.layer.reads_group else tuple(range(options.group.order))
        self._text = text_of("conv", options.group, *arguments, reads, (0,), True)
        self._leading = (options.out_channels, *self._leading[1:])


class DepthwiseLiftingConv(_DepthwiseConv):
    """A depthwise layer from the plane to the group: (B, C, spatial...) -> (B, C, |H|, spatial_out...).

    Example:
        >>> DepthwiseLiftingConv(3, (5, 5), cyclic(4))(torch.zeros(1, 3, 9, 9)).shape
        torch.Size([1, 3, 4, 5, 5])
    """

    layer_name = "lifting"


class DepthwiseGroupConv(_DepthwiseConv):
    """A depthwise layer on the group: (B, C, |H|, spatial...) -> (B, C, |H|, spatial_out...).

    Example:
        >>> DepthwiseGroupConv(3, (5, 5), cyclic(4))(torch.zeros(1, 3, 4, 9, 9)).shape
        torch.Size([1, 3, 4, 5, 5])
    """

    layer_name = "group"
