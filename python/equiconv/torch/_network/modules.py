# SPDX-License-Identifier: Apache-2.0
"""Modules for operations that are neither modules of PyTorch nor layers of this package."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..._network.about import Normalization
from .._backends import Backed, forward, transposed


class Normalize(nn.Module):
    """The normalization of an input."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, normalization: Normalization, dimension: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.normalization = normalization
        for name, numbers in (("mean", normalization.mean), ("deviation", normalization.deviation)):
            values = torch.tensor(numbers, dtype=dtype).reshape(-1, *(1,) * dimension)
            self.register_buffer(name, values, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(scale x - mean) / deviation``."""
        return (x * self.normalization.scale - self.mean) / self.deviation


class ConvolutionFunction(Backed, nn.Module):
    """A layer of a text, of tensors that it may hold or another module."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The layer's output."""
        return forward(x, weight, bias, self.layer, self.backend)

    def extra_repr(self) -> str:
        """The text."""
        return self.layer


class TransposedFunction(Backed, nn.Module):
    """The adjoint of a layer in its signal, of tensors that it may hold or another module."""

    def __init__(self, layer: str, output_padding: tuple[int, ...]) -> None:
        super().__init__()
        self.layer, self.output_padding = layer, output_padding

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """A signal on what the layer reads."""
        return transposed(x, weight, bias, self.layer, self.output_padding, self.backend)

    def extra_repr(self) -> str:
        """The text, and the padding of the output."""
        return f"{self.layer}, output_padding={self.output_padding}"


class Add(nn.Module):
    """The sum of signals, in their order."""

    def forward(self, *terms: Tensor) -> Tensor:
        """The sum."""
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total


class Concatenate(nn.Module):
    """Signals one after the other along channels."""

    def forward(self, *parts: Tensor) -> Tensor:
        """All channels."""
        return torch.cat(parts, 1)


class BatchNormFunction(nn.Module):
    """Batch normalization of tensors that it may hold or another module."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(
        self, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """The normalized signal."""
        return nn.functional.batch_norm(x, mean, variance, weight, bias, self.training, eps=self.epsilon)


class LinearFunction(nn.Module):
    """A linear map of tensors that it may hold or another module."""

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The map of a vector."""
        return nn.functional.linear(x, weight, bias)
