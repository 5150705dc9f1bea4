# SPDX-License-Identifier: Apache-2.0
"""What torch's operators cannot pass on as a tensor: layers with all their options, under names.

Operators take tensors, numbers and strings. A layer's options therefore go by a string, which tells them to a reader
and is the key of a table of this process. A compiled program holds such strings; where it is run in another process,
its layers have to be made there first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..._bases.basis import GroupBasis, KernelBasis
from ..._groups.arguments import Stabilizer
from ..._groups.point_group import PointGroup
from ..._layer.layer import Kernel, KernelArguments, Layer, general_layer
from ..._layer.operands import check_operands
from ..._layer.sampling import Sampling, SamplingArguments, check_fit, output_shape
from .tensors import Form


@dataclass(frozen=True)
class Configuration:
    """A layer with all its options, checked."""

    layer: Layer
    group: PointGroup
    sampling: Sampling
    kernel: Kernel

    @cached_property
    def sampling_arguments(self) -> SamplingArguments:
        """As the functions of `_calls` take them."""
        sampling = self.sampling
        return (sampling.stride, sampling.padding, sampling.dilation, sampling.padding_mode, sampling.algorithm)

    @cached_property
    def kernel_arguments(self) -> KernelArguments:
        """As the functions of `_calls` take them."""
        kernel = self.kernel
        return (kernel.basis, kernel.interpolation, kernel.group_basis, kernel.quadrature)

    @cached_property
    def spaces(self) -> tuple[Stabilizer, Stabilizer, bool] | None:
        """As the extension takes them."""
        return self.layer.spaces

    def name(self) -> str:
        """A text that differs where configurations do."""
        options = [
            f"{name}={value!r}"
            for name, value in (vars(self.sampling) | vars(self.kernel)).items()
            if value is not None
        ]
        text = repr(exact((self.group.__reduce__()[1], self.spaces, self.kernel_arguments)))
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return f"{self.layer.function} {self.group.name} {' '.join(options)} #{digest}"


def exact(value: object) -> object:
    """What prints with all digits in place of `value`: arrays print rounded, and bases by the names of functions."""
    if isinstance(value, Stabilizer):
        value = value.get_elements()
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, (value + 0).tobytes())
    return tuple(map(exact, value)) if isinstance(value, tuple) else getattr(value, "_recipe", value)


# Shapes do not depend on it.
_ANY = np.dtype(np.float32)

_TABLE: dict[str, Configuration] = {}


def register(configuration: Configuration) -> str:
    """The name of a configuration, under which `configuration_of` finds it from now on."""
    name = configuration.name()
    _TABLE[name] = configuration
    return name


def configuration_of(name: str) -> Configuration:
    """The configuration of a name. Raises ValueError for one that was not made in this process."""
    try:
        return _TABLE[name]
    except KeyError:
        raise ValueError(
            f"layer is {name!r}, which was not made in this process: make a layer with these options before you run a "
            "program that was compiled elsewhere"
        ) from None


@lru_cache(maxsize=4096)
def output_shape_of(name: str, x: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of the output for operands of these shapes; None if they do not fit, which their checks explain."""
    made = configuration_of(name)
    signal, kernel = Form(x, len(x), _ANY), Form(weight, len(weight), _ANY)
    try:
        check_operands(signal, kernel, made.group, made.layer, made.kernel, made.layer.function)
        extents = made.kernel.extents(kernel, made.group.dimension)
        check_fit(signal, kernel, extents, made.sampling)
    except ValueError:
        return None
    return output_shape(signal, weight[0], extents, made.group, made.layer, made.sampling)


def name_of(layer: Layer, group: PointGroup, *options: object) -> str:
    """The name of a layer with these options. Raises TypeError or ValueError for options that do not fit.

    Args:
        layer, group: of the layer.
        options: stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature.
    """
    return _name_of(layer, group, *options) if _are_plain(options) else _make(layer, group, *options)


def name_between(
    input_stabilizer: object, output_stabilizer: object, depthwise: object, group: PointGroup, *options: object
) -> str:
    """The name of the layer between the quotients by two stabilizers; otherwise as `name_of`."""
    spaces = (_as_tuple(input_stabilizer), _as_tuple(output_stabilizer), depthwise)
    if _are_plain((*spaces, *options)):
        return _name_between(*spaces, group, *options)
    return _make_between(*spaces, group, *options)


# What may be looked up by its value and type. Tuples are the same only if their items are: (1, True) equals (1, 1), but
# is an error.
_PLAIN = frozenset((int, str, bool, type(None), KernelBasis, GroupBasis))
_PLAIN_OR_TUPLE = _PLAIN | {tuple}
_INTEGERS = frozenset((int,))


def _are_plain(options: tuple[object, ...]) -> bool:
    types = set(map(type, options))
    return types <= _PLAIN or (
        types <= _PLAIN_OR_TUPLE
        and all(_INTEGERS.issuperset(map(type, option)) for option in options if type(option) is tuple)
    )


def _as_tuple(stabilizer: object) -> object:
    return tuple(stabilizer) if isinstance(stabilizer, list | range) else stabilizer


def _make(layer: Layer, group: PointGroup, *options: object) -> str:
    sampling = Sampling.checked(group.dimension, *options[:5])
    basis, interpolation, group_basis, quadrature = options[5:]
    kernel = Kernel.checked(group, layer, (basis, interpolation, group_basis, quadrature))
    return register(Configuration(layer, group, sampling, kernel))


def _make_between(
    input_stabilizer: object, output_stabilizer: object, depthwise: object, group: PointGroup, *options: object
) -> str:
    return _make(general_layer(group, input_stabilizer, output_stabilizer, depthwise), group, *options)


_name_of = lru_cache(maxsize=1024, typed=True)(_make)
_name_between = lru_cache(maxsize=1024, typed=True)(_make_between)
