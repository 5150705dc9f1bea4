# SPDX-License-Identifier: Apache-2.0
"""Cases of pmap."""

from __future__ import annotations

import jax

from .layers import loss_of


def pmapped(layer, arrays):
    x, w, b = arrays
    parts = x.reshape(4, 2, *x.shape[1:])
    step = jax.pmap(
        lambda x, w, b: jax.lax.pmean(jax.grad(loss_of(layer), (1, 2))(x, w, b), "d"),
        axis_name="d",
        in_axes=(0, None, None),
    )
    return step(parts, w, b), jax.pmap(layer, in_axes=(0, None, None))(parts, w, b)


def pmapped_outside(layer, arrays):
    x, w, b = arrays
    f = jax.pmap(lambda x, w, b: jax.lax.pmean(loss_of(layer)(x, w, b), "d"), axis_name="d", in_axes=(0, None, None))
    return jax.grad(lambda *a: f(*a).mean(), (0, 1, 2))(x.reshape(4, 2, *x.shape[1:]), w, b)
