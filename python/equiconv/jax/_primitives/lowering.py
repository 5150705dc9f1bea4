# SPDX-License-Identifier: Apache-2.0
"""The passes in compiled programs: calls of the engine by JAX's foreign-function interface, or operations of XLA."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.ffi
import numpy as np
from jax.interpreters import mlir

from . import composite
from .backends import check_algorithm, is_by_engine
from .handlers import target
from .operands import JaxArray
from .partition import is_partitioned, lower_partitioned, needs_devices
from .passes import ALL, Mapped, Pass, bias_gradient, biased, forward, spread
from .program import Program


def register_lowering(primitive: Any, rule: Callable[..., Any]) -> None:
    """`rule` on all platforms. In programs for several, JAX calls it for the CPU and for the others apart."""
    needs_devices(primitive)
    mlir.register_lowering(primitive, rule)
    mlir.register_lowering(primitive, rule, platform="cpu")


def platforms_of(ctx: Any) -> tuple[str, ...]:
    """The platforms that a primitive is lowered for."""
    return tuple(ctx.platforms or ctx.module_context.platforms)


def lower_composite(ctx: Any, function: Callable[..., JaxArray], *operands: Any) -> Any:
    """The lowering of a function made of operations of JAX.

    The function sees arrays without the types of meshes. Those of the primitive hold already: with them the transposes
    in the function would add over devices once more, and axes that are cut could not be reshaped.
    """
    plain = [jax.core.ShapedArray(aval.shape, aval.dtype) for aval in ctx.avals_in]
    with jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), ())):
        return mlir.lower_fun(function, multiple_results=False)(ctx.replace(avals_in=plain), *operands)


def _register() -> None:
    for work in ALL:
        name = forward.name if work is biased else work.name
        register_lowering(work.primitive, partial(_lower, work, jax.ffi.ffi_lowering(target(name))))


def _lower(
    work: Pass, call: Callable[..., Any], ctx: Any, *operands: Any, program: Program, mapped: Mapped, batch: int
) -> Any:
    if work is spread or not is_by_engine(program.dtype, program.backend, platforms_of(ctx)):
        if work not in (spread, bias_gradient):
            check_algorithm(program.spec.sampling.algorithm)

        def whole(*arrays: JaxArray) -> JaxArray:
            return composite.computed(work, arrays, program, mapped, batch)

        return lower_composite(ctx, whole, *operands)
    mask = sum(1 << i for i, is_mapped in enumerate(mapped) if is_mapped)
    if not is_partitioned(ctx):
        # The gradient of a bias is sums, whatever the layer.
        text = {} if work is bias_gradient else {"layer": program.spec.text}
        return call(ctx, *operands, **text, mapped=np.int64(mask))

    def part(*arrays: JaxArray) -> JaxArray:
        return work(*arrays, program=program, mapped=mapped, batch=work.batch_of(arrays, mapped, batch))

    identity = f"{work.name} {mask} {program.identity}"
    return lower_partitioned(ctx, operands, work.rule(program, mapped), part, identity)


_register()
