# SPDX-License-Identifier: Apache-2.0
"""What the tests of equiconv.jax share. Importing it skips a module where JAX is not installed."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

jax = pytest.importorskip(
    "jax", reason='the tests of equiconv.jax are skipped: JAX is not installed, pip install "equiconv[jax]"'
)

import equiconv.jax as ej  # noqa: E402

NAMES = ("isotropic_conv", "lifting_conv", "group_conv", "projection_conv")
READS_GROUP = ("group_conv", "projection_conv")
C4, C8, D4 = eq.cyclic(4), eq.cyclic(8), eq.dihedral(4)


@pytest.fixture
def x64():
    """float64 in JAX, for the length of a test."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(autouse=True)
def quick_compiler():
    """XLA without its optimizations: for modules that compile much, where they take most of the time."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def draw(rng, shape, dtype=np.float64):
    return rng.normal(size=shape).astype(dtype)


def operands(rng, name, group, sizes, kernel, dtype=np.float64, batch=2, channels=3, outputs=2):
    """Random (x, weight, bias) of a named layer; `kernel` are the trailing axes of the weight."""
    fiber = (group.order,) if name in READS_GROUP else ()
    x = draw(rng, (batch, channels, *fiber, *sizes), dtype)
    return x, draw(rng, (outputs, channels, *fiber, *kernel), dtype), draw(rng, (outputs,), dtype)


def layer(name, group, **keywords):
    """(x, weight, bias) -> the layer in JAX, with the direct algorithm by default."""
    keywords = {"algorithm": "direct"} | keywords
    return lambda x, weight, bias=None: getattr(ej, name)(x, weight, group, bias, **keywords)


def numpy_layer(name, group, **keywords):
    """The same in NumPy."""
    keywords = {"algorithm": "direct"} | keywords
    return lambda x, weight, bias=None: getattr(eq, name)(x, weight, group, bias, **keywords)


def assert_same_bits(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert np.array_equal(actual, expected)


def program_of(function, *arguments):
    """The program of the one layer that a function calls."""
    equations = jax.make_jaxpr(function)(*arguments).jaxpr.eqns
    return next(e.params["program"] for e in equations if "program" in e.params)
