# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools, adaptive means and pools that round up, as modules of Flax and Equinox."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, jax, quick_compiler, x64
from jax_modules import Equinox, Flax, compiled, framework
from resizing_cases import GROUPS, LAYERS, bound, elements_of, signal

__all__ = ["framework", "quick_compiler", "x64"]

jnp = jax.numpy
OCTAHEDRAL = eq.octahedral()


@pytest.fixture
def modules():
    """Those of one framework: the functions are the same."""
    for kind in (Equinox, Flax):
        try:
            return kind()
        except pytest.skip.Exception:
            pass
    return pytest.skip("neither Flax nor Equinox is installed")


def made(framework, layer, group):
    name, arguments, keywords = LAYERS[layer]
    return framework.make(name, group, *arguments, **keywords)


def theirs(layer, group, library=eq):
    name, arguments, keywords = LAYERS[layer]
    return getattr(library, name)(group, *arguments, **keywords)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", ["reflection", "C4", "D4", "octahedral"])
def test_compiled_layers_commute_with_the_action_and_have_the_bits_of_numpy(modules, group, layer):
    """Also where the compiler fuses multiplications with additions."""
    jax.config.update("jax_disable_most_optimizations", False)
    group = GROUPS[group]
    call = compiled(made(modules, layer, group))
    size = 6 if "blur" in layer else 5
    x = signal(group, size)[(..., *[slice(size)] * group.dimension)]
    y, expected = np.asarray(call(x)), theirs(layer, group)(x)
    for element in elements_of(group)[::3]:
        assert_same_bits(call(eq.act(x, group, element)), eq.act(y, group, element))
    if "mean" in layer:
        # Of numbers that were cut below the largest of a plane.
        np.testing.assert_allclose(y, expected, rtol=3e-7, atol=1e-7 * np.abs(x).max())
    elif "linear" in layer:
        # Of fused multiplications, which round once less.
        assert np.abs(y - expected).max() <= bound(x, *LAYERS[layer][:2])
    else:
        assert_same_bits(y, expected)


@pytest.mark.parametrize("layer", LAYERS)
def test_modules_of_each_framework_are_those_of_numpy(framework, layer):
    x = signal(C4, 6)
    y, expected = np.asarray(made(framework, layer, C4)(x)), theirs(layer, C4)(x)
    assert np.abs(y - expected).max() <= bound(x, *LAYERS[layer][:2])


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_are_those_of_torch(rng, x64, modules, layer):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    for group, size in ((eq.reflection(), 5), (D4, 6), (OCTAHEDRAL, 3)):
        x = rng.permutation(size**group.dimension * 2).astype(np.float64)
        x = x.reshape(1, 2, *(size,) * group.dimension)
        tensor = torch.tensor(x, requires_grad=True)
        expected = theirs(layer, group, et)(tensor)
        y, vjp = jax.vjp(compiled(made(modules, layer, group)), x)
        cotangent = draw(rng, y.shape)
        expected.backward(torch.tensor(cotangent))
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-13)
        np.testing.assert_allclose(vjp(cotangent)[0], tensor.grad.numpy(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_mapped_and_take_half_precision(rng, modules, layer):
    call = made(modules, layer, C4)
    x = draw(rng, (3, 1, 2, 4, 6, 6), np.float32)
    assert_same_bits(jax.vmap(call)(x), np.stack([call(one) for one in x]))
    for dtype in (jnp.bfloat16, jnp.float16):
        half = jnp.asarray(x[0]).astype(dtype)
        y = call(half)
        assert y.dtype == dtype
        assert jnp.array_equal(y, call(half.astype(jnp.float32)).astype(dtype))


@pytest.mark.parametrize("windows", [(2, 2, 0), (3, 2, 1), (4, 3, 2), (2, 3, 1)], ids=str)
@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_pools_that_round_up_are_those_of_numpy(rng, modules, windows):
    for group, size in ((eq.reflection(), 6), (D4, 7), (OCTAHEDRAL, 4)):
        x = draw(rng, (1, 2, *(size,) * group.dimension), np.float32)
        y = modules.make("SpatialMaxPool", group, *windows, ceil_mode=True)(x)
        assert_same_bits(y, eq.SpatialMaxPool(group, *windows, ceil_mode=True)(x))
        for flags in ((True, True), (True, False), (False, False)):
            y, vjp = jax.vjp(modules.make("SpatialAvgPool", group, *windows, *flags), x)
            pool = eq.SpatialAvgPool(group, *windows, *flags)
            np.testing.assert_allclose(y, pool(x), rtol=3e-7, atol=1e-7)
            # The mean is linear, and its adjoint the gradient.
            cotangent = draw(rng, y.shape, np.float32)
            np.testing.assert_allclose(np.sum(vjp(cotangent)[0] * x), np.sum(cotangent * pool(x)), rtol=1e-4, atol=1e-5)


def test_one_mean_has_the_bits_of_the_mean_over_space(framework):
    x = signal(C4, 6)
    y = framework.make("AdaptiveMean", C4, 1)(x)
    assert_same_bits(np.asarray(y)[..., 0, 0], framework.make("SpatialMean", C4)(x))


def test_a_number_that_is_not_finite_stays_in_its_windows(framework):
    x = np.ones((1, 1, 6, 6), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = np.asarray(framework.make("AdaptiveMean", C4, 3)(x))[0, 0]
    assert np.isnan(y[0, 0])
    assert np.isfinite(y.ravel()[1:]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: f.make("Upsample", C4, (2, 3)), r"factor is \(2, 3\), expected equal numbers"),
        (lambda f: f.make("Upsample", C4, 2)(np.zeros((1, 2, 0, 3), np.float32)), "of at least 1 for Upsample"),
        (lambda f: f.make("BlurPool", C4, 2, 3, 2), "padding is 2 on axis 0, expected at most 1"),
        (
            lambda f: f.make("BlurPool", C4, 2, 5, 0)(np.zeros((1, 1, 4, 4), np.float32)),
            "taps is 5, expected at most 4",
        ),
        (lambda f: f.make("MaxBlurPool", C4, 0), "kernel is 0"),
        (lambda f: f.make("AdaptiveMean", C4, 0), "size is 0"),
    ],
)
def test_wrong_calls_are_named(framework, make, message):
    with pytest.raises(ValueError, match=message):
        make(framework)


def test_strides_that_do_not_fit_warn_and_name_sizes_that_do(framework):
    for module in (framework.make("BlurPool", C4, 2, 3), framework.make("SpatialMaxPool", C4, 3, 2, ceil_mode=True)):
        with pytest.warns(eq.EquivarianceWarning, match="size 6 .*Nearest sizes that fit: 5 or 7"):
            module(np.zeros((1, 1, 4, 6, 6), np.float32))
