# SPDX-License-Identifier: Apache-2.0
"""The options of layers and pools as their attributes, in every framework."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar, overload

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from .._functional.pool import PoolMode
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._signals.space import SignalSpace
from .options import ConvolutionOptions, PoolOptions, TransposedOptions, defaults

_Value = TypeVar("_Value")


class Attribute(Generic[_Value]):
    """An attribute of a module that is one of its options.

    To set one is to give the module other options, which are checked; those that decide the shape of its weights cannot
    be set.
    """

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, module: None, owner: type) -> Attribute[_Value]: ...

    @overload
    def __get__(self, module: Any, owner: type) -> _Value: ...

    def __get__(self, module: Any, owner: type) -> Attribute[_Value] | _Value:
        if module is None:
            return self
        value: _Value = getattr(module.options, self._name)
        return value

    def __set__(self, module: Any, value: _Value) -> None:
        options = module.options
        if self._name not in defaults(options):
            raise AttributeError(f"{self._name} of {type(module).__name__} cannot be set: make a new layer")
        module.options = replace(options, **{self._name: value})


class ConvolutionAttributes:
    """Those of `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv`, whose options are `options`."""

    options: ConvolutionOptions

    group: Attribute[PointGroup] = Attribute("H.")
    in_channels: Attribute[int] = Attribute("C.")
    out_channels: Attribute[int] = Attribute("O.")
    extents: Attribute[tuple[int, ...]] = Attribute("The taps of the kernel on each axis.")
    basis: Attribute[KernelBasis | None] = Attribute("What kernels are made of; None for pixels.")
    kernel: Attribute[tuple[int, ...] | KernelBasis] = Attribute("The basis, or the extents of pixels.")
    input_space: Attribute[SignalSpace] = Attribute("What the layer reads.")
    output_space: Attribute[SignalSpace] = Attribute("What the layer writes.")

    stride: Attribute[Axes] = Attribute("Pixels from one output to the next, on each axis.")
    padding: Attribute[Padding] = Attribute("Pixels added on both sides of each axis.")
    dilation: Attribute[Axes] = Attribute("Pixels from one tap of the kernel to the next, on each axis.")
    padding_mode: Attribute[PaddingMode] = Attribute("What is beyond the border: zeros, or the signal again.")
    algorithm: Attribute[Algorithm] = Attribute('How the layer is computed: ``"exact"`` for bits.')
    interpolation: Attribute[Interpolation] = Attribute("How pixels of a kernel are turned by other angles than 90.")
    group_basis: Attribute[GroupBasis | None] = Attribute("Functions on H that kernels are made of; None for numbers.")
    groups: Attribute[int] = Attribute("Parts of the channels, each of which a part of the output is made of.")
    quadrature: Attribute[bool] = Attribute("Whether sums over H are means with the group's quadrature weights.")


class TransposedAttributes(ConvolutionAttributes):
    """Those of `TransposedConv`."""

    options: TransposedOptions

    layer_name: Attribute[LayerName] = Attribute("The layer whose adjoint it is.")
    output_padding: Attribute[Axes] = Attribute("Pixels added at the end of each axis of the result.")


class PoolAttributes:
    """Those of `GroupPool`, whose options are `options`."""

    options: PoolOptions

    group: Attribute[PointGroup] = Attribute("H.")
    mode: Attribute[PoolMode] = Attribute('``"mean"`` or ``"max"``.')
    input_space: Attribute[SignalSpace] = Attribute("What the pool reads.")
    output_space: Attribute[SignalSpace] = Attribute("What the pool writes.")


class ExactSums:
    """Modules whose sums may be asked not to depend on the order of their terms, for bits, at a price."""

    exact: bool
