# SPDX-License-Identifier: Apache-2.0
"""The network of equivariance.py made of escnn's layers with their defaults, if escnn and PyTorch are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import torch
    from escnn import gspaces, nn
except ImportError:
    torch = None

CHANNELS = 4


def _network(order: int, kernel: int, seed: int, padding: str) -> Callable[[Any], Any]:
    """Lifting convolution, ReLU, group convolution, mean over H; escnn's initial weights."""
    torch.manual_seed(seed)
    space = gspaces.rot2dOnR2(order)
    plane = nn.FieldType(space, [space.trivial_repr])
    group = nn.FieldType(space, CHANNELS * [space.regular_repr])
    options = {"kernel_size": kernel, "padding": kernel // 2 if padding == "same" else 0, "bias": False}
    layers = nn.SequentialModule(nn.R2Conv(plane, group, **options), nn.ReLU(group), nn.R2Conv(group, group, **options))
    layers = layers.double().eval()

    def run(x: Any) -> Any:
        with torch.no_grad():
            y = layers(nn.GeometricTensor(torch.from_numpy(np.ascontiguousarray(x)), plane)).tensor.numpy()
        return y.reshape(y.shape[0], CHANNELS, order, *y.shape[2:]).mean(axis=2)

    return run


escnn_network = None if torch is None else _network
