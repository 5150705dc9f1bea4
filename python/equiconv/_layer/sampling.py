# SPDX-License-Identifier: Apache-2.0
"""How a layer samples: stride, padding, dilation, and the sizes that follow from them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .._checks.arguments import axes, choice
from .._checks.arrays import Shaped
from .._checks.warnings import EquivarianceWarning, level_of_caller
from .._groups.geometry import moved_axes
from .._groups.point_group import PointGroup
from .algorithms import ALGORITHMS
from .fitting import EQUIVARIANT, Window, hint_for
from .layer import Layer

# stride, padding, dilation, padding_mode, algorithm
SamplingArguments: TypeAlias = tuple[object, object, object, object, object]

PADDING_MODES = ("zeros", "circular", "reflect", "replicate")


@dataclass(frozen=True)
class Sampling:
    """Stride, padding, dilation, padding mode and algorithm of one call, checked."""

    stride: tuple[int, ...]
    padding: tuple[int, ...] | str
    dilation: tuple[int, ...]
    padding_mode: str
    algorithm: str

    @classmethod
    def checked(
        cls, dimension: int, stride: object, padding: object, dilation: object, padding_mode: object, algorithm: object
    ) -> Sampling:
        """Raises TypeError or ValueError for arguments that no layer on `dimension` axes takes."""
        return cls(
            axes("stride", stride, dimension, 1),
            _padding(padding, dimension),
            axes("dilation", dilation, dimension, 1),
            choice("padding_mode", padding_mode, PADDING_MODES),
            choice("algorithm", algorithm, ALGORITHMS),
        )

    @property
    def is_open(self) -> bool:
        """Whether the padding follows from the sizes of a signal."""
        return self.padding == EQUIVARIANT

    def windows(self, kernel: tuple[int, ...]) -> tuple[Window, ...]:
        """What the kernel reads along each axis."""
        return tuple(map(Window, kernel, self.stride, self.dilation))

    def amounts(self, kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The padding of each axis in numbers, which "equivariant" is not before the sizes of a signal are known."""
        assert not self.is_open
        if self.padding == "same":
            return tuple(dilation * (k - 1) // 2 for dilation, k in zip(self.dilation, kernel, strict=True))
        return (0,) * len(kernel) if isinstance(self.padding, str) else self.padding

    def amounts_of_bank(self, kernel: tuple[int, ...], taps: tuple[int, ...]) -> tuple[int, ...]:
        """The padding of a convolution with the bank of a kernel.

        Elements that enlarge the kernel enlarge the bank, about the same center.
        """
        amounts = zip(self.amounts(kernel), taps, kernel, self.dilation, strict=True)
        return tuple(amount + (tap - extent) // 2 * dilation for amount, tap, extent, dilation in amounts)

    def reach(self, kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The extent of the dilated kernel on each axis."""
        return tuple(dilation * (k - 1) + 1 for dilation, k in zip(self.dilation, kernel, strict=True))


def _padding(value: object, dimension: int) -> tuple[int, ...] | str:
    if isinstance(value, str):
        return choice("padding", value, ("same", "valid", EQUIVARIANT))
    try:
        return axes("padding", value, dimension, 0)
    except TypeError as error:
        raise TypeError(f'{error}, "same", "valid" or "{EQUIVARIANT}"') from None


def output_shape(
    x: Shaped, outputs: int, kernel: tuple[int, ...], group: PointGroup, layer: Layer, sampling: Sampling
) -> tuple[int, ...]:
    """The shape of layer(x, weight): sizes (n + 2 padding - reach) // stride + 1."""
    first = x.ndim - group.dimension
    sizes = tuple(
        (size + 2 * padding - reach) // stride + 1
        for size, padding, reach, stride in zip(
            x.shape[first:], sampling.amounts(kernel), sampling.reach(kernel), sampling.stride, strict=True
        )
    )
    points = layer.output_points(group)
    return (x.shape[0], outputs) + (() if points is None else (points,)) + sizes


def check_fit(x: Shaped, weight: Shaped, kernel: tuple[int, ...], sampling: Sampling) -> None:
    """Raises ValueError where the kernel leaves no output, or "same" has no symmetric meaning."""
    first = x.ndim - len(kernel)
    check_same_padding(weight, kernel, first, sampling)
    for axis, size in enumerate(x.shape[first:]):
        reach, padding = sampling.reach(kernel)[axis], sampling.amounts(kernel)[axis]
        if reach > size + 2 * padding:
            raise ValueError(
                f"weight has shape {weight.shape}: its kernel reaches over {reach} (dilation {sampling.dilation[axis]})"
                f" on axis {first + axis}, expected at most {size + 2 * padding}, the size {size} of x of shape "
                f"{x.shape} and padding {padding} on both sides"
            )


def check_same_padding(weight: Shaped, kernel: tuple[int, ...], first: int, sampling: Sampling) -> None:
    """Raises ValueError where "same" has no symmetric meaning; `first` is the first axis of space of a signal."""
    for axis, k in enumerate(kernel):
        if sampling.padding == "same" and k % 2 == 0:
            raise ValueError(
                f"padding is 'same', expected a number for weight of shape {weight.shape}: its kernel extent {k} on "
                f"axis {first + axis} is even, and no symmetric padding keeps the size"
            )


def warn_of_remainders(x: Shaped, kernel: tuple[int, ...], group: PointGroup, sampling: Sampling) -> None:
    """Warns of strides that leave out a margin on one side of an axis that `group` moves, at the line of the user's."""
    warn_of_windows(x, sampling.windows(kernel), sampling.amounts(kernel), group)


def warn_of_windows(
    x: Shaped, windows: Sequence[Window], padding: Sequence[int], group: PointGroup, may_fit: bool = True
) -> None:
    """The same for windows with this padding; `may_fit` says whether a user may ask for padding "equivariant"."""
    first = x.ndim - group.dimension
    sizes = x.shape[first:]
    # Which axes the group moves takes longer to find out.
    if all(map(Window.fits, windows, sizes, padding)):
        return
    for axis in moved_axes(group):
        window, size, amount = windows[axis], sizes[axis], padding[axis]
        remainder = (size + 2 * amount - window.reach) % window.stride
        if remainder:
            below, above = size - remainder, size + window.stride - remainder
            safe = f"{below} or {above}" if below >= 1 else f"{above}"
            hint = hint_for(window, size) if may_fit else ""
            warnings.warn(
                f"stride {window.stride} does not fit size {size} of x on axis {first + axis}: ({size} + 2 * {amount} "
                f"- {window.reach}) % {window.stride} is {remainder}, expected 0; the result is not equivariant under "
                f"{group.name}. Nearest sizes that fit: {safe}{hint}",
                EquivarianceWarning,
                stacklevel=level_of_caller(),
            )
