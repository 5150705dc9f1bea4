# SPDX-License-Identifier: Apache-2.0
"""Norms with the statistics of each sample, and channels that are scaled by what a sample is as a whole."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ..._checks.arguments import boolean
from ..._groups.point_group import PointGroup
from ..._nn.attributes import ExactSums
from ..._nn.norm_options import NormOptions, SqueezeOptions
from .._nn.sample_norm import drawn_affine, drawn_linear, normalized, scaled_channels
from .._primitives.operands import JaxArray


class _SampleNorm(ExactSums, eqx.Module):  # type: ignore[misc]
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` with the statistics of each sample."""

    weight: JaxArray | None
    bias: JaxArray | None
    options: NormOptions = eqx.field(static=True)
    exact: bool = eqx.field(static=True)

    def __init__(self, options: NormOptions, affine: bool, exact: bool, dtype: Any) -> None:
        self.options = options
        self.exact = boolean("exact", exact)
        affine_map = drawn_affine(options, affine, dtype)
        self.weight, self.bias = (None, None) if affine_map is None else affine_map

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The normalized signal."""
        return normalized(self.options, x, self.weight, self.bias, self.exact)


class GroupNorm(_SampleNorm):
    """Group normalization: the statistics of each sample over (channels of a group, |H|, space).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel: the layer
    commutes with the group, up to rounding. With ``exact=True``, or after `with_algorithm` with ``"exact"``, means
    are those of `SpatialMean`, and it does so to the last bit, in training too. It then takes several times as long.

    Args:
        num_groups: the parts of the channels, which it divides; the group H has nothing to do with them.
        num_channels: C.
        eps: added to the variance, not negative.
        affine: whether there are a weight and a bias.
        exact: whether bits do not depend on the order of the numbers.
        dtype: of the parameters: float32, float64, bfloat16 or float16. Signals of bfloat16 and float16 are normalized
            in float32, and may have parameters of it.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has another dtype or other
            channels, fewer than 3 axes, or an axis without numbers.

    Example:
        >>> GroupNorm(2, 8)(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, exact: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_groups(num_groups, num_channels, eps), affine, exact, dtype)


class InstanceNorm(_SampleNorm):
    """Instance normalization: the statistics of each channel of each sample, over (|H|, space).

    As `GroupNorm` with a group for each channel.

    Args:
        num_features: C.
        eps, exact, dtype: as of `GroupNorm`.
        affine: whether there are a weight and a bias; as in PyTorch there are none unless asked for.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`.

    Example:
        >>> InstanceNorm(8)(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, affine: bool = False, *, exact: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_instances(num_features, eps), affine, exact, dtype)


class LayerNorm(_SampleNorm):
    """Layer normalization: the statistics of each place of space, over (C, |H|).

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with one weight and one bias for each channel, as networks
    such as ConvNeXt have it.

    Args:
        num_features: C.
        group: H, which sets the number of spatial axes.
        eps, affine, exact, dtype: as of `GroupNorm`.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: as `GroupNorm`; `group` is no PointGroup.

    Example:
        >>> LayerNorm(8, cyclic(4))(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self, num_features: int, group: PointGroup, eps: float = 1e-5, affine: bool = True, *, exact: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:  # fmt: skip
        super().__init__(NormOptions.of_places(num_features, group, eps), affine, exact, dtype)


class _Linear(eqx.Module):  # type: ignore[misc]
    """The weight and the bias of a linear map."""

    weight: JaxArray
    bias: JaxArray

    def __init__(self, inputs: int, outputs: int, dtype: Any, key: JaxArray) -> None:
        self.weight, self.bias = drawn_linear(key, inputs, outputs, dtype)


class SqueezeExcite(ExactSums, eqx.Module):  # type: ignore[misc]
    """Channels scaled by numbers between 0 and 1 that depend on the means of all channels.

    ``y[c] = x[c] s[c]`` with ``s = sigmoid(fc2(relu(fc1(m))))`` and ``m[c] = mean over h and space of x[c, h]``. All of
    H and of space shares the number of a channel, which is invariant, so that the module commutes with the group: up to
    rounding, and to the last bit with ``exact=True``. Source: Hu, Shen and Sun, "Squeeze-and-excitation networks", CVPR
    2018.

    Args:
        channels: C.
        reduction: C / reduction numbers stand between the two linear maps, rounded down, and at least 1.
        group: H, which sets the number of spatial axes.
        exact, dtype: as of `GroupNorm`.
        key: of `jax.random`, for the weights.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has other channels or axes.

    Example:
        >>> SqueezeExcite(8, 4, cyclic(4), key=jax.random.key(0))(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    fc1: _Linear
    fc2: _Linear
    options: SqueezeOptions = eqx.field(static=True)
    exact: bool = eqx.field(static=True)

    def __init__(
        self, channels: int, reduction: int, group: PointGroup, *, exact: bool = False, dtype: Any = jnp.float32,
        key: JaxArray,
    ) -> None:  # fmt: skip
        self.options = options = SqueezeOptions.checked(channels, reduction, group)
        self.exact = boolean("exact", exact)
        first, second = jax.random.split(key)
        self.fc1 = _Linear(options.channels, options.squeezed, dtype, first)
        self.fc2 = _Linear(options.squeezed, options.channels, dtype, second)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The scaled signal."""
        maps = ((self.fc1.weight, self.fc1.bias), (self.fc2.weight, self.fc2.bias))
        return scaled_channels(self.options, x, maps, self.exact)
