# SPDX-License-Identifier: Apache-2.0
"""Layers that hold their weights, for looking and for inference in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import LARGEST, boolean, choice, generator, integer, value_text
from .._checks.arrays import Array, as_array, float_array, float_dtype, within
from .._functional.convolutions import Algorithm, Axes, Padding, PaddingMode
from .._functional.pool import PoolMode, group_pool
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer import calls as _calls
from .._layer.initialization import he_deviation
from .._layer.kernel_shape import kernel_shape, weight_shape
from .._layer.layer import LAYERS, Kernel
from .._layer.sampling import Sampling
from .._layer.spaces import ConvolutionSpaces, PoolSpaces
from .._signals.space import check_signal_space

Random: TypeAlias = np.random.Generator | int | None


class Convolution(ConvolutionSpaces):
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common."""

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
        dtype: DTypeLike = np.float32,
        rng: Random = None,
    ) -> None:
        self.group = point_group(group)
        self.in_channels = integer("in_channels", in_channels, 1, LARGEST)
        self.out_channels = integer("out_channels", out_channels, 1, LARGEST)
        self.extents, self.basis = kernel_shape(kernel, self.group)
        layer = LAYERS[self.layer_name]
        made_of = Kernel.checked(self.group, layer, (self.basis, interpolation, group_basis, quadrature))
        self.interpolation, self.group_basis, self.quadrature = interpolation, group_basis, made_of.quadrature
        self.stride, self.padding, self.dilation, self.padding_mode = stride, padding, dilation, padding_mode
        self.algorithm = algorithm
        Sampling.checked(self.group.dimension, stride, padding, dilation, padding_mode, algorithm)
        number_type = float_dtype("dtype", dtype)
        has_bias = boolean("bias", bias)
        shape = weight_shape(self.in_channels, self.out_channels, self.extents, made_of, self.group, layer)
        deviation = he_deviation(self.layer_name, self.group, self.in_channels, made_of, self.extents)
        self.weight: Array = (generator("rng", rng).standard_normal(shape) * deviation).astype(number_type)
        self.bias: Array | None = np.zeros(self.out_channels, number_type) if has_bias else None

    def parameters(self) -> dict[str, Array]:
        """The weight and, if there is one, the bias, by their names; no copies."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Takes copies of other weights, such as a trained network's.

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
        array = float_array("x", x)
        check_signal_space(type(self).__name__, self.input_space, self.in_channels, array.shape)
        sampling = (self.stride, self.padding, self.dilation, self.padding_mode, self.algorithm)
        kernel = (self.basis, self.interpolation, self.group_basis, self.quadrature)
        return _calls.forward(LAYERS[self.layer_name], array, self.weight, self.group, self.bias, sampling, kernel, out)

    def __repr__(self) -> str:
        spaces = spaces_text(self, self.weight.shape, self.bias is not None)
        return f"{type(self).__name__}({arguments_text(self)}): {spaces}"


class IsotropicConv(Convolution):
    """Isotropic convolution R^d -> R^d with weights of its own: `isotropic_conv` as an object.

    Weights are normal with He's deviation for such kernels: layers and rectifiers in turn keep the variance. Biases
    are 0.

    Args:
        in_channels, out_channels: C and O.
        kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
            `bspline_basis(5)`.
        group: H, any group.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as `isotropic_conv`.
        bias: whether there is one.
        dtype: float32 or float64.
        rng: a `numpy.random.Generator` or a seed for the weights.

    Attributes:
        weight: shape (O, C, kernel...), or (O, C, J) with a basis.
        bias: shape (O,), or None.
        algorithm: may be set, to ``"direct"`` for bits.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 9, 9), "float32")).shape
        (1, 8, 5, 5)
    """

    layer_name = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G with weights of its own: `lifting_conv` as an object.

    Weights are normal with He's deviation for such kernels: layers and rectifiers in turn keep the variance. Biases
    are 0.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rng: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as `lifting_conv`.

    Attributes:
        weight: shape (O, C, kernel...), or (O, C, J) with a basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> LiftingConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 9, 9), "float32")).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G with weights of its own: `group_conv` as an object.

    Weights are normal with He's deviation for such kernels: layers and rectifiers in turn keep the variance. It is
    ``sqrt(2 / (C |H| k^d))`` for pixels on a lattice group. Biases are 0.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rng: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as `group_conv`.

    Attributes:
        weight: shape (O, C, |H|, kernel...); J in place of the kernel's axes with a basis, I in place of |H| with a
            group basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> GroupConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 4, 9, 9), "float32")).shape
        (1, 8, 4, 5, 5)
    """

    layer_name = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d with weights of its own: `projection_conv` as an object.

    Weights are normal with He's deviation for such kernels: layers and rectifiers in turn keep the variance. Biases
    are 0.

    Args:
        in_channels, out_channels, kernel, group, bias, dtype, rng: as for `IsotropicConv`.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as for
            `projection_conv`.

    Attributes:
        weight: shape (O, C, |H|, kernel...); J in place of the kernel's axes with a basis, I in place of |H| with a
            group basis.
        bias: shape (O,), or None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> ProjectionConv(3, 8, 5, cyclic(4))(numpy.zeros((1, 3, 4, 9, 9), "float32")).shape
        (1, 8, 5, 5)
    """

    layer_name = "projection"


class GroupPool(PoolSpaces):
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
        self.group = point_group(group)
        self.mode: Literal["mean", "max"] = "max" if choice("mode", mode, ("mean", "max")) == "max" else "mean"

    def parameters(self) -> dict[str, Array]:
        """None: an empty dictionary."""
        return {}

    def __call__(self, x: ArrayLike, *, out: Array | None = None) -> Array:
        """The pooled signal.

        Raises:
            TypeError, ValueError: `x` is no signal on `input_space`.
        """
        array = float_array("x", x)
        check_signal_space("GroupPool", self.input_space, array.shape[1] if array.ndim > 1 else 0, array.shape)
        return group_pool(array, self.mode, out=out)

    def __repr__(self) -> str:
        source, target = self.input_space, self.output_space
        return (
            f"GroupPool({self.group.name}, {self.mode!r}): {source} {source.shape_text('C')} -> "
            f"{target} {target.shape_text('C')}"
        )


def arguments_text(layer: Any) -> str:
    """The arguments that made a layer, without those that are the default."""
    kernel = layer.basis if layer.basis is not None else " x ".join(map(str, layer.extents))
    defaults = {
        "stride": 1, "padding": 0, "dilation": 1, "padding_mode": "zeros", "algorithm": "auto",
        "interpolation": "bilinear", "group_basis": None, "quadrature": False,
    }  # fmt: skip
    given = {name: getattr(layer, name, default) for name, default in defaults.items()}
    options = [f"{name}={value!r}" for name, value in given.items() if value != defaults[name]]
    return ", ".join([str(layer.in_channels), str(layer.out_channels), str(kernel), layer.group.name, *options])


def spaces_text(layer: Any, weight: tuple[int, ...], has_bias: bool) -> str:
    """The spaces of a layer, with the shapes of its signals and of its parameters."""
    source, target = layer.input_space, layer.output_space
    bias = f"bias {(layer.out_channels,)}" if has_bias else "no bias"
    return (
        f"{source} {source.shape_text(layer.in_channels)} -> {target} {target.shape_text(layer.out_channels)}; "
        f"weight {weight}, {bias}"
    )


def load_parameters(own: Mapping[str, Array], given: Mapping[str, ArrayLike]) -> None:
    """Copies given numbers into all of `own`, or into none.

    Raises TypeError for what are no real numbers, ValueError for other names or shapes, for numbers that the dtype
    cannot hold, and for parameters that may not be written.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"parameters is {value_text(given)} ({type(given).__name__}), expected a mapping of names to arrays"
        )
    if set(own) != set(given):
        raise ValueError(f"parameters are {value_text(list(given))}, expected {value_text(list(own))}")
    arrays = {name: _loadable(f"parameter {name}", given[name], array) for name, array in own.items()}
    for name, array in arrays.items():
        own[name][...] = array


def _loadable(name: str, value: object, own: Array) -> Array:
    """A copy of the numbers of `value` in the shape and dtype of `own`."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if array.shape != own.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {own.shape}")
    if not own.flags.writeable:
        raise ValueError(f"{name} is read-only in this layer, expected an array that may be written")
    return within(name, array, own.dtype)
