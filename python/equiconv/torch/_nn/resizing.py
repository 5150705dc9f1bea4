# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means that commute with the group."""

from __future__ import annotations

import math
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from ..._functional.convolutions import Axes
from ..._groups.point_group import PointGroup
from ..._nn.passes import along_axes, between, between_halves, binomial, neighbors
from ..._nn.spatial_options import AdaptiveOptions, BlurOptions, BlurPadding, UpsampleMode, UpsampleOptions
from ..._nn.windows import adaptive_windows
from .._operators.pools import spatial_mean
from .ordinary import PlainAdaptiveMean, PlainUpsample, interpolated
from .spatial import SpaceModule, largest_of_windows

_HALVES = (torch.bfloat16, torch.float16)


class Upsample(SpaceModule):
    """Upsampling of space by integers, for each channel and each element of H by itself.

    Both modes are those of PyTorch's ``interpolate``, and commute with the group to the last bit: nearest copies each
    pixel, and linear interpolates along the axes in all orders that the group exchanges, of which it takes the middle.

    Args:
        group: H, which sets the number of spatial axes.
        factor: an int, or one for each spatial axis; equal on axes that the group exchanges.
        mode: ``"nearest"`` or ``"linear"``.
        align_corners: for linear, whether the corners of the result are those of the signal.

    Shape:
        (B, C, [|H|,] spatial...) -> the same with sizes times `factor`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes.

    Network files have it.

    Example:
        >>> Upsample(cyclic(4), 2)(torch.zeros(1, 8, 4, 5, 5)).shape
        torch.Size([1, 8, 4, 10, 10])
    """

    def __init__(
        self, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
    ) -> None:
        super().__init__()
        self.options = UpsampleOptions.checked(group, factor, mode, align_corners)
        self.group, self._orbits = self.options.group, self.options.orbits
        # What has no symmetry to keep is PyTorch's own.
        self._is_plain = self.options.mode == "nearest" or self.options.is_free
        self._parts = [_parts(factor) for factor in self.options.factor]

    def _pool(self, x: Tensor) -> Tensor:
        own = self.options
        if self._is_plain:
            return interpolated(x, own.factor, own.mode, own.align_corners)
        passes = [partial(self._between, axis=axis - x.dim() + 2) for axis in range(x.dim() - 2)]
        return _along_axes(x, passes, self._orbits)

    def _between(self, x: Tensor, axis: int) -> Tensor:
        factor, size = self.options.factor[axis], x.shape[axis]
        if not self.options.align_corners:
            return _enlarged(x, axis, self._parts[axis])
        index = torch.arange(size * factor, device=x.device)
        below, above, numbers, unit = neighbors(index, size, factor, self.options.align_corners)
        larger: Tensor = between(x, axis, below, above, numbers.to(x.dtype) / unit)
        return larger

    def ordinary(self) -> PlainUpsample:
        """The same by PyTorch's ``interpolate``, equal up to rounding."""
        return PlainUpsample(self.options.factor, self.options.mode, self.options.align_corners)

    def extra_repr(self) -> str:
        """The group, and the arguments."""
        return str(self.options)


class BlurPool(SpaceModule):
    """A binomial filter of space at every few pixels, for each channel and each element of H by itself.

    What is averaged before it is sampled aliases less than what is sampled alone. Source: Zhang, "Making convolutional
    networks shift-invariant again", ICML 2019. The filter is that of repeated means of two neighbors, taken along the
    axes in all orders that the group exchanges; the middle of these commutes with the group to the last bit.

    Args:
        group: H, which sets the number of spatial axes.
        stride: an int, or one for each spatial axis.
        taps: of the filter, an int or one for each spatial axis: 3 for (1, 2, 1) / 4, 4 for (1, 3, 3, 1) / 8, and so
            on. If not given, 3 for sizes that fit it and 4 for the others, so that stride 2 fits every size.
        padding: an int, or one for each spatial axis, at most half the taps; (taps - 1) // 2 if not given.
        padding_mode: ``"replicate"``, which keeps constant signals constant, or ``"zeros"``.

    Numbers are equal on axes that the group exchanges.

    Shape:
        (B, C, [|H|,] spatial...) -> the same with sizes (n + 2 padding - taps) // stride + 1: by default and with
        stride 2, half of n, rounded up.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes, or smaller than
            the filter.

    Calls warn with an EquivarianceWarning, but not while `torch.compile` traces, where the stride does not fit the size
    on an axis that the group moves. Network files do not have it.

    Example:
        >>> BlurPool(cyclic(4))(torch.ones(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 4, 3, 3])
    """

    def __init__(
        self, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
        padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        super().__init__()
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode)
        self.group, self._orbits = self.options.group, self.options.orbits

    def _flat(self, x: Tensor) -> Tensor:
        flat = super()._flat(x)
        if not torch.compiler.is_compiling():
            self.options.check_fit(x)  # type: ignore[arg-type]
        return flat

    def _pool(self, x: Tensor) -> Tensor:
        own = self.options
        taps, padding = own.fitted(x.shape)
        x, d = self._before(x), len(taps)
        for axis, amount in enumerate(padding, -d):
            x = _padded(x, axis, amount, own.padding_mode)
        passes = [partial(binomial, axis=axis - d, taps=taps[axis], stride=own.stride[axis]) for axis in range(d)]
        return _along_axes(x, passes, self._orbits)

    def _before(self, x: Tensor) -> Tensor:
        """What is filtered."""
        return x

    def extra_repr(self) -> str:
        """The group, and the arguments."""
        return str(self.options)


