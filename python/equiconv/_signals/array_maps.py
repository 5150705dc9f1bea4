# SPDX-License-Identifier: Apache-2.0
"""Maps of PyTorch and JAX as maps of NumPy arrays, without importing either: what is not imported is not in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .._checks.arguments import value_text
from .._checks.arrays import Array, float_array
from .._checks.frameworks import is_jax_array, is_torch_module, is_torch_tensor, loaded

Map: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True)
class ArrayMap:
    """A map from signals to signals as one from and to NumPy arrays.

    Attributes:
        f: the map.
        convert: makes what it reads of an array; None where that is not known before it is called.
    """

    f: Map
    convert: Callable[[Array], Any] | None

    @classmethod
    def of(cls, f: Map, x: Any) -> ArrayMap:
        """The map `f`, which reads what `x` is; a module of PyTorch reads tensors in any case."""
        if is_torch_tensor(x):
            return cls(f, _to_torch(x.device))
        if is_torch_module(f):
            return cls(f, _to_torch(_device(f)))
        if is_jax_array(x):
            return cls(f, _to_jax)
        return cls(f, None)

    def __call__(self, name: str, x: Array) -> Array:
        """``f(x)``, called `name` in messages. Raises TypeError for what is no array of float32 or float64."""
        torch = loaded("torch")
        if torch is None:
            return array_of(name, self._value(x))
        with torch.no_grad():
            return array_of(name, self._value(x))

    def _value(self, x: Array) -> Any:
        if self.convert is not None:
            return self.f(self.convert(x))
        try:
            return self.f(x)
        except (TypeError, AttributeError):
            for convert in _converters():
                try:
                    return self.f(convert(x))
                except (TypeError, AttributeError):
                    continue
            raise


def array_of(name: str, value: Any) -> Array:
    """`value`, an array or a tensor of any framework, as `float_array` gives it; on the CPU, without its history."""
    if not is_torch_tensor(value):
        return float_array(name, value)
    torch = loaded("torch")
    if value.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} has dtype {value.dtype}, expected torch.float32 or torch.float64")
    if value.layout != torch.strided or value.device.type == "meta":
        raise TypeError(f"{name} is {value_text(value)}, expected a dense tensor with numbers")
    return float_array(name, value.detach().cpu().resolve_neg().numpy())


def _converters() -> list[Callable[[Array], Any]]:
    """What makes a signal of each imported framework of an array."""
    converters = {"torch": _to_torch("cpu"), "jax": _to_jax}
    return [convert for framework, convert in converters.items() if loaded(framework)]


def _to_torch(device: Any) -> Callable[[Array], Any]:
    # Always a copy: a map may write to its input, and torch warns of arrays that may not be written.
    return lambda x: loaded("torch").from_numpy(np.array(x, order="C")).to(device)


def _to_jax(x: Array) -> Any:
    return loaded("jax").numpy.asarray(x)


def _device(module: Any) -> Any:
    """Where the parameters of a module are."""
    parameter = next(module.parameters(), None)
    return "cpu" if parameter is None else parameter.device
