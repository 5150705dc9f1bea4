# SPDX-License-Identifier: Apache-2.0
"""Derivatives of equiconv.jax: against finite differences, in both modes and both orders, and as adjoints."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, NAMES, assert_same_bits, draw, ej, jax, layer, operands, quick_compiler, x64

check_grads = pytest.importorskip("jax.test_util").check_grads

__all__ = ["quick_compiler", "x64"]

LINE, CUBE = eq.reflection(), eq.octahedral()

# group, sizes, kernel, keywords
SAMPLINGS = {
    "C4": (C4, (5, 6), (3, 3), {}),
    "D4 strided": (D4, (5, 5), (3, 3), {"stride": 2, "padding": 1}),
    "C4 dilated": (C4, (6, 7), (2, 2), {"dilation": 2, "padding": 1}),
    "C4 circular": (C4, (4, 5), (3, 3), {"padding": "same", "padding_mode": "circular"}),
    "C4 reflect": (C4, (4, 5), (3, 3), {"padding": 2, "padding_mode": "reflect", "groups": 2}),
    "C4 replicate": (C4, (4, 5), (3, 3), {"padding": 2, "padding_mode": "replicate"}),
    "C8 interpolated": (C8, (5, 5), (3, 3), {"interpolation": "bicubic"}),
    "C8 basis": (C8, (6, 6), eq.circular_harmonics(5).shape, {"basis": eq.circular_harmonics(5)}),
    "line": (LINE, (7,), (3,), {"stride": 2}),
    "scalings": (eq.scaling([1, 2]), (6, 6), (3, 3), {"padding": "same", "quadrature": True}),
}


def bend(y):
    """Not linear, but nearly: the differences that derivatives are checked against are then accurate."""
    return jax.numpy.sin(y / 8)


def check(function, arguments, modes=("fwd", "rev"), order=2):
    check_grads(function, arguments, order=order, modes=modes)


# Every layer once, and every sampling once: each is compiled many times over.
CASES = [
    *((name, "C4") for name in NAMES),
    *(("group_conv", case) for case in SAMPLINGS if case != "C4"),
    ("lifting_conv", "scalings"),
    ("isotropic_conv", "C8 interpolated"),
    ("projection_conv", "D4 strided"),
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_derivatives_of_both_orders_and_modes(rng, x64, name, case):
    group, sizes, kernel, keywords = SAMPLINGS[case]
    x, weight, *bias = operands(rng, name, group, sizes, kernel, batch=1, channels=2, outputs=2)
    arguments = (x, weight[:, : 2 // keywords.get("groups", 1)], *bias)
    # Not linear, so that second derivatives are those of all pairs of operands.
    function = jax.jit(lambda *operands: bend(layer(name, group, **keywords)(*operands)))
    check(function, arguments)


def test_derivatives_in_space(rng, x64):
    x, weight = draw(rng, (1, 1, 24, 3, 3, 3)), draw(rng, (1, 1, 24, 2, 2, 2))
    check(jax.jit(lambda x, weight: bend(layer("group_conv", CUBE)(x, weight))), (x, weight))


def test_derivatives_with_a_basis_on_the_group(rng, x64):
    x, weight = draw(rng, (1, 2, 8, 4, 4)), draw(rng, (2, 2, 3, 3, 3))
    function = layer("group_conv", C8, group_basis=eq.localized([0, 1, 7]))
    check(jax.jit(lambda x, weight: bend(function(x, weight))), (x, weight))


@pytest.mark.parametrize("groups", [1, 2])
def test_derivatives_between_quotients(rng, x64, groups):
    x, weight = draw(rng, (1, 2, 4, 4, 4)), draw(rng, (2, 2 // groups, 4, 3, 3))
    function = layer("conv", D4, input_stabilizer=[0, 4], output_stabilizer=[0, 2], groups=groups)
    check(jax.jit(lambda x, weight: bend(function(x, weight))), (x, weight))


def test_third_derivatives(rng, x64):
    name = "group_conv"
    arguments = operands(rng, name, C4, (3, 3), (2, 2), batch=1, channels=1, outputs=1)
    check(jax.jit(lambda *o: bend(layer(name, C4)(*o)).sum()), arguments, modes=("rev",), order=3)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_derivatives_of_pools_and_the_action(rng, x64, mode):
    x = draw(rng, (2, 2, 8, 3, 3))
    check(lambda x: bend(ej.group_pool(ej.act(x, D4, 5), mode)), (x,))


def test_second_derivatives_are_the_three_passes_to_the_last_bit(rng, x64):
    """d/dx <v, grad_w <g, K(x, w)>> = input_gradient(g, v), and likewise."""
    x, weight, _ = operands(rng, "lifting_conv", C4, (7, 8), (3, 3))
    function = layer("lifting_conv", C4, padding=1)
    g, v, u = draw(rng, (2, 2, 4, 7, 8)), draw(rng, weight.shape), draw(rng, x.shape)

    def grad_weight(x, g):
        return jax.vjp(lambda weight: function(x, weight), weight)[1](g)[0]

    def grad_x(weight, g):
        return jax.vjp(lambda x: function(x, weight), x)[1](g)[0]

    keywords = {"padding": 1, "algorithm": "direct"}
    by_x, by_g = jax.vjp(grad_weight, x, g)[1](v)
    assert_same_bits(by_x, eq.lifting_conv_vjp(g, x, v, C4, wanted=("x",), **keywords)[0])
    assert_same_bits(by_g, eq.lifting_conv(x, v, C4, **keywords))
    by_weight, by_g = jax.vjp(grad_x, weight, g)[1](u)
    assert_same_bits(by_weight, eq.lifting_conv_vjp(g, u, weight, C4, wanted=("weight",), **keywords)[1])
    assert_same_bits(by_g, eq.lifting_conv(u, weight, C4, **keywords))


def test_linear_transpose_is_the_adjoint(rng, x64):
    x, weight, _ = operands(rng, "group_conv", C4, (6, 6), (3, 3))
    function = layer("group_conv", C4)
    g = draw(rng, function(x, weight).shape)
    (transposed,) = jax.linear_transpose(lambda x: function(x, weight), x)(g)
    assert_same_bits(transposed, eq.group_conv_vjp(g, x, weight, C4, algorithm="direct")[0])


def test_hessian_and_both_jacobians_agree(rng, x64):
    x, weight, bias = operands(rng, "lifting_conv", C4, (4, 4), (2, 2), channels=1, outputs=1)

    def loss(weight, bias):
        return jax.numpy.sum(layer("lifting_conv", C4)(x, weight, bias) ** 3)

    forward = jax.jacfwd(jax.grad(loss, (0, 1)), (0, 1))(weight, bias)
    backward = jax.jacrev(jax.grad(loss, (0, 1)), (0, 1))(weight, bias)
    for one, other in zip(jax.tree.leaves(forward), jax.tree.leaves(backward), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)
    assert np.abs(forward[0][0]).max() > 1


def test_rematerialized_gradients_have_the_same_bits(rng, x64):
    x, weight, bias = operands(rng, "lifting_conv", C4, (6, 6), (3, 3))
    function = layer("lifting_conv", C4)
    losses = [lambda weight, f=f: (f(x, weight, bias) ** 2).sum() for f in (function, jax.checkpoint(function))]
    plain, again = (jax.jit(jax.grad(loss))(weight) for loss in losses)
    assert_same_bits(plain, again)


def test_gradient_descent_reduces_a_loss(rng):
    """A network learns to tell upright stripes from diagonal ones."""
    n = 32
    phases = rng.uniform(0, 2 * np.pi, size=(n, 1, 1, 1))
    row, column = np.mgrid[:13, :13]
    straight = rng.integers(0, 2, n)
    along = np.where(straight[:, None, None, None] == 1, column, (row + column) / np.sqrt(2))
    x = (np.sin(1.4 * along + phases) + 0.1 * rng.normal(size=(n, 1, 13, 13))).astype(np.float32)
    labels = straight.astype(np.float32)
    weights = {
        "lift": 0.3 * draw(rng, (6, 1, 3, 3), np.float32),
        "bias": np.zeros(6, np.float32),
        "group": 0.1 * draw(rng, (6, 6, 4, 3, 3), np.float32),
        "read": 0.3 * draw(rng, (6,), np.float32),
    }

    def loss(weights):
        y = jax.nn.relu(ej.lifting_conv(x, weights["lift"], C4, weights["bias"]))
        y = jax.nn.relu(ej.group_conv(y, weights["group"], C4, stride=2))
        logits = ej.group_pool(y).mean((2, 3)) @ weights["read"]
        return jax.numpy.mean(jax.numpy.logaddexp(0, logits) - labels * logits)

    step = jax.jit(lambda weights: jax.tree.map(lambda w, g: w - 0.5 * g, weights, jax.grad(loss)(weights)))
    before = loss(weights)
    for _ in range(150):
        weights = step(weights)
    assert loss(weights) < 0.5 * before
