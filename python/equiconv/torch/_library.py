# SPDX-License-Identifier: Apache-2.0
"""The package's library of torch operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_NAMESPACE = "equiconv"
_LIBRARY: Any = torch.library.Library(_NAMESPACE, "DEF")  # type: ignore[no-untyped-call]

operators: Any = getattr(torch.ops, _NAMESPACE)


def define(
    name: str,
    schema: str,
    *,
    kernel: Callable[..., Tensor],
    fake: Callable[..., Tensor],
    derivative: Callable[..., Any],
    setup: Callable[[Any, tuple[Any, ...], Tensor], None],
    mapped: Callable[..., tuple[Tensor, int]],
) -> None:
    """Makes ``operators.name``.

    Args:
        name, schema: of the operator.
        kernel: what it does with tensors on the CPU.
        fake: an empty tensor of the shape and dtype of its result.
        derivative: of ``(ctx, gradient of the result)``: a gradient for each argument, of differentiable operations.
        setup: of ``(ctx, arguments, result)``: keeps in ctx what `derivative` needs.
        mapped: the rule of `torch.vmap`.
    """
    qualified = f"{_NAMESPACE}::{name}"
    _LIBRARY.define(name + schema, tags=(torch.Tag.pt2_compliant_tag, torch.Tag.needs_fixed_stride_order))
    _LIBRARY.impl(name, kernel, "CPU")
    torch.library.register_fake(qualified, fake, lib=_LIBRARY)
    torch.library.register_autograd(qualified, derivative, setup_context=setup, lib=_LIBRARY)
    torch.library.register_vmap(qualified, mapped, lib=_LIBRARY)
    # The engine has no half precision: under torch.autocast layers run in float32.
    torch.library.register_autocast(qualified, "cpu", torch.float32, lib=_LIBRARY)


def folded(name: str) -> Callable[..., tuple[Tensor, int]]:
    """The rule of `torch.vmap` for operators of one signal: the mapped axis becomes part of the batch."""

    def rule(info: Any, in_dims: tuple[int, ...], x: Tensor) -> tuple[Tensor, int]:
        signals = x.movedim(in_dims[0], 0)
        return getattr(operators, name)(signals.flatten(0, 1)).unflatten(0, signals.shape[:2]), 0

    return rule
