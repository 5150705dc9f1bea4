# SPDX-License-Identifier: Apache-2.0
"""Ordinary modules of PyTorch that equal those of this package: what a network for export is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ..._layer.sampling import Sampling
from .._expanded.padding import folded

OrdinaryConvolution: TypeAlias = nn.Conv1d | nn.Conv2d | nn.Conv3d
OrdinaryTransposed: TypeAlias = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d

_CONVOLUTIONS: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED: tuple[Any, ...] = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LARGEST_OF_WINDOWS: tuple[Any, ...] = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_ADAPTIVE_MEAN: tuple[Any, ...] = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_MEAN_OF_WINDOWS: tuple[Any, ...] = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)


def ordinary_convolution(
    bank: Tensor, bias: Tensor | None, extents: tuple[int, ...], sampling: Sampling, groups: int = 1
) -> OrdinaryConvolution:
    """The convolution with copies of this filter bank and bias.

    Args:
        bank: (O |Y|, C |X|, taps...), of the dtype and on the device of the layer.
        bias: (O |Y|,), or None.
        extents: the taps of the layer's kernel, about whose center the bank lies.
        sampling: of the layer.
        groups: of the convolution, whose bank is (O |Y|, C |X| / groups, taps...).
    """
    padding = sampling.amounts_of_bank(extents, tuple(bank.shape[2:]))
    convolution: OrdinaryConvolution = _CONVOLUTIONS[len(extents) - 1](
        bank.shape[1] * groups,
        bank.shape[0],
        tuple(bank.shape[2:]),
        stride=sampling.stride,
        padding=padding,
        dilation=sampling.dilation,
        padding_mode=sampling.padding_mode,
        groups=groups,
        bias=bias is not None,
        device=bank.device,
        dtype=bank.dtype,
    )
    with torch.no_grad():
        convolution.weight.copy_(bank)
        if convolution.bias is not None and bias is not None:
            convolution.bias.copy_(bias)
    return convolution


def ordinary_transposed(
    bank: Tensor, bias: Tensor | None, extents: tuple[int, ...], sampling: Sampling, output_padding: tuple[int, ...],
    groups: int = 1,
) -> nn.Module:  # fmt: skip
    """The transposed convolution with copies of this filter bank and bias.

    Args:
        bank: (O |Y|, C |X|, taps...), of the dtype and on the device of the layer.
        bias: (C |X|,), or None.
        extents, sampling: as of `ordinary_convolution`.
        output_padding: of the call.
        groups: of the convolution.
    """
    padding = sampling.amounts_of_bank(extents, tuple(bank.shape[2:]))
    mode, zeros = sampling.padding_mode, (0,) * len(extents)
    is_folded = mode != "zeros"
    convolution: OrdinaryTransposed = _TRANSPOSED[len(extents) - 1](
        bank.shape[0],
        bank.shape[1] * groups,
        tuple(bank.shape[2:]),
        stride=sampling.stride,
        padding=zeros if is_folded else padding,
        output_padding=zeros if is_folded else output_padding,
        dilation=sampling.dilation,
        bias=bias is not None and not is_folded,
        groups=groups,
        device=bank.device,
        dtype=bank.dtype,
    )
    with torch.no_grad():
        convolution.weight.copy_(bank)
        if convolution.bias is not None and bias is not None:
            convolution.bias.copy_(bias)
    return nn.Sequential(convolution, Folded(mode, padding, output_padding, bias)) if is_folded else convolution


class Folded(nn.Module):
    """The adjoint of padding other than with zeros, which PyTorch's transposed convolutions do not have, and a bias."""

    bias: nn.Parameter | None

    def __init__(
        self, mode: str, padding: tuple[int, ...], output_padding: tuple[int, ...], bias: Tensor | None
    ) -> None:
        super().__init__()
        self.mode, self.padding, self.output_padding = mode, padding, output_padding
        self.bias = None if bias is None else nn.Parameter(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Adds what lies beyond the border to where it is again."""
        d = len(self.padding)
        sizes = tuple(
            end - 2 * padding + more
            for end, padding, more in zip(x.shape[-d:], self.padding, self.output_padding, strict=True)
        )
        x = folded(x, sizes, self.padding, self.mode)
        return x if self.bias is None else x + self.bias.reshape(-1, *(1,) * d)


class FiberPool(nn.Module):
    """Mean or maximum over the axis of H."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, |H|, spatial...) to (B, C, spatial...)."""
        return x.mean(2) if self.mode == "mean" else x.amax(2)


class Mean(nn.Module):
    """Mean over the spatial axes."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, [|H|,] spatial...) to (B, C, [|H|])."""
        return x.mean(tuple(range(-self.dimension, 0)))


class Windows(nn.Module):
    """Maximum or mean over windows of space."""

    def __init__(
        self, is_max: bool, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], **flags: bool
    ) -> None:
        super().__init__()
        self.dimension = len(kernel)
        kinds = _LARGEST_OF_WINDOWS if is_max else _MEAN_OF_WINDOWS
        self.windows = kinds[self.dimension - 1](kernel, stride, padding, **flags)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, [|H|,] spatial...) to the same with other sizes, by way of (B, C |H|, spatial...)."""
        return of_space(self.windows, x, self.dimension)


class PlainUpsample(nn.Module):
    """Upsampling of the axes of space, by integers."""

    def __init__(self, factors: tuple[int, ...], mode: str, align_corners: bool) -> None:
        super().__init__()
        self.factors, self.mode, self.align_corners = factors, mode, align_corners

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, [|H|,] spatial...) to the same with larger sizes, by way of (B, C |H|, spatial...)."""
        enlarge = partial(interpolated, factors=self.factors, mode=self.mode, align_corners=self.align_corners)
        return of_space(enlarge, x, len(self.factors))

    def extra_repr(self) -> str:
        """The mode and the factors."""
        return f"{self.factors}, {self.mode!r}" + (", align_corners=True" if self.align_corners else "")


class PlainAdaptiveMean(nn.Module):
    """Means of so many windows of space."""

    def __init__(self, size: tuple[int, ...]) -> None:
        super().__init__()
        self.windows = _ADAPTIVE_MEAN[len(size) - 1](size)
        self.dimension = len(size)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, [|H|,] spatial...) to the same with these sizes, by way of (B, C |H|, spatial...)."""
        return of_space(self.windows, x, self.dimension)


def interpolated(x: Tensor, factors: tuple[int, ...], mode: str, align_corners: bool) -> Tensor:
    """(B, C, spatial...) to the same with larger sizes."""
    keywords: dict[str, Any] = {"mode": "nearest"}
    if mode == "linear":
        names = ("linear", "bilinear", "trilinear")
        keywords = {"mode": names[len(factors) - 1], "align_corners": align_corners}
    return nn.functional.interpolate(x, scale_factor=tuple(map(float, factors)), **keywords)


def of_space(function: Callable[[Tensor], Tensor], x: Tensor, dimension: int) -> Tensor:
    """What a function of (B, C |H|, spatial...) makes of a signal (B, C, [|H|,] spatial...)."""
    y = function(x.flatten(1, -dimension - 1))
    return y.reshape(*x.shape[:-dimension], *y.shape[-dimension:])
