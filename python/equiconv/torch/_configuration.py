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

from .._groups import PointGroup
from .._layers import Kernel, KernelArguments, Layer
from .._sampling import Sampling, SamplingArguments


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

    def name(self) -> str:
        """A text that differs where configurations do."""
        options = [
            f"{name}={value!r}"
            for name, value in (vars(self.sampling) | vars(self.kernel)).items()
            if value is not None
        ]
        exact = repr((self.group.__reduce__()[1], self.layer.spaces, *map(_recipe, self.kernel_arguments)))
        digest = hashlib.sha256(exact.encode()).hexdigest()[:16]
        return f"{self.layer.function} {self.group.name} {' '.join(options)} #{digest}"


def _recipe(value: object) -> object:
    """Bases print shortened: what they are made of instead."""
    return getattr(value, "_recipe", value)


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


def name_of(
    layer: Layer, group: PointGroup, sampling_arguments: SamplingArguments, kernel_arguments: KernelArguments
) -> str:
    """The name of a layer with these options. Raises TypeError or ValueError for options that do not fit."""
    if layer.spaces is None:
        try:
            return _name_of(layer, group, sampling_arguments, kernel_arguments)
        except TypeError as error:
            # Options that have no hash are lists, or wrong; the checks take the former and name the latter.
            if "unhashable" not in str(error):
                raise
    return _make(layer, group, sampling_arguments, kernel_arguments)


def _make(
    layer: Layer, group: PointGroup, sampling_arguments: SamplingArguments, kernel_arguments: KernelArguments
) -> str:
    sampling = Sampling.checked(group.dimension, *sampling_arguments)
    return register(Configuration(layer, group, sampling, Kernel.checked(group, layer, kernel_arguments)))


_name_of = lru_cache(maxsize=1024)(_make)
