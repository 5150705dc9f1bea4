# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions in JAX: the bits of NumPy's, under jit, grad and vmap, and as modules."""

from __future__ import annotations

import inspect
import warnings

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, assert_same_bits, draw, ej, jax, x64  # noqa: F401
from jax_modules import Equinox, Flax

LAYERS = ("isotropic", "lifting", "group", "projection")
OPTIONS = {
    "C4": (C4, (3, 3), {}),
    "D4 strided": (D4, (4, 4), {"stride": 2, "padding": 1}),
    "C4 circular": (C4, (3, 3), {"stride": 2, "padding": 5, "padding_mode": "circular"}),
    "C8 splines": (C8, (25,), {"padding": "same", "basis": eq.bspline_basis(5)}),
    "line": (eq.reflection(), (3,), {"stride": 3, "padding": 1}),
}


def operands(rng, layer, name, dtype=np.float64, size=5):
    group, kernel, options = OPTIONS[name]
    fiber = (group.order,)
    x = draw(
        rng, (2, 3, *(fiber if layer in ("lifting", "group") else ()), *(size, size + 1)[: group.dimension]), dtype
    )
    weight = draw(rng, (3, 2, *(fiber if layer in ("projection", "group") else ()), *kernel), dtype)
    return x, weight, group, draw(rng, (2,), dtype), {"layer": layer, **options}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.usefixtures("x64")
