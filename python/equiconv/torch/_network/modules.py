# SPDX-License-Identifier: Apache-2.0
"""Modules for operations that are neither modules of PyTorch nor layers of this package."""

from __future__ import annotations

from typing import Any

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


class Upsample(nn.Module):
    """Upsampling of the axes of space, by integers."""

    def __init__(self, mode: str, factors: tuple[int, ...], align_corners: bool) -> None:
        super().__init__()
        self.mode, self.factors, self.align_corners = mode, factors, align_corners
        names = ("linear", "bilinear", "trilinear")
        self._keywords: dict[str, Any] = {"mode": "nearest"}
        if mode == "linear":
            self._keywords = {"mode": names[len(factors) - 1], "align_corners": align_corners}

    def forward(self, x: Tensor) -> Tensor:
        """The larger signal."""
        d = len(self.factors)
        scales = tuple(map(float, self.factors))
        y = nn.functional.interpolate(x.flatten(1, -d - 1), scale_factor=scales, **self._keywords)
        return y.reshape(*x.shape[:-d], *y.shape[-d:])

    def extra_repr(self) -> str:
        """The mode and the factors."""
        return f"{self.mode!r}, {self.factors}" + (", align_corners=True" if self.align_corners else "")


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
