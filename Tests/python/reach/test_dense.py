# SPDX-License-Identifier: Apache-2.0
"""A dense network scores each place as the classifier scores the patch there."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.network import network_of
from equiconv._reach.geometry import TileGeometry
from networks import CLASSES, classifier
from reach_cases import Drawn, image

C4, D4 = eq.cyclic(4), eq.dihedral(4)
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}


def close(value, expected, dtype):
    assert value.shape == expected.shape
    return np.max(np.abs(value - expected)) <= TOLERANCE[dtype] * np.max(np.abs(expected))


def pooled(group=C4, dtype="float32", padding=0):
    """A classifier with a mean over space and two linear maps, with a function between them."""
    made = Drawn(np.random.default_rng(0), group, (40, 40), dtype=dtype)
    shape = (4, 4, group.order, 3, 3)
    made.operations[0]["layer"] = made.layer("lifting", 1, padding, 1, "zeros")
    made.append("pointwise", function="relu")
    made.append("spatial_max_pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0])
    made.append("convolution", weight=made.weight(*shape), layer=made.layer("group", 1, padding, 1, "zeros"))
    made.append("spatial_mean")
    made.append("group_pool", mode="max")
    made.append("linear", weight=made.weight(6, 4), bias=made.weight(6))
    made.append("pointwise", function="gelu")
    made.append("linear", weight=made.weight(3, 6))
    return made.network()


def flattened(kinds, size=14, group=C4):
    """A classifier of fixed extents, whose map of 4 x 4 is flattened with its fiber."""
    made = Drawn(np.random.default_rng(0), group, (size, size))
    made.operations[0]["layer"] = made.layer("lifting", 1, 0, 1, "zeros")
    made.append("spatial_max_pool", kernel=[3, 3], stride=[3, 3], padding=[0, 0])
    if "pool" in kinds:
        made.append("group_pool", mode="mean")
    features = 4 * 16 * (1 if "pool" in kinds else group.order)
    made.append("flatten")
    before = made.value
    made.append("pointwise", function="tanh")
    made.append("add", before)
    made.append("linear", weight=made.weight(5, features), bias=made.weight(5))
    made.append("pointwise", function="relu")
    made.append("linear", weight=made.weight(3, 5))
    made.append("softmax")
    return made.network((size, size))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("group", [C4, D4], ids=["C4", "D4"])
def test_the_mean_of_a_linear_head_is_the_classifier(group, dtype):
    network = network_of(*classifier(group, dtype, ("scores",)))
    dense = eq.dense(network)
    x = image(0, network, (13, 17), batch=2)
    assert dense.output_shape(x.shape) == (2, 3, 13, 17)
    assert close(dense(x).mean((2, 3)), network(x), dtype)
    assert dense.classes == tuple(CLASSES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("group", [C4, D4], ids=["C4", "D4"])
@pytest.mark.parametrize("padding", [0, 1])
def test_on_a_patch_it_is_the_classifier(group, padding, dtype):
    network = pooled(group, dtype, padding)
    x = image(0, network, (18, 22), batch=2)
    y = eq.dense(network, patch=(18, 22))(x)
    assert y.shape == (2, 3, 1, 1)
    assert close(y[..., 0, 0], network(x), dtype)


@pytest.mark.parametrize("stride", [1, 3, None])
def test_each_place_is_the_classifier_on_its_patch(stride):
    """Without padding, patches end where their window does."""
    network = pooled()
    x = image(0, network, (61, 50))
    y = eq.dense(network, patch=18, stride=stride)(x)
    step = 2 * (6 if stride is None else stride)
    assert y.shape[2:] == tuple((n - 18) // step + 1 for n in (61, 50))
    for i, j in np.ndindex(*y.shape[2:]):
        patch = x[:, :, step * i : step * i + 18, step * j : step * j + 18]
        assert close(y[:, :, i, j], network(np.ascontiguousarray(patch)), "float32")


@pytest.mark.parametrize("kinds", [("pool",), ()], ids=["plane", "group"])
def test_flattened_maps_become_convolutions_of_their_extents(kinds):
    network = flattened(kinds)
    dense = eq.dense(network)
    x = image(0, network, (41, 32))
    y = dense(x)
    assert y.shape == (1, 3, 10, 7)
    for i, j in np.ndindex(*y.shape[2:]):
        patch = x[:, :, 3 * i : 3 * i + 14, 3 * j : 3 * j + 14]
        assert close(y[:, :, i, j], network(np.ascontiguousarray(patch)), "float32")
    assert TileGeometry(dense, (41, 32)).output_extents == (10, 7)


def test_dense_networks_are_networks(tmp_path):
    dense = eq.dense(pooled(), patch=18)
    assert dense.mode == "exact"
    dense.save(tmp_path / "n")
    again = eq.load_network(tmp_path / "n", "exact")
    x = image(0, dense, (40, 40))
    assert np.array_equal(again(x), dense(x))
    assert again.document["geometry"] == {"stride": [12, 12], "receptive_field": [18, 18]}
    assert eq.receptive_field(again).size == (18, 18)


def test_a_network_of_maps_stays_what_it_is():
    network = network_of(*classifier(outputs=("planes",)))
    x = image(0, network, (9, 9))
    assert np.array_equal(eq.dense(network)(x), network(x))


def test_other_outputs_stay_where_they_are():
    network = network_of(*classifier())
    x = image(0, network, (9, 9))
    y = eq.dense(network)(x)
    assert list(y) == ["scores", "planes"]
    assert np.array_equal(y["planes"], network(x)["planes"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"stride": 2}, ValueError, "stride is 2, expected None without patch"),
        ({"patch": 0}, ValueError, "patch is 0, expected an integer from 1"),
        ({"patch": (18, 18, 18)}, ValueError, "patch is .*2 integers, one for each spatial axis"),
        ({"patch": "18"}, TypeError, "patch is '18'"),
        ({"patch": 3}, ValueError, "patch is 3, expected extents that the network reads: .*'step 2'"),
        ({"patch": 18, "stride": 0}, ValueError, "stride is 0, expected an integer from 1"),
    ],
)
def test_arguments_that_do_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        eq.dense(pooled(), **arguments)


def test_patches_are_for_means_over_space():
    with pytest.raises(ValueError, match="patch is 14, expected None for a network without a mean over space"):
        eq.dense(flattened(()), patch=14)


def test_flattened_maps_have_no_norms():
    network = flattened(("pool",))
    document = network.document
    for operation in document["operations"]:
        if operation["kind"] == "add":
            operation |= {"kind": "batch_norm", "inputs": operation["inputs"][:1], "mean": "m", "variance": "m"}
            operation["epsilon"] = 1.0
            name = operation["name"]
    with pytest.raises(ValueError, match=rf"'{name}' \(batch_norm\) reads a flattened map of more than one pixel"):
        eq.dense(network_of(document, {**network.tensors, "m": np.ones(64, "float32")}))
