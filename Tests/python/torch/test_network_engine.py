"""The engine computes what networks of PyTorch do, and in exact mode the same bits under turns."""

from __future__ import annotations

import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from network_cases import C4, C8, CASES, D4, ResidualNetwork, saved, signal, trained  # noqa: E402
from torch import nn  # noqa: E402


def listed(outputs):
    return torch.utils._pytree.tree_leaves(outputs)


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == tuple(other.shape)
        assert np.abs(one - other.numpy()).max() <= tolerance * np.abs(other.numpy()).max()


@pytest.mark.parametrize("mode", ["fast", "exact"])
@pytest.mark.parametrize("name", CASES)
def test_engine_computes_what_the_module_does(name, mode):
    network, x, path = saved(name)
    engine = eq.load_network(path, mode=mode)
    for signals in (x, torch.cat([-x, x, 2 * x])):
        with torch.no_grad():
            expected = listed(network(signals))
        assert_close(listed(engine(signals.numpy())), expected, 1e-5)


@pytest.mark.parametrize("name", ["p4", "residual", "ordinary", "volume", "functions", "unet"])
def test_engine_computes_in_double_precision(name, tmp_path):
    make, shape = CASES[name]
    network, x = trained(make, torch.float64), signal(shape, torch.float64)
    path = tmp_path / "network"
    et.save_network(network, path, x)
    with torch.no_grad():
        assert_close(listed(eq.load_network(path)(x.numpy())), listed(network(x)), 1e-12)


@pytest.mark.parametrize("name", ["p4", "unet", "functions", "heads"])
def test_engine_reads_all_sizes(name):
    network, x, path = saved(name)
    shape = x.shape
    larger = signal((1, *shape[1:-2], 2 * shape[-2], 4 * shape[-1]))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", eq.EquivarianceWarning)
        expected = listed(network(larger))
    assert_close(listed(eq.load_network(path)(larger.numpy())), expected, 1e-5)


def classifier(group):
    return nn.Sequential(
        et.LiftingConv(2, 4, 3, group, padding=1), et.BatchNorm(4), nn.ReLU(),
        et.GroupConv(4, 4, 3, group, padding=1, bias=False), et.BatchNorm(4), nn.SiLU(),
        et.SpatialMaxPool(group, 3, 2, 1),
        et.GroupConv(4, 3, 3, group), et.GroupPool(group, "max"), et.SpatialMean(group), nn.Linear(3, 5), nn.Softmax(1),
    )  # fmt: skip


@pytest.mark.parametrize("size", [9, 13])
@pytest.mark.parametrize("group", [C4, D4, C8], ids=["C4", "D4", "C8"])
def test_scores_in_exact_mode_have_the_same_bits_under_turns(group, size, tmp_path):
    network, path = trained(lambda: classifier(group)), tmp_path / "network"
    x = signal((2, 2, size, size)).numpy()
    et.save_network(network, path, torch.from_numpy(x))
    engine = eq.load_network(path, mode="exact")
    scores = engine(x)
    square = D4 if group == D4 else C4
    for element in range(square.order):
        assert np.array_equal(engine(eq.act(x, square, element)), scores)


@pytest.mark.parametrize("size", [9, 17])
def test_scores_of_residual_networks_have_the_same_bits_under_turns(size, tmp_path):
    network, path = trained(ResidualNetwork), tmp_path / "network"
    x = signal((2, 3, size, size)).numpy()
    et.save_network(network, path, torch.from_numpy(x))
    engine = eq.load_network(path, mode="exact")
    for element in range(C4.order):
        assert np.array_equal(engine(eq.act(x, C4, element)), engine(x))


@pytest.mark.parametrize("size", [8, 12])
def test_maps_in_exact_mode_turn_with_the_image(size):
    x = signal((1, 2, size, size)).numpy()
    path = saved("unet")[2]
    engine = eq.load_network(path, mode="exact")
    for element in range(D4.order):
        assert np.array_equal(engine(eq.act(x, D4, element)), eq.act(engine(x), D4, element))
