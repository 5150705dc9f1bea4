# SPDX-License-Identifier: Apache-2.0
"""Batch norm, dropout and pooling over space commute with the group."""

from __future__ import annotations

import math
from fractions import Fraction

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def act(x, group, element):
    """The action on a signal, or nothing on numbers that belong to no place."""
    return x if x.dim() == 2 else torch.from_numpy(eq.act(x.detach().numpy(), group, element))


def assert_commutes(f, x, group):
    y = f(x)
    for element in range(group.order):
        assert torch.equal(f(act(x, group, element)), act(y, group, element))


def signal(group, size, dtype=torch.float32, channels=5):
    return torch.randn(3, channels, group.order, *(size,) * group.dimension, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [3, 8, 17])
def test_batch_norm_in_evaluation_commutes_to_the_last_bit(size, dtype):
    norm = et.BatchNorm(5, dtype=dtype)
    norm(3 * signal(D4, size, dtype) + 1)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    assert_commutes(norm.eval(), signal(D4, size, dtype), D4)


def test_batch_norm_takes_the_mean_over_batch_fiber_and_space():
    x = signal(D4, 6, torch.float64)
    y = et.BatchNorm(5, affine=False, eps=1e-14, dtype=torch.float64)(3 * x + 7)
    assert torch.allclose(y.mean((0, 2, 3, 4)), torch.zeros(5, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(y.var((0, 2, 3, 4), correction=0), torch.ones(5, dtype=torch.float64), atol=1e-12)
    # Also in training it commutes, up to the order of its sums.
    norm = et.BatchNorm(5, dtype=torch.float64)
    for element in range(8):
        assert torch.allclose(norm(act(x, D4, element)), act(norm(x), D4, element), atol=1e-12)


def test_batch_norm_has_the_state_of_torch():
    ours, theirs = et.BatchNorm(4), torch.nn.BatchNorm2d(4)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(2, 4, 4, 5, 5)
    assert torch.equal(ours(x), theirs(x.flatten(2, 3)).reshape(x.shape))
    assert torch.equal(ours.running_var, theirs.running_var)


def test_batch_norm_refuses_other_channels():
    with pytest.raises(ValueError, match=r"x has shape \(2, 3, 4, 5, 5\), expected \(B, 4, \[\|H\|,\] spatial...\)"):
        et.BatchNorm(4)(torch.zeros(2, 3, 4, 5, 5))


def test_dropout_drops_whole_fields_and_keeps_the_mean():
    x = torch.ones(64, 64, 4, 3, 3)
    y = et.FieldDropout(0.25)(x).flatten(2)
    assert torch.equal(y.amin(2), y.amax(2))
    assert torch.equal(y.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs(y.mean().item() - 1) < 5 * math.sqrt(1 / 3 / 64**2)
    assert et.FieldDropout(0.25).eval()(x) is x
    assert torch.equal(et.FieldDropout(1)(x), torch.zeros_like(x))


@pytest.mark.parametrize(("p", "error"), [(-0.1, ValueError), (1.5, ValueError), ("0.5", TypeError)])
def test_dropout_refuses_what_is_no_probability(p, error):
    with pytest.raises(error, match="p is"):
        et.FieldDropout(p)


POOLS = {"max": et.SpatialMaxPool, "mean": et.SpatialAvgPool}


@pytest.mark.parametrize("mode", POOLS)
@pytest.mark.parametrize(("size", "arguments"), [(8, (2,)), (9, (3, 2)), (7, (3, 2, 1))])
def test_windows_commute_with_the_group(mode, size, arguments):
    pool = POOLS[mode](D4, *arguments)
    x = signal(D4, size)
    if mode == "max":
        assert_commutes(pool, x, D4)
        assert_commutes(pool, x[:, :, 0].contiguous(), D4)
    else:
        # Sums in double, rounded once to single precision: a last bit differs about once in 2^29 numbers.
        assert_commutes(pool, x, D4)


@pytest.mark.parametrize("mode", POOLS)
def test_windows_of_any_dimension_are_those_of_torch(mode):
    for group in (eq.reflection(), C4, eq.octahedral()):
        d = group.dimension
        x = signal(group, 6, torch.float64)
        plain = getattr(torch.nn.functional, f"{'max' if mode == 'max' else 'avg'}_pool{d}d")
        assert torch.equal(POOLS[mode](group, 2)(x), plain(x.flatten(1, 2), 2).unflatten(1, x.shape[1:3]))


@pytest.mark.parametrize("mode", POOLS)
def test_windows_warn_of_sizes_that_do_not_fit(mode):
    pool = POOLS[mode](C4, 2)
    message = r"stride 2 does not fit size 7 .*Nearest sizes that fit: 6 or 8"
    with pytest.warns(eq.EquivarianceWarning, match=message) as seen:
        pool(torch.zeros(1, 2, 4, 7, 7))
    assert {warning.filename for warning in seen} == {__file__}
    x = torch.arange(49.0).reshape(1, 1, 1, 7, 7).expand(1, 1, 4, 7, 7)
    with pytest.warns(eq.EquivarianceWarning):
        turned, expected = pool(act(x, C4, 1)), act(pool(x), C4, 1)
    assert not torch.equal(turned, expected)


def test_windows_refuse_wrong_arguments():
    with pytest.raises(ValueError, match="kernel is 0"):
        et.SpatialMaxPool(C4, 0)
    with pytest.raises(ValueError, match="padding is 2 on axis 0, expected at most 1"):
        et.SpatialMaxPool(C4, 2, padding=2)
    with pytest.raises(TypeError, match="group is 4"):
        et.SpatialAvgPool(4, 2)
    with pytest.raises(ValueError, match=r"x has shape \(1, 2, 3\)"):
        et.SpatialMaxPool(C4, 2)(torch.zeros(1, 2, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 16, 577, 4097])
def test_the_mean_over_space_does_not_depend_on_the_order_of_pixels(dtype, count):
    line = eq.reflection()
    x = torch.randn(4, 5, count, dtype=dtype) * torch.exp(5 * torch.randn(4, 5, count, dtype=dtype))
    y = et.SpatialMean(line)(x)
    for _ in range(5):
        assert torch.equal(et.SpatialMean(line)(x[:, :, torch.randperm(count)]), y)
    exact = [[float(sum(map(Fraction, row)) / count) for row in rows] for rows in x.tolist()]
    # One rounding to double, and one to single precision.
    bound = torch.finfo(dtype).eps / 2 * (1 + 1e-6) + 2.0**-52
    assert np.all(np.abs(y.double().numpy() - np.array(exact)) <= bound * np.abs(exact))


def test_the_mean_over_space_is_invariant_to_the_last_bit_where_others_are_not():
    x = torch.relu(signal(D4, 17))
    mean = et.SpatialMean(D4)
    pooled = et.GroupPool(D4, "mean")
    for element in range(8):
        assert torch.equal(mean(pooled(act(x, D4, element))), mean(pooled(x)))
    plain = [pooled(act(x, D4, element)).mean((2, 3)) for element in range(8)]
    assert not all(torch.equal(value, plain[0]) for value in plain)


def test_the_mean_over_space_of_extreme_numbers():
    inf, nan = math.inf, math.nan
    x = torch.tensor([[[inf, 1, 2], [nan, 0, 0], [inf, -inf, 0], [0, 0, 0], [1e-45, 0, 2e-45], [3e38, 3e38, 3e38]]])
    y = et.SpatialMean(eq.reflection())(x)[0]
    assert y[0] == inf
    assert torch.isnan(y[1:3]).all()
    assert torch.equal(y[3:], torch.tensor([0.0, 1e-45, 3e38]))
    big = torch.tensor([[[1.7e308, 1.7e308]]], dtype=torch.float64)
    assert et.SpatialMean(eq.reflection())(big).item() == 1.7e308


def test_the_mean_over_space_is_linear():
    mean = et.SpatialMean(C4)
    x = torch.randn(2, 3, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mean, (x,))
    assert torch.autograd.gradgradcheck(mean, (x,))
    assert torch.equal(torch.func.vmap(mean)(x.detach()[None]), mean(x.detach())[None])
    with pytest.raises(ValueError, match=r"x has shape \(2, 3, 4\), expected"):
        mean(torch.zeros(2, 3, 4))
