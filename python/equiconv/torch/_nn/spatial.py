# SPDX-License-Identifier: Apache-2.0
"""Pooling over space that commutes with the group."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import boolean
from ..._functional.convolutions import Axes
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from ..._nn.spatial_options import WindowOptions
from ..._nn.windows import (
    WindowPadding,
    check_spatial_axes,
    checked_windows,
    padding_of_windows,
    padding_of_windows_of_all_sizes,
    warn_of_windows,
)
from .._expanded.operands import check_numbers
from .._operators.library import operators
from .._operators.pools import spatial_mean
from .._operators.sums import has_double
from .history import writes
from .ordinary import Mean, Windows
from .signal_module import SignalModule

_LAYOUTS = (torch.contiguous_format, torch.channels_last, torch.channels_last_3d)


class SpaceModule(SignalModule):
    """A map of space that is the same for all channels and elements, to memory as that of the signal."""

    group: PointGroup

    def forward(self, x: Tensor) -> Tensor:
        """The signal on another grid."""
        d = self.group.dimension
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        # In memory as the signal is: plain, or with channels last.
        layout = _LAYOUTS[d - 1] if _has_channels_last(x, d) else torch.contiguous_format
        y = self._pool(self._flat(x)).contiguous(memory_format=layout)
        y = y.reshape(*x.shape[:-d], *y.shape[-d:])
        return y if torch.compiler.is_compiling() or x.dim() == 2 + d else writes(y, self.group)

    def _pool(self, x: Tensor) -> Tensor:
        """The map of a flat signal."""
        raise NotImplementedError

    def _flat(self, x: Tensor) -> Tensor:
        """(B, C |H|, spatial...), after checks and warnings."""
        d = self.group.dimension
        check_spatial_axes(type(self).__name__, tuple(x.shape), self.group, may_be_empty=False)
        check_numbers("x", x)
        if not torch.compiler.is_compiling():
            self._look_back(x, self.group if x.dim() == 3 + d else None)
        return x.flatten(1, -d - 1)


class _SpatialPool(SpaceModule):
    """Windows of the spatial axes, for all channels and elements alike."""

    ceil_mode = False
    count_include_pad = True

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        """Pools (B, C, [|H|,] spatial...) to sizes (n + 2 padding - kernel) // stride + 1.

        Args:
            group: H, which sets the number of spatial axes, and which of them windows have to be symmetric on.
            kernel, stride, padding: an int, or one for each spatial axis; `stride` is `kernel` if not given, and
                `padding` may be ``"equivariant"``, as for `conv`.
            ceil_mode: whether the division rounds up: a last window may reach beyond the padding at the end.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.

        Calls warn with an EquivarianceWarning, but not while `torch.compile` traces, where ``(n + 2 padding - kernel)
        % stride`` is not 0 on an axis that the group moves: the windows leave out a margin on one side, or reach beyond
        it. The message names sizes that fit.
        """
        super().__init__()
        self.group, self.kernel, self.stride, self.padding = checked_windows(group, kernel, stride, padding)
        self.ceil_mode = boolean("ceil_mode", ceil_mode)

    def _traced(self, x: Any) -> Any:
        d = self.group.dimension
        return self._pool(x.flatten(1, -d - 1)).unflatten(1, x.shape[1:-d])  # type: ignore[no-untyped-call]

    def _flat(self, x: Tensor) -> Tensor:
        """(B, C |H|, spatial...), after a warning where the stride does not fit the size."""
        d = self.group.dimension
        check_spatial_axes(type(self).__name__, tuple(x.shape), self.group)
        if not torch.compiler.is_compiling():
            self._look_back(x, self.group if x.dim() == 3 + d else None)
            padding = padding_of_windows(x.shape, self.group, self.kernel, self.stride, self.padding)
            warn_of_windows(x, self.group, self.kernel, self.stride, padding)  # type: ignore[arg-type]
        # torch pools several times faster where channels lie next to each other, even with the copies there and back on
        # a signal that has them elsewhere.
        return x.flatten(1, -d - 1).contiguous(memory_format=_LAYOUTS[d - 1])

    def _amounts(self, x: Any) -> tuple[int, ...]:
        """The padding of each axis for a signal; compilers do not look at sizes where all have the same."""
        if not isinstance(x, Tensor) or (torch.compiler.is_compiling() and max(self.stride) <= 2):
            return self._amounts_of_all_sizes()
        return padding_of_windows(x.shape, self.group, self.kernel, self.stride, self.padding)

    def _amounts_of_all_sizes(self) -> tuple[int, ...]:
        return padding_of_windows_of_all_sizes(self.kernel, self.stride, self.padding)

    def ordinary(self) -> nn.Module:
        """The same windows, by PyTorch alone."""
        keywords = {} if isinstance(self, SpatialMaxPool) else {"count_include_pad": self.count_include_pad}
        padding = self._amounts_of_all_sizes()
        return Windows(not keywords, self.kernel, self.stride, padding, ceil_mode=self.ceil_mode, **keywords)

    def extra_repr(self) -> str:
        """The group, and the arguments."""
        windows = (self.kernel, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return str(WindowOptions(self.group, *windows))


def _has_channels_last(x: Tensor, dimension: int) -> bool:
    """Whether the channels of a signal, with H, are next to each other in memory, as convolutions of torch write it."""
    if dimension == 1 or torch.compiler.is_compiling() or x.is_contiguous():
        return False
    return x.movedim(tuple(range(-dimension, 0)), tuple(range(1, dimension + 1))).is_contiguous()


class SpatialMaxPool(_SpatialPool):
    """Maximum over windows of space, for each channel and each element of H by itself; equivariant to the last bit.

    Example:
        >>> SpatialMaxPool(cyclic(4), 2)(torch.zeros(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 4, 3, 3])
    """

    def _pool(self, x: Tensor) -> Tensor:
        return largest_of_windows(x, self.kernel, self.stride, self._amounts(x), self.ceil_mode)


class SpatialAvgPool(_SpatialPool):
    """Mean over windows of space, for each channel and each element of H by itself; padding counts as zeros.

    What a last window with `ceil_mode` has beyond the padding does not count. Without `count_include_pad`, means divide
    by the pixels of the signal alone.

    The sums are taken in double precision, those of half precision in single, so that turning the input changes a bit
    hardly ever; see `SpatialMean` for one that never does. A device without double precision has single for all.

    Example:
        >>> SpatialAvgPool(cyclic(4), 2)(torch.ones(1, 8, 4, 6, 6)).mean().item()
        1.0
    """

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(group, kernel, stride, padding, ceil_mode)
        self.count_include_pad = boolean("count_include_pad", count_include_pad)

    def _pool(self, x: Tensor) -> Tensor:
        pools: Any = (nn.functional.avg_pool1d, nn.functional.avg_pool2d, nn.functional.avg_pool3d)
        flags = {"ceil_mode": self.ceil_mode, "count_include_pad": self.count_include_pad}
        return _windows(pools, _wide(x), self.kernel, self.stride, self._amounts(x), **flags).to(x.dtype)


def largest_of_windows(
    x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], ceil_mode: bool = False
) -> Tensor:
    """The maxima of the windows of a flat signal."""
    pools: Any = (nn.functional.max_pool1d, nn.functional.max_pool2d, nn.functional.max_pool3d)
    return _windows(pools, x, kernel, stride, padding, ceil_mode=ceil_mode)


def _windows(
    pools: Any, x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], **flags: bool
) -> Tensor:
    """The windows of a flat signal, by PyTorch's pools of 1, 2 and 3 axes."""
    is_volume = len(kernel) == 3 and isinstance(x, Tensor)
    if is_volume and not x.is_cpu and torch.are_deterministic_algorithms_enabled():
        return _windows_of_volumes(pools[1], x, kernel, stride, padding, **flags)
    y: Tensor = pools[len(kernel) - 1](x, kernel, stride, padding, **flags)
    return y


