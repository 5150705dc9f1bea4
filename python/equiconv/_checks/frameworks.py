# SPDX-License-Identifier: Apache-2.0
"""Values of frameworks, without importing any: what is not imported is not in use."""

from __future__ import annotations

import sys

PACKAGES = ("equinox", "flax", "jax", "torch")


def is_of(value: object, module: str, kind: str) -> bool:
    """Whether `value` is of a type of a module, which is not imported for that: where it is not, no value is."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, kind, ()))
