# SPDX-License-Identifier: Apache-2.0
"""Networks that are files: what is read, what is computed, what is said of it."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import threading
import weakref

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.check import equivariance_errors
from equiconv._network.file import digest, read_file, write_file
from equiconv._network.network import _load
from equiconv._network.types import group_entry
from networks import CLASSES, classifier, classify

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@pytest.fixture
def path(tmp_path):
    """A file of the classifier."""
    document, tensors = classifier()
    write_file(document, tensors, tmp_path / "classifier.safetensors")
    return tmp_path / "classifier.safetensors"


def saved(folder, document, tensors):
    """The path of a file of them."""
    write_file(document, tensors, folder / "n")
    return folder / "n"


def image(rng, dtype="float32", batch=2, size=9):
    return rng.standard_normal((batch, 2, size, size)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["fast", "exact"])
@pytest.mark.parametrize("group", [eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)], ids=lambda group: group.name)
def test_a_network_is_its_operations(tmp_path, rng, group, mode, dtype):
    document, tensors = classifier(group, dtype)
    write_file(document, tensors, tmp_path / "n")
    x = image(rng, dtype)
    outputs = eq.load_network(tmp_path / "n", mode)(x)
    assert list(outputs) == ["scores", "planes"]
    for value, expected in zip(outputs.values(), classify(document, tensors, x), strict=True):
        assert value.dtype == dtype
        assert value.shape == expected.shape
        assert np.max(np.abs(value - expected)) <= TOLERANCE[dtype] * np.max(np.abs(expected))


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("group", [eq.cyclic(4), eq.dihedral(4)], ids=lambda group: group.name)
def test_exact_networks_turn_with_their_input_to_the_last_bit(tmp_path, rng, group, size):
    write_file(*classifier(group), tmp_path / "n")
    network = eq.load_network(tmp_path / "n", "exact")
    x = image(rng, size=size)
    straight = network(x)
    for element in range(group.order):
        turned = network(eq.act(x, group, element))
        assert np.array_equal(turned["scores"], straight["scores"])
        assert np.array_equal(turned["planes"], eq.act(straight["planes"], group, element))


def test_exact_bits_depend_neither_on_threads_nor_on_the_batch(path, rng, threads):
    network = eq.load_network(path, "exact")
    x = image(rng, batch=5)
    threads(2)
    together = network(x)["scores"]
    threads(1)
    assert np.array_equal(together, np.concatenate([network(x[i : i + 1])["scores"] for i in range(5)]))


def test_one_output_is_an_array(tmp_path, rng):
    document, tensors = classifier(outputs=("scores",))
    write_file(document, tensors, tmp_path / "n")
    x = image(rng)
    assert np.allclose(eq.load_network(tmp_path / "n")(x), classify(document, tensors, x)[0], atol=1e-5)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_signals_on_quotients_are_pooled(rng, mode):
    group = eq.cyclic(4)
    document = {
        "format": "equiconv-network/1", "name": "quotient", "dtype": "float32", "groups": {"C4": group_entry(group)},
        "input": {"name": "x", "dimension": 2, "space": "quotient([0,2])", "group": "C4", "channels": 3,
                  "extents": [None, None]},
        "operations": [{"kind": "group_pool", "name": "pool", "inputs": ["x"], "output": "y", "mode": mode}],
        "outputs": [{"name": "y", "value": "y"}],
    }  # fmt: skip
    x = rng.standard_normal((2, 3, 2, 5, 5)).astype("float32")
    network = _load(json.dumps(document).encode(), (), True)
    assert np.allclose(network(x), x.mean(2) if mode == "mean" else x.max(2), atol=1e-6)
    assert equivariance_errors(network, x) == [0.0] * 4


def test_a_file_is_read_by_path_and_by_bytes(path, rng):
    x = image(rng)
    expected = eq.load_network(path)(x)["scores"]
    for source in (str(path), path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        assert np.array_equal(eq.load_network(source)(x)["scores"], expected)


def test_documents_and_tensors_come_back(path):
    document, tensors = classifier()
    read, arrays = read_file(path)
    assert {key: read[key] for key in ("name", "description", "dtype", "operations")} == {
        key: document[key] for key in ("name", "description", "dtype", "operations")
    }
    assert list(arrays) == sorted(tensors)
    for name, array in arrays.items():
        assert array.dtype == tensors[name].dtype
        assert np.array_equal(array, tensors[name])
    network = eq.load_network(path)
    assert not any(array.flags.writeable for array in network.tensors.values())
    assert network.document == read
    assert network.classes == tuple(CLASSES)
    assert network.name == "classifier"
    assert network.output_names == ("scores", "planes")
    assert network.dtype == np.float32
    assert network.mode == "fast"


def test_tensors_outlive_their_network(path):
    arrays = eq.load_network(path).tensors
    kept = arrays["group.weight"]
    del arrays
    assert np.array_equal(kept, classifier()[1]["group.weight"])


def test_a_network_is_freed_with_its_last_reference(path):
    network = eq.load_network(path)
    kept = network.tensors["group.weight"]
    alive = weakref.ref(network)
    del network
    gc.collect()
    assert alive() is not None
    del kept
    gc.collect()
    assert alive() is None


def test_a_saved_network_has_the_bytes_of_its_file(path, tmp_path):
    eq.load_network(path).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_files_are_safetensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert json.loads(header["__metadata__"]["equiconv-network"])["format"] == "equiconv-network/1"
    assert header["last.bias"] == {"dtype": "F32", "shape": [3], "data_offsets": header["last.bias"]["data_offsets"]}
    assert (8 + length) % 8 == 0


def test_any_dtype_of_files_is_kept(tmp_path):
    document, tensors = classifier()
    others = [np.bool_, np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, np.float16]
    tensors |= {f"other.{np.dtype(t).name}": np.arange(6).reshape(2, 3).astype(t) for t in others}
    tensors |= {"empty": np.zeros((0, 3)), "scalar": np.array(2.5), "big": np.arange(3, dtype=">i4")}
    tensors["columns"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    write_file(document, tensors, tmp_path / "n")
    _, read = read_file(tmp_path / "n")
    for name, array in tensors.items():
        assert read[name].shape == array.shape
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(read[name], array)


@pytest.mark.parametrize("mode", ["fast", "exact"])
def test_networks_pickle_and_copy(path, rng, mode):
    network = eq.load_network(path, mode)
    x = image(rng)
    again = pickle.loads(pickle.dumps(network))
    assert again.mode == mode
    assert again.document == network.document
    assert np.array_equal(again(x)["scores"], network(x)["scores"])
    assert copy.copy(network) is network
    assert copy.deepcopy(network) is network


def test_threads_share_a_network(path, rng):
    network = eq.load_network(path, "exact")
    images = [image(rng, size=7 + i % 3) for i in range(6)]
    expected = [network(x)["scores"] for x in images]
    wrong = []

    def work():
        for x, y in zip(images, expected, strict=True):
            if not np.array_equal(network(x)["scores"], y):
                wrong.append(x.shape)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_shapes_are_known_before_a_call(path):
    network = eq.load_network(path)
    assert network.output_shape((5, 2, 7, 9)) == (5, 3)
    assert network.output_shape((5, 2, 7, 9), 1) == (5, 4, 7, 9)
    network.reserve((5, 2, 7, 9))
    assert network.example_shape() == (1, 2, 32, 32)
    assert network.example_shape(3, 20) == (3, 2, 20, 20)


def test_explanations_name_what_is_left(path):
    explanation = eq.load_network(path).explain((1, 2, 16, 16))
    names = [operation.name for operation in explanation.operations]
    assert names[0] == "lift"
    assert names[-1] == "last"
    assert "norm" not in names
    assert explanation.operations[0].algorithm in ("direct", "winograd", "fourier", "group-fourier")
    assert explanation.seconds > 0
    assert "lift" in repr(explanation)


def test_a_summary_counts_parameters(path):
    summary = eq.load_network(path).summary((1, 2, 16, 16))
    tensors = classifier()[1]
    assert summary.parameters == sum(array.size for array in tensors.values())
    rows = {row[0]: row for row in summary.rows}
    assert rows["group"][3] == tensors["group.weight"].size
    assert rows["last"][2] == (1, 3)
    assert rows["norm"][2] is None
    assert "folded" in repr(summary)
    assert "group_pool max" in repr(summary)


def test_a_summary_tells_operations_of_one_name_apart(tmp_path):
    """Names are for people: a document may use one for all its operations."""
    document, tensors = classifier()
    kinds = [operation["kind"] for operation in document["operations"]]
    expected = eq.load_network(saved(tmp_path, document, tensors)).summary((1, 2, 16, 16)).rows
    for operation in document["operations"]:
        operation["name"] = "n"
    network = eq.load_network(saved(tmp_path, document, tensors))
    rows = network.summary((1, 2, 16, 16)).rows
    assert [row[2:4] for row in rows] == [row[2:4] for row in expected]
    for operation in network.explain((1, 2, 16, 16)).operations:
        assert operation.position is not None
        assert operation.kind == kinds[operation.position]


def test_a_summary_of_an_output_written_twice_has_its_algorithm(tmp_path):
    """The copy is a step of its own, of the operation that wrote the value."""
    document, tensors = classifier()
    document["outputs"] = [{"name": name, "value": "v2"} for name in "ab"]
    document["operations"] = document["operations"][:3]
    network = eq.load_network(saved(tmp_path, document, tensors))
    assert [operation.kind for operation in network.explain((1, 2, 8, 8)).operations][-1] == "copy"
    assert network.summary((1, 2, 8, 8)).rows[2][4] != ""


def test_the_graph_is_drawn(path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = eq.load_network(path).plot((1, 2, 16, 16))
    texts = [text.get_text() for text in axes.texts]
    assert "lift: convolution" in texts
    assert "(1, 3)" in texts
    assert "folded" in texts


def test_digests_are_of_the_bytes_one_after_the_other():
    arrays = [np.arange(3, dtype=np.float32), np.ones((2, 2))]
    import hashlib

    assert digest(arrays) == hashlib.sha256(arrays[0].tobytes() + arrays[1].tobytes()).hexdigest()
