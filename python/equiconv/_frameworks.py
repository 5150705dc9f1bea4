# SPDX-License-Identifier: Apache-2.0
"""Maps of PyTorch and JAX as maps of NumPy arrays, without importing either: what is not imported is not in use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ._arguments import Array, float_array, value_text

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
    def of(cls, f: Map, x: object) -> ArrayMap:
        """The map `f`, which reads what `x` is; a module of PyTorch reads tensors in any case."""
        torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
        if torch is not None and isinstance(x, torch.Tensor):
            return cls(f, _to_torch(torch, x.device))
        if torch is not None and isinstance(f, torch.nn.Module):
            return cls(f, _to_torch(torch, _device(f)))
        if jax is not None and isinstance(x, jax.Array):
            return cls(f, jax.numpy.asarray)
        return cls(f, None)

    def __call__(self, name: str, x: Array) -> Array:
        """``f(x)``, called `name` in messages. Raises TypeError for what is no array of float32 or float64."""
        torch = sys.modules.get("torch")
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


def array_of(name: str, value: object) -> Array:
    """`value`, an array or a tensor of any framework, as `float_array` gives it; on the CPU, without its history."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return float_array(name, value)
    if value.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} has dtype {value.dtype}, expected torch.float32 or torch.float64")
    if value.layout != torch.strided or value.device.type == "meta":
        raise TypeError(f"{name} is {value_text(value)}, expected a dense tensor with numbers")
    return float_array(name, value.detach().cpu().resolve_neg().numpy())


def _converters() -> list[Callable[[Array], Any]]:
    """What makes a signal of each imported framework of an array."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    return ([] if torch is None else [_to_torch(torch, "cpu")]) + ([] if jax is None else [jax.numpy.asarray])


def _to_torch(torch: Any, device: Any) -> Callable[[Array], Any]:
    # Always a copy: a map may write to its input, and torch warns of arrays that may not be written.
    return lambda x: torch.from_numpy(np.array(x, order="C")).to(device)


def _device(module: Any) -> Any:
    """Where the parameters of a module are."""
    parameter = next(module.parameters(), None)
    return "cpu" if parameter is None else parameter.device