def test_results_are_those_of_numpy_by_either_backend(rng, layer, name):
    x, weight, group, bias, options = operands(rng, layer, name)
    expected = eq.transposed_conv(x, weight, group, bias, **options)
    f = jax.jit(lambda x, weight, bias: ej.transposed_conv(x, weight, group, bias, **options))
    assert_same_bits(f(x, weight, bias), expected)
    by_xla = ej.transposed_conv(x, weight, group, bias, backend="xla", **options)
    assert np.abs(by_xla - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("algorithm", ["direct", "exact"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPTIONS)
def test_it_commutes_with_the_group_to_the_last_bit(rng, layer, name, algorithm):
    x, weight, group, bias, options = operands(rng, layer, name, np.float32)
    f = jax.jit(lambda x: ej.transposed_conv(x, weight, group, bias, algorithm=algorithm, **options))
    assert eq.equivariance_error(f, x, group) == 0


@pytest.mark.parametrize("algorithm", ["auto", "direct"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.usefixtures("x64")
def test_gradients_are_those_of_numpy(rng, layer, algorithm):
    x, weight, group, bias, options = operands(rng, layer, "D4 strided")
    y = eq.transposed_conv(x, weight, group, bias, **options)
    g = draw(rng, y.shape)
    expected = eq.transposed_conv_vjp(g, x, weight, group, **options)

    def loss(x, weight, bias):
        return (g * ej.transposed_conv(x, weight, group, bias, algorithm=algorithm, **options)).sum()

    for found, wanted in zip(jax.jit(jax.grad(loss, (0, 1, 2)))(x, weight, bias), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())
    # Of the second order it is bilinear: d/dx <u, d/dw loss> = d/dx loss(x, u).
    u = draw(rng, weight.shape)
    mixed = jax.grad(lambda x: (u * jax.grad(loss, 1)(x, weight, bias)).sum())(x)
    np.testing.assert_allclose(mixed, jax.grad(loss)(x, u, bias), rtol=0, atol=1e-11 * np.abs(mixed).max())


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
@pytest.mark.usefixtures("x64")
def test_vmap_is_a_loop(rng, axes):
    x, weight, group, _, options = operands(rng, "lifting", "D4 strided")
    xs = draw(rng, (3, *x.shape)) if axes[0] == 0 else x
    weights = draw(rng, (3, *weight.shape)) if axes[1] == 0 else weight

    def f(x, weight):
        return ej.transposed_conv(x, weight, group, **options)

    found = jax.vmap(f, axes)(xs, weights)
    for number in range(3):
        one = f(xs[number] if axes[0] == 0 else x, weights[number] if axes[1] == 0 else weight)
        np.testing.assert_allclose(found[number], one, rtol=0, atol=1e-12 * np.abs(one).max())


def test_halves_are_computed_by_xla(rng):
    x, weight, group, bias, options = operands(rng, "lifting", "D4 strided", np.float32)
    expected = eq.transposed_conv(x, weight, group, bias, **options)
    half = ej.transposed_conv(*(jax.numpy.asarray(a, jax.numpy.bfloat16) for a in (x, weight)), group, **options)
    assert half.dtype == jax.numpy.bfloat16
    without_bias = expected - bias.reshape(-1, 1, 1)
    assert np.abs(np.asarray(half, np.float32) - without_bias).max() <= 0.03 * np.abs(expected).max()
    with pytest.raises(ValueError, match="algorithm is 'direct', expected 'auto' where XLA computes"):
        ej.transposed_conv(x, weight, group, backend="xla", algorithm="direct", **options)


def test_output_padding_warns_at_the_line_of_the_user():
    x, weight = np.ones((1, 1, 4, 4, 4), np.float32), np.ones((1, 1, 4, 3, 3), np.float32)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        y = ej.transposed_conv(x, weight, C4, stride=2, output_padding=1, algorithm="direct")
    assert y.shape[-2:] == (10, 10)
    assert [warning.category for warning in seen] == [eq.EquivarianceWarning] * 2
    assert {warning.filename for warning in seen} == {__file__}


X, W = np.ones((1, 2, 4, 5, 5), np.float32), np.ones((2, 3, 4, 3, 3), np.float32)
WRONG = {
    "x of another space": ({"x": X[:, :, 0]}, ValueError, "x has shape"),
    "channels": ({"weight": W[:1]}, ValueError, "weight has shape .*expected 2 on axis 0"),
    "bias": ({"bias": np.ones(2, np.float32)}, ValueError, "bias has shape"),
    "dtype of the bias": ({"bias": np.ones(3, np.float16)}, TypeError, "bias has dtype float16"),
    "output padding": ({"output_padding": 1}, ValueError, "output_padding is 1, expected at most 0"),
    "layer": ({"layer": "conv"}, ValueError, "layer is 'conv'"),
    "no array": ({"x": [1.0]}, TypeError, "x is"),
    "backend": ({"backend": "cuda"}, ValueError, "backend is 'cuda'"),
    "padding": ({"padding": 4}, ValueError, "padding is 4 on spatial axis 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_errors_that_name_the_argument(case):
    changes, kind, message = WRONG[case]
    with pytest.raises(kind, match=message):
        ej.transposed_conv(**({"x": X, "weight": W, "group": C4} | changes))


@pytest.mark.parametrize("library", [Flax, Equinox])
@pytest.mark.parametrize("name", LAYERS)
def test_modules_are_those_of_numpy(rng, library, name):
    face = library()
    options = {"layer": name, "stride": 2, "padding": 1}
    module, twin = face.make("TransposedConv", 3, 2, 4, D4, **options), eq.TransposedConv(3, 2, 4, D4, **options)
    weight, bias = face.parameters(module)
    assert (weight.shape, bias.shape) == (twin.weight.shape, twin.bias.shape)
    assert not np.any(bias)
    deviation = twin.options.deviation
    assert np.std(np.asarray(weight)) == pytest.approx(deviation, rel=5 / (2 * weight.size) ** 0.5)
    bias = draw(rng, (2,), np.float32)
    module = face.with_parameters(module, weight, bias)
    twin.load({"weight": np.asarray(weight), "bias": bias})
    x = draw(rng, (1, 3, *((8,) if twin.input_space.group else ()), 5, 5), np.float32)
    assert_same_bits(module(x), twin(x))
    assert (module.input_space, module.output_space, module.layer_name) == (twin.input_space, twin.output_space, name)
    signature = face.modules.signature(module)
    assert list(signature.values()) == [f"transposed_conv of {name}_conv on D4, kernel 4 x 4"]
    with pytest.raises(ValueError, match="TransposedConv wants 3 channels"):
        module(x[:, :2])
    eq.set_algorithm(module, "direct") if library is Flax else face.modules.with_algorithm(module, "direct")


@pytest.mark.parametrize("library", [Flax, Equinox])
def test_arguments_of_modules_are_those_of_numpy(library):
    ours = list(inspect.signature(library().modules.TransposedConv.__init__).parameters)[1:]
    theirs = list(inspect.signature(eq.TransposedConv.__init__).parameters)[1:]
    assert ours[:-3] == [name for name in theirs if name not in ("rng", "dtype")]
    assert ours[-3:-1] == ["backend", "dtype"]
    function = list(inspect.signature(ej.transposed_conv).parameters)
    assert function[:-1] == list(inspect.signature(eq.transposed_conv).parameters)[:-1]
