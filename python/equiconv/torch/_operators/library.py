# SPDX-License-Identifier: Apache-2.0
"""The package's library of torch operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .dispatch import is_ordinary, is_transformed, needs_gradient
from .tensors import check_is_dense

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
    tangent: Callable[..., Tensor],
    setup: Callable[[Any, tuple[Any, ...], Tensor], None],
    mapped: Callable[..., tuple[Tensor, int]],
    is_single: bool = True,
) -> Callable[..., Tensor]:
    """Makes ``operators.name``.

    Args:
        name, schema: of the operator.
        kernel: computes the result, and raises the errors for tensors that it cannot read.
        fake: an empty tensor of the shape and dtype of its result.
        derivative: of ``(ctx, gradient of the result)``: a gradient for each argument, of differentiable operations.
        tangent: of ``(ctx, tangents of the arguments)``: that of the result, of differentiable operations.
        setup: of ``(ctx, arguments, result)``: keeps in ctx what `derivative` and `tangent` need.
        mapped: the rule of `torch.vmap`, of ``(what this returns, info, in_dims, *arguments)``.
        is_single: whether it computes in float32 under autocast on the CPU.

    Returns:
        The operator as a function that can be differentiated and mapped in every way of torch.
    """

    def rule(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Tensor, int]:
        return mapped(call, info, in_dims, *arguments)

    def described(*arguments: Any) -> Tensor:
        refuse_onnx()
        return fake(*arguments)

    qualified = f"{_NAMESPACE}::{name}"
    # Any strides will do. To ask a compiler for those that it saw fails where they are of symbolic sizes.
    _LIBRARY.define(name + schema, tags=(torch.Tag.pt2_compliant_tag, torch.Tag.flexible_layout))
    # For every device and layout, so that what is not a dense tensor on the CPU gets an error that says so.
    _LIBRARY.impl(name, kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(qualified, described, lib=_LIBRARY)
    torch.library.register_autograd(qualified, derivative, setup_context=setup, lib=_LIBRARY)
    torch.library.register_vmap(qualified, rule, lib=_LIBRARY)
    if is_single:
        torch.library.register_autocast(qualified, "cpu", torch.float32, lib=_LIBRARY)
    names = [argument.split()[-1] for argument in schema[1 : schema.index(")")].split(", ")]
    call = _callable(name, names, kernel, derivative, tangent, setup, rule)
    return call


def _callable(
    name: str,
    names: list[str],
    kernel: Callable[..., Tensor],
    derivative: Callable[..., Any],
    tangent: Callable[..., Tensor],
    setup: Callable[[Any, tuple[Any, ...], Tensor], None],
    rule: Callable[..., tuple[Tensor, int]],
) -> Callable[..., Tensor]:
    """The operator, the kernel where that is the same, or a function that can be transformed.

    Operators of Python lose tangents without a word, and `torch.func.grad` refuses them. An `autograd.Function` has
    all of this, and compilers take the operator alone.
    """
    operator = getattr(operators, name)

    def kept(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        setup(ctx, inputs, output)
        ctx.save_for_forward(*(value for value in inputs[:2] if isinstance(value, Tensor)))

    def run(ctx: Any, *arguments: Any) -> Tensor:
        result = kernel(*arguments)
        setup(ctx, arguments, result)
        return result

    title = f"Equiconv{name.title().replace('_', '')}"
    ordinary = _function(title, forward=run, backward=derivative)
    transformed = _function(title, forward=operator, setup_context=kept, backward=derivative, jvp=tangent, vmap=rule)

    def call(*arguments: Any) -> Tensor:
        if torch.compiler.is_compiling():
            chosen = operator
        elif is_ordinary(arguments):
            chosen = ordinary.apply if needs_gradient(arguments) else kernel
        else:
            refuse_onnx()
            for argument, value in zip(names, arguments, strict=True):
                if isinstance(value, Tensor):
                    check_is_dense(argument, value)
            chosen = transformed.apply if is_transformed() else operator
        return chosen(*arguments)  # type: ignore[no-any-return]

    return call


def refuse_onnx() -> None:
    """Raises TypeError under an exporter to ONNX, which has no such operator and would fail later without saying so."""
    if torch.onnx.is_in_onnx_export():
        raise TypeError(
            "network has operators of equiconv, for which ONNX has none: export equiconv.torch.expand(network), the "
            "equal network of ordinary operations; or, with dynamo=True, layers whose backend is None or 'torch' and "
            "whose algorithm is 'auto', without means over H or space"
        )


def _function(title: str, **members: Callable[..., Any]) -> Any:
    """A `torch.autograd.Function` with these methods."""
    methods = {name: staticmethod(method) for name, method in members.items()}
    return type(title, (torch.autograd.Function,), methods)


def unfolded(result: Tensor, signals: Tensor) -> Tensor:
    """The mapped axis and the batch of the signals, that were folded into one, as two axes again."""
    return result.reshape(*signals.shape[:2], *result.shape[1:])
