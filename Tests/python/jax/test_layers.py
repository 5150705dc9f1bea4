# SPDX-License-Identifier: Apache-2.0
"""The layers of equiconv.jax are those of equiconv, to the last bit, and as equivariant."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import GROUPS, VJP, all_cases, identify
from cases import operands as case_operands
from equiconv._groups.geometry import lattice_elements
from jax_cases import C4, C8, D4, NAMES, assert_same_bits, draw, ej, jax, layer, numpy_layer, operands, x64

__all__ = ["x64"]

# Every sampling and layer of C4, and one in four of others: each is compiled. Every group is tested once below.
CASES = [*all_cases(("C4",)), *all_cases(("reflection", "D4", "octahedral"))[::4]]


def with_fiber(rng, group, basis=None, group_basis=None, dtype=np.float64):
    """Operands of a group convolution: a signal of 9 pixels a side, a kernel of 3 taps or what a basis needs."""
    d = group.dimension
    functions = group.order if group_basis is None else group_basis.count
    trailing = (3,) * d if basis is None else basis.shape
    x = draw(rng, (1, 2, group.order, *(9 if d < 3 else 5,) * d), dtype)
    return x, draw(rng, (2, 2, functions, *trailing), dtype)


@pytest.mark.parametrize(("name", "group_name", "sampling"), CASES, ids=identify)
def test_layers_and_gradients_have_the_bits_of_numpy(rng, x64, name, group_name, sampling):
    group = GROUPS[group_name]
    keywords = sampling.keywords | {"algorithm": "direct"}
    x, weight, bias = case_operands(rng, name, group, sampling, np.float64)
    function = layer(f"{name}_conv", group, **keywords)
    y, vjp = jax.vjp(function, x, weight, bias)
    assert_same_bits(y, numpy_layer(f"{name}_conv", group, **keywords)(x, weight, bias))
    grad_out = draw(rng, y.shape)
    for gradient, expected in zip(vjp(grad_out), VJP[name](grad_out, x, weight, group, **keywords), strict=True):
        assert_same_bits(gradient, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("algorithm", ["direct", "auto", "fourier", "winograd"])
def test_compiled_float32_has_the_bits_of_numpy(rng, name, with_bias, algorithm):
    x, weight, bias = operands(rng, name, C4, (20, 22), (3, 3), np.float32, channels=4, outputs=8)
    arguments = (x, weight, bias) if with_bias else (x, weight)
    y = jax.jit(layer(name, C4, algorithm=algorithm))(*arguments)
    assert_same_bits(y, numpy_layer(name, C4, algorithm=algorithm)(*arguments))


ANY_GROUPS = {
    **GROUPS,
    "C8": C8,
    "D3": eq.dihedral(3),
    "C100": eq.cyclic(100),
    "icosahedral": eq.icosahedral(),
    "C3 about x": eq.axial_cyclic(3, "x"),
    "D3 about z": eq.axial_dihedral(3, "z"),
    "scaling": eq.scaling([1, 1.5, 2.25]),
    "scaling of the line": eq.scaling([1, 2], 1),
    "similarity": eq.similarity(4, [1, 2]),
    "matrices": eq.PointGroup.from_matrices(eq.dihedral(4).matrices[[0, 2, 4, 6]]),
}


@pytest.mark.parametrize("name", ANY_GROUPS)
def test_every_group_is_made_again_by_the_compiled_program(rng, x64, name):
    group = ANY_GROUPS[name]
    d = group.dimension
    x, weight = draw(rng, (1, 2, *(11,) * d)), draw(rng, (2, 2, *(3,) * d))
    for quadrature in (False, True):
        keywords = {"padding": "same", "quadrature": quadrature}
        y = layer("lifting_conv", group, **keywords)(x, weight)
        assert_same_bits(y, numpy_layer("lifting_conv", group, **keywords)(x, weight))
    if group.order <= 12:
        x, weight = with_fiber(rng, group)
        y = layer("group_conv", group, quadrature=True)(x, weight)
        assert_same_bits(y, numpy_layer("group_conv", group, quadrature=True)(x, weight))


BASES = [
    eq.pixel_basis(3, "bicubic"),
    eq.bspline_basis(5),
    eq.bspline_basis(5, 2, centers=[[0, 0], [1, 0.5], [-1.5, 1]], scale=1.25),
    eq.atrous_bspline_basis(5),
    eq.round_bspline_basis(5),
    eq.round_bspline_basis(5, 1, radius=1.5),
    eq.circular_harmonics(5),
    eq.circular_harmonics(5, radii=[0, 1.5], frequencies=[0, 2]),
    eq.gaussian_derivatives(5, 2, 1.1),
]


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("group_basis", [None, eq.localized([0, 7, 1]), eq.group_bspline(2, 3)], ids=repr)
def test_every_basis_is_made_again_by_the_compiled_program(rng, x64, basis, group_basis):
    x, weight = with_fiber(rng, C8, basis, group_basis)
    keywords = {"basis": basis, "group_basis": group_basis, "algorithm": "direct"}
    y, vjp = jax.vjp(layer("group_conv", C8, **keywords), x, weight)
    assert_same_bits(y, numpy_layer("group_conv", C8, **keywords)(x, weight))
    grad_out = draw(rng, y.shape)
    expected = eq.group_conv_vjp(grad_out, x, weight, C8, wanted=("x", "weight"), **keywords)[:2]
    for gradient, other in zip(vjp(grad_out), expected, strict=True):
        assert_same_bits(gradient, other)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "bspline3"])
def test_interpolations_differ_and_are_those_of_numpy(rng, x64, interpolation):
    x, weight, _ = operands(rng, "lifting_conv", C8, (9, 9), (3, 3))
    y = layer("lifting_conv", C8, interpolation=interpolation)(x, weight)
    assert_same_bits(y, numpy_layer("lifting_conv", C8, interpolation=interpolation)(x, weight))


@pytest.mark.parametrize("source", [[0], [0, 4], [0, 1, 2, 3], range(8)], ids=str)
@pytest.mark.parametrize("target", [[0], [0, 2], range(8)], ids=str)
@pytest.mark.parametrize("groups", [1, 3])
def test_general_layers_have_the_bits_of_numpy(rng, x64, source, target, groups):
    points = () if len(source) == 8 else (8 // len(source),)
    x, weight = draw(rng, (2, 3, *points, 8, 8)), draw(rng, (3, 3 // groups, *points, 3, 3))
    keywords = {"input_stabilizer": source, "output_stabilizer": target, "groups": groups, "algorithm": "direct"}
    y, vjp = jax.vjp(layer("conv", D4, **keywords), x, weight)
    assert_same_bits(y, eq.conv(x, weight, D4, **keywords))
    grad_out = draw(rng, y.shape)
    expected = eq.conv_vjp(grad_out, x, weight, D4, wanted=("x", "weight"), **keywords)[:2]
    for gradient, other in zip(vjp(grad_out), expected, strict=True):
        assert_same_bits(gradient, other)


# ---- Equivariance ----


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("group_name", ["reflection", "D4", "octahedral"])
@pytest.mark.parametrize("mode", ["zeros", "circular", "reflect", "replicate"])
def test_compiled_layers_commute_with_the_action_to_the_last_bit(rng, name, group_name, mode):
    group = GROUPS[group_name]
    size = {1: 11, 2: 9, 3: 5}[group.dimension]
    x, weight, bias = operands(
        rng, name, group, (size,) * group.dimension, (3,) * group.dimension, np.float32, batch=1, channels=2
    )
    function = jax.jit(layer(name, group, stride=2, padding=1, padding_mode=mode))
    y = function(x, weight, bias)
    for element in range(0, group.order, max(1, group.order // 6)):
        assert_same_bits(function(ej.act(x, group, element), weight, bias), ej.act(y, group, element))


def test_a_compiled_network_is_invariant_to_the_last_bit(rng):
    x, lift, _ = operands(rng, "lifting_conv", D4, (13, 13), (3, 3), np.float32)
    weight = draw(rng, (4, 2, 8, 3, 3), np.float32)

    @jax.jit
    def network(x):
        y = jax.nn.relu(layer("lifting_conv", D4)(x, lift))
        y = jax.nn.relu(layer("group_conv", D4, stride=2)(y, weight))
        return ej.group_pool(y)

    y = network(x)
    for element in range(D4.order):
        assert_same_bits(network(ej.act(x, D4, element)), ej.act(y, D4, element))


# ---- Pooling and action ----


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pools_and_their_gradients_have_the_bits_of_numpy(rng, x64, mode, dtype):
    x = rng.integers(-3, 4, size=(2, 3, 4, 5, 6)).astype(dtype) + dtype(0.1)
    y, vjp = jax.vjp(jax.jit(lambda x: ej.group_pool(x, mode)), x)
    assert_same_bits(y, eq.group_pool(x, mode))
    grad_out = draw(rng, y.shape, dtype)
    rounding = 0 if mode == "mean" else np.finfo(dtype).eps
    np.testing.assert_allclose(vjp(grad_out)[0], eq.group_pool_vjp(grad_out, x, mode), rtol=rounding, atol=0)


def test_a_maximum_over_values_with_nan_is_nan():
    x = np.zeros((1, 1, 4, 2), np.float32)
    x[0, 0, 2, 1] = np.nan
    assert np.isnan(ej.group_pool(x, "max")).tolist() == [[[False, True]]]


@pytest.mark.parametrize("name", ANY_GROUPS)
def test_action_is_that_of_numpy(rng, x64, name):
    group = ANY_GROUPS[name]
    sizes = (2, 3, 4)[: group.dimension]
    elements = lattice_elements(group)
    plane, fiber = draw(rng, (2, 3, *sizes)), draw(rng, (1, 2, group.order, *sizes))
    for element in elements[:: max(1, len(elements) // 4)]:
        for x in (plane, fiber):
            assert_same_bits(ej.act(x, group, element), eq.act(x, group, element))


@pytest.mark.parametrize("stabilizer", [[0], [0, 4], [0, 2], [0, 1, 2, 3], range(8)], ids=str)
def test_action_on_quotients_is_that_of_numpy(rng, x64, stabilizer):
    points = () if len(stabilizer) == 8 else (8 // len(stabilizer),)
    x = draw(rng, (2, 3, *points, 4, 5))
    for element in range(8):
        assert_same_bits(ej.act(x, D4, element, stabilizer), eq.act(x, D4, element, stabilizer))


# ---- Arrays ----


def test_empty_batches_and_layouts(rng):
    x, weight, bias = operands(rng, "lifting_conv", C4, (8, 8), (3, 3), np.float32)
    assert layer("lifting_conv", C4)(x[:0], weight, bias).shape == (0, 2, 4, 6, 6)
    gradient = jax.grad(lambda weight: layer("lifting_conv", C4)(x[:0], weight, bias).sum())(weight)
    assert np.array_equal(gradient, np.zeros_like(weight))
    turned = jax.jit(lambda x: layer("lifting_conv", C4)(x.swapaxes(2, 3), weight))(x)
    assert_same_bits(turned, numpy_layer("lifting_conv", C4)(x.swapaxes(2, 3), weight))


def test_the_gradient_of_an_empty_batch_is_zero_by_every_pass(rng):
    x = np.zeros((0, 3, 4, 8, 8), np.float32)
    weight, bias = draw(rng, (2, 3, 4, 3, 3), np.float32), np.ones(2, np.float32)
    gradients = jax.grad(lambda *operands: layer("group_conv", C4)(*operands).sum(), (0, 1, 2))(x, weight, bias)
    assert [gradient.shape for gradient in gradients] == [x.shape, weight.shape, bias.shape]
    assert not any(np.any(gradient) for gradient in gradients)
