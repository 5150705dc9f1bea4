# SPDX-License-Identifier: Apache-2.0
"""Networks without equiconv: the equal ordinary convolutions, which export to ONNX."""

from __future__ import annotations

import copy

from torch import nn

from .sharded import check_is_whole
from .signal_module import SignalModule


def expand(network: nn.Module) -> nn.Module:
    """A copy of a network in which ordinary modules of torch take the place of this package's.

    Layers become ``Conv2d`` (or 1d, 3d) between reshapes to (B, C |H|, rows, columns) and back, so that signals keep
    their shapes and all other modules work as they are. The copy calls no operator of equiconv, and exports to ONNX. It
    has |H| times the weights of a group layer, and equals the network up to rounding.

    Args:
        network: any module; those of this package may be anywhere in it, by attribute or in containers.

    Returns:
        The copy, on the same device, in the same dtype, and in the same mode of training or evaluation.

    Raises:
        TypeError: `network` is no module.
        ValueError: its parameters are shared out between processes.

    Example:
        >>> network = torch.nn.Sequential(LiftingConv(3, 8, 5, cyclic(4)), torch.nn.ReLU(), GroupPool(cyclic(4)))
        >>> x = torch.randn(1, 3, 9, 9)
        >>> torch.allclose(expand(network)(x), network(x), atol=1e-5)
        True
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network is of type {type(network).__name__}, expected a torch.nn.Module")
    check_is_whole("network", network)
    return _expanded(copy.deepcopy(network))


def _expanded(module: nn.Module) -> nn.Module:
    ordinary = module.ordinary() if isinstance(module, SignalModule) else None
    if ordinary is not None:
        return ordinary.train(module.training)
    for name, child in list(module.named_children()):
        setattr(module, name, _expanded(child))
    return module
