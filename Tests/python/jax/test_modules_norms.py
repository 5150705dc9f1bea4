# SPDX-License-Identifier: Apache-2.0
"""Norms of samples and squeeze-and-excitation as modules of Flax and Equinox: those of NumPy, equivariant, to train."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, ej, jax, quick_compiler, x64
from jax_modules import compiled, framework

__all__ = ["framework", "quick_compiler", "x64"]

KINDS = ("GroupNorm", "InstanceNorm", "LayerNorm", "SqueezeExcite")
GROUPS = {
    "reflection": (eq.reflection(), (7,)),
    "C4": (C4, (5, 5)),
    "D4": (D4, (6, 4)),
    "octahedral": (eq.octahedral(), (2, 3, 2)),
}


def arguments_of(kind, group):
    return {
        "GroupNorm": (2, 4, 1e-3),
        "InstanceNorm": (4, 1e-3, True),
        "LayerNorm": (4, group),
        "SqueezeExcite": (4, 2, group),
    }[kind]


def pair(framework, rng, kind, group, exact=False, dtype="float32"):
    """The module, and the layer of NumPy with its parameters, drawn at random, in double precision."""
    arguments = arguments_of(kind, group)
    module = framework.make(kind, *arguments, exact=exact, dtype=dtype)
    layer = getattr(eq, kind)(*arguments, dtype="float64")
    if kind == "SqueezeExcite":
        maps = {name: framework.parameters(getattr(module, name)) for name in ("fc1", "fc2")}
        layer.load({f"{name}.{key}": np.asarray(value, float) for name, pair in maps.items()
                    for key, value in zip(("weight", "bias"), pair, strict=True)})  # fmt: skip
        return module, layer
    values = [draw(rng, (4,), np.float32).astype(module.weight.dtype) for _ in range(2)]
    layer.load({name: value.astype(float) for name, value in zip(("weight", "bias"), values, strict=True)})
    return framework.with_parameters(module, *values), layer


def signal(rng, group, sizes, dtype=np.float32, on_group=True):
    fiber = (group.order,) if on_group else ()
    return 2 * draw(rng, (2, 4, *fiber, *sizes), dtype) + np.ones((), dtype)


def bound(x, layer, eps, accuracy):
    """How far two ways to round may be apart: sums of n numbers lose n eps of the largest, and so does each factor."""
    values = np.asarray(x, float)
    largest = np.abs(values).max()
    if isinstance(layer, eq.SqueezeExcite):
        own = layer.parameters()
        scale = largest * np.abs(own["fc1.weight"]).sum() * np.abs(own["fc2.weight"]).sum()
    else:
        shape, axis = layer.options.flat(values.shape)
        deviation = np.sqrt(values.reshape(shape).var(axis).min() + layer.options.eps)
        scale = np.abs(layer.weight).max() / deviation
    return (values[0].size * eps + 4 * accuracy) * (largest * scale + 1) * 4


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_modules_are_the_layers_of_numpy(rng, framework, kind, exact):
    for group, sizes in GROUPS.values():
        for on_group in (True, False):
            module, layer = pair(framework, rng, kind, group, exact)
            x = signal(rng, group, sizes, on_group=on_group)
            y = module(x)
            assert y.dtype == np.float32
            eps = np.finfo(np.float32).eps
            assert np.abs(np.asarray(y, float) - layer(x.astype(float))).max() <= bound(x, layer, eps, eps)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_signals_of_half_precision_are_normalized_in_single(rng, framework, kind, dtype):
    for parameters in (dtype, "float32"):
        module, layer = pair(framework, rng, kind, C4, dtype=parameters)
        x = jax.numpy.asarray(signal(rng, C4, (5, 5)), dtype)
        y = module(x)
        assert y.dtype == x.dtype
        expected = layer(np.asarray(x, float))
        accuracy = float(jax.numpy.finfo(dtype).eps)
        limit = bound(x, layer, np.finfo(np.float32).eps, 0) + accuracy * np.abs(expected)
        assert np.all(np.abs(np.asarray(y, float) - expected) <= limit)


@pytest.mark.parametrize("kind", KINDS)
def test_double_precision_is_kept(rng, framework, x64, kind):
    module, layer = pair(framework, rng, kind, D4, dtype="float64")
    x = signal(rng, D4, (3, 4), np.float64)
    eps = np.finfo(np.float64).eps
    assert np.abs(np.asarray(module(x)) - layer(x)).max() <= bound(x, layer, eps, eps)


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GROUPS)
def test_exact_modules_commute_to_the_last_bit_and_others_up_to_rounding(rng, framework, name, kind, is_compiled):
    group, sizes = GROUPS[name]
    x = signal(rng, group, sizes)
    exact, layer = pair(framework, rng, kind, group, True)
    rounded, _ = pair(framework, rng, kind, group)
    if is_compiled:
        exact, rounded = compiled(exact), compiled(rounded)
    eps = np.finfo(np.float32).eps
    limit = 2 * bound(x, layer, eps, eps)
    for element in range(group.order):
        turned = ej.act(x, group, element)
        assert_same_bits(exact(turned), ej.act(exact(x), group, element))
        assert np.abs(rounded(turned) - ej.act(rounded(x), group, element)).max() <= limit


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_torch(rng, framework, kind, exact):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    module, layer = pair(framework, rng, kind, C4, exact)
    reference = getattr(et, kind)(*arguments_of(kind, C4), dtype=torch.float64)
    reference.load_state_dict({name: torch.tensor(array) for name, array in layer.parameters().items()})
    x = signal(rng, C4, (3, 3))
    cotangent = draw(rng, x.shape, np.float32)
    tensor = torch.tensor(x.astype(float), requires_grad=True)
    reference(tensor).backward(torch.tensor(cotangent.astype(float)))
    (gradient,) = jax.vjp(module, x)[1](cotangent)
    # As the signal itself, but for a factor of the deviation, and sums of products of two.
    eps = np.finfo(np.float32).eps
    limit = bound(x, layer, eps, eps) * np.abs(cotangent).max() * 4
    assert np.abs(gradient - tensor.grad.numpy()).max() <= limit
    batch = np.stack([x, 2 * x])
    assert np.abs(jax.vmap(module)(batch)[1] - module(2 * x)).max() <= bound(2 * x, layer, eps, eps)


def test_the_algorithm_of_a_network_decides_on_sums(rng, framework):
    layers = [framework.make("LiftingConv", 1, 4, 3, C4, padding=1), framework.make("GroupNorm", 2, 4),
              framework.make("SqueezeExcite", 4, 2, C4), framework.make("LayerNorm", 4, C4)]  # fmt: skip
    network = framework.make("Sequential", *layers)
    assert not any(layer.exact for layer in network.layers[1:])
    network = framework.with_algorithm(network, "exact")
    assert all(layer.exact for layer in network.layers[1:])
    x = draw(rng, (2, 1, 5, 5), np.float32)
    for element in range(4):
        assert_same_bits(network(ej.act(x, C4, element)), ej.act(network(x), C4, element))
    assert not any(layer.exact for layer in framework.with_algorithm(network, "auto").layers[1:])


def test_wrong_calls_are_named(rng, framework):
    make = framework.make
    x = signal(rng, C4, (3, 3))
    for error, message, call in (
        (ValueError, "num_channels is 4, expected a multiple of num_groups, 3", lambda: make("GroupNorm", 3, 4)),
        (TypeError, "exact is 1", lambda: make("GroupNorm", 2, 4, exact=1)),
        (TypeError, "affine is 'no'", lambda: make("InstanceNorm", 4, affine="no")),
        (TypeError, "dtype has dtype int32", lambda: make("GroupNorm", 2, 4, dtype="int32")),
        (TypeError, "group is 4", lambda: make("LayerNorm", 4, 4)),
        (ValueError, "reduction is 0", lambda: make("SqueezeExcite", 4, 0, C4)),
        (ValueError, r"x has shape .*expected \(B, 2, ", lambda: make("GroupNorm", 2, 2)(x)),
        (ValueError, "with 2 spatial axes", lambda: make("LayerNorm", 4, C4)(x[..., 0, 0])),
        (ValueError, "for SqueezeExcite", lambda: make("SqueezeExcite", 4, 2, C4)(x[:, :2])),
        (TypeError, "x has dtype int32", lambda: make("InstanceNorm", 4)(x.astype("int32"))),
        (TypeError, "x has dtype float32, expected bfloat16", lambda: make("GroupNorm", 2, 4, dtype="bfloat16")(x)),
    ):
        with pytest.raises(error, match=message):
            call()
