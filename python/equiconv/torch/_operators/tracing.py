# SPDX-License-Identifier: Apache-2.0
"""Calls with proxies, by which `torch.fx` writes a program down."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.fx import Proxy


def is_traced(*arguments: Any) -> bool:
    """Whether `torch.fx` is writing down a call with these arguments."""
    return any(isinstance(argument, Proxy) for argument in arguments)


def as_leaf(module: nn.Module, x: Proxy) -> Any:
    """The call of a module as one step, however the tracer treats modules; None for the one that is traced itself."""
    name = x.tracer.path_of_module(module)  # type: ignore[attr-defined]
    return x.tracer.create_proxy("call_module", name, (x,), {}) if name else None


def written_down(function: Any, *arguments: Any) -> Any:
    """The call of a function as one step."""
    proxy = next(argument for argument in arguments if isinstance(argument, Proxy))
    return proxy.tracer.create_proxy("call_function", function, arguments, {})
