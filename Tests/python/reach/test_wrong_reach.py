# SPDX-License-Identifier: Apache-2.0
"""Errors name the argument or the operation, and say what was expected."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.network import network_of
from equiconv._reach.geometry import TileGeometry
from equiconv._reach.methods import steady_network
from networks import classifier
from reach_cases import Drawn, drawn

C4 = eq.cyclic(4)


def ended(kind, **keys):
    made = Drawn(np.random.default_rng(0), C4, (20, 20))
    made.append(kind, **keys)
    return made.network()


def circular(padding):
    made = Drawn(np.random.default_rng(0), C4, (20, 20))
    made.append("convolution", weight=made.weight(4, 4, 4, 3, 3), layer=made.layer("group", 1, padding, 1, "circular"))
    return made.network()


REFUSED = {
    "mean": (lambda: ended("spatial_mean"), r"'step 1' \(spatial_mean\) reads all of space.*equiconv\.dense"),
    "corners": (
        lambda: ended("upsample", mode="linear", factors=[2, 2], align_corners=True), r"'step 1' .*align_corners"
    ),
    "linear": (lambda: network_of(*classifier()), r"'mean' \(spatial_mean\) reads all of space"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_operations_that_read_all_of_an_image_are_refused_by_name(name):
    make, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        TileGeometry(make(), (20, 20))
    with pytest.raises(ValueError, match=message):
        eq.receptive_field(make())


def test_circular_padding_has_a_field_but_no_windows():
    assert eq.receptive_field(circular(1)).size == (5, 5)
    with pytest.raises(ValueError, match=r"'step 1' \(convolution\) pads its signal by the signal's other end"):
        TileGeometry(circular(1), (20, 20))
    assert TileGeometry(circular(0), (20, 20)).output_extents == (18, 18)


def test_other_outputs_may_read_all_of_the_image():
    network = network_of(*classifier(outputs=("planes", "scores")))
    assert TileGeometry(network, (9, 9)).output_extents == (9, 9)
    assert eq.receptive_field(network, "planes").size == (5, 5)


@pytest.mark.parametrize(
    ("extents", "error", "message"),
    [
        ((20,), ValueError, r"extents is \(20,\), expected 2 sizes"),
        (20, TypeError, r"extents is 20 \(int\), expected a size for each axis"),
        ((20, 0), ValueError, r"extents\[1\] is 0, expected an integer from 1"),
        ((20, 1.5), TypeError, r"extents\[1\] is 1\.5 \(float\)"),
        ((20, 1), ValueError, r"extents\[1\] is 1: operation 'step 1' \(spatial_max_pool\) reads sizes 1 there"),
    ],
)
def test_extents_that_the_network_does_not_read(extents, error, message):
    network = ended("spatial_max_pool", kernel=[3, 3], stride=[1, 1], padding=[0, 0])
    with pytest.raises(error, match=message):
        TileGeometry(network, extents)
    with pytest.raises(error, match=message):
        steady_network(network, extents)


def test_extents_that_the_document_fixes():
    network = drawn(0)
    document = network.document
    document["input"]["extents"] = [47, None]
    document.pop("geometry")
    fixed = network_of(document, network.tensors)
    with pytest.raises(ValueError, match=r"extents\[0\] is 48, expected 47, which the network fixes"):
        TileGeometry(fixed, (48, 60))
    window = TileGeometry(fixed, (47, 60)).window((0, 0), (1, 1))
    assert (window.read_begin[0], window.read_end[0]) == (0, 47)
    assert window.read_end[1] < 60


@pytest.mark.parametrize(
    ("begin", "end", "error", "message"),
    [
        ((0, 0), (0, 1), ValueError, r"end\[0\] is 0, expected more than begin\[0\], 0"),
        ((-1, 0), (1, 1), ValueError, r"begin\[0\] is -1"),
        ((0, 0), (1, 21), ValueError, r"end\[1\] is 21, expected an integer from 0 to 20"),
        ((0,), (1, 1), ValueError, r"begin is \(0,\), expected 2 numbers"),
        (None, (1, 1), TypeError, r"begin is None"),
    ],
)
def test_blocks_outside_of_the_output(begin, end, error, message):
    geometry = TileGeometry(ended("pointwise", function="relu"), (20, 20))
    with pytest.raises(error, match=message):
        geometry.window(begin, end)


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        ("z", ValueError, r"output is 'z', expected one of the network's outputs: 'y'"),
        (3, TypeError, r"output is 3"),
        ((), ValueError, r"output is \(\), expected at least one name"),
        (("y", 3), TypeError, r"output is \('y', 3\)"),
    ],
)
def test_outputs_that_do_not_exist(output, error, message):
    with pytest.raises(error, match=message):
        TileGeometry(drawn(0), (47, 60), output)


def test_outputs_on_several_grids():
    network = ended("spatial_max_pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0])
    document = network.document
    document["outputs"].append({"name": "fine", "value": "v0"})
    document.pop("geometry")
    both = network_of(document, network.tensors)
    with pytest.raises(ValueError, match="output names outputs of 10 places and 20 places"):
        TileGeometry(both, (20, 20), ("y", "fine"))


def test_periods_of_very_many_places():
    network = ended("upsample", mode="nearest", factors=[2**20, 2])
    with pytest.raises(ValueError, match="output has 1048576 places per period on axis 0, expected at most 16384"):
        eq.receptive_field(network)
    window = TileGeometry(network, (2**30, 2**30)).window((2**49, 2**20), (2**49 + 1, 2**20 + 1))
    assert window.read_begin == (2**29 - 1, 2**19 - 1)


def test_what_is_no_network():
    with pytest.raises(TypeError, match=r"network is 3 \(int\), expected an equiconv\.Network"):
        eq.receptive_field(3)
    with pytest.raises(TypeError, match="example is None, expected a signal"):
        eq.receptive_field(eq.Sequential(eq.LiftingConv(1, 2, 3, C4)))
    with pytest.raises(FileNotFoundError):
        eq.receptive_field("no such file")
    with pytest.raises(ValueError, match="header"):
        eq.dense(b"no network")
