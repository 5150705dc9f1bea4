# SPDX-License-Identifier: Apache-2.0
"""Batch normalization, dropout and pools over H as modules of Flax and Equinox."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, ej, jax, quick_compiler, x64
from jax_modules import framework, signal

__all__ = ["framework", "quick_compiler", "x64"]


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_is_that_of_torch(rng, framework, affine):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    reference = et.BatchNorm(3, 1e-3, 0.2, affine)
    parameters = None
    if affine:
        parameters = [draw(rng, (3,), np.float32) for _ in range(2)]
        reference.load_state_dict(
            dict(zip(("weight", "bias"), map(torch.tensor, parameters), strict=True)), strict=False
        )
    assert (framework.make("BatchNorm", 3, affine=affine).weight is None) is not affine
    call, running = framework.batch_norm(3, 1e-3, 0.2, affine, parameters=parameters)
    for step in range(3):
        x = signal(rng, "GroupConv", C4) + step
        expected = reference(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(call(x, True), expected, rtol=0, atol=3e-6)
    for mine, theirs in zip(running(), (reference.running_mean, reference.running_var), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=2e-6, atol=1e-7)
    reference.eval()
    before = running()
    np.testing.assert_allclose(call(x, False), reference(torch.tensor(x)).detach().numpy(), rtol=0, atol=3e-6)
    for mine, theirs in zip(running(), before, strict=True):
        assert_same_bits(mine, theirs)


def test_gradients_of_batch_norm_are_those_of_torch_and_pass_no_running_number(rng, framework):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    x = signal(rng, "GroupConv", C4)

    def output_and_running(x):
        call, running = framework.batch_norm(3)
        return call(x, True), running()

    (y, running), vjp = jax.vjp(output_and_running, x)
    cotangent = draw(rng, y.shape, np.float32)
    nothing = jax.tree.map(np.zeros_like, running)
    tensor = torch.tensor(x, requires_grad=True)
    et.BatchNorm(3)(tensor).backward(torch.tensor(cotangent))
    np.testing.assert_allclose(vjp((cotangent, nothing))[0], tensor.grad.numpy(), rtol=0, atol=3e-6)
    assert not np.any(vjp((np.zeros_like(cotangent), jax.tree.map(np.ones_like, running)))[0])


def test_batch_norm_in_evaluation_commutes_to_the_last_bit(rng, framework):
    call, _ = framework.batch_norm(3)
    x = signal(rng, "GroupConv", D4)
    call(x, True)
    for element in range(8):
        assert_same_bits(call(ej.act(x, D4, element), False), ej.act(call(x, False), D4, element))


def test_batch_norm_refuses_other_signals(framework):
    call, _ = framework.batch_norm(3)
    with pytest.raises(ValueError, match=r"x has shape \(2, 4, 5, 5\), expected \(B, 3, "):
        call(np.zeros((2, 4, 5, 5), np.float32), True)
    with pytest.raises(ValueError, match="more than one number for each channel"):
        call(np.zeros((1, 3, 1), np.float32), True)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("own", "given"), [("float32", "float64"), ("float64", "float32")])
def test_batch_norm_refuses_a_signal_of_another_dtype(framework, x64, own, given, affine, is_training):
    call, running = framework.batch_norm(3, affine=affine, dtype=own)
    x = np.ones((2, 3, 4, 5, 5), given)
    with pytest.raises(TypeError, match=f"x has dtype {given}, expected {own} as running_mean has"):
        call(x, is_training)
    y = call(x.astype(own), is_training)
    assert {array.dtype for array in (y, *running())} == {np.dtype(own)}


def test_dropout_drops_whole_fields_and_keeps_the_mean(framework):
    call = framework.dropout(0.25)
    x = np.ones((64, 64, 4, 3, 3), np.float32)
    y = np.asarray(call(x, 7))
    fields = y.reshape(64, 64, -1)
    assert np.all(fields == fields[:, :, :1])
    assert np.any(fields[0] != fields[1])
    assert set(np.unique(fields)) == {0, np.float32(1 / 0.75)}
    # A share of 4096 draws: within 5 deviations.
    assert abs(np.mean(fields == 0) - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4096)
    assert_same_bits(call(x, None), x)
    assert not np.array_equal(call(x, 8), y)
    assert not np.any(framework.dropout(1)(x, 1))
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\), expected \(B, C, "):
        call(np.ones((2, 3), np.float32), 7)


def test_dropout_of_flax_draws_anew_at_each_call_from_the_stream_that_it_is_given():
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    x = np.ones((8, 8, 4, 3, 3), np.float32)
    layers = [enn.FieldDropout(0.5, rngs=nnx.Rngs(dropout=seed)) for seed in (1, 1, 2)]
    first, again, other = (layer(x) for layer in layers)
    assert_same_bits(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, layers[0](x))


def test_dropout_of_equinox_wants_a_key_in_training():
    pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    with pytest.raises(TypeError, match=r"key is None, expected one of jax\.random"):
        ee.FieldDropout(0.5)(np.ones((1, 1, 2), np.float32))


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pools_over_h_are_those_of_numpy_and_refuse_other_signals(rng, framework, mode):
    x = signal(rng, "GroupConv", D4)
    pool, expected = framework.make("GroupPool", D4, mode), eq.GroupPool(D4, mode)
    assert_same_bits(pool(x), expected(x))
    assert (pool.input_space, pool.output_space) == (expected.input_space, expected.output_space)
    with pytest.raises(ValueError, match="GroupPool wants a signal on G for D4"):
        pool(x[:, :, :4])
