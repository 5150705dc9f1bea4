# SPDX-License-Identifier: Apache-2.0
"""Layers in a row, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import nnx

from ..._nn.sequential import check_chain


class Sequential(nnx.Sequential):  # type: ignore[misc]
    """`flax.nnx.Sequential` that checks, when it is made, that each layer reads what the one before it writes.

    Functions, and modules without spaces such as `BatchNorm`, are assumed to keep the space and the channels.

    Args:
        layers: modules and functions, in order: at least one.

    Raises:
        TypeError: one cannot be called.
        ValueError: spaces or channels that do not fit, or no layers.

    Example:
        >>> rngs = nnx.Rngs(0)
        >>> Sequential(GroupConv(3, 8, 5, cyclic(4), rngs=rngs), GroupConv(8, 8, 5, dihedral(2), rngs=rngs))
        Traceback (most recent call last):
        ...
        ValueError: layer 1, GroupConv, wants a signal on G for D2, got one on G for C4 from layer 0, GroupConv
    """

    def __init__(self, *layers: Callable[..., Any]) -> None:
        check_chain(layers)
        super().__init__(*layers)
