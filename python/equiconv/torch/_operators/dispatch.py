# SPDX-License-Identifier: Apache-2.0
"""Ordinary calls, for which PyTorch's dispatcher would only call the kernel.

The dispatcher needs some 10 microseconds to reach an operator of Python, and autograd as many again. A small layer
needs less, so ordinary calls go past both. All other calls, under a compiler, a transformation, autocast, a profiler or
any mode, go through the dispatcher. Where a version of PyTorch does not say which of these are active, all calls do.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

# The dispatcher's keys of this thread: every mode but those of functions has one, and so has autocast.
_included: Any = getattr(torch._C, "_dispatch_tls_local_include_set", None)
_excluded: Any = getattr(torch._C, "_dispatch_tls_local_exclude_set", None)
_function_modes: Any = getattr(torch._C, "_len_torch_function_stack", None)
_profiles: Any = getattr(torch._C._autograd, "_profiler_enabled", None)
_is_told = None not in (_included, _excluded, _function_modes, _profiles)
_ordinary_states: set[tuple[int, int]] = set()


def _state() -> tuple[int, int]:
    return _included().raw_repr(), _excluded().raw_repr()


def _see_ordinary_states() -> None:
    """Notes the states of a thread with no mode, and with that of inference."""
    _ordinary_states.add(_state())
    with torch.inference_mode():
        _ordinary_states.add(_state())


# This module may be imported inside a mode. A new thread is in no mode.
if _is_told:
    _thread = threading.Thread(target=_see_ordinary_states)
    _thread.start()
    _thread.join()


def is_transformed() -> bool:
    """Whether a transformation of `torch.func` or a level of forward-mode differentiation is active."""
    return forward_ad._current_level >= 0 or torch._C._are_functorch_transforms_active()


def has_modes() -> bool:
    """Whether a mode sees the operators that are called, and may make of their results what it likes."""
    return bool(torch._C._len_torch_dispatch_stack()) or torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]


def is_ordinary(arguments: tuple[Any, ...]) -> bool:
    """Whether the dispatcher would only call the kernel with these arguments."""
    if not _is_told:
        return False
    for value in arguments:
        kind = type(value)
        if kind is Tensor or kind is nn.Parameter:
            if not value.is_cpu or value.is_neg():
                return False
        elif isinstance(value, Tensor):
            return False
    return _state() in _ordinary_states and forward_ad._current_level < 0 and _function_modes() == 0 and not _profiles()


def needs_gradient(arguments: tuple[Any, ...]) -> bool:
    """Whether autograd has to know of a call."""
    return torch.is_grad_enabled() and any(isinstance(value, Tensor) and value.requires_grad for value in arguments)


def calls_kernel(arguments: tuple[Any, ...]) -> bool:
    """Whether a call with these arguments is that of a kernel alone: no compiler, mode or gradient knows of it."""
    return not torch.compiler.is_compiling() and is_ordinary(arguments) and not needs_gradient(arguments)
