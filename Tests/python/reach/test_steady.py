# SPDX-License-Identifier: Apache-2.0
"""Steady networks compute all sizes by the same sums: those of mode "exact" where these do not depend on place."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._layer.spec import LayerSpec
from equiconv._network.check import equivariance_errors
from equiconv._reach.methods import steady_network
from reach_cases import Drawn, drawn, image

C4, D4 = eq.cyclic(4), eq.dihedral(4)


def methods(network):
    """The algorithms of its layers."""
    texts = (operation.get("layer") for operation in network.document["operations"])
    return [LayerSpec.parse(text).sampling.algorithm for text in texts if text is not None]


@pytest.mark.parametrize("group", [C4, D4], ids=["C4", "D4"])
@pytest.mark.parametrize("seed", range(8))
def test_they_are_the_network_in_mode_exact(seed, group):
    network = drawn(seed, group, channels=8)
    steady = steady_network(network, (47, 60))
    assert set(methods(steady)) <= {"direct", "group-fourier"}
    x = image(seed, network, (47, 60), batch=2)
    is_tiled = any(row.algorithm == "fourier" for row in network.explain(x.shape).operations)
    assert is_tiled or np.array_equal(steady(x), network(x))
    assert not is_tiled or seed in (0, 1, 7)


def test_their_bits_depend_neither_on_threads_nor_on_the_batch(threads):
    network = steady_network(drawn(2, D4, channels=8), (47, 60))
    x = image(0, network, (47, 60), batch=3)
    threads(2)
    together = network(x)
    threads(1)
    assert np.array_equal(together, np.concatenate([network(x[number : number + 1]) for number in range(3)]))


def test_methods_are_those_of_the_whole_image():
    network = drawn(0, D4, steps=1, kinds=("residual",), channels=8)
    chosen = [steady_network(network, extents) for extents in ((3, 3), (300, 300), (200_000, 200_000))]
    assert methods(chosen[0])[1] == "direct"
    assert methods(chosen[1])[1] == methods(chosen[2])[1] == "group-fourier"


def large_kernels():
    made = Drawn(np.random.default_rng(0), C4, (64, 64), channels=16)
    made.append("convolution", weight=made.weight(16, 16, 4, 7, 7), layer=made.layer("group", 1, 3, 1, "zeros"))
    return made.network()


def test_tiles_that_begin_at_a_corner_are_left_out():
    network = large_kernels()
    assert "fourier" in [row.algorithm for row in network.explain((1, 2, 64, 64)).operations]
    steady = steady_network(network, (64, 64))
    assert methods(steady) == ["direct", "direct"]
    x = image(0, network, (64, 64))
    assert np.allclose(steady(x), network(x), atol=1e-4)


@pytest.mark.parametrize("make", [large_kernels, lambda: drawn(2, D4, (48, 48), 2, ("residual", "skip"))])
def test_they_turn_with_their_input_to_the_last_bit(make):
    network = make()
    x = image(0, network, (48, 48))
    assert max(equivariance_errors(steady_network(network, (48, 48)), x)) == 0


def test_the_test_of_the_file_is_left_out(tmp_path):
    layers = eq.Sequential(eq.LiftingConv(1, 2, 5, C4), eq.GroupPool(C4))
    layers.save(tmp_path / "n", np.zeros((1, 1, 16, 16), "float32"))
    network = eq.load_network(tmp_path / "n")
    steady = steady_network(network, (20, 20))
    assert "test" not in steady.document
    assert set(network.tensors) - set(steady.tensors) == {"equiconv.test.input", "equiconv.test.output.0"}
    steady.save(tmp_path / "steady")
    x = image(0, network, (20, 20))
    assert np.array_equal(eq.load_network(tmp_path / "steady")(x), steady(x))
