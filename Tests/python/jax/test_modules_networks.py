# SPDX-License-Identifier: Apache-2.0
"""Networks of modules of Flax and Equinox: Sequential, and the signatures of checkpoints."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, assert_same_bits, draw, ej, jax, quick_compiler
from jax_modules import compiled, framework

__all__ = ["framework", "quick_compiler"]

D2 = eq.dihedral(2)


def network_of(framework, group):
    layers = [
        framework.make("LiftingConv", 1, 4, 3, group, algorithm="direct", padding=1),
        jax.nn.relu,
        framework.make("SpatialMaxPool", group, 3, 2),
        framework.make("GroupConv", 4, 3, 3, group, algorithm="direct", seed=1),
        jax.numpy.tanh,
        framework.make("SpatialAvgPool", group, 3, 1, 1),
        framework.make("GroupPool", group, "max"),
        framework.make("SpatialMean", group),
    ]
    return framework.make("Sequential", *layers)


@pytest.mark.parametrize("group", [C4, D4, eq.octahedral()], ids=lambda group: group.name)
def test_a_network_is_invariant_to_the_last_bit(rng, framework, group):
    network = compiled(network_of(framework, group))
    x = draw(rng, (2, 1, *(11,) * group.dimension), np.float32)
    y = network(x)
    assert y.shape == (2, 3)
    for element in range(0, group.order, max(1, group.order // 8)):
        assert_same_bits(network(ej.act(x, group, element)), y)


MIXED = {
    "layer 1, GroupConv, wants a signal on G for D2, got one on G for C4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("GroupConv", 4, 4, 3, D2),
    ],
    "layer 2, GroupPool, wants a signal on G for D2, got one on G for C4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("BatchNorm", 4), ("GroupPool", D2),
    ],
    "layer 1, GroupConv, wants 5 channels, got 4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("GroupConv", 5, 4, 3, C4),
    ],
}  # fmt: skip


@pytest.mark.parametrize("message", MIXED)
def test_layers_that_do_not_fit_are_refused_by_sequential(framework, message):
    layers = [framework.make(*layer) for layer in MIXED[message]]
    with pytest.raises(ValueError, match=message):
        framework.make("Sequential", *layers)


def test_a_signature_names_the_layers_and_another_is_refused(framework):
    one, other = (network_of(framework, group) for group in (C4, D2))
    saved = framework.modules.signature(one)
    assert list(saved.values()) == ["lifting_conv on C4, kernel 3 x 3", "group_conv on C4, kernel 3 x 3"]
    framework.modules.check_signature(one, saved)
    message = "is lifting_conv on D2, kernel 3 x 3, the checkpoint has lifting_conv on C4, kernel 3 x 3"
    with pytest.raises(ValueError, match=message):
        framework.modules.check_signature(other, saved)
    with pytest.raises(ValueError, match="no such layer"):
        framework.modules.check_signature(one, {})
    with pytest.raises(ValueError, match="layer 9 is no such layer, the checkpoint has another"):
        framework.modules.check_signature(one, saved | {"9": "another"})
    one, other = (
        framework.make("GroupConv", 1, 1, 3, C8, group_basis=eq.localized(elements)) for elements in ([0, 1], [0, 7])
    )
    with pytest.raises(ValueError, match="the checkpoint has group_conv on C8"):
        framework.modules.check_signature(one, framework.modules.signature(other))
    with pytest.raises(TypeError, match="signature is 3"):
        framework.modules.check_signature(one, 3)


def test_the_state_of_another_group_is_refused_at_the_next_call():
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    one, other = (enn.LiftingConv(1, 2, 3, group, rngs=nnx.Rngs(0)) for group in (C4, D2))
    nnx.update(other, nnx.state(one))
    with pytest.raises(ValueError, match=r"weight is of lifting_conv on C4, .* expected one of lifting_conv on D2"):
        other(np.zeros((1, 1, 5, 5), np.float32))
