# SPDX-License-Identifier: Apache-2.0
"""A receptive field is what an output depends on: as impulses find it, and as the file's own geometry has it."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.network import network_of
from equiconv._reach.field import reads_of
from equiconv._reach.geometry import TileGeometry
from equiconv._reach.graph import graph_of, sampled_extents
from equiconv._reach.methods import steady_network
from reach_cases import Drawn, assert_law, drawn, image

C4 = eq.cyclic(4)
SIZE = 110


def with_means(network):
    """The network with means in place of maxima, through which every change passes."""
    document = network.document
    document.pop("geometry")
    for operation in document["operations"]:
        if operation["kind"] == "spatial_max_pool":
            operation["kind"] = "spatial_mean_pool"
    return network_of(document, network.tensors, "exact")


def dependence(network, axis):
    """Which places of the output change with each pixel of an axis: an array (pixels, places)."""
    extents = (SIZE, 36) if axis == 0 else (36, SIZE)
    steady = steady_network(network, extents)
    x = image(0, network, extents)
    whole = np.moveaxis(steady(x)[0], axis + 1, 0)
    rows = []
    for pixel in range(SIZE):
        changed = np.moveaxis(x.copy(), axis + 2, 0)
        changed[pixel] += image(1, network, extents).reshape(-1)[: changed[pixel].size].reshape(changed[pixel].shape)
        y = np.moveaxis(steady(np.ascontiguousarray(np.moveaxis(changed, 0, axis + 2)))[0], axis + 1, 0)
        rows.append(np.any((y != whole).reshape(len(y), -1), axis=1))
    return np.array(rows)


def inner_places(network, axis, count):
    """The places that read no edge, with the pixels that they read by the rules."""
    graph = graph_of(network)
    (value,) = graph.values_of(None)
    steps = graph.before((value,))
    field = eq.receptive_field(network)
    margin = field.size[axis] + field.period[axis]
    for place in range(count):
        begin, end = reads_of(steps, value, axis, place, place + 1)
        if margin <= begin and end <= SIZE - margin:
            yield place, begin, end


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("seed", range(10))
def test_impulses_change_what_reads_them(seed, axis):
    options = {"extents": (36, SIZE) if axis else (SIZE, 36), "steps": 3, "channels": 2, "dtype": "float64"}
    network = with_means(drawn(seed, **options))
    changes = dependence(network, axis)
    field, found = eq.receptive_field(network), []
    for place, begin, end in inner_places(network, axis, changes.shape[1]):
        pixels = np.flatnonzero(changes[:, place])
        if pixels.size:
            assert (pixels[0], pixels[-1] + 1) == (begin, end)
            found.append(end - begin)
    if len(found) >= field.outputs_per_period[axis]:
        assert max(found) == field.size[axis]


@pytest.mark.parametrize("seed", range(6))
def test_maxima_depend_on_no_more(seed):
    network = drawn(seed, extents=(SIZE, 36), steps=3, channels=2, dtype="float64")
    changes = dependence(network, 0)
    for place, begin, end in inner_places(network, 0, changes.shape[1]):
        pixels = np.flatnonzero(changes[:, place])
        assert begin <= pixels.min(initial=begin)
        assert pixels.max(initial=begin) < end


@pytest.mark.parametrize("seed", range(6))
def test_blocks_read_as_far_as_the_field_says(seed):
    network = drawn(seed, extents=(1200, 1200), steps=3)
    field, geometry = eq.receptive_field(network), TileGeometry(network, (1200, 1200))
    for axis in range(2):
        period, outputs = field.period[axis], field.outputs_per_period[axis]
        graph = graph_of(network)
        (value,) = graph.values_of(None)
        low, high = reads_of(graph.before((value,)), value, axis, 7 * outputs, 9 * outputs)
        assert max(0, 7 * period - low) == field.before[axis]
        assert max(0, high - 9 * period) == field.after[axis]
        assert outputs * geometry.period[axis] == period * geometry.outputs_per_period[axis]


@pytest.mark.parametrize("seed", range(60))
def test_the_geometry_in_the_document_is_this_one(seed):
    network = drawn(seed, extents=(96, 90))
    field, given = eq.receptive_field(network), network.document["geometry"]
    assert list(field.size) == given["receptive_field"]
    assert [p / n for p, n in zip(field.period, field.outputs_per_period, strict=True)] == given["stride"]


def test_a_field_is_that_of_its_definition():
    """Two convolutions of 3 pixels with a pool of 2 between them: 3 + 1 + 2 * 2 pixels, 3 + 3 beside a block of 2."""
    made = Drawn(np.random.default_rng(0), C4, (20, 20))
    made.append("spatial_max_pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0])
    layer = made.layer("group", 1, 1, 1, "zeros")
    made.append("convolution", weight=made.weight(4, 4, 4, 3, 3), layer=layer)
    field = eq.receptive_field(made.network())
    assert field == eq.ReceptiveField((8, 8), (3, 3), (3, 3), (2, 2), (1, 1), "zeros")
    assert str(field).splitlines() == [
        "receptive field      8 x 8 pixels",
        "read beside a block  3 x 3 pixels before, 3 x 3 after",
        "period               2 x 2 pixels, with 1 x 1 outputs",
        "beyond the edge      zeros",
    ]


def test_a_field_is_the_largest_of_a_period():
    """Behind upsampling by 2, 2 places read one place of the coarse grid or two, 3 + 1 or 3 + 3 pixels."""
    made = Drawn(np.random.default_rng(0), C4, (20, 20))
    made.append("spatial_mean_pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0])
    made.append("upsample", mode="nearest", factors=[2, 2])
    made.append("convolution", weight=made.weight(4, 4, 4, 2, 2), layer=made.layer("group", 1, 0, 1, "zeros"))
    field = eq.receptive_field(made.network())
    assert field == eq.ReceptiveField((6, 6), (1, 1), (3, 3), (2, 2), (2, 2), "zeros")


SCALED = [
    eq.scaling([1, 1.5]),
    eq.similarity(4, [1, 0.5, 2]),
    eq.cyclic(8),
    eq.scaling([1, 2.0, 3.3], 1),
    eq.icosahedral(),
]


@pytest.mark.parametrize("group", SCALED, ids=lambda group: group.name)
def test_enlarged_kernels_have_the_extents_of_their_banks(group):
    for extent in (1, 2, 3, 4, 5, 6):
        kernel = (extent,) * group.dimension
        bank = eq.expand(np.ones((1, 1, *kernel)), group, "lifting")
        assert sampled_extents(kernel, group) == bank.shape[2:]


def test_enlarged_kernels_have_their_windows():
    group = eq.similarity(4, [1, 2])
    for stride, padding in ((1, 0), (2, 1), (1, 3)):
        made = Drawn(np.random.default_rng(0), group, (37, 30), channels=2, dtype="float64")
        made.operations[0]["layer"] = made.layer("lifting", stride, padding, 1, "zeros")
        made.append("group_pool", mode="mean")
        network = made.network()
        assert eq.receptive_field(network).size == (5, 5)
        assert list(eq.receptive_field(network).size) == network.document["geometry"]["receptive_field"]
        assert_law(network, (37, 30), 0)


def test_padding_says_which_operation_finds_what():
    made = Drawn(np.random.default_rng(0), C4, (20, 20))
    for mode in ("reflect", "circular"):
        made.append("convolution", weight=made.weight(4, 4, 4, 3, 3), layer=made.layer("group", 1, 1, 1, mode))
    made.append("spatial_max_pool", kernel=[3, 3], stride=[1, 1], padding=[1, 0])
    made.append("upsample", mode="linear", factors=[1, 2])
    assert eq.receptive_field(made.network()).padding == (
        "zeros in step 0; reflect in step 1; circular in step 2; ignored in step 3; replicate in step 4"
    )


def test_files_bytes_and_layers_have_the_field_of_their_network(tmp_path):
    layers = eq.Sequential(eq.LiftingConv(1, 2, 5, C4, padding=2), eq.SpatialMaxPool(C4, 2), eq.GroupPool(C4))
    example = np.zeros((1, 1, 16, 16), "float32")
    layers.save(tmp_path / "n", example)
    expected = eq.receptive_field(eq.load_network(tmp_path / "n"))
    assert expected.size == (6, 6)
    for network in (tmp_path / "n", str(tmp_path / "n"), (tmp_path / "n").read_bytes()):
        assert eq.receptive_field(network) == expected
    assert eq.receptive_field(layers, example=example) == expected
