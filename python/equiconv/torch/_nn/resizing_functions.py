# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions of tensors."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ..._functional.convolutions import Axes
from ..._groups.point_group import PointGroup, parse_group
from ..._nn.spatial_options import BlurPadding, UpsampleMode
from .._operators.tensors import check_is_dense
from .._operators.tracing import is_traced, written_down
from .resizing import AdaptiveMean, BlurPool, MaxBlurPool, Upsample
from .spatial import SpaceModule


def upsample(
    x: Tensor, group: PointGroup, factor: Axes, mode: UpsampleMode = "nearest", align_corners: bool = False
) -> Tensor:
    """Upsampling of space by integers: `equiconv.upsample` on tensors, with derivatives; `Upsample` as a function.

    ``y[r] = x[r // factor]``, or linear interpolation between pixels, both as PyTorch's ``interpolate``; equivariant to
    the last bit.

    Args:
        x: signal of shape (B, C, [|H|,] spatial...), float32, float64, bfloat16 or float16, on any device.
        group, factor, mode, align_corners: as of `Upsample`.

    Returns:
        A signal with sizes times `factor`, of the dtype of `x`.

    Raises:
        TypeError, ValueError: as `Upsample`.

    Example:
        >>> upsample(torch.arange(2.0).reshape(1, 1, 2), reflection(), 2)
        tensor([[[0., 0., 1., 1.]]])
    """
    return _called("upsample", x, group, factor, mode, align_corners)


def blur_pool(
    x: Tensor, group: PointGroup, stride: Axes = 2, taps: Axes | None = None, padding: Axes | None = None,
    padding_mode: BlurPadding = "replicate",
) -> Tensor:  # fmt: skip
    """A binomial filter of space at every few pixels: `equiconv.blur_pool` on tensors; `BlurPool` as a function.

    ``y[r] = sum over t of binomial(taps - 1, t) 2^(1 - taps) x[stride r + t - padding]`` along each axis, equivariant
    to the last bit. Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019.

    Args:
        x: as of `upsample`.
        group, stride, taps, padding, padding_mode: as of `BlurPool`.

    Returns:
        A signal of sizes (n + 2 padding - taps) // stride + 1, of the dtype of `x`.

    Raises:
        TypeError, ValueError: as `BlurPool`.

    Warns:
        EquivarianceWarning: the stride does not fit the size on an axis that `group` moves. Not under a compiler.

    Example:
        >>> blur_pool(torch.arange(5.0).reshape(1, 1, 5), reflection())
        tensor([[[0.2500, 2.0000, 3.7500]]])
    """
    return _called("blur_pool", x, group, stride, taps, padding, padding_mode)


def max_blur_pool(
    x: Tensor, group: PointGroup, kernel: Axes = 2, stride: Axes = 2, taps: Axes | None = None,
    padding: Axes | None = None, padding_mode: BlurPadding = "replicate",
) -> Tensor:  # fmt: skip
    """The maxima of windows at every pixel, then `blur_pool`: `MaxBlurPool` as a function.

    Args:
        x: as of `upsample`.
        group, kernel, stride, taps, padding, padding_mode: as of `MaxBlurPool`.

    Returns:
        A signal as that of `blur_pool`, of the dtype of `x`. Errors and warnings are those of `MaxBlurPool`.

    Example:
        >>> max_blur_pool(torch.arange(6.0).reshape(1, 1, 6), reflection())
        tensor([[[1.2500, 3.0000, 4.7500]]])
    """
    return _called("max_blur_pool", x, group, kernel, stride, taps, padding, padding_mode)


def adaptive_mean(x: Tensor, group: PointGroup, size: Axes) -> Tensor:
    """Means over as many windows of space as asked for: `AdaptiveMean` as a function.

    Args:
        x: as of `upsample`.
        group, size: as of `AdaptiveMean`.

    Returns:
        A signal of shape (B, C, [|H|,] size...), with the dtype of `x`; equivariant to the last bit.

    Raises:
        TypeError, ValueError: as `AdaptiveMean`.

    Example:
        >>> adaptive_mean(torch.arange(4.0).reshape(1, 1, 4), reflection(), 2)
        tensor([[[0.5000, 2.5000]]])
    """
    return _called("adaptive_mean", x, group, size)


_LAYERS: dict[str, type[SpaceModule]] = {
    "adaptive_mean": AdaptiveMean,
    "blur_pool": BlurPool,
    "max_blur_pool": MaxBlurPool,
    "upsample": Upsample,
}
# Arguments that are equal only if they mean the same, as tuples of True and of 1 are not.
_PLAIN = (PointGroup, int, bool, str, type(None))
# For `torch.compile`, to which no module is a constant, but its name may be one: the layers of programs.
_COMPILED = SimpleNamespace()


def _called(name: str, x: Tensor, group: PointGroup, *arguments: Any) -> Tensor:
    """The layer of these arguments, called; written down as such a call where `torch.fx` traces."""
    if not isinstance(x, Tensor):
        if is_traced(x):
            _made(name, group, *arguments)  # Whatever is wrong with the arguments is said here.
            return _called_of_text(x, name, group.text, *arguments)
        check_is_dense("x", x)
    if torch.compiler.is_dynamo_compiling():
        return getattr(_COMPILED, _place(name, group, *arguments))(x)  # type: ignore[no-any-return]
    return _made(name, group, *arguments)(x)  # type: ignore[no-any-return]


def _called_of_text(x: Any, name: str, group: str, *arguments: Any) -> Any:
    """The same for the text of a group, which programs of `torch.fx` can hold."""
    if is_traced(x):
        return written_down(_called_of_text, x, name, group, *arguments)
    return _called(name, x, parse_group(group), *arguments)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _place(name: str, *arguments: Any) -> str:
    """The name in `_COMPILED` of the layer of these arguments, which stays there for the program."""
    layer = _made(name, *arguments)
    place = f"{layer}, {layer.group.text}"
    vars(_COMPILED).setdefault(place, layer)
    return place


def _made(name: str, *arguments: Any) -> SpaceModule:
    """The layer, in evaluation: functions do not look at the history of their signals."""
    is_plain = all(type(argument) in _PLAIN for argument in arguments)
    return _kept(name, *arguments) if is_plain else _LAYERS[name](*arguments).eval()


@lru_cache(maxsize=64, typed=True)
def _kept(name: str, *arguments: Any) -> SpaceModule:
    return _LAYERS[name](*arguments).eval()
