# SPDX-License-Identifier: Apache-2.0
"""The mean over the fiber H as a primitive of JAX, and its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.ffi
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

from .backends import Backend, is_by_engine
from .handlers import target
from .lowering import lower_composite, platforms_of, register_lowering
from .operands import JaxArray, is_half
from .partition import is_partitioned, lower_partitioned
from .types import AxisNames, Rule, result_type


def _mean_shape(x: Any, order: int) -> tuple[int, ...]:
    return (*x.shape[:2], *x.shape[3:])


def _adjoint_shape(gradient: Any, order: int) -> tuple[int, ...]:
    return (*gradient.shape[:2], order, *gradient.shape[2:])


def _pooled_axes(axes: int) -> AxisNames:
    return ("batch", "channel", *(f"space{axis}" for axis in range(axes - 2)))


def _mean_rule(axes: int) -> Rule:
    """All axes but that of H may be cut."""
    pooled = _pooled_axes(axes - 1)
    return Rule(((*pooled[:2], None, *pooled[2:]),), pooled)


def _adjoint_rule(axes: int) -> Rule:
    pooled = _pooled_axes(axes)
    return Rule((pooled,), (*pooled[:2], None, *pooled[2:]))


def _mean(x: JaxArray) -> JaxArray:
    """The mean over H in operations of XLA: of sorted numbers, so that it does not depend on the order of H.

    Sums are in float64 where JAX has it, and in float32 otherwise.
    """
    wide = np.dtype(np.float64 if jax.config.jax_enable_x64 and not is_half(x.dtype) else np.float32)
    terms = jax.lax.sort(x, dimension=2).astype(wide)
    count = terms.shape[2]
    while (size := terms.shape[2]) > 1:
        # Neighbors in pairs. One sum over the axis would be in an order of XLA's.
        pairs = terms[:, :, 0 : size - size % 2 : 2] + terms[:, :, 1::2]
        terms = jnp.concatenate([pairs, terms[:, :, size - size % 2 :]], 2) if size % 2 else pairs
    return (terms[:, :, 0] / count).astype(x.dtype)


def _mean_adjoint(gradient: JaxArray, order: int) -> JaxArray:
    shape = _adjoint_shape(gradient, order)
    return jnp.broadcast_to(jnp.expand_dims(gradient / order, 2), shape)


def _primitive(
    name: str,
    shape: Callable[[Any, int], tuple[int, ...]],
    rule: Callable[[int], Rule],
    composite: Callable[[JaxArray, int], JaxArray],
) -> Any:
    primitive = Primitive(target(name))
    primitive.def_abstract_eval(
        lambda x, *, order, backend: result_type(primitive.name, [x], rule(x.ndim), shape(x, order), x.dtype)
    )
    primitive.def_impl(jax.jit(primitive.bind, static_argnames=("order", "backend")))
    call = jax.ffi.ffi_lowering(target(name))

    def lower(ctx: Any, operand: Any, *, order: int, backend: Backend | None) -> Any:
        aval = ctx.avals_in[0]
        if not is_by_engine(aval.dtype, backend, platforms_of(ctx)):
            return lower_composite(ctx, lambda x: composite(x, order), operand)
        if not is_partitioned(ctx):
            return call(ctx, operand)
        bind = partial(primitive.bind, order=order, backend=backend)
        return lower_partitioned(ctx, [operand], rule(aval.ndim), bind, name)

    register_lowering(primitive, lower)

    def vmap(operands: Sequence[JaxArray], axes: Sequence[int], **static: Any) -> tuple[JaxArray, int]:
        """As images of the batch."""
        x = jnp.moveaxis(operands[0], axes[0], 0)
        y = primitive.bind(x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), **static)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0

    batching.primitive_batchers[primitive] = vmap
    return primitive


# The mean over H, whose sum does not depend on the order of H, and its adjoint.
pool_mean = _primitive("pool_mean", _mean_shape, _mean_rule, lambda x, _order: _mean(x))
_pool_mean_adjoint = _primitive("pool_mean_adjoint", _adjoint_shape, _adjoint_rule, _mean_adjoint)
ad.deflinear2(pool_mean, lambda cotangent, _x, **static: [_pool_mean_adjoint.bind(cotangent, **static)])
ad.deflinear2(_pool_mean_adjoint, lambda cotangent, _x, **static: [pool_mean.bind(cotangent, **static)])
