# SPDX-License-Identifier: Apache-2.0
"""Layers that hold their weights, to look at and for inference in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import boolean, generator
from .._checks.arrays import Array, float_array, float_dtype
from .._functional.convolutions import (
    Axes,
    LayerName,
    Padding,
    PaddingMode,
    group_conv,
    isotropic_conv,
    lifting_conv,
    projection_conv,
)
from .._functional.pool import PoolMode, group_pool
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .attributes import ConvolutionAttributes, PoolAttributes
from .options import ConvolutionOptions, PoolOptions
from .parameters import load_parameters

Random: TypeAlias = np.random.Generator | int | None

_FUNCTIONS: dict[LayerName, Callable[..., Array]] = {
    "isotropic": isotropic_conv,
    "lifting": lifting_conv,
    "group": group_conv,
    "projection": projection_conv,
}


class Convolution(ConvolutionAttributes):
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common.

    Attributes:
        weight, bias: arrays with the dtype of the layer; `bias` has shape (O,), or is None.
    """

    layer_name: LayerName

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
        algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None,
        quadrature: bool = False, groups: int = 1,
        bias: bool = True, dtype: DTypeLike = np.float32, rng: Random = None,
    ) -> None:  # fmt: skip
        """Makes a layer with normal weights and biases of 0.

        Weights have He's deviation for such kernels, with which layers and rectifiers in turn keep the variance:
        ``sqrt(2 / (C |H| k^d))`` for pixels on a lattice group.

        Args:
            in_channels, out_channels: C and O.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `bspline_basis(5)`.
            group: H, any group.
            stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: see `conv`. They are attributes, and may be set.
            bias: whether there is one.
            dtype: float32 or float64.
            rng: a `numpy.random.Generator` or a seed for the weights.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = ConvolutionOptions.checked(
            self.layer_name, in_channels, out_channels, kernel, group, stride=stride, padding=padding,
            dilation=dilation, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, dtype, rng)

    def _make_parameters(self, bias: bool, dtype: DTypeLike, rng: Random) -> None:
        """Draws the weights of the options."""
        number_type, has_bias = float_dtype("dtype", dtype), boolean("bias", bias)
        weight = generator("rng", rng).standard_normal(self.options.weight_shape) * self.options.deviation
        self.weight: Array = weight.astype(number_type)
        self.bias: Array | None = np.zeros(self.options.out_channels, number_type) if has_bias else None

    def parameters(self) -> dict[str, Array]:
        """The weight and, if there is one, the bias, by their names; no copies."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Copies other weights into the layer, such as a trained network's.

        Args:
            parameters: arrays for all names of `parameters`, of their shapes; they are converted to their dtypes.

        Raises:
            TypeError: numbers that are not real.
            ValueError: a name too few or too many; another shape; a number beyond the range of the dtype. Nothing is
                changed then.
        """
        load_parameters(self.parameters(), parameters)

    def __call__(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """The layer's output for a signal.

        Args:
            x: signal on `input_space`, with the dtype of the weights.
            out: as for the functions, such as `lifting_conv`.

        Raises:
            TypeError, ValueError: `x` is no such signal, or as the functions.
        """
        options = self.options
        array = float_array("x", x)
        options.check(type(self).__name__, array.shape)
        function = _FUNCTIONS[options.layer_name]
        return function(array, self.weight, options.group, self.bias, **options.keywords, out=out)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options}): {self.options.spaces_text(self.bias is not None)}"


class IsotropicConv(Convolution):
    """Isotropic convolution R^d -> R^d with weights of its own: `isotropic_conv` as an object.

    Shape:
        (B, C, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 9, 9), "float32")).shape
        (1, 8, 5, 5)
    """

    layer_name = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G with weights of its own: `lifting_conv` as an object.

    Shape:
        (B, C, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> LiftingConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 9, 9), "float32")).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G with weights of its own: `group_conv` as an object.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> GroupConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 4, 9, 9), "float32")).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d with weights of its own: `projection_conv` as an object.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> ProjectionConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 4, 9, 9), "float32")).shape
        (1, 8, 5, 5)
    """

    layer_name = "projection"


class GroupPool(PoolAttributes):
    """Mean or maximum over H, G -> R^d: `group_pool` as an object.

    Args:
        group: H.
        mode: ``"mean"`` or ``"max"``.

    Raises:
        TypeError, ValueError: an argument of the wrong kind.

    Example:
        >>> GroupPool(cyclic(4), "max")(numpy.zeros((1, 8, 4, 5, 5))).shape
        (1, 8, 5, 5)
    """

    def __init__(self, group: PointGroup, mode: PoolMode = "mean") -> None:
        self.options = PoolOptions(group, mode)

    def parameters(self) -> dict[str, Array]:
        """None: an empty dictionary."""
        return {}

    def __call__(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """The pooled signal.

        Raises:
            TypeError, ValueError: `x` is no signal on `input_space`.
        """
        options = self.options
        array = float_array("x", x)
        options.check(array.shape)
        return group_pool(array, options.mode, out=out)

    def __repr__(self) -> str:
        source, target = self.input_space, self.output_space
        return (
            f"GroupPool({self.group.name}, {self.mode!r}): {source} {source.shape_text('C')} -> "
            f"{target} {target.shape_text('C')}"
        )
