# SPDX-License-Identifier: Apache-2.0
"""Cases of compiled programs whose arrays are cut: XLA's partitioner decides who computes what."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from .layers import DATA, bend, line, loss_of, square
from .mapped import shard_map


def put(arrays, *specs, mesh=line):
    return tuple(jax.device_put(a, NamedSharding(mesh(), spec)) for a, spec in zip(arrays, specs, strict=True))


def compiled(layer, arrays, specs, mesh=line, size=5):
    x, w, b = arrays
    x = jnp.resize(x, (*x.shape[:-2], size, size))
    return jax.jit(jax.value_and_grad(loss_of(layer), (0, 1, 2)))(*put((x, w, b), *specs, mesh=mesh))


def compiled_second_order(layer, arrays):
    gradient = jax.grad(loss_of(layer), (0, 1, 2))

    def inner(*a):
        return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

    return jax.jit(jax.grad(inner, (0, 1, 2)))(*put(arrays, *DATA))


def compiled_output(layer, arrays):
    """The output, and where its parts are."""
    y = jax.jit(layer)(*put(arrays, *DATA))
    return y, str(y.sharding.spec)


def some_images(layer, arrays, count):
    """A batch that is not a multiple of the devices."""

    def loss(x, w, b):
        return loss_of(layer)(x[:count], w, b)

    return jax.jit(jax.grad(loss, (0, 1, 2)))(*put(arrays, *DATA))


def mapped_weights(layer, arrays):
    x, w, b = arrays
    many = jnp.stack([w, 2 * w, -w, w + 1])
    x, many, b = put((x, many, b), P(), P("d"), P())

    def loss(x, ws, b):
        return bend(jax.vmap(layer, (None, 0, None))(x, ws, b)).mean()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, many, b)


def mapped_signals(layer, arrays):
    x, w, b = arrays
    x, w, b = put((x.reshape(4, 2, *x.shape[1:]), w, b), *DATA)

    def loss(xs, w, b):
        return bend(jax.vmap(layer, (0, None, None), spmd_axis_name="d")(xs, w, b)).mean()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def samples(layer, arrays):
    x, w, b = put(arrays, *DATA)
    gradient = jax.grad(lambda w, x: bend(layer(x[None], w, b)).sum())
    return jax.jit(jax.vmap(gradient, (None, 0), spmd_axis_name="d"))(w, x)


def mapped_shard_map(layer, arrays):
    x, w, b = arrays
    inner = shard_map(
        lambda x, w, b: jax.lax.psum(bend(layer(x, w, b)).sum(), "m"), (P("m"), P(), P()), P(), mesh=square
    )

    def loss(xs, w, b):
        return jax.vmap(inner, (0, None, None), spmd_axis_name="d")(xs, w, b).sum()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x.reshape(4, 2, *x.shape[1:]), w, b)
