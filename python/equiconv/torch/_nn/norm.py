# SPDX-License-Identifier: Apache-2.0
"""Batch normalization and dropout that commute with the group: one number for a whole field."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import probability
from .._operators.tracing import is_traced
from .history import continues
from .signal_module import SignalModule


class BatchNorm(SignalModule, nn.modules.batchnorm._BatchNorm):
    """Batch normalization over (batch, fiber, space), one mean and one variance for each channel.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias``. All of H shares the numbers of a channel, and so does all
    of the plane: the layer commutes with the group, in evaluation to the last bit. Running statistics, momentum and
    ``state_dict`` are as in `torch.nn.BatchNorm2d`. Source: Cohen and Welling, "Group equivariant
    convolutional networks", ICML 2016, section 6.

    Any device and dtype that `torch.nn.BatchNorm2d` has. `torch.nn.SyncBatchNorm.convert_sync_batchnorm` makes of it
    PyTorch's module with the same parameters, which normalizes with the statistics of all processes, but not on the
    CPU; `sync_batch_norm` does so there too.

    Args:
        num_features: C, the number of channels (fields), not C |H|.
        eps, momentum, affine, track_running_stats, device, dtype: as for `torch.nn.BatchNorm2d`.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        ValueError: the input has another number of channels, or fewer than 3 axes.

    Example:
        >>> BatchNorm(8)(torch.zeros(2, 8, 4, 5, 5)).shape
        torch.Size([2, 8, 4, 5, 5])
    """

    def forward(self, x: Tensor) -> Tensor:
        """The normalized signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        rows = _rows(x)
        if rows is None:
            return super().forward(x)
        self._check_input_dim(x)
        y: Tensor = super().forward(rows)
        return continues(_signal(y, x), x)

    def _traced(self, x: Any) -> Any:
        return super().forward(x)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (the name of the method it overrides)
        if is_traced(input):
            return
        if input.dim() < 3 or input.shape[1] != self.num_features:
            raise ValueError(
                f"x has shape {tuple(input.shape)}, expected (B, {self.num_features}, [|H|,] spatial...) for "
                f"BatchNorm({self.num_features})"
            )
        if not torch.compiler.is_compiling():
            self._look_back(input, None)


def _rows(x: Tensor) -> Tensor | None:
    """A signal (B, C, |H|, spatial...) as (B N, C, |H|), if that is how it lies in memory.

    Convolutions of torch write it so where channels are last. PyTorch's batch norm would copy it, there and back.
    """
    if torch.compiler.is_compiling() or x.dim() < 4 or x.is_contiguous():
        return None
    rows = x.movedim((1, 2), (-2, -1))
    return rows.flatten(0, -3) if rows.is_contiguous() else None


def _signal(rows: Tensor, x: Tensor) -> Tensor:
    """The rows of a signal of the shape of `x` as such a signal, in the same memory."""
    return rows.reshape(x.shape[0], *x.shape[3:], *x.shape[1:3]).movedim((-2, -1), (1, 2))


class FieldDropout(SignalModule):
    """Dropout of whole fields: a channel of a sample is 0 on all of the group, or scaled by 1 / (1 - p).

    Dropping single elements of the fiber would not commute with the group. In evaluation the identity.

    Args:
        p: the probability that a field is dropped, 0 to 1.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: `p` is no number from 0 to 1, or the input has fewer than 3 axes.

    Example:
        >>> FieldDropout(0.5).eval()(torch.ones(1, 8, 4, 5, 5)).sum().item()
        800.0
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability("p", p)

    def forward(self, x: Tensor) -> Tensor:
        """The signal with some of its fields dropped, if in training."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        if x.dim() < 3:
            raise ValueError(f"x has shape {tuple(x.shape)}, expected (B, C, [|H|,] spatial...) for FieldDropout")
        if not torch.compiler.is_compiling():
            self._look_back(x, None)
        if not self.training or self.p == 0:
            return x
        fields = nn.functional.dropout(x.new_ones(x.shape[:2]), self.p)
        return x * fields.reshape(*x.shape[:2], *(1,) * (x.dim() - 2))

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
