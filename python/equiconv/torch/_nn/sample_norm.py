# SPDX-License-Identifier: Apache-2.0
"""Norms with the statistics of each sample, and channels that are scaled by what a sample is as a whole."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import boolean
from ..._groups.point_group import PointGroup
from ..._nn.attributes import ExactSums
from ..._nn.norm_options import NormOptions, SqueezeOptions
from .._expanded.operands import check_numbers, is_autocast
from .._operators.pools import spatial_mean
from .._operators.sums import has_double
from .._operators.tensors import check_same_dtype
from .history import continues
from .signal_module import SignalModule

_HALVES = (torch.bfloat16, torch.float16)


class _ExactModule(ExactSums, SignalModule):
    """A module of sums, those of PyTorch or some without an order."""

    def __init__(self, exact: bool) -> None:
        super().__init__()
        self.exact = boolean("exact", exact)

    def ordinary(self) -> nn.Module | None:
        """The same with PyTorch's sums; None where it has them already."""
        if not self.exact:
            return None
        ordinary = copy.copy(self)
        ordinary.exact = False
        return ordinary


class _SampleNorm(_ExactModule):
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` with the statistics of each sample."""

    weight: nn.Parameter | None
    bias: nn.Parameter | None

    def __init__(self, options: NormOptions, affine: bool, exact: bool, device: Any, dtype: torch.dtype | None) -> None:
        super().__init__(exact)
        self.options = options
        has_weights = boolean("affine", affine)
        for name in ("weight", "bias"):
            numbers = torch.empty(options.num_channels, device=device, dtype=dtype) if has_weights else None
            if numbers is not None:
                check_numbers(name, numbers)
            self.register_parameter(name, None if numbers is None else nn.Parameter(numbers))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets weights to 1, and biases to 0."""
        if self.weight is not None and self.bias is not None:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The normalized signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        check_numbers("x", x)
        self.options.check(x.shape)
        # Once: a parametrization computes them each time.
        weight, bias = self.weight, self.bias
        if not (x.dtype in _HALVES and weight is not None and weight.dtype is torch.float32):
            check_same_dtype("weight", weight, "x", x)
        if not torch.compiler.is_compiling():
            self._look_back(x, None)
        shape, axis = self.options.flat(x.shape)
        rows = x.reshape(shape).movedim(axis, -1)
        standard = self._standardized(rows).movedim(-1, axis).reshape(x.shape)
        if weight is not None and bias is not None:
            column = (-1,) + (1,) * (x.dim() - 2)
            standard = standard * weight.reshape(column) + bias.reshape(column)
        return _continued(standard.to(x.dtype), x)

    def _standardized(self, rows: Tensor) -> Tensor:
        """Rows of mean 0 and variance 1, in float32 or float64."""
        eps = self.options.eps
        if not self.exact:
            wide = rows.float() if rows.dtype in _HALVES else rows
            return nn.functional.layer_norm(wide, wide.shape[-1:], eps=eps)
        wide = _widest(rows)
        centered = wide - spatial_mean(wide).unsqueeze(-1)
        variance = spatial_mean(centered * centered).unsqueeze(-1)
        # Division and square root are rounded as they should be wherever a number stands in memory.
        return centered / torch.sqrt(variance + eps)

    def extra_repr(self) -> str:
        """The arguments."""
        more = (", affine=True" if self.weight is not None else ", affine=False") + (", exact" if self.exact else "")
        return self.options.arguments + more


def _continued(y: Tensor, x: Tensor) -> Tensor:
    """`y`, on record as what became of each number of `x`; compilers keep no record."""
    return y if torch.compiler.is_compiling() else continues(y, x)


def _widest(x: Tensor) -> Tensor:
    return x.double() if has_double(x.device) else x.float()


class GroupNorm(_SampleNorm):
    """Group normalization: the statistics of each sample over (channels of a group, |H|, space).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel. All of H
    and of space shares the statistics, so that the layer commutes with the group. For the trivial group it is
    `torch.nn.GroupNorm`. Source: Wu and He, "Group normalization", ECCV 2018.

    PyTorch's sums have an order, in which a turned signal brings other terms: results then agree up to rounding. With
    ``exact=True``, or after ``equiconv.set_algorithm(network, "exact")``, means are those of `SpatialMean`, and the
    layer commutes to the last bit, in training too. It then takes as long as several convolutions. Such means are in
    double precision where the device has it; others of bfloat16 and float16 are in float32.

    Network files do not have it.

    Args:
        num_groups: the parts of the channels, which it divides; the group H has nothing to do with them.
        num_channels: C.
        eps, affine, device, dtype: as for `torch.nn.GroupNorm`.
        exact: whether bits do not depend on the order of the numbers; an attribute that may be set.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has other channels, fewer than
            3 axes, an axis without numbers, or another dtype than the weight (signals of half precision may have
            weights of float32).

    Example:
        >>> GroupNorm(2, 8)(torch.zeros(2, 8, 4, 5, 5)).shape
        torch.Size([2, 8, 4, 5, 5])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, exact: bool = False,
        device: Any = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_groups(num_groups, num_channels, eps), affine, exact, device, dtype)


class InstanceNorm(_SampleNorm):
    """Instance normalization: the statistics of each channel of each sample, over (|H|, space).

    As `GroupNorm` with a group for each channel. For the trivial group it is `torch.nn.InstanceNorm2d` without running
    statistics. Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization", arXiv:1607.08022.

    Network files do not have it.

    Args:
        num_features: C.
        eps, device, dtype: as for `torch.nn.InstanceNorm2d`.
        affine: whether there are a weight and a bias; as in PyTorch there are none unless asked for.
        exact: as of `GroupNorm`.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`.

    Example:
        >>> InstanceNorm(8)(torch.zeros(2, 8, 4, 5, 5)).shape
        torch.Size([2, 8, 4, 5, 5])
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = False, *, exact: bool = False,
        device: Any = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_instances(num_features, eps), affine, exact, device, dtype)


