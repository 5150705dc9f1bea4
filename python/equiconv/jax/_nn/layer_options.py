# SPDX-License-Identifier: Apache-2.0
"""What a layer with weights is beside them: the same for every framework of modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import numpy as np

from ..._bases.basis import GroupBasis, KernelBasis
from ..._checks.arguments import LARGEST, choice, integer
from ..._checks.arrays import check_float_dtype
from ..._functional.pool import PoolMode
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from ..._layer.initialization import he_deviation
from ..._layer.kernel_shape import kernel_shape, weight_shape
from ..._layer.layer import LAYERS, Kernel
from ..._layer.sampling import Sampling
from ..._layer.spaces import ConvolutionSpaces, PoolSpaces
from ..._nn.options import arguments_text
from ..._signals.space import SignalSpace, check_signal_space
from .._functions import group_pool
from .._primitives import calls as _calls
from .._primitives.operands import JaxArray, float_operand

_Value = TypeVar("_Value")


@dataclass(frozen=True, repr=False)
class ConvolutionOptions(ConvolutionSpaces):
    """A layer without its weights and its algorithm: hashable, and equal to one that computes the same."""

    layer_name: str
    group: PointGroup
    in_channels: int
    out_channels: int
    extents: tuple[int, ...]
    basis: KernelBasis | None
    stride: Any
    padding: Any
    dilation: Any
    padding_mode: Any
    interpolation: Any
    group_basis: GroupBasis | None
    quadrature: bool

    @classmethod
    def checked(
        cls, layer_name: str, in_channels: object, out_channels: object, kernel: object, group: object, **options: Any
    ) -> ConvolutionOptions:
        """Raises TypeError or ValueError for arguments that make no layer."""
        checked_group = point_group(group)
        inputs = integer("in_channels", in_channels, 1, LARGEST)
        outputs = integer("out_channels", out_channels, 1, LARGEST)
        extents, basis = kernel_shape(kernel, checked_group)
        kept: dict[str, Any] = {name: _hashable(value) for name, value in options.items()}
        found = cls(layer_name, checked_group, inputs, outputs, extents, basis, **kept)
        found._weight_shape()
        Sampling.checked(checked_group.dimension, *found._sampling, "auto")
        return found

    @property
    def made_of(self) -> Kernel:
        """What kernels are made of, checked."""
        return Kernel.checked(self.group, LAYERS[self.layer_name], self._kernel)

    @property
    def signature(self) -> str:
        """What weights of the layer mean: not told by their shapes alone."""
        kernel = self.basis if self.basis is not None else " x ".join(map(str, self.extents))
        on_group = "" if self.group_basis is None else f", {self.group_basis!r}"
        return f"{LAYERS[self.layer_name].function} on {self.group.name}, kernel {kernel}{on_group}"

    def draw(self, key: JaxArray, dtype: Any) -> JaxArray:
        """Weights with He's deviation for such kernels, as `equiconv.GroupConv`."""
        made_of, name = self.made_of, self.layer_name
        deviation = he_deviation(name, self.group, self.in_channels, made_of, self.extents)
        return jax.random.normal(key, self._weight_shape(), dtype) * np.dtype(dtype).type(deviation)

    def apply(self, user: str, x: object, weight: JaxArray, bias: JaxArray | None, algorithm: str) -> JaxArray:
        """The layer's output; `user` is its name in messages."""
        array = float_operand("x", x)
        check_signal_space(user, self.input_space, self.in_channels, array.shape)
        layer = LAYERS[self.layer_name]
        sampling = (*self._sampling, algorithm)
        return _calls.forward(layer, array, weight, self.group, bias, sampling, self._kernel)

    def _weight_shape(self) -> tuple[int, ...]:
        """(O, C, ...) as the weights of the functions. Raises TypeError or ValueError if there is no such weight."""
        layer = LAYERS[self.layer_name]
        return weight_shape(self.in_channels, self.out_channels, self.extents, self.made_of, self.group, layer)

    @property
    def _sampling(self) -> tuple[Any, Any, Any, Any]:
        return self.stride, self.padding, self.dilation, self.padding_mode

    @property
    def _kernel(self) -> tuple[Any, ...]:
        return self.basis, self.interpolation, self.group_basis, self.quadrature

    def __repr__(self) -> str:
        return arguments_text(self)


@dataclass(frozen=True)
class PoolOptions(PoolSpaces):
    """The mean or maximum over H of a group."""

    group: PointGroup
    mode: str

    @classmethod
    def checked(cls, group: object, mode: object) -> PoolOptions:
        """Raises TypeError or ValueError for anything else."""
        return cls(point_group(group), choice("mode", mode, ("mean", "max")))

    def apply(self, x: object) -> JaxArray:
        """The pooled signal."""
        array = float_operand("x", x)
        channels = array.shape[1] if array.ndim > 1 else 0
        check_signal_space("GroupPool", self.input_space, channels, array.shape)
        return group_pool(array, "max" if self.mode == "max" else "mean")


class HasSpaces:
    """What a module shows of the options of a pool or layer."""

    options: ConvolutionOptions | PoolOptions

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return self.options.input_space

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return self.options.output_space


class FiberPool(HasSpaces):
    """What modules that pool over H have in common."""

    options: PoolOptions

    def __init__(self, group: PointGroup, mode: PoolMode = "mean") -> None:
        """Pools (B, C, |H|, spatial...) to (B, C, spatial...).

        Args:
            group: H.
            mode: ``"mean"`` or ``"max"``.

        Raises:
            TypeError, ValueError: an argument of the wrong kind.
        """
        self.options = PoolOptions.checked(group, mode)


class HasLayer(HasSpaces):
    """What a module shows of the options of a layer."""

    options: ConvolutionOptions

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


def parameter_dtype(dtype: Any) -> Any:
    """float32 or float64. Raises TypeError for what layers do not take, and for float64 where JAX has none."""
    found = np.dtype(dtype)
    check_float_dtype("dtype", found)
    if found == np.float64 and not jax.config.jax_enable_x64:
        raise TypeError('dtype is float64, which JAX would round: use jax.config.update("jax_enable_x64", True)')
    return found


def _hashable(value: _Value) -> _Value | tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else value
