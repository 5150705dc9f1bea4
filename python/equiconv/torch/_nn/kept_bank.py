# SPDX-License-Identifier: Apache-2.0
"""The expanded filter bank of a layer that is not trained, kept between calls."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._expanded.layer import bank_of
from .._operators.dispatch import has_modes, is_transformed


class _Entry(NamedTuple):
    """A bank, what it was made of, and the memory of its weight, so that no other tensor can have its address."""

    key: tuple[Any, ...]
    weight: Tensor
    bank: Tensor


class KeptBank:
    """The bank of a weight as it was in the last call, and what it was made of.

    PyTorch counts what writes to a tensor, so that a weight that an optimizer, `load_state_dict` or any other function
    has changed is expanded again. It does not count what fused optimizers write, so that a call which they may need the
    gradient of forgets the bank. Nor does it count what is written by way of ``weight.data``, or by a fused optimizer
    with the gradient of a compiled call: call `train` or `eval` after that, which forget the bank.

    Threads may call one layer at once: all that is kept is replaced in one step.
    """

    def __init__(self) -> None:
        self._entry: _Entry | None = None

    def get(self, weight: Tensor, dtype: torch.dtype, text: str) -> Tensor | None:
        """The bank of a weight, made now or before; None where it cannot be kept.

        Args:
            weight: of the layer.
            dtype: of the bank.
            text: of the layer.
        """
        if torch.is_grad_enabled() and weight.requires_grad:
            self._entry = None
            return None
        if not _is_frozen(weight):
            return None
        key = (weight.data_ptr(), weight._version, weight.dtype, weight.device, dtype, text, _stream(weight))
        entry = self._entry
        if entry is None or entry.key != key:
            # Not a tensor of inference mode, which no later call could save for its gradient.
            with torch.inference_mode(False), torch.no_grad():
                frozen = weight.detach()
                entry = _Entry(key, frozen, bank_of(frozen, dtype, text))
            self._entry = entry
        return entry.bank


def _is_frozen(weight: Tensor) -> bool:
    """Whether nobody but the caller of the layer will see the bank that is made in this call."""
    if torch.compiler.is_compiling() or is_transformed() or has_modes():
        return False
    if type(weight) not in (Tensor, torch.nn.Parameter) or weight.is_inference() or weight.is_meta:
        return False
    return not (weight.is_cuda and torch.cuda.is_current_stream_capturing())


def _stream(weight: Tensor) -> Any:
    """The queue of work in which the bank is written, and may be read without waiting."""
    return torch.cuda.current_stream(weight.device) if weight.is_cuda else None
