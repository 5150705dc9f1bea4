# SPDX-License-Identifier: Apache-2.0
"""Residual and dense blocks, made of the modules of this package."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from ..._bases.basis import KernelBasis
from ..._functional.convolutions import Axes
from ..._groups.point_group import PointGroup
from ..._nn.blocks import (
    Block,
    BlockConvolution,
    BlockPlan,
    Downsample,
    called,
    checked_functions,
    dense,
    dense_plans,
    residual,
    residual_plan,
    transition_plan,
)
from .._nn.layers import parameter_dtype
from .._primitives.operands import JaxArray
from ._convolution import GroupConv
from ._fields import BatchNorm
from ._spatial import BlurPool, SpatialAvgPool

_Norm = Callable[..., Any]
_Activation = Callable[[Any], Any]


class _Assembly(Block, nnx.Module):  # type: ignore[misc]
    """A module of layers that are called by their names in a plan."""

    def __init__(self, plan: BlockPlan) -> None:
        self.plan = plan

    def _call(self, name: str, x: Any) -> Any:
        layer = getattr(self, name)
        return x if layer is None else layer(x)


class _Block(_Assembly):
    """One of convolutions, norms and an activation."""

    def __init__(
        self, plan: BlockPlan, norm: _Norm | None, activation: _Activation, dtype: Any, rngs: nnx.Rngs,
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        super().__init__(plan)
        checked_functions(norm, activation)
        number_type = parameter_dtype(dtype)

        def convolution(part: BlockConvolution) -> GroupConv:
            return GroupConv(
                part.in_channels, part.out_channels, part.kernel, plan.group, stride=part.stride, padding="same",
                bias=norm is None, dtype=number_type, rngs=rngs, **options,
            )  # fmt: skip

        for name, layer in plan.parts(convolution, None if norm is None else partial(norm, dtype=number_type)):
            setattr(self, name, layer)
        self.activation = activation


class ResidualBlock(_Block):
    """A residual block from G to G: a branch of convolutions, added to the signal or to a 1 x 1 convolution of it.

    ``y = activation(branch(x) + shortcut(x))`` with the branch ``conv1, norm1, activation, conv2, norm2`` as in
    torchvision's `BasicBlock`, or of three convolutions as in its `Bottleneck`. The shortcut is the identity, or
    ``shortcut, shortcut_norm`` where channels or sizes change. With preactivation the branch is ``norm1, activation,
    conv1, norm2, activation, conv2``, ``y = branch(x) + shortcut``, and a convolution in the shortcut reads what conv1
    reads. Sources: He et al., "Deep residual learning for image recognition", CVPR 2016, and "Identity mappings in deep
    residual networks", ECCV 2016.

    It commutes with the group as its layers do: in evaluation with ``equiconv.set_algorithm(network, "exact")`` to the
    last bit.

    Args:
        in_channels, out_channels: C and O.
        group: H, any group.
        stride: of the first convolution with a larger kernel, and of the shortcut: an int, or one for each axis. Both
            read at 0, stride, 2 stride, ..., which fits a size n if stride divides n - 1.
        kernel: odd extents, or a basis of them.
        bottleneck: whether the branch is a 1 x 1 convolution to O / 4 channels, one with `kernel`, and a 1 x 1 to O.
        norm: makes a norm of its channels, called as ``norm(channels, dtype=dtype)``, such as
            ``functools.partial(GroupNorm, 4)``; None for biases in place of norms.
        activation: a function of arrays, or a module, which all places share.
        preactivation: whether norm and activation come before each convolution.
        downsample: what makes sizes smaller: ``"stride"``, of the convolutions; ``"pool"``, `SpatialAvgPool` of windows
            of the stride, which fits multiples of it; or ``"blur"``, `BlurPool`, which for a stride of 2 fits all
            sizes. Pools come behind the activation after the convolution that would have the stride, and first in the
            shortcut.
        dtype: of the parameters.
        rngs: whose stream `params` the weights are drawn from.
        options: more arguments of all convolutions, as of `GroupConv`: padding_mode, algorithm, interpolation,
            group_basis, quadrature, backend.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...) with sizes (n - 1) // stride + 1, and with pools those of
        the pool.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Calls warn with an EquivarianceWarning, which names sizes that fit, where the stride does not fit the size.

    Example:
        >>> ResidualBlock(8, 16, cyclic(4), stride=2, rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 8, 4, 9, 9))).shape
        (1, 16, 4, 5, 5)
    """

    def __init__(
        self, in_channels: int, out_channels: int, group: PointGroup, stride: Axes = 1,
        kernel: int | tuple[int, ...] | KernelBasis = 3, bottleneck: bool = False, norm: _Norm | None = BatchNorm,
        activation: _Activation = jax.nn.relu, preactivation: bool = False, *, downsample: Downsample = "stride",
        dtype: Any = jnp.float32, rngs: nnx.Rngs, **options: Any,
    ) -> None:  # fmt: skip
        plan = residual_plan(in_channels, out_channels, group, stride, kernel, bottleneck, preactivation, downsample)
        super().__init__(plan, norm, activation, dtype, rngs, options)
        if "pool" in plan.branch:
            self.pool = SpatialAvgPool(group, stride) if downsample == "pool" else BlurPool(group, stride)
        if "shortcut_norm" not in plan.shortcut:
            self.shortcut_norm = None
        if not plan.shortcut:
            self.shortcut = None

    def __call__(self, x: JaxArray) -> JaxArray:
        """The signal behind the block."""
        return residual(self.plan, x, self._call)


class _DenseLayer(_Block):
    """The channels that one layer of a dense block adds."""

    def __call__(self, x: JaxArray) -> JaxArray:
        return called(self.plan.branch, x, self._call)


class DenseBlock(_Assembly):
    """A dense block from G to G: each layer reads the channels of the signal and of all layers before it.

    ``x = concatenate(x, layer(x))`` for each layer: ``norm1, activation, conv1``, or with a bottleneck ``norm1,
    activation, conv1, norm2, activation, conv2``, where conv1 is 1 x 1 to 4 growth channels. Layers are ``layer1``,
    ``layer2``, .... Source: Huang et al., "Densely connected convolutional networks", CVPR 2017.

    Args:
        in_channels: C.
        growth: the channels that each layer adds.
        layers: how many.
        group, kernel, norm, activation, dtype, rngs, options: as of `ResidualBlock`.
        bottleneck: whether layers have a 1 x 1 convolution first.

    Shape:
        (B, C, |H|, spatial...) -> (B, C + layers growth, |H|, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> DenseBlock(8, 4, 3, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 8, 4, 9, 9))).shape
        (1, 20, 4, 9, 9)
    """

    def __init__(
        self, in_channels: int, growth: int, layers: int, group: PointGroup,
        kernel: int | tuple[int, ...] | KernelBasis = 3, bottleneck: bool = False, norm: _Norm | None = BatchNorm,
        activation: _Activation = jax.nn.relu, *, dtype: Any = jnp.float32, rngs: nnx.Rngs, **options: Any,
    ) -> None:  # fmt: skip
        plan, plans = dense_plans(in_channels, growth, layers, group, kernel, bottleneck)
        super().__init__(plan)
        for name, layer in zip(plan.branch, plans, strict=True):
            setattr(self, name, _DenseLayer(layer, norm, activation, dtype, rngs, options))

    def __call__(self, x: JaxArray) -> JaxArray:
        """The signal with the channels of all layers."""
        return dense(self.plan, x, self._call, lambda before, more: jnp.concatenate([before, more], 1))


class DenseTransition(_Block):
    """Between dense blocks: ``norm, activation, conv, pool``, a 1 x 1 group convolution and means of windows.

    Args:
        in_channels, out_channels: C and O.
        group, norm, activation, dtype, rngs, options: as of `ResidualBlock`.
        pool: the extent and the stride of windows, an int or one for each axis: `SpatialAvgPool`.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...) with sizes n // pool.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Calls warn with an EquivarianceWarning, which names sizes that fit, where windows do not fit the size.

    Example:
        >>> DenseTransition(20, 10, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 20, 4, 8, 8))).shape
        (1, 10, 4, 4, 4)
    """

    def __init__(
        self, in_channels: int, out_channels: int, group: PointGroup, pool: Axes = 2, norm: _Norm | None = BatchNorm,
        activation: _Activation = jax.nn.relu, *, dtype: Any = jnp.float32, rngs: nnx.Rngs, **options: Any,
    ) -> None:  # fmt: skip
        plan = transition_plan(in_channels, out_channels, group)
        super().__init__(plan, norm, activation, dtype, rngs, options)
        self.pool = SpatialAvgPool(group, pool)

    def __call__(self, x: JaxArray) -> JaxArray:
        """The smaller signal."""
        return called(self.plan.branch, x, self._call)
