# SPDX-License-Identifier: Apache-2.0
"""The backend of all layers of a network at once."""

from __future__ import annotations

from torch import nn

from ..._checks.arguments import value_text
from .._backends import Backed, Backend, checked_backend


def set_backend(network: nn.Module, backend: Backend | None) -> None:
    """Makes all convolutions of a network be computed by one backend.

    Args:
        network: a module with layers of this package at any depth.
        backend: ``"engine"``, ``"torch"``, or None for what fits the signal; see `conv`.

    Raises:
        TypeError, ValueError: another backend; `network` is no module, or has no layer of this package. Nothing is
            changed then.

    Example:
        >>> network = torch.nn.Sequential(LiftingConv(3, 8, 5, cyclic(4)), torch.nn.ReLU())
        >>> set_backend(network, "torch")
        >>> network[0].backend
        'torch'
    """
    checked = checked_backend(backend)
    if not isinstance(network, nn.Module):
        raise TypeError(f"network is {value_text(network)} ({type(network).__name__}), expected a torch.nn.Module")
    layers = [module for module in network.modules() if isinstance(module, Backed)]
    if not layers:
        raise ValueError(f"network is {value_text(network)}, expected one with a convolution of equiconv.torch")
    for layer in layers:
        layer.backend = checked
