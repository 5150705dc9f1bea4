# SPDX-License-Identifier: Apache-2.0
"""Layers with the names and attributes of those of GrouPy for PyTorch, computed by its definition.

GrouPy itself is not on PyPI. An element of p4m is (m, r), number 4 m + r; its matrix on (row, column) is M(m) R(r) with
M(1) = diag(-1, 1) and R(r) = [[cos, -sin], [sin, cos]] of r quarter turns. A filter w is turned into w_g(h, u) =
w(g^-1 h, g^-1 u), and correlated with the signal.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import conv2d, max_pool2d

_TURN = np.array([[0, -1], [1, 0]])
_MIRROR = np.array([[-1, 0], [0, 1]])
MATRICES = [np.linalg.matrix_power(_MIRROR, m) @ np.linalg.matrix_power(_TURN, r) for m in range(2) for r in range(4)]


def number(matrix):
    """Of the element with this matrix."""
    return next(index for index, each in enumerate(MATRICES) if np.array_equal(each, matrix))


def turned(weight, element):
    """The filters (O, C, S, k, k), turned by an element."""
    stabilizer, extent = weight.shape[2], weight.shape[-1]
    back, center = np.linalg.inv(MATRICES[element]).astype(int), (extent - 1) / 2
    result = torch.empty_like(weight)
    for h in range(stabilizer):
        source = number(back @ MATRICES[h]) if stabilizer > 1 else 0
        for row in range(extent):
            for column in range(extent):
                u, v = (back @ (np.array([row, column]) - center) + center).round().astype(int)
                result[:, :, h, row, column] = weight[:, :, source, u, v]
    return result


class SplitGConv2D(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = (stride, stride), (padding, padding)
        self.input_stabilizer_size, self.output_stabilizer_size = self.sizes
        shape = (out_channels, in_channels, self.input_stabilizer_size, kernel_size, kernel_size)
        self.weight = torch.nn.Parameter(torch.randn(shape) / np.sqrt(np.prod(shape[1:])))
        self.bias = torch.nn.Parameter(torch.randn(out_channels)) if bias else None

    def forward(self, x):
        flat = x.reshape(len(x), -1, *x.shape[-2:])
        banks = [turned(self.weight, element).flatten(1, 2) for element in range(self.output_stabilizer_size)]
        maps = [conv2d(flat, bank, self.bias, self.stride, self.padding) for bank in banks]
        return torch.stack(maps, 2)


class P4ConvZ2(SplitGConv2D):
    sizes = (1, 4)


class P4ConvP4(SplitGConv2D):
    sizes = (4, 4)


class P4MConvZ2(SplitGConv2D):
    sizes = (1, 8)


class P4MConvP4M(SplitGConv2D):
    sizes = (8, 8)


def plane_group_spatial_max_pooling(x, ksize, stride=None, pad=0):
    y = max_pool2d(x.flatten(1, 2), ksize, stride, pad)
    return y.reshape(*x.shape[:3], *y.shape[-2:])


def run(modules, x):
    """The modules of a list, one after the other."""
    for module in modules:
        x = module(x)
    return x
