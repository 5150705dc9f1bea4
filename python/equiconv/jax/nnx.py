# SPDX-License-Identifier: Apache-2.0
"""The layers as modules of Flax (`flax.nnx`), to train; with what else such networks need.

Names and arguments are those of `equiconv.torch`, with `rngs` in place of a device. A weight knows its layer and group:
`nnx.update` with the state of another network is an error at the next call, which names both. `signature` is the same
for checkpoints in files, whose formats keep numbers alone.

Example:
    >>> import equiconv.jax.nnx as enn
    >>> H, rngs = cyclic(4), nnx.Rngs(0)
    >>> network = enn.Sequential(
    ...     enn.LiftingConv(1, 8, 5, H, rngs=rngs), enn.BatchNorm(8), jax.nn.relu, enn.GroupPool(H, "max"),
    ...     enn.SpatialMean(H)
    ... )
    >>> network(jax.numpy.zeros((2, 1, 16, 16))).shape
    (2, 8)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

try:
    from flax import nnx
except ModuleNotFoundError as error:
    if error.name != "flax":
        raise
    text = 'equiconv.jax.nnx needs Flax, which is not installed: pip install "equiconv[flax]"'
    raise ModuleNotFoundError(text, name="flax") from None

import jax.numpy as jnp

from .._bases import GroupBasis, Interpolation, KernelBasis
from .._functions import Algorithm, Axes, Padding, PaddingMode
from .._groups import PointGroup
from .._layers import point_group
from .._pool import PoolMode
from .._sequential import check_chain
from .._signal_space import SignalSpace
from ._layer_options import ConvolutionOptions, PoolOptions, parameter_dtype
from ._norm import NormOptions, check_fields, drop_fields, probability
from ._operands import JaxArray, float_operand
from ._signature import check_signatures, named
from ._spatial import WindowOptions, spatial_mean

__all__ = [
    "BatchNorm",
    "FieldDropout",
    "GroupConv",
    "GroupPool",
    "IsotropicConv",
    "LiftingConv",
    "ProjectionConv",
    "Sequential",
    "SpatialAvgPool",
    "SpatialMaxPool",
    "SpatialMean",
    "check_signature",
    "signature",
]


class Convolution(nnx.Module):  # type: ignore[misc]
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common."""

    _layer: ClassVar[str]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, ...] | KernelBasis,
        group: PointGroup,
        *,
        stride: Axes = 1,
        padding: Padding = 0,
        dilation: Axes = 1,
        padding_mode: PaddingMode = "zeros",
        algorithm: Algorithm = "auto",
        interpolation: Interpolation = "bilinear",
        group_basis: GroupBasis | None = None,
        quadrature: bool = False,
        bias: bool = True,
        dtype: Any = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.options = ConvolutionOptions.checked(
            self._layer, in_channels, out_channels, kernel, group, stride=stride, padding=padding, dilation=dilation,
            padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation, group_basis=group_basis,
            quadrature=quadrature,
        )  # fmt: skip
        number_type = parameter_dtype(dtype)
        meaning = self.options.signature
        self.weight = nnx.Param(self.options.draw(rngs.params(), number_type), signature=meaning)
        self.bias = nnx.Param(jnp.zeros(self.options.out_channels, number_type)) if bias else None

    @property
    def group(self) -> PointGroup:
        """H."""
        return self.options.group

    @property
    def in_channels(self) -> int:
        """C."""
        return self.options.in_channels

    @property
    def out_channels(self) -> int:
        """O."""
        return self.options.out_channels

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return self.options.input_space

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return self.options.output_space

    def __call__(self, x: JaxArray) -> JaxArray:
        """The layer's output for a signal on `input_space`."""
        meaning = self.weight.get_metadata().get("signature", self.options.signature)
        if meaning != self.options.signature:
            raise ValueError(f"weight is of {meaning}, expected one of {self.options.signature}")
        bias = None if self.bias is None else self.bias[...]
        return self.options.apply(type(self).__name__, x, self.weight[...], bias)


