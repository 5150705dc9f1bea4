# SPDX-License-Identifier: Apache-2.0
"""The layers that are compared, their operands, the meshes of devices, and a loss."""

from __future__ import annotations

from functools import cache

import equiconv as eq
import equiconv.jax as ej
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

C4 = eq.cyclic(4)
READS_GROUP = ("group", "projection")
# Images cut into parts, weights whole.
DATA = (P("d"), P(), P())


@cache
def line():
    return Mesh(np.array(jax.devices()), ("d",))


@cache
def square():
    return Mesh(np.array(jax.devices()).reshape(2, 2), ("d", "m"))


def ours(name, backend=None):
    """The layer, and the mean over H."""
    algorithm = "auto" if backend == "xla" else "direct"

    def layer(x, weight, bias=None):
        y = getattr(ej, f"{name}_conv")(x, weight, C4, bias, padding=1, algorithm=algorithm, backend=backend)
        return ej.group_pool(y, backend=backend) if y.ndim == 5 else y

    return layer


def bank_of_basis(name):
    """The filter banks (|Y|, |X|, 3, 3) of each number of a weight."""
    shape = (4, 3, 3) if name in READS_GROUP else (3, 3)
    count = int(np.prod(shape))
    bank = eq.expand(np.eye(count).reshape(count, 1, *shape), C4, name)
    planes = 4 if name in READS_GROUP else 1
    return bank.reshape(count, -1, planes, 3, 3)


def theirs(name):
    """The same by `jax.lax.conv_general_dilated` with the expanded bank."""
    basis = bank_of_basis(name)

    def layer(x, weight, bias=None):
        o, c = weight.shape[:2]
        bank = jnp.einsum("oce,eyxkl->oycxkl", weight.reshape(o, c, -1), jnp.asarray(basis))
        points = bank.shape[1]
        bank = bank.reshape(o * points, -1, 3, 3)
        x = x.reshape(x.shape[0], -1, *x.shape[-2:])
        y = jax.lax.conv_general_dilated(x, bank, (1, 1), [(1, 1)] * 2)
        y = y.reshape(y.shape[0], o, points, *y.shape[2:]).mean(2)
        return y if bias is None else y + bias[:, None, None]

    layer.is_reference = True
    return layer


def operands(name, batch=8):
    fiber = (4,) if name in READS_GROUP else ()
    shapes = (batch, 2, *fiber, 5, 5), (4, 2, *fiber, 3, 3), (4,)
    rng = np.random.default_rng(20200426)
    return tuple(jnp.asarray(rng.normal(size=shape)) for shape in shapes)


def bend(y):
    """Not linear, so that cotangents and second derivatives differ from place to place."""
    return jnp.sin(y) ** 2


def loss_of(layer):
    return lambda x, w, b: bend(layer(x, w, b)).mean()
