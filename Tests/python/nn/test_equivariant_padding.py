# SPDX-License-Identifier: Apache-2.0
"""Padding "equivariant" of layers with weights and of pools, and in files, in NumPy."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

C4, D4 = eq.cyclic(4), eq.dihedral(4)
FITTED = {"padding": "equivariant"}
POOLS = (eq.SpatialMaxPool, eq.SpatialAvgPool)


def signal(size, channels=2, group=C4, seed=0):
    return np.random.default_rng(seed).standard_normal((2, channels, group.order, size, size))


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("size", "kernel", "stride", "amount"), [
    (8, 2, 2, 0), (9, 3, 2, 1), (10, 3, 3, 1), (9, 3, 3, 0), (12, 4, 4, 0), (10, 4, 4, 1), (8, 4, 2, 1),
])  # fmt: skip
def test_pools_have_the_least_padding_that_fits(pool, size, kernel, stride, amount):
    x = signal(size, group=D4)
    call = pool(D4, kernel, stride, **FITTED)
    assert np.array_equal(call(x), pool(D4, kernel, stride, padding=amount)(x))
    for element in range(D4.order):
        assert np.array_equal(call(eq.act(x, D4, element)), eq.act(call(x), D4, element))


@pytest.mark.parametrize("pool", POOLS)
def test_pools_say_which_windows_fit(pool):
    with pytest.raises(
        ValueError, match=r"size 9 of x on axis 3 for kernel 2 .*Expected size 8 or 10 or kernel 1 or 3"
    ):
        pool(C4, 2, **FITTED)(signal(9))
    # No more than half a window of padding.
    with pytest.raises(ValueError, match=r"none fits size 11 .*Expected size 10 or 12"):
        pool(C4, 3, **FITTED)(signal(11))
    with pytest.raises(ValueError, match="expected equal numbers on axes 0 and 1"):
        pool(C4, (2, 3), **FITTED)
    assert repr(pool(C4, 2, **FITTED)).endswith("kernel=(2, 2), stride=(2, 2), padding='equivariant')")


def test_the_warning_of_a_pool_says_whether_this_padding_helps():
    with pytest.warns(eq.EquivarianceWarning, match="with padding 'equivariant', here 1, this size fits"):
        eq.SpatialMaxPool(C4, 3)(signal(10))
    with pytest.warns(eq.EquivarianceWarning, match="8 or 10; with padding 'equivariant' this size fits kernel 1 or 3"):
        eq.SpatialMaxPool(C4, 2)(signal(9))
    with pytest.warns(eq.EquivarianceWarning, match="Nearest sizes that fit: 4 or 7$"):
        eq.BlurPool(C4, 3)(signal(6))


def test_layers_follow_the_sizes_of_each_signal():
    layer = eq.GroupConv(2, 3, 3, C4, stride=3, algorithm="direct", dtype=np.float64, rng=0, **FITTED)
    for size, amount in [(9, 0), (10, 1), (11, 2)]:
        numbers = eq.group_conv(signal(size), layer.weight, C4, stride=3, padding=amount, algorithm="direct")
        assert np.array_equal(layer(signal(size)), numbers)
    layer.padding = 1
    assert layer(signal(10)).shape == (2, 3, 4, 4, 4)
    layer.padding = "equivariant"
    assert "padding='equivariant'" in repr(layer)
    up = eq.TransposedConv(3, 2, 4, C4, stride=2, dtype=np.float64, rng=0, **FITTED)
    assert up(layer(signal(10))).shape == (2, 2, 4, 8, 8)


@pytest.mark.parametrize("stride", [2, 3])
def test_files_have_the_numbers(tmp_path, stride):
    sizes = {2: (20, 12), 3: (22,)}[stride]
    network = eq.Sequential(
        eq.LiftingConv(2, 4, 4 if stride == 2 else 3, C4, stride=stride, rng=0, **FITTED),
        eq.relu,
        eq.SpatialMaxPool(C4, 2, **FITTED),
        eq.TransposedConv(4, 3, 4, C4, stride=2, rng=1, **FITTED),
        eq.GroupPool(C4),
    )
    path = tmp_path / "network.safetensors"
    network.save(path, np.ones((1, 2, sizes[0], sizes[0]), np.float32))
    loaded = eq.load_network(path)
    for size in sizes:
        x = np.random.default_rng(0).standard_normal((1, 2, size, size)).astype(np.float32)
        assert np.allclose(loaded(x), network(x), rtol=0, atol=1e-5)
    # Where the padding is another for each size, the file is for one.
    x = np.ones((1, 2, 16, 16), np.float32)
    if stride == 2:
        assert loaded(x).shape == network(x).shape
    else:
        with pytest.raises(ValueError, match="16"):
            loaded(x)
