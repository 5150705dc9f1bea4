# SPDX-License-Identifier: Apache-2.0
"""The passes as calls of compiled programs: JAX's foreign-function interface, on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.ffi
import numpy as np
from jax.interpreters import mlir

from ... import _jax
from .operands import JaxArray
from .partition import is_partitioned, lower_partitioned, needs_devices
from .passes import ALL, Mapped, Pass, bias_gradient, biased, forward, spread, spread_values
from .program import Program


def register() -> None:
    """Makes the handlers known to JAX, and how to call them. Raises ImportError if this JAX does not take them."""
    for name, handler in _jax.handlers().items():
        try:
            jax.ffi.register_ffi_target(target(name), handler, platform="cpu")
        except Exception as error:
            raise ImportError(
                f"equiconv.jax: jax {jax.__version__} does not take the handlers of this version of equiconv: {error}"
            ) from error
    for work in ALL:
        if work is spread:
            mlir.register_lowering(work.primitive, mlir.lower_fun(spread_values, multiple_results=False))
        else:
            name = forward.name if work is biased else work.name
            register_lowering(work.primitive, partial(_lower, work, jax.ffi.ffi_lowering(target(name))))


def target(name: str) -> str:
    """The name of a handler in compiled programs."""
    return f"equiconv_{name}"


def register_lowering(primitive: Any, rule: Callable[..., Any]) -> None:
    """`rule` on the CPU, an error that says so elsewhere."""
    needs_devices(primitive)
    mlir.register_lowering(primitive, partial(_refuse, primitive))
    mlir.register_lowering(primitive, rule, platform="cpu")


def _lower(
    work: Pass, call: Callable[..., Any], ctx: Any, *operands: Any, program: Program, mapped: Mapped, batch: int
) -> Any:
    mask = sum(1 << i for i, is_mapped in enumerate(mapped) if is_mapped)
    if not is_partitioned(ctx):
        # The gradient of a bias is sums, whatever the layer.
        text = {} if work is bias_gradient else {"layer": program.spec.text}
        return call(ctx, *operands, **text, mapped=np.int64(mask))

    def part(*arrays: JaxArray) -> JaxArray:
        return work(*arrays, program=program, mapped=mapped, batch=work.batch_of(arrays, mapped, batch))

    identity = f"{work.name} {mask} {program.identity}"
    return lower_partitioned(ctx, operands, work.rule(program, mapped), part, identity)


def _refuse(primitive: Any, ctx: Any, *_operands: Any, **_params: Any) -> Any:
    platforms = ctx.platforms or ctx.module_context.platforms
    raise NotImplementedError(
        f"{primitive.name} runs on the CPU only, not on {', '.join(platforms)}: use jax.jit(f, backend='cpu'), or put "
        "the arrays there with jax.device_put(x, jax.devices('cpu')[0])"
    )


register()
