"""Networks of PyTorch as files: what they compute, and what becomes of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import equiconv as eq  # noqa: E402
import equiconv.torch as et  # noqa: E402
from equiconv._network.file import read_file, write_file  # noqa: E402
from equiconv._network.types import KEYS, POINTWISE, group_entry  # noqa: E402
from network_cases import CASES, saved, signal, trained  # noqa: E402
from network_reference import run_document  # noqa: E402


def listed(outputs):
    """The outputs of a network in their order."""
    return torch.utils._pytree.tree_leaves(outputs)


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        bound = tolerance * np.abs(np.asarray(other)).max()
        assert np.asarray(one).shape == np.asarray(other).shape
        assert np.abs(np.asarray(one) - np.asarray(other)).max() <= bound


@pytest.fixture(params=CASES)
def case(request):
    return saved(request.param)


def test_file_computes_what_the_module_does(case):
    network, x, path = case
    document, tensors = read_file(path)
    more = torch.cat([x, 2 * x])
    with torch.no_grad():
        expected = listed(network(more))
    assert_close(run_document(document, tensors, more.numpy()).values(), expected, 1e-5)


def test_loaded_network_computes_what_the_module_does(case):
    network, x, path = case
    loaded = et.load_network(path)
    with torch.no_grad():
        assert_close(listed(loaded(x)), listed(network(x)), 1e-5)


def test_loaded_network_has_the_state_of_the_module(case):
    network, _, path = case
    loaded = et.load_network(path)
    state = loaded.state_dict()
    assert set(state) == set(network.state_dict())
    for name, value in network.state_dict().items():
        assert torch.equal(state[name], value) or name.endswith("num_batches_tracked")
    network.load_state_dict(state)
    assert {name for name, _ in loaded.named_parameters()} == {name for name, _ in network.named_parameters()}


def test_loaded_network_is_saved_as_the_same_document(case, tmp_path):
    network, x, path = case
    with torch.no_grad():
        is_equal = all(map(torch.equal, listed(et.load_network(path)(x)), listed(network(x))))
    again = tmp_path / "again.safetensors"
    et.save_network(et.load_network(path), again, x)
    first, second = read_file(path), read_file(again)
    if not is_equal:
        # Means of windows and of space in another order.
        assert first[0].pop("test")["input"] == second[0].pop("test")["input"]
    assert first[0] == second[0]
    assert set(first[1]) == set(second[1])


def test_loaded_network_trains(case):
    _, x, path = case
    loaded = et.load_network(path).train()
    more = torch.cat([x, -x])
    loss = sum(output.square().sum() for output in listed(loaded(more)))
    if not list(loaded.parameters()):
        return
    loss.backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in loaded.parameters())


def test_file_has_a_test_that_holds(case):
    network, x, path = case
    document, tensors = read_file(path)
    test = document["test"]
    arrays = [tensors[name] for name in (test["input"], *test["outputs"])]
    assert hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest() == test["sha256"]
    assert np.array_equal(arrays[0], x)
    with torch.no_grad():
        assert all(map(np.array_equal, arrays[1:], listed(network(x))))


def test_tensors_are_those_of_operations_and_of_the_test(case):
    _, _, path = case
    document, tensors = read_file(path)
    keys = ("weight", "bias", "mean", "variance")
    named = {operation[key] for operation in document["operations"] for key in keys if key in operation}
    assert set(tensors) == named | {document["test"]["input"], *document["test"]["outputs"]}
    assert all(array.dtype == np.float32 for array in tensors.values())


@pytest.mark.filterwarnings("ignore:stride 2 does not fit")
def test_all_sizes_are_read_unless_a_step_needs_one(case):
    network, x, path = case
    document, tensors = read_file(path)
    fixed = "first.weight" in tensors
    d = document["input"]["dimension"]
    assert document["input"]["extents"] == (list(x.shape[-d:]) if fixed else [None] * d)
    if not fixed:
        larger = signal((*x.shape[:-d], *(2 * size for size in x.shape[-d:])))
        with torch.no_grad():
            expected = listed(network(larger))
        assert_close(run_document(document, tensors, larger.numpy()).values(), expected, 1e-5)


@pytest.mark.parametrize("name", ["p4", "residual", "ordinary", "volume", "functions"])
def test_networks_of_double_precision(name, tmp_path):
    (make, shape), path = CASES[name], tmp_path / "network.safetensors"
    network, x = trained(make, torch.float64), signal(shape, torch.float64)
    et.save_network(network, path, x)
    document, tensors = read_file(path)
    assert document["dtype"] == "float64"
    with torch.no_grad():
        expected = listed(network(x))
        assert_close(listed(et.load_network(path)(x)), expected, 1e-12)
    assert_close(run_document(document, tensors, x.numpy()).values(), expected, 1e-12)


def test_all_operations_and_functions_are_among_the_cases():
    found = set()
    for name in CASES:
        for operation in read_file(saved(name)[2])[0]["operations"]:
            found.add(operation["kind"])
            found.add(operation.get("function"))
    assert found - {None} == set(KEYS) | set(POINTWISE)


def test_documents_are_those_of_the_schema(case):
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(__file__).parents[3] / "docs" / "network.schema.json"
    jsonschema.validate(read_file(case[2])[0], json.loads(schema.read_text("utf-8")))


def test_files_are_read_by_the_library_of_safetensors():
    safetensors = pytest.importorskip("safetensors.torch")
    path = saved("p4")[2]
    _, tensors = read_file(path)
    for name, tensor in safetensors.load_file(path).items():
        assert np.array_equal(tensor, tensors[name])


def test_header_is_padded_and_tensors_are_in_the_order_of_names():
    content = saved("p4")[2].read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    offsets = [entry["data_offsets"] for name, entry in sorted(header.items()) if name != "__metadata__"]
    assert size % 8 == 0
    assert [begin for begin, _ in offsets] == [0, *(end for _, end in offsets[:-1])]
    assert offsets[-1][1] == len(content) - 8 - size


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pool_over_a_quotient_is_loaded(mode, tmp_path):
    document = {
        "format": "equiconv-network/1", "name": "quotient", "dtype": "float32",
        "groups": {"C4": group_entry(eq.cyclic(4))},
        "input": {"name": "x", "dimension": 2, "space": "quotient([0,2])", "group": "C4", "channels": 3,
                  "extents": [None, None]},
        "operations": [{"kind": "group_pool", "name": "pool", "inputs": ["x"], "output": "y", "mode": mode}],
        "outputs": [{"name": "y", "value": "y"}],
    }  # fmt: skip
    write_file(document, {}, tmp_path / "quotient.safetensors")
    x = signal((2, 3, 2, 5, 5))
    loaded = et.load_network(tmp_path / "quotient.safetensors")
    assert torch.equal(loaded(x), x.mean(2) if mode == "mean" else x.amax(2))


def test_networks_of_many_sums_are_saved_in_time(tmp_path):
    class Sums(torch.nn.Module):
        def forward(self, x):
            for _ in range(40):
                # Two ways through each: 2^40 through all.
                x = x + x.relu()
            return x

    path = tmp_path / "sums.safetensors"
    et.save_network(Sums(), path, torch.zeros(1, 1, 2, 2))
    x = torch.ones(1, 1, 2, 2) * 2.0**-40
    assert torch.equal(et.load_network(path)(x), torch.ones(1, 1, 2, 2))
