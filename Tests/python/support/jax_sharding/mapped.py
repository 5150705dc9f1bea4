# SPDX-License-Identifier: Apache-2.0
"""Cases of shard_map, over one axis of a mesh and over two."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from .layers import DATA, bend, line, square


def shard_map(f, in_specs, out_specs, check=True, mesh=line, compiles=True, **keywords):
    mapped = jax.shard_map(f, mesh=mesh(), in_specs=in_specs, out_specs=out_specs, check_vma=check, **keywords)
    return jax.jit(mapped) if compiles else mapped


def cast(x):
    """`x` as one that varies over devices."""
    return jax.lax.pcast(x, "d", to="varying") if hasattr(jax.lax, "pcast") else jax.lax.pvary(x, "d")


def mean_loss(layer, check=True, **keywords):
    def local(x, w, b):
        return jax.lax.pmean(bend(layer(x, w, b)).mean(), "d")

    return shard_map(local, DATA, P(), check, **keywords)


def gradient_outside(layer, arrays, check=True, **keywords):
    return jax.grad(mean_loss(layer, check, **keywords), (0, 1, 2))(*arrays)


def gradient_inside(layer, arrays):
    """Types say that weights do not vary: the transposed casts sum their gradients over devices."""
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))
    return jax.jit(shard_map(local, DATA, DATA))(*arrays)


def gradient_inside_unchecked(layer, arrays):
    def local(x, w, b):
        gx, gw, gb = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))(x, w, b)
        return gx, jax.lax.psum(gw, "d"), jax.lax.psum(gb, "d")

    return jax.jit(shard_map(local, DATA, DATA, check=False))(*arrays)


def gradient_of_each_device(layer, arrays):
    """Weights cast to vary first: each device has the gradient of its part."""

    def local(x, w, b):
        w, b = (cast(a) for a in (w, b))
        gw, gb = jax.grad(lambda w, b: bend(layer(x, w, b)).sum(), (0, 1))(w, b)
        return gw[None], gb[None]

    return shard_map(local, DATA, P("d"))(*arrays)


def weights_of_each_device(layer, arrays, **keywords):
    x, w, b = arrays
    many = jnp.stack([w, 2 * w, -w, w + 1])
    specs = (P(), P("d"), P())

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w[0], b)).sum(), "d")

    return jax.grad(shard_map(local, specs, P(), **keywords), (0, 1, 2))(x, many, b)


def bias_of_each_device(layer, arrays):
    x, w, b = arrays
    many = jnp.stack([b, 2 * b, -b, b + 1])

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w, b[0])).sum(), "d")

    return jax.grad(shard_map(local, (P(), P(), P("d")), P()), (0, 1, 2))(x, w, many)


def jvp_outside(layer, arrays):
    return jax.jvp(mean_loss(layer), arrays, tuple(jnp.cos(a) for a in arrays))


def jvp_inside(layer, arrays):
    def local(x, w, b):
        return jax.jvp(lambda w: layer(x, w, b), (w,), (jnp.cos(w),))

    return shard_map(local, DATA, (P("d"), P("d")))(*arrays)


def second_order(layer, arrays, check=True):
    loss = mean_loss(layer, check)
    gradient = jax.grad(loss, (0, 1, 2))

    def inner(*a):
        return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

    return jax.jit(jax.grad(inner, (0, 1, 2)))(*arrays)


def second_order_inside(layer, arrays):
    def local(x, w, b):
        def loss(w):
            return bend(layer(x, w, b)).sum()

        return jax.jvp(jax.grad(loss), (w,), (jnp.cos(w),))

    return shard_map(local, DATA, P())(*arrays)


def rematerialized(layer, arrays):
    return gradient_outside(jax.checkpoint(layer), arrays)


def scanned(layer, arrays):
    """A loop over weights, whose carry has to keep its type."""
    x, w, b = arrays

    def local(x, ws, b):
        def step(carry, w):
            y = layer(x, w, b)
            return carry + bend(y).sum(), y.mean()

        start = cast(jnp.zeros((), x.dtype))
        total, means = jax.lax.scan(step, start, ws)
        return jax.lax.psum(total, "d") + jax.lax.pmean(means.sum(), "d")

    ws = jnp.stack([w, -2 * w, w + 1])
    return jax.jit(jax.grad(shard_map(local, DATA, P()), (0, 1, 2)))(x, ws, b)


def samples_inside(layer, arrays):
    """Gradients of single samples."""

    def local(x, w, b):
        return jax.vmap(jax.grad(lambda w, x: bend(layer(x[None], w, b)).sum()), (None, 0))(w, x)

    return shard_map(local, DATA, P("d"))(*arrays)


def no_casts(layer, arrays):
    """Without the automatic casts, operands that vary unequally do not go together."""
    jax.config.update("jax_auto_pcast", False)
    try:
        return shard_map(lambda x, w, b: layer(x, w, b), DATA, P("d"))(*arrays)
    finally:
        jax.config.update("jax_auto_pcast", True)


def missing_sum(layer, arrays):
    return shard_map(lambda x, w, b: bend(layer(x, w, b)).sum(), DATA, P())(*arrays)


def replicated_output(layer, arrays):
    return shard_map(layer, DATA, P())(*arrays)


def replicated_input_gradient(layer, arrays):
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum())
    return shard_map(local, DATA, P())(*arrays)


def replicated_weight_gradient_of_each_device(layer, arrays):
    def local(x, w, b):
        w = cast(w)
        return jax.grad(lambda w: bend(layer(x, w, b)).sum())(w)

    return shard_map(local, DATA, P())(*arrays)


def both_axes(layer, arrays):
    """The batch over both, another weight for each place of one."""
    x, w, b = arrays
    many = jnp.stack([w, w + 1])

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w[0], b)).sum(), ("d", "m"))

    loss = shard_map(local, (P(("d", "m")), P("m"), P()), P(), mesh=square)
    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, many, b)


def one_manual_axis(layer, arrays):
    """shard_map over one axis, and the batch cut along the other by the partitioner."""
    x, w, b = (
        jax.device_put(a, NamedSharding(square(), P(("d", "m")) if a.ndim > 3 and a.shape[0] == 8 else P()))
        for a in arrays
    )

    def local(x, w, b):
        return jax.lax.pmean(bend(layer(x, w, b)).mean(), "d")

    loss = shard_map(local, DATA, P(), mesh=square, axis_names={"d"})
    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def one_manual_axis_inside(layer, arrays):
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))
    return jax.jit(shard_map(local, DATA, DATA, mesh=square, axis_names={"d"}))(*arrays)