class IsotropicConv(Convolution):
    """Isotropic convolution R^d -> R^d: `equiconv.jax.isotropic_conv` as a module.

    Args:
        in_channels, out_channels: C and O.
        kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
            `equiconv.bspline_basis(5)`.
        group: H, any group.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as
            `equiconv.isotropic_conv`.
        bias: whether there is one.
        dtype: of the parameters: float32 or float64.
        rngs: whose stream `params` the weights, with He's deviation as `equiconv.GroupConv`, are drawn from.

    Shape:
        (B, C, spatial...) -> (B, O, spatial_out...).

    Attributes:
        weight: shape (O, C, kernel...), or (O, C, J) with a basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 5, 5)
    """

    _layer = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G: `equiconv.jax.lifting_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rngs: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as
            `equiconv.lifting_conv`.

    Shape:
        (B, C, spatial...) -> (B, O, |H|, spatial_out...).

    Attributes:
        weight: shape (O, C, kernel...), or (O, C, J) with a basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> LiftingConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    _layer = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G: `equiconv.jax.group_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rngs: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as
            `equiconv.group_conv`.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...).

    Attributes:
        weight: shape (O, C, |H|, kernel...); J in place of the kernel's axes with a basis, I in place of |H| with a
            group basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> GroupConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    _layer = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d: `equiconv.jax.projection_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rngs: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as
            `equiconv.projection_conv`.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, spatial_out...).

    Attributes:
        weight: shape (O, C, |H|, kernel...); J in place of the kernel's axes with a basis, I in place of |H| with a
            group basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> ProjectionConv(3, 8, 5, cyclic(4), rngs=nnx.Rngs(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 5, 5)
    """

    _layer = "projection"


class GroupPool(nnx.Module):  # type: ignore[misc]
    """Mean or maximum over H, G -> R^d: `equiconv.jax.group_pool` as a module.

    Args:
        group: H.
        mode: ``"mean"`` or ``"max"``.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind.

    Example:
        >>> GroupPool(cyclic(4), "max")(jax.numpy.zeros((1, 8, 4, 5, 5))).shape
        (1, 8, 5, 5)
    """

    def __init__(self, group: PointGroup, mode: PoolMode = "mean") -> None:
        self.options = PoolOptions.checked(group, mode)

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return self.options.input_space

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return self.options.output_space

    def __call__(self, x: JaxArray) -> JaxArray:
        """The pooled signal."""
        return self.options.apply(x)


class BatchNorm(nnx.Module):  # type: ignore[misc]
    """Batch normalisation over (batch, fiber, space), one mean and one variance for each channel.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias``. All of H shares the numbers of a channel, and so does all
    of the plane: the layer commutes with the group, in evaluation to the last bit. ``model.train()`` takes mean and
    variance of the batch, and updates the running ones, `nnx.BatchStat`; ``model.eval()`` takes those.

    Args:
        num_features: C, the number of channels (fields), not C |H|.
        eps: added to the variance.
        momentum: the share of a batch in the running numbers, as torch has it (not 1 less it, as `flax.nnx.BatchNorm`).
        affine: whether there are a weight and a bias.
        use_running_average: whether to start in evaluation.
        dtype: of the parameters: float32 or float64.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has another number of channels,
            fewer than 3 axes, or one number for each channel in training.

    Example:
        >>> BatchNorm(8)(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        use_running_average: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:
        self.options = NormOptions.checked(num_features, eps, momentum)
        count, number_type = self.options.num_features, parameter_dtype(dtype)
        self.use_running_average = use_running_average
        self.weight = nnx.Param(jnp.ones(count, number_type)) if affine else None
        self.bias = nnx.Param(jnp.zeros(count, number_type)) if affine else None
        self.running_mean = nnx.BatchStat(jnp.zeros(count, number_type))
        self.running_var = nnx.BatchStat(jnp.ones(count, number_type))

    def __call__(self, x: JaxArray) -> JaxArray:
        """The normalised signal."""
        array = float_operand("x", x)
        self.options.check(array)
        running = (self.running_mean[...], self.running_var[...])
        statistics = running
        if not self.use_running_average:
            statistics = self.options.statistics(array)
            self.running_mean[...], self.running_var[...] = self.options.updated(running, statistics, array)
        weight, bias = (None if parameter is None else parameter[...] for parameter in (self.weight, self.bias))
        return self.options.normalised(array, statistics, weight, bias)


class FieldDropout(nnx.Module):  # type: ignore[misc]
    """Dropout of whole fields: a channel of a sample is 0 on all of the group, or scaled by 1 / (1 - p).

    Dropping single elements of the fiber would not commute with the group. After ``model.eval()`` the identity.

    Args:
        p: the probability that a field is dropped, 0 to 1.
        deterministic: whether to start in evaluation.
        rngs: whose stream `dropout` is drawn from.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: `p` is no number from 0 to 1, or the input has fewer than 3 axes.

    Example:
        >>> FieldDropout(0.5, deterministic=True, rngs=nnx.Rngs(0))(jax.numpy.ones((1, 8, 4, 5, 5))).sum().item()
        800.0
    """

    def __init__(self, p: float = 0.5, *, deterministic: bool = False, rngs: nnx.Rngs) -> None:
        self.p = probability(p)
        self.deterministic = deterministic
        self.rngs = rngs.dropout.fork()

    def __call__(self, x: JaxArray) -> JaxArray:
        """The signal with some of its fields dropped, if in training."""
        array = float_operand("x", x)
        check_fields(array)
        return array if self.deterministic or self.p == 0 else drop_fields(array, self.p, self.rngs())


class _SpatialPool(nnx.Module):  # type: ignore[misc]
    """Windows of the spatial axes, for all channels and elements alike."""

    def __init__(self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: Axes = 0) -> None:
        self.options = WindowOptions.checked(group, kernel, stride, padding)


class SpatialMaxPool(_SpatialPool):
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Args:
        group: H, which tells the spatial axes, and which of them it moves.
        kernel, stride, padding: an int, or one for each spatial axis; `stride` is `kernel` if not given.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] spatial_out...), sizes (n + 2 padding - kernel) // stride + 1.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Warns:
        EquivarianceWarning: ``(n + 2 padding - kernel) % stride`` is not 0 on an axis that the group moves: the windows
            leave out a margin on one side. The message names sizes that fit. While JAX traces.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(jax.numpy.zeros((1, 8, 4, 6, 6))).shape
        (1, 8, 4, 3, 3)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The maxima."""
        return self.options.largest(type(self).__name__, x)


class SpatialAvgPool(_SpatialPool):
    """Mean over windows of space, for each channel and each element of H by itself; padding counts as zeros.

    Sums are those of `SpatialMean`: equivariant to the last bit.

    Args:
        group, kernel, stride, padding: as for `SpatialMaxPool`.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] spatial_out...), sizes (n + 2 padding - kernel) // stride + 1.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Warns:
        EquivarianceWarning: as `SpatialMaxPool`.

    Example:
        >>> SpatialAvgPool(cyclic(4), 2)(jax.numpy.ones((1, 8, 4, 6, 6))).mean().item()
        1.0
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return self.options.mean(type(self).__name__, x)


class SpatialMean(nnx.Module):  # type: ignore[misc]
    """Mean over all of space, whose bits do not depend on the order of the pixels.

    ``y[b, c, h] = mean over x of f[b, c, h, x]``. What a network computes of it after `GroupPool` is invariant under a
    lattice group to the last bit, if the layers before it use ``algorithm="direct"``. Numbers are cut at fixed binary
    places into integers, whose sums are exact; the rest, some 60 bits below the largest number of a plane and 110 in
    float64, is dropped. Source: Demmel and Nguyen, "Fast reproducible floating-point summation", ARITH 2013.

    Args:
        group: H, which tells the number of spatial axes.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, |H|), and (B, C, spatial...) -> (B, C).

    Raises:
        TypeError: `group` is no PointGroup.
        ValueError: the input has another number of axes.

    Example:
        >>> SpatialMean(cyclic(4))(jax.numpy.ones((1, 8, 5, 5))).shape
        (1, 8)
    """

    def __init__(self, group: PointGroup) -> None:
        self.group = point_group(group)

    def __call__(self, x: JaxArray) -> JaxArray:
        """The means."""
        return spatial_mean(x, self.group)


class Sequential(nnx.Sequential):  # type: ignore[misc]
    """`flax.nnx.Sequential` that checks, when it is made, that each layer reads what the one before it writes.

    Functions, and modules without spaces such as `BatchNorm`, are taken to keep the space and the channels.

    Args:
        layers: modules and functions, in order: at least one.

    Raises:
        TypeError: one cannot be called.
        ValueError: spaces or channels that do not fit, or no layers.

    Example:
        >>> rngs = nnx.Rngs(0)
        >>> Sequential(GroupConv(3, 8, 5, cyclic(4), rngs=rngs), GroupConv(8, 8, 5, dihedral(2), rngs=rngs))
        Traceback (most recent call last):
        ...
        ValueError: layer 1, GroupConv, wants a signal on G for D2, got one on G for C4 from layer 0, GroupConv
    """

    def __init__(self, *layers: Callable[..., Any]) -> None:
        check_chain(layers)
        super().__init__(*layers)


def signature(model: nnx.Module) -> dict[str, str]:
    """What the weights of each convolution mean, by its path: to save beside a checkpoint, as JSON for example.

    Args:
        model: any module of Flax.

    Example:
        >>> signature(LiftingConv(1, 8, 5, cyclic(4), rngs=nnx.Rngs(0)))
        {'(the model)': 'lifting_conv on C4, kernel 5 x 5'}
    """
    layers = nnx.iter_modules(model)
    return named((path, layer.options.signature) for path, layer in layers if isinstance(layer, Convolution))


def check_signature(model: nnx.Module, saved: Mapping[str, str]) -> None:
    """Raises ValueError, naming both, unless a checkpoint with this signature is one of such a model.

    Weights of groups of equal order, such as C4 and D2, have equal shapes, so that restoring alone does not tell.

    Args:
        model: any module of Flax.
        saved: what `signature` gave for the model of the checkpoint.

    Raises:
        TypeError: `saved` is no dictionary.
        ValueError: a layer too few or too many, or another one.

    Example:
        >>> saved = signature(LiftingConv(1, 8, 5, cyclic(4), rngs=nnx.Rngs(0)))
        >>> check_signature(LiftingConv(1, 8, 5, dihedral(2), rngs=nnx.Rngs(0)), saved)
        Traceback (most recent call last):
        ...
        ValueError: layer (the model) is lifting_conv on D2, kernel 5 x 5, the checkpoint has lifting_conv on C4, kernel 5 x 5
    """  # noqa: E501
    check_signatures(signature(model), saved)
