# SPDX-License-Identifier: Apache-2.0
"""What a network gives for the window of a block is, to the last bit, what it gives there for the whole image."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.network import network_of
from equiconv._reach.geometry import TileGeometry
from equiconv._reach.methods import steady_network
from reach_cases import KINDS, Drawn, assert_law, blocks, drawn, image

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@pytest.mark.parametrize("seed", range(30))
def test_random_networks_on_c4(seed):
    assert_law(drawn(seed), (47, 60), seed)


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_on_d4(seed):
    assert_law(drawn(100 + seed, D4, (41, 36), 3), (41, 36), seed, 5)


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_of_doubles(seed):
    assert_law(drawn(200 + seed, extents=(37, 48), dtype="float64"), (37, 48), seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate"])
def test_every_kind_of_operation_with_every_border(kind, border):
    for seed in range(3):
        network = drawn(300 + seed, extents=(36, 30), steps=2, kinds=(kind,), borders=(border,))
        assert_law(network, (36, 30), seed, 6)


@pytest.mark.parametrize("extents", [(1, 1), (2, 3), (5, 4), (11, 7)])
def test_images_smaller_than_windows(extents):
    for seed in range(4):
        network = drawn(400 + seed, extents=extents, steps=2, kinds=("convolution", "pool", "residual"))
        assert_law(network, extents, seed, 4)


@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("kind", ["convolution", "transposed_convolution"])
def test_padding_wider_than_the_kernel(kind, border):
    """A block in the padding reads places far from its own."""
    for stride, padding in ((1, 2), (1, 5), (2, 4), (3, 7)):
        made = Drawn(np.random.default_rng(padding), C4, (23, 31), channels=2)
        shape = (2, 2, 4, 3, 3) if kind == "convolution" else (2, 2, 4, 5, 5)
        layer = made.layer("group", stride, padding if kind == "convolution" else 2 * stride, 1, border)
        made.append(kind, weight=made.weight(*shape), layer=layer)
        network = made.network()
        written = TileGeometry(network, (23, 31)).output_extents
        steady, x = steady_network(network, (23, 31)), image(0, network, (23, 31))
        whole, geometry = steady(x), TileGeometry(network, (23, 31))
        for place in [(y, x) for y in range(0, written[0], 2) for x in range(0, written[1], 5)]:
            window = geometry.window(place, [number + 1 for number in place])
            part = steady(np.ascontiguousarray(x[(..., *window.read)]))[(..., *window.crop)]
            assert np.array_equal(part, whole[(..., *(slice(number, number + 1) for number in place))]), place


def test_means_of_windows_at_edges_are_rounded_as_in_the_whole():
    for seed in range(20):
        made = Drawn(np.random.default_rng(seed), C4, (31, 29), channels=2, dtype="float64")
        made.append("spatial_mean_pool", kernel=[9, 7], stride=[2, 1], padding=[4, 3])
        assert_law(made.network(), (31, 29), seed, 4)
        geometry = TileGeometry(made.network(), (31, 29))
        assert geometry.window((0, 0), (1, 1)).read_end >= (9, 7)


def test_parts_fit_operations_that_the_output_does_not_depend_on():
    made = Drawn(np.random.default_rng(0), C4, (40, 40), channels=2)
    small = made.value
    layer = made.layer("group", 2, 0, 1, "zeros")
    made.append("convolution", weight=made.weight(2, 2, 4, 17, 17), layer=layer)
    network = made.network()
    document = network.document
    document["outputs"] = [{"name": "small", "value": small}, {"name": "large", "value": made.value}]
    document.pop("geometry")
    both = steady_network(network_of(document, network.tensors), (41, 40))
    x = image(0, both, (41, 40))
    whole = both(x)["small"]
    geometry = TileGeometry(both, (41, 40), "small")
    for begin, end in blocks(np.random.default_rng(0), geometry.output_extents, 20):
        window = geometry.window(begin, end)
        part = both(np.ascontiguousarray(x[(..., *window.read)]))["small"][(..., *window.crop)]
        assert np.array_equal(part, whole[(..., *map(slice, begin, end))])


def test_a_window_of_a_small_block_is_small():
    network = drawn(0, extents=(1009, 1013), steps=3, kinds=("convolution", "residual"))
    geometry = TileGeometry(network, (1009, 1013))
    window = geometry.window((50, 50), (51, 51))
    field = eq.receptive_field(network)
    for first, last, size, period in zip(window.read_begin, window.read_end, field.size, field.period, strict=True):
        assert size <= last - first < size + 2 * period


def test_all_of_the_output_reads_all_that_it_depends_on():
    geometry = TileGeometry(drawn(3), (47, 60))
    window = geometry.window((0, 0), geometry.output_extents)
    assert window.read_begin == window.crop_begin == (0, 0)
    assert window.crop_end == geometry.output_extents


def test_windows_are_those_of_images_beyond_memory():
    """Numbers alone: the window of a block in the middle does not depend on how large the image is."""
    network = drawn(1)
    small, large = TileGeometry(network, (4800, 4800)), TileGeometry(network, (2_400_000, 2_400_000))
    begin = tuple(100 * number for number in small.outputs_per_period)
    end = tuple(number + 7 for number in begin)
    assert small.window(begin, end) == large.window(begin, end)


def test_several_outputs_have_one_window():
    network = drawn(2, steps=2, kinds=("residual",))
    document = network.document
    document["outputs"] = [{"name": f"y{n}", "value": f"v{n}"} for n in (0, len(document["operations"]) - 1)]
    document.pop("geometry")
    both = network_of(document, network.tensors, "exact")
    first, last, together = (TileGeometry(both, (47, 60), output) for output in ("y0", "y7", ("y0", "y7")))
    windows = [geometry.window((20, 20), (25, 25)) for geometry in (first, last, together)]
    assert windows[0].read_begin > windows[1].read_begin
    assert windows[2] == windows[1]
    assert TileGeometry(both, (47, 60)).window((20, 20), (25, 25)) == windows[0]
