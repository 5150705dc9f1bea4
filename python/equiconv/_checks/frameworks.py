# SPDX-License-Identifier: Apache-2.0
"""Which framework a value is of, without importing any: what is not imported is not in use."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

PACKAGES = ("equinox", "flax", "jax", "torch")


def loaded(module: str) -> Any:
    """A module that has been imported, else None."""
    found: ModuleType | None = sys.modules.get(module)
    return found


def is_of(value: object, module: str, kind: str) -> bool:
    """Whether `value` is of a type of a module. Where the module is not imported, no value is."""
    found = loaded(module)
    return found is not None and isinstance(value, getattr(found, kind, ()))


def is_torch_tensor(value: object) -> bool:
    """Whether `value` is a `torch.Tensor`."""
    return is_of(value, "torch", "Tensor")


def is_torch_module(value: object) -> bool:
    """Whether `value` is a `torch.nn.Module`."""
    return is_of(value, "torch.nn", "Module")


def is_jax_array(value: object) -> bool:
    """Whether `value` is a `jax.Array`."""
    return is_of(value, "jax", "Array")


def is_flax_module(value: object) -> bool:
    """Whether `value` is a `flax.nnx.Module`."""
    return is_of(value, "flax.nnx", "Module")


def is_equinox_module(value: object) -> bool:
    """Whether `value` is an `equinox.Module`."""
    return is_of(value, "equinox", "Module")
