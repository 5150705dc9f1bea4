# SPDX-License-Identifier: Apache-2.0
"""Norms with the statistics of each sample, and channels that are scaled by what a sample is as a whole."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._checks.arguments import boolean
from .._checks.arrays import Array, check_same_dtype, float_array, float_dtype
from .._functional.pointwise import relu, sigmoid
from .._groups.point_group import PointGroup
from .heads import Linear
from .held import Held, sorted_mean
from .norm_options import NormOptions, SqueezeOptions


class _SampleNorm(Held):
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` with the statistics of each sample."""

    names = ("weight", "bias")

    def __init__(self, options: NormOptions, affine: bool, dtype: DTypeLike) -> None:
        self.options = options
        self._dtype = float_dtype("dtype", dtype)
        has_weights = boolean("affine", affine)
        self.weight = np.ones(options.num_channels, self._dtype) if has_weights else None
        self.bias = np.zeros(options.num_channels, self._dtype) if has_weights else None

    def __call__(self, x: ArrayLike) -> Array:
        """The normalized signal."""
        array = float_array("x", x)
        self.options.check(array.shape)
        if self.weight is not None:
            check_same_dtype("x", array, "weight", self.weight)
        shape, axis = self.options.flat(array.shape)
        rows = np.moveaxis(array.reshape(shape).astype(np.float64), axis, -1)
        # Where a number is infinite, the result is no number.
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            centered = rows - sorted_mean(rows)[..., None]
            variance = sorted_mean(centered * centered)[..., None]
            y: Array = np.moveaxis(centered / np.sqrt(variance + self.options.eps), -1, axis).reshape(array.shape)
        if self.weight is not None and self.bias is not None:
            column = (-1,) + (1,) * (array.ndim - 2)
            y = y * self.weight.reshape(column) + self.bias.reshape(column)
        return y.astype(array.dtype)

    def __repr__(self) -> str:
        return repr(self.options)


class GroupNorm(_SampleNorm):
    """Group normalization: the statistics of each sample over (channels of a group, |H|, space).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel. Sums are
    those of sorted numbers in double precision, so that the layer commutes with the group to the last bit. For the
    trivial group it is `torch.nn.GroupNorm`. Source: Wu and He, "Group normalization", ECCV 2018.

    Network files do not have it.

    Args:
        num_groups: the parts of the channels, which it divides; the group H has nothing to do with them.
        num_channels: C.
        eps: added to the variance, not negative.
        affine: whether there are a weight and a bias.
        dtype: float32 or float64.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has other channels, fewer than
            3 axes, or an axis without numbers.

    Example:
        >>> GroupNorm(2, 8)(numpy.zeros((2, 8, 4, 5, 5), "float32")).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(NormOptions.of_groups(num_groups, num_channels, eps), affine, dtype)


class InstanceNorm(_SampleNorm):
    """Instance normalization: the statistics of each channel of each sample, over (|H|, space).

    As `GroupNorm` with a group for each channel. For the trivial group it is `torch.nn.InstanceNorm2d`. Source:
    Ulyanov, Vedaldi and Lempitsky, "Instance normalization", arXiv:1607.08022.

    Network files do not have it.

    Args:
        num_features: C.
        eps, dtype: as of `GroupNorm`.
        affine: whether there are a weight and a bias; as in PyTorch there are none unless asked for.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`.

    Example:
        >>> InstanceNorm(8)(numpy.zeros((2, 8, 4, 5, 5), "float32")).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = False, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__(NormOptions.of_instances(num_features, eps), affine, dtype)


class LayerNorm(_SampleNorm):
    """Layer normalization: the statistics of each place of space, over (C, |H|).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel, as networks
    such as ConvNeXt have it. Sums are those of `GroupNorm`. For the trivial group it is `torch.nn.LayerNorm` of the
    channels. Source: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450.

    Network files do not have it.

    Args:
        num_features: C.
        group: H, which sets the number of spatial axes.
        eps, affine, dtype: as of `GroupNorm`.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`; `group` is no PointGroup.

    Example:
        >>> LayerNorm(8, cyclic(4))(numpy.zeros((2, 8, 4, 5, 5), "float32")).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self,
        num_features: int,
        group: PointGroup,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(NormOptions.of_places(num_features, group, eps), affine, dtype)


class SqueezeExcite(Held):
    """Channels scaled by numbers between 0 and 1 that depend on the means of all channels.

    ``y[c] = x[c] s[c]`` with ``s = sigmoid(fc2(relu(fc1(m))))`` and ``m[c] = mean over h and space of x[c, h]``. All of
    H and of space shares the number of a channel, which is invariant, so that the layer commutes with the group, to the
    last bit. Source: Hu, Shen and Sun, "Squeeze-and-excitation networks", CVPR 2018.

    Network files do not have it.

    Args:
        channels: C.
        reduction: C / reduction numbers stand between the two linear maps, rounded down, and at least 1.
        group: H, which sets the number of spatial axes.
        dtype: float32 or float64.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out. Parameters are ``fc1.weight``, ``fc1.bias``,
        ``fc2.weight`` and ``fc2.bias``, zeros until `load`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has other channels or axes.

    Example:
        >>> SqueezeExcite(8, 4, cyclic(4))(numpy.zeros((2, 8, 4, 5, 5), "float32")).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(self, channels: int, reduction: int, group: PointGroup, dtype: DTypeLike = np.float32) -> None:
        self.options = SqueezeOptions.checked(channels, reduction, group)
        self.fc1 = Linear(self.options.channels, self.options.squeezed, dtype=dtype)
        self.fc2 = Linear(self.options.squeezed, self.options.channels, dtype=dtype)

    def parameters(self) -> dict[str, Array]:
        """The arrays by their names; no copies."""
        maps = {"fc1": self.fc1, "fc2": self.fc2}
        return {f"{name}.{key}": array for name, layer in maps.items() for key, array in layer.parameters().items()}

    def __call__(self, x: ArrayLike) -> Array:
        """The scaled signal."""
        array = float_array("x", x)
        self.options.check(array.shape)
        check_same_dtype("x", array, "weight", self.fc1.weight)
        means = sorted_mean(array.reshape(*array.shape[:2], math.prod(array.shape[2:]))).astype(array.dtype)
        scale = sigmoid(self.fc2(relu(self.fc1(means))))
        result: Array = array * scale.reshape(*scale.shape, *(1,) * (array.ndim - 2))
        return result

    def __repr__(self) -> str:
        return repr(self.options)
