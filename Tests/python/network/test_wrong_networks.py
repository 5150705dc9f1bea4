# SPDX-License-Identifier: Apache-2.0
"""Wrong files, documents and calls: each error says what is wrong, and where."""

from __future__ import annotations

import json
import time

import equiconv as eq
import numpy as np
import pytest
from equiconv._layer.spec import layer_of
from equiconv._network.file import make_network, write_file
from equiconv._network.types import group_entry
from networks import classifier


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The classifier."""
    path = tmp_path_factory.mktemp("networks") / "n"
    write_file(*classifier(), path)
    return eq.load_network(path)


def test_networks_come_from_load_network():
    with pytest.raises(TypeError, match=r"use equiconv\.load_network\(path\)"):
        eq.Network("path")


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("/nowhere/at all", FileNotFoundError, "No such file"),
        ("/", IsADirectoryError, "directory"),
        (b"", ValueError, "expected"),
        (b"no network" * 5, ValueError, "expected"),
        (7, TypeError, "source is 7 .int., expected a path"),
        ("a\0b", ValueError, "without the character 0"),
    ],
)
def test_files_that_are_none(source, error, text):
    with pytest.raises(error, match=text):
        eq.load_network(source)


def test_modes_are_two(network):
    with pytest.raises(ValueError, match="mode is 'slow', expected 'fast' or 'exact'"):
        eq.load_network(b"", "slow")


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (np.zeros((1, 2, 5, 5)), TypeError, r"x has dtype float64, expected float32: use x.astype\(numpy.float32\)"),
        (np.zeros((1, 2, 5, 5), int), TypeError, "x has dtype int64"),
        (np.zeros((1, 3, 5, 5), "f4"), ValueError, r"\(1, 3, 5, 5\), expected \(batch, 2, any, any\)"),
        (np.zeros((2, 5, 5), "f4"), ValueError, r"\(2, 5, 5\)"),
        (np.zeros((1, 2, 0, 5), "f4"), ValueError, r"\(1, 2, 0, 5\)"),
        (np.zeros((1,) * 7, "f4"), (TypeError, ValueError), "axes|shape"),
        (None, TypeError, "x"),
    ],
)
def test_inputs_that_do_not_fit(network, x, error, text):
    with pytest.raises(error, match=text):
        network(x)


def test_shapes_that_do_not_fit(network):
    with pytest.raises(ValueError, match=r"\(1, 3, 5, 5\)"):
        network.reserve((1, 3, 5, 5))
    with pytest.raises(ValueError, match=r"shape\[2\] is -1"):
        network.output_shape((1, 2, -1, 5))
    with pytest.raises(TypeError, match="shape is 5"):
        network.explain(5)
    with pytest.raises(ValueError, match="output is 2"):
        network.output_shape((1, 2, 5, 5), 2)


def changed(**keys):
    document, tensors = classifier()
    return document | keys, tensors


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (changed(format="equiconv-network/9"), "equiconv-network/9"),
        (changed(dtype="float16"), "float16"),
        (changed(outputs=[]), "outputs"),
        (changed(other=1), "other"),
    ],
    ids=["version", "dtype", "outputs", "key"],
)
def test_documents_that_say_what_they_may_not(tmp_path, document, text):
    with pytest.raises(ValueError, match=text):
        write_file(*document, tmp_path / "n")
    assert not (tmp_path / "n").exists()


def test_operations_that_do_not_fit(tmp_path):
    document, tensors = classifier()
    document["operations"][2] |= {"weight": "lift.weight"}
    with pytest.raises(ValueError, match=r"operations\[2\]"):
        write_file(document, tensors, tmp_path / "n")
    document["operations"][2] |= {"kind": "attention"}
    with pytest.raises(ValueError, match="attention"):
        write_file(document, tensors, tmp_path / "n")


def test_tensors_that_files_do_not_have(tmp_path):
    document, tensors = classifier()
    with pytest.raises(TypeError, match=r"tensors\['names'\] has dtype <U1"):
        write_file(document, tensors | {"names": np.array(["a"])}, tmp_path / "n")
    with pytest.raises(ValueError, match="the name of a tensor is 3"):
        write_file(document, tensors | {3: np.zeros(2)}, tmp_path / "n")
    del tensors["last.bias"]
    with pytest.raises(ValueError, match=r"last\.bias"):
        write_file(document, tensors, tmp_path / "n")


def test_places_that_cannot_be_written(network, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        network.save(tmp_path / "nowhere" / "n")
    with pytest.raises(TypeError, match="path is 3"):
        network.save(3)


@pytest.mark.parametrize("step", [1, 97])
def test_truncated_files_are_errors(network, tmp_path, step):
    network.save(tmp_path / "n")
    data = (tmp_path / "n").read_bytes()
    for end in range(0, len(data), 1 if step == 97 and len(data) < 4000 else 97):
        with pytest.raises(ValueError, match="expected"):
            eq.load_network(data[:end])


def test_four_thousand_layers_are_opened_and_described_in_a_second():
    group = eq.cyclic(64)
    text = layer_of("lifting", group, (1, 1), (0, 0), (1, 1), "zeros", "auto", None, "bilinear", None, False, 1).text
    layers = [
        {"kind": "convolution", "name": "n", "inputs": ["x"], "output": f"v{i}", "layer": text, "weight": "w"}
        for i in range(4000)
    ]
    document = {
        "format": "equiconv-network/1", "name": "layers", "dtype": "float32",
        "groups": {group.name: group_entry(group)},
        "input": {"name": "x", "dimension": 2, "space": "plane", "channels": 1, "extents": [None, None]},
        "operations": layers, "outputs": [{"name": "y", "value": "v3999"}],
    }  # fmt: skip
    start = time.process_time()
    network = make_network(document, {"w": np.zeros((1, 1, 3, 3), np.float32)})
    assert json.loads(network.describe())["geometry"] == {"stride": [1, 1], "receptive_field": [3, 3]}
    assert time.process_time() - start < 1
