# SPDX-License-Identifier: Apache-2.0
"""Modules of Flax whose options are attributes."""

from __future__ import annotations

from typing import Any

from flax import nnx

from ..._nn.attributes import Attribute


class Module(nnx.Module):  # type: ignore[misc]
    """A module that Flax sees the options of, and not the attributes that show one of them."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), Attribute):
            # Flax would keep the name as that of one more attribute. It hears of the options.
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)