class MaxBlurPool(BlurPool):
    """Maximum over windows at every pixel, then `BlurPool`: a pool of maxima that aliases less.

    Args:
        group: H, which sets the number of spatial axes.
        kernel: of the windows, an int or one for each spatial axis; their padding is (kernel - 1) // 2, so that odd
            windows keep the size, and even ones make it smaller by 1.
        stride, taps, padding, padding_mode: of the filter, as of `BlurPool`.

    Example:
        >>> MaxBlurPool(cyclic(4))(torch.ones(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 4, 3, 3])
    """

    def __init__(
        self, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
        padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
    ) -> None:  # fmt: skip
        nn.Module.__init__(self)
        self.options = BlurOptions.checked(group, stride, taps, padding, padding_mode, kernel)
        self.group, self._orbits = self.options.group, self.options.orbits

    def _before(self, x: Tensor) -> Tensor:
        return largest_of_windows(x, self.options.kernel, (1,) * len(self.options.kernel), self.options.margins)


class AdaptiveMean(SpaceModule):
    """Mean over windows of space, as many as asked for, whose bits do not depend on the order of the pixels.

    Place i of n on an axis of size s is the mean of the pixels from floor(i s / n) to ceil((i + 1) s / n), as of
    ``torch.nn.AdaptiveAvgPool2d``. These windows are symmetric, so the mean commutes with the group for every size.
    Sums are those of `SpatialMean`, in one call for all windows of one size.

    Args:
        group: H, which sets the number of spatial axes.
        size: the number of places, an int or one for each spatial axis; equal on axes that the group exchanges.

    Shape:
        (B, C, [|H|,] spatial...) -> (B, C, [|H|,] size...). Size 1 has the numbers of `SpatialMean`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal with other axes.

    Network files have it for size 1.

    Example:
        >>> AdaptiveMean(cyclic(4), 3)(torch.ones(1, 8, 4, 7, 7)).shape
        torch.Size([1, 8, 4, 3, 3])
    """

    def __init__(self, group: PointGroup, size: Axes) -> None:
        super().__init__()
        self.options = AdaptiveOptions.checked(group, size)
        self.group = self.options.group

    def _pool(self, x: Tensor) -> Tensor:
        size = self.options.size
        d = len(size)
        if all(extent % count == 0 for extent, count in zip(x.shape[-d:], size, strict=True)):
            return spatial_mean(_blocks(x, size))
        windows = [_by_extent(extent, count) for extent, count in zip(x.shape[-d:], size, strict=True)]
        numbers = torch.arange(math.prod(size)).reshape(size)
        means, places = [], []
        for alike in product(*windows):
            chosen, own = x, numbers
            for axis, (members, pixels) in enumerate(alike):
                chosen = chosen.index_select(axis - d, pixels.to(x.device))
                own = own.index_select(axis, members)
            means.append(spatial_mean(_blocks(chosen, own.shape)).flatten(2))
            places.append(own.flatten())
        order = torch.cat(places).argsort().to(x.device)
        return torch.cat(means, -1).index_select(-1, order).reshape(*x.shape[:2], *size)

    def ordinary(self) -> nn.Module:
        """The means by PyTorch alone, whose bits depend on the order of the pixels."""
        return PlainAdaptiveMean(self.options.size)

    def extra_repr(self) -> str:
        """The group, and the arguments."""
        return str(self.options)


def _by_extent(size: int, count: int) -> list[tuple[Tensor, Tensor]]:
    """Which places of an axis have windows of one extent, and the pixels of those, one window after the other."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for place, (begin, end) in enumerate(adaptive_windows(size, count)):
        members, pixels = found.setdefault(end - begin, ([], []))
        members.append(place)
        pixels.extend(range(begin, end))
    return [(torch.tensor(members), torch.tensor(pixels)) for members, pixels in found.values()]


def _parts(factor: int) -> list[tuple[int, int, float]]:
    """Which of three pixels the places of the one in the middle lie between, and where: the same at all pixels."""
    below, above, numbers, unit = neighbors(np.arange(factor, 2 * factor), 3, factor, False)
    slopes = (numbers / unit).tolist()
    return list(zip(below.tolist(), above.tolist(), slopes, strict=True))


def _enlarged(x: Tensor, axis: int, parts: list[tuple[int, int, float]]) -> Tensor:
    """The numbers between those of an axis."""
    half = _padded(x * 0.5, axis, 1, "replicate")
    near = [half.narrow(axis, first, x.shape[axis]) for first in range(3)]
    numbers = [between_halves(near[one], near[other], slope) if one != other else x for one, other, slope in parts]
    place = x.dim() + axis
    return torch.stack(numbers, place + 1).flatten(place, place + 1)


def _blocks(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """(B, C, size..., pixels of a block), for sizes that divide those of space."""
    d = len(size)
    sizes = [part for extent, count in zip(x.shape[-d:], size, strict=True) for part in (count, extent // count)]
    places, pixels = range(2, 2 + 2 * d, 2), range(3, 3 + 2 * d, 2)
    return x.reshape(*x.shape[:2], *sizes).permute(0, 1, *places, *pixels).flatten(2 + d)


def _along_axes(x: Tensor, passes: list[partial[Tensor]], orbits: list[tuple[int, ...]]) -> Tensor:
    """The passes, in single precision for half precision."""
    wide = x.float() if x.dtype in _HALVES else x
    y: Tensor = along_axes(wide, passes, orbits, torch.minimum, torch.maximum)
    return y.to(x.dtype)


def _padded(x: Tensor, axis: int, amount: int, mode: str) -> Tensor:
    """Padding of both ends of an axis; PyTorch's own with the last number has no gradient of fixed order on GPUs."""
    if amount == 0:
        return x
    ends = [x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)]
    if mode == "zeros":
        ends = [torch.zeros_like(end) for end in ends]
    first, last = (torch.cat([end] * amount, axis) for end in ends)
    return torch.cat([first, x, last], axis)