def _windows_of_volumes(
    pool: Any, x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], **flags: bool
) -> Tensor:
    """The windows of volumes by those of two axes: first of the last two, then of the first.

    On devices other than the CPU, PyTorch adds up the gradients of windows of volumes in an order that differs from run
    to run, and refuses to where a program asks for deterministic algorithms. For two axes it has one order.
    """
    batch, channels, depth = x.shape[:3]
    y = pool(x.flatten(1, 2), kernel[1:], stride[1:], padding[1:], **flags)
    sizes = y.shape[-2:]
    y = pool(y.reshape(batch, channels, depth, -1), (kernel[0], 1), (stride[0], 1), (padding[0], 0), **flags)
    result: Tensor = y.reshape(batch, channels, -1, *sizes)
    return result


def _wide(x: Tensor) -> Tensor:
    """The numbers in what windows are added up in; double precision in a program of `torch.fx`, for any dtype."""
    if not isinstance(x, Tensor):
        return x.double()
    is_half = x.dtype in (torch.bfloat16, torch.float16)
    return x.float() if is_half or not has_double(x.device) else x.double()


class SpatialMean(SignalModule):
    """Mean over all of space, whose bits do not depend on the order of the pixels.

    ``y[b, c, h] = mean over x of f[b, c, h, x]``. What a network computes of it after `GroupPool` is invariant under a
    lattice group to the last bit, if the layers before it use ``algorithm="exact"``. The sums are exact: numbers are
    split at fixed binary places, so that no addition rounds, and the rest beyond some 90 bits below the largest is
    dropped. Source: Demmel and Nguyen, "Fast reproducible floating-point summation", ARITH 2013. On a device without
    double precision the numbers are sorted and added in single precision.

    Args:
        group: H, which sets the number of spatial axes.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, |H|), and (B, C, spatial...) -> (B, C).

    Raises:
        TypeError: `group` is no PointGroup.
        ValueError: the input has another number of axes.

    Example:
        >>> SpatialMean(cyclic(4))(torch.ones(1, 8, 5, 5)).shape
        torch.Size([1, 8])
    """

    def __init__(self, group: PointGroup) -> None:
        super().__init__()
        self.group = point_group(group)

    def forward(self, x: Tensor) -> Tensor:
        """The means."""
        d = self.group.dimension
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        check_spatial_axes("SpatialMean", tuple(x.shape), self.group, may_be_empty=False)
        check_numbers("x", x)
        if not torch.compiler.is_compiling():
            self._look_back(x, self.group if x.dim() == 3 + d else None)
        return spatial_mean(x.flatten(-d))

    def _traced(self, x: Any) -> Any:
        return operators.spatial_mean(x.flatten(-self.group.dimension))

    def ordinary(self) -> nn.Module:
        """The mean by PyTorch alone, whose bits depend on the order of the pixels."""
        return Mean(self.group.dimension)

    def extra_repr(self) -> str:
        """The group."""
        return self.group.name