class LayerNorm(_SampleNorm):
    """Layer normalization: the statistics of each place of space, over (C, |H|).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel, as networks
    such as ConvNeXt have it. For the trivial group it is `torch.nn.LayerNorm` of the channels. Source: Ba, Kiros and
    Hinton, "Layer normalization", arXiv:1607.06450.

    Network files do not have it.

    Args:
        num_features: C.
        group: H, which sets the number of spatial axes.
        eps, affine, device, dtype: as for `torch.nn.GroupNorm`.
        exact: as of `GroupNorm`.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`; `group` is no PointGroup.

    Example:
        >>> LayerNorm(8, cyclic(4))(torch.zeros(2, 8, 4, 5, 5)).shape
        torch.Size([2, 8, 4, 5, 5])
    """

    def __init__(
        self, num_features: int, group: PointGroup, eps: float = 1e-5, affine: bool = True, *, exact: bool = False,
        device: Any = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_places(num_features, group, eps), affine, exact, device, dtype)


class SqueezeExcite(_ExactModule):
    """Channels scaled by numbers between 0 and 1 that depend on the means of all channels.

    ``y[c] = x[c] s[c]`` with ``s = sigmoid(fc2(relu(fc1(m))))`` and ``m[c] = mean over h and space of x[c, h]``. All of
    H and of space shares the number of a channel, which is invariant, so that the module commutes with the group: up to
    rounding, and to the last bit with ``exact=True``. Source: Hu, Shen and Sun, "Squeeze-and-excitation networks", CVPR
    2018.

    Network files do not have it.

    Args:
        channels: C.
        reduction: C / reduction numbers stand between the two linear maps, rounded down, and at least 1.
        group: H, which sets the number of spatial axes.
        exact: whether the means are those of `SpatialMean`, as of `GroupNorm`.
        device, dtype: of the parameters.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has other channels or axes.

    Example:
        >>> SqueezeExcite(8, 4, cyclic(4))(torch.zeros(2, 8, 4, 5, 5)).shape
        torch.Size([2, 8, 4, 5, 5])
    """

    def __init__(
        self, channels: int, reduction: int, group: PointGroup, *, exact: bool = False, device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(exact)
        self.options = options = SqueezeOptions.checked(channels, reduction, group)
        self.fc1 = nn.Linear(options.channels, options.squeezed, device=device, dtype=dtype)
        self.fc2 = nn.Linear(options.squeezed, options.channels, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """The scaled signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        check_numbers("x", x)
        self.options.check(x.shape)
        weight = self.fc1.weight
        if isinstance(weight, Tensor) and not is_autocast(x):
            check_same_dtype("x", x, "weight", weight)
        if not torch.compiler.is_compiling():
            self._look_back(x, None)
        numbers = x.flatten(2)
        if self.exact:
            means = spatial_mean(numbers)
        else:
            means = numbers.mean(2, dtype=torch.float32 if x.dtype in _HALVES else None).to(x.dtype)
        scale = torch.sigmoid(self.fc2(torch.relu(self.fc1(means)))).to(x.dtype)
        return _continued(x * scale.reshape(*scale.shape, *(1,) * (x.dim() - 2)), x)

    def extra_repr(self) -> str:
        """The arguments."""
        return self.options.arguments + (", exact" if self.exact else "")
