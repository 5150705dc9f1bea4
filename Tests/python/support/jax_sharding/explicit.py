# SPDX-License-Identifier: Apache-2.0
"""Cases on meshes of explicit axes, where types say how arrays are cut."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec as P

from .layers import DATA, bend, loss_of
from .mapped import mean_loss


@cache
def explicit_mesh():
    return jax.make_mesh((4,), ("d",), axis_types=(jax.sharding.AxisType.Explicit,))


def explicit(layer, arrays, specs, is_compiled=True):
    """Values and types."""
    with jax.set_mesh(explicit_mesh()):
        operands = [jax.device_put(a, spec) for a, spec in zip(arrays, specs, strict=True)]
        gradient = jax.grad(loss_of(layer), (0, 1, 2))
        results = [layer(*operands), *(jax.jit(gradient) if is_compiled else gradient)(*operands)]
        return results, [str(jax.typeof(result)) for result in results]


def explicit_second_order(layer, arrays):
    with jax.set_mesh(explicit_mesh()):
        gradient = jax.grad(loss_of(layer), (0, 1, 2))

        def inner(*a):
            return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

        return jax.jit(jax.grad(inner, (0, 1, 2)))(*(jax.device_put(a, s) for a, s in zip(arrays, DATA, strict=True)))


def explicit_mapped(layer, arrays, axes=(0, None, None)):
    x, w, b = arrays
    x = x.reshape(4, 2, *x.shape[1:]) if axes[0] == 0 else x
    w = jnp.stack([w, 2 * w, -w, w + 1]) if axes[1] == 0 else w
    with jax.set_mesh(explicit_mesh()):
        # JAX does not reshape the bank of weights that are cut.
        axes_cut = (None,) * 3 if getattr(layer, "is_reference", False) else axes
        x, w, b = (
            jax.device_put(a, P() if axis is None else P("d")) for a, axis in zip((x, w, b), axes_cut, strict=True)
        )

        def loss(xs, w, b):
            return bend(jax.vmap(layer, axes)(xs, w, b)).mean()

        return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def explicit_shard_map(layer, arrays):
    with jax.set_mesh(explicit_mesh()):
        x, w, b = (jax.device_put(a, spec) for a, spec in zip(arrays, DATA, strict=True))
        return jax.grad(mean_loss(layer, mesh=explicit_mesh), (0, 1, 2))(x, w, b)
