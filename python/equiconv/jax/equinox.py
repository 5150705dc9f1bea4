# SPDX-License-Identifier: Apache-2.0
"""The layers as modules of Equinox, to train; with what else such networks need.

Names and arguments are those of `equiconv.torch`, with `key` in place of a device. Unlike Equinox's own, layers take
signals with a batch, (B, C, [|H|,] spatial...), as the functions of `equiconv.jax` do. `signature` tells which layer
and group the weights of a checkpoint are of.

Example:
    >>> import equiconv.jax.equinox as ee
    >>> H, key = cyclic(4), jax.random.key(0)
    >>> network = ee.Sequential(
    ...     ee.LiftingConv(1, 8, 5, H, key=key), jax.nn.relu, ee.GroupPool(H, "max"), ee.SpatialMean(H)
    ... )
    >>> network(jax.numpy.zeros((2, 1, 16, 16))).shape
    (2, 8)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

try:
    import equinox as eqx
except ModuleNotFoundError as error:
    if error.name != "equinox":
        raise
    text = 'equiconv.jax.equinox needs Equinox, which is not installed: pip install "equiconv[equinox]"'
    raise ModuleNotFoundError(text, name="equinox") from None

import jax
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


class Convolution(eqx.Module):  # type: ignore[misc]
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common."""

    _layer: ClassVar[str]

    weight: JaxArray
    bias: JaxArray | None
    options: ConvolutionOptions = eqx.field(static=True)

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
        key: JaxArray,
    ) -> None:
        self.options = ConvolutionOptions.checked(
            self._layer, in_channels, out_channels, kernel, group, stride=stride, padding=padding, dilation=dilation,
            padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation, group_basis=group_basis,
            quadrature=quadrature,
        )  # fmt: skip
        number_type = parameter_dtype(dtype)
        self.weight = self.options.draw(key, number_type)
        self.bias = jnp.zeros(self.options.out_channels, number_type) if bias else None

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

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The layer's output for a signal on `input_space`."""
        return self.options.apply(type(self).__name__, x, self.weight, self.bias)


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
        key: of `jax.random`, for the weights: drawn with He's deviation, as `equiconv.GroupConv`.

    Shape:
        (B, C, spatial...) -> (B, O, spatial_out...).

    Attributes:
        weight: shape (O, C, kernel...), or (O, C, J) with a basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4), key=jax.random.key(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 5, 5)
    """

    _layer = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G: `equiconv.jax.lifting_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, key: as for `IsotropicConv`.
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
        >>> LiftingConv(3, 8, 5, cyclic(4), key=jax.random.key(0))(jax.numpy.zeros((1, 3, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    _layer = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G: `equiconv.jax.group_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, key: as for `IsotropicConv`.
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
        >>> GroupConv(3, 8, 5, cyclic(4), key=jax.random.key(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 4, 5, 5)
    """

    _layer = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d: `equiconv.jax.projection_conv` as a module.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, key: as for `IsotropicConv`.
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
        >>> ProjectionConv(3, 8, 5, cyclic(4), key=jax.random.key(0))(jax.numpy.zeros((1, 3, 4, 9, 9))).shape
        (1, 8, 5, 5)
    """

    _layer = "projection"


class GroupPool(eqx.Module):  # type: ignore[misc]
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

    options: PoolOptions = eqx.field(static=True)

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

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The pooled signal."""
        return self.options.apply(x)


class BatchNorm(eqx.nn.StatefulLayer):  # type: ignore[misc]
    """Batch normalisation over (batch, fiber, space), one mean and one variance for each channel.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias``. All of H shares the numbers of a channel, and so does all
    of the plane: the layer commutes with the group, in evaluation to the last bit. Running numbers are in an
    `equinox.nn.State`, made by `equinox.nn.make_with_state`; `equinox.nn.inference_mode` has the layer take those.

    Args:
        num_features: C, the number of channels (fields), not C |H|.
        eps: added to the variance.
        momentum: the share of a batch in the running numbers, as torch has it.
        affine: whether there are a weight and a bias.
        inference: whether to start in evaluation.
        dtype: of the parameters: float32 or float64.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), and a state, in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has another number of channels,
            fewer than 3 axes, or one number for each channel in training.

    Example:
        >>> norm, state = eqx.nn.make_with_state(BatchNorm)(8)
        >>> y, state = norm(jax.numpy.zeros((2, 8, 4, 5, 5)), state)
        >>> y.shape
        (2, 8, 4, 5, 5)
    """

    weight: JaxArray | None
    bias: JaxArray | None
    running: eqx.nn.StateIndex
    inference: bool
    options: NormOptions = eqx.field(static=True)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        inference: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:
        self.options = NormOptions.checked(num_features, eps, momentum)
        count, number_type = self.options.num_features, parameter_dtype(dtype)
        self.inference = inference
        self.weight = jnp.ones(count, number_type) if affine else None
        self.bias = jnp.zeros(count, number_type) if affine else None
        self.running = eqx.nn.StateIndex((jnp.zeros(count, number_type), jnp.ones(count, number_type)))

    def __call__(
        self,
        x: JaxArray,
        state: eqx.nn.State,
        *,
        key: JaxArray | None = None,
        inference: bool | None = None,
    ) -> tuple[JaxArray, eqx.nn.State]:
        """The normalised signal, and the state with the running numbers after it."""
        array = float_operand("x", x)
        self.options.check(array)
        running = statistics = state.get(self.running)
        if not (self.inference if inference is None else inference):
            statistics = self.options.statistics(array)
            state = state.set(self.running, self.options.updated(running, statistics, array))
        return self.options.normalised(array, statistics, self.weight, self.bias), state


class FieldDropout(eqx.Module):  # type: ignore[misc]
    """Dropout of whole fields: a channel of a sample is 0 on all of the group, or scaled by 1 / (1 - p).

    Dropping single elements of the fiber would not commute with the group. In evaluation the identity.

    Args:
        p: the probability that a field is dropped, 0 to 1.
        inference: whether to start in evaluation; `equinox.nn.inference_mode` sets it.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: `p` is no number from 0 to 1, or the input has fewer than 3 axes; there is no `key` in
            training.

    Example:
        >>> FieldDropout(0.5, inference=True)(jax.numpy.ones((1, 8, 4, 5, 5))).sum().item()
        800.0
    """

    p: float = eqx.field(static=True)
    inference: bool

    def __init__(self, p: float = 0.5, *, inference: bool = False) -> None:
        self.p = probability(p)
        self.inference = inference

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None, inference: bool | None = None) -> JaxArray:
        """The signal with some of its fields dropped, if in training."""
        array = float_operand("x", x)
        check_fields(array)
        if self.p == 0 or (self.inference if inference is None else inference):
            return array
        if key is None:
            raise TypeError("key is None, expected one of jax.random for FieldDropout in training")
        return drop_fields(array, self.p, key)


class _SpatialPool(eqx.Module):  # type: ignore[misc]
    """Windows of the spatial axes, for all channels and elements alike."""

    options: WindowOptions = eqx.field(static=True)

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

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
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

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The means."""
        return self.options.mean(type(self).__name__, x)


class SpatialMean(eqx.Module):  # type: ignore[misc]
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

    group: PointGroup = eqx.field(static=True)

    def __init__(self, group: PointGroup) -> None:
        self.group = point_group(group)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The means."""
        return spatial_mean(x, self.group)


class Sequential(eqx.nn.Sequential):  # type: ignore[misc]
    """`equinox.nn.Sequential` that checks, when it is made, that each layer reads what the one before it writes.

    Functions are taken to keep the space and the channels, and so are modules without spaces such as `BatchNorm`. With
    one of those it is called with a state, and returns it.

    Args:
        layers: modules and functions, in order: at least one.

    Raises:
        TypeError: one cannot be called.
        ValueError: spaces or channels that do not fit, or no layers.

    Example:
        >>> key = jax.random.key(0)
        >>> Sequential(GroupConv(3, 8, 5, cyclic(4), key=key), GroupConv(8, 8, 5, dihedral(2), key=key))
        Traceback (most recent call last):
        ...
        ValueError: layer 1, GroupConv, wants a signal on G for D2, got one on G for C4 from layer 0, GroupConv
    """

    def __init__(self, *layers: Callable[..., Any]) -> None:
        check_chain(layers)
        super().__init__([layer if isinstance(layer, eqx.Module) else eqx.nn.Lambda(layer) for layer in layers])


def signature(model: Any) -> dict[str, str]:
    """What the weights of each convolution mean, by its path: to save beside a checkpoint, as JSON for example.

    Args:
        model: any tree with modules of Equinox.

    Example:
        >>> signature(LiftingConv(1, 8, 5, cyclic(4), key=jax.random.key(0)))
        {'(the model)': 'lifting_conv on C4, kernel 5 x 5'}
    """
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, Convolution))
    layers = [(path, leaf) for path, leaf in leaves if isinstance(leaf, Convolution)]
    return named((tuple(str(key).strip(".[]'") for key in path), leaf.options.signature) for path, leaf in layers)


def check_signature(model: Any, saved: Mapping[str, str]) -> None:
    """Raises ValueError, naming both, unless a checkpoint with this signature is one of such a model.

    Weights of groups of equal order, such as C4 and D2, have equal shapes, so that restoring alone does not tell.

    Args:
        model: any tree with modules of Equinox.
        saved: what `signature` gave for the model of the checkpoint.

    Raises:
        TypeError: `saved` is no dictionary.
        ValueError: a layer too few or too many, or another one.

    Example:
        >>> saved = signature(LiftingConv(1, 8, 5, cyclic(4), key=jax.random.key(0)))
        >>> check_signature(LiftingConv(1, 8, 5, dihedral(2), key=jax.random.key(0)), saved)
        Traceback (most recent call last):
        ...
        ValueError: layer (the model) is lifting_conv on D2, kernel 5 x 5, the checkpoint has lifting_conv on C4, kernel 5 x 5
    """  # noqa: E501
    check_signatures(signature(model), saved)
