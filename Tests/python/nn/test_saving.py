"""Sequences of layers as network files."""

from __future__ import annotations

import functools

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.file import read_file
from network_reference import run_document

C4, D4 = eq.cyclic(4), eq.dihedral(4)


def network(dtype=np.float32):
    rng = np.random.default_rng(0)
    net = eq.Sequential(
        eq.LiftingConv(2, 4, 5, C4, padding="same", dtype=dtype, rng=0),
        eq.BatchNorm(4, dtype=dtype),
        eq.relu,
        eq.SpatialMaxPool(C4, 2),
        eq.Sequential(
            eq.GroupConv(4, 4, eq.bspline_basis(3), C4, bias=False, algorithm="direct", dtype=dtype, rng=1), eq.silu
        ),
        functools.partial(eq.leaky_relu, slope=0.2),
        eq.SpatialAvgPool(C4, 2),
        functools.partial(eq.elu, alpha=0.5),
        eq.sigmoid,
        np.tanh,
        eq.gelu_tanh,
        eq.GroupPool(C4, "max"),
        eq.IsotropicConv(4, 3, 1, C4, dtype=dtype, rng=2),
        eq.SpatialMean(C4),
        eq.Linear(3, 4, dtype=dtype),
        eq.softmax,
    )
    net.load({name: rng.uniform(0.1, 1, array.shape) for name, array in net.parameters().items()})
    return net


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_files_compute_what_the_sequence_does(dtype, path):
    net, x = network(dtype), np.random.default_rng(1).normal(size=(2, 2, 12, 12)).astype(dtype)
    net.save(path, x, name="test", description="of NumPy", classes=["a", "b", "c", "d"], pixel_size=0.25)
    document, tensors = read_file(path)
    (found,) = run_document(document, tensors, x).values()
    bound = (1e-5 if dtype == np.float32 else 1e-13) * np.abs(net(x)).max()
    assert np.abs(found - net(x)).max() <= bound
    for mode in ("fast", "exact"):
        assert np.abs(eq.load_network(path, mode=mode)(x) - net(x)).max() <= bound
    assert document["dtype"] == np.dtype(dtype).name
    assert document["input"]["pixel_size"] == [0.25, 0.25]
    (output,) = document["outputs"]
    assert (output["name"], output["value"], output["classes"]) == ("y", "v16", ["a", "b", "c", "d"])
    assert np.array_equal(tensors["equiconv.test.output.0"], net(x))


def test_tensors_have_the_names_of_parameters(path):
    net = network()
    net.save(path, np.ones((1, 2, 12, 12), np.float32))
    document, tensors = read_file(path)
    for name, array in net.parameters().items():
        assert np.array_equal(tensors[name], array)
    assert "4.0.weight" in tensors
    assert [operation["name"] for operation in document["operations"]][3:6] == ["3", "4.0", "4.1"]


def test_normalization_is_applied_to_the_example(path):
    net, x = network(), np.random.default_rng(1).normal(size=(2, 2, 12, 12)).astype(np.float32)
    net.save(path, x, normalization={"mean": [1, 2], "deviation": 2, "scale": 3})
    document, tensors = read_file(path)
    expected = net((3 * x - np.array([1, 2], np.float32).reshape(2, 1, 1)) / 2)
    assert np.abs(tensors["equiconv.test.output.0"] - expected).max() < 1e-6
    (found,) = run_document(document, tensors, x).values()
    assert np.abs(found - expected).max() < 1e-5


def test_signals_on_the_group_may_be_the_input(path):
    net = eq.Sequential(eq.relu, eq.GroupConv(2, 3, 3, D4, rng=0), eq.GroupPool(D4, "max"))
    x = np.random.default_rng(1).normal(size=(2, 2, 8, 6, 6)).astype(np.float32)
    net.save(path, x)
    document, tensors = read_file(path)
    assert document["input"]["space"] == "group"
    (found,) = run_document(document, tensors, x).values()
    assert np.allclose(found, net(x), atol=1e-5)


def test_torch_reads_what_numpy_wrote(path):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    net, x = network(), np.random.default_rng(1).normal(size=(2, 2, 12, 12)).astype(np.float32)
    net.save(path, x)
    loaded = et.load_network(path)
    with torch.no_grad():
        assert np.abs(loaded(torch.from_numpy(x)).numpy() - net(x)).max() < 1e-5
    assert isinstance(loaded.get_submodule("0"), et.LiftingConv)
    names = {name for name in loaded.state_dict() if not name.endswith(("_extra_state", "num_batches_tracked"))}
    assert names == set(net.parameters())


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([lambda x: x], TypeError, r"layer 1 is .*<lambda>.* \(function\), expected for a file a layer of equiconv"),
        ([np.abs], TypeError, "layer 1 is absolute"),
        ([functools.partial(eq.relu, out=3)], TypeError, "layer 1 is functools.partial"),
        ([functools.partial(eq.leaky_relu, x=3)], TypeError, "layer 1 is functools.partial"),
        ([eq.Linear(2, 2)], ValueError, "wants a vector, reads a signal on C4"),
        ([eq.GroupPool(C4), eq.GroupPool(C4)], None, "wants a signal on G"),
        ([eq.group_pool], TypeError, "layer 1 is group_pool"),
        ([eq.BatchNorm(3)], ValueError, "reads 2 channels, and mean has shape .3,."),
        ([eq.BatchNorm(2, dtype=float)], TypeError, "1.weight has dtype float64, expected float32"),
        ([eq.SpatialMaxPool(eq.reflection(), 2)], ValueError, "kernel is .2., and it reads a signal on C4 and R.2"),
    ],
)
def test_what_files_do_not_have_is_named(layers, error, message, path):
    lift = eq.LiftingConv(1, 2, 3, C4)
    if error is None:
        with pytest.raises(ValueError, match=message):
            eq.Sequential(lift, *layers)
        return
    with pytest.raises(error, match=message):
        eq.Sequential(lift, *layers).save(path, np.zeros((1, 1, 6, 6), np.float32))
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"example": np.zeros((1, 1, 6))}, ValueError, "expected a signal on the plane"),
        ({"example": np.zeros((1, 1))}, ValueError, "example has shape"),
        ({"example": np.zeros((1, 1, 6, 6), int)}, TypeError, "example has dtype int64"),
        ({"example": np.zeros((1, 3, 6, 6), np.float32)}, ValueError, "wants 1 channels, reads 3"),
        ({"classes": ["a"]}, ValueError, "expected 2 names"),
        ({"name": None}, TypeError, "name is None"),
        ({"normalization": {"mine": 3}}, TypeError, "normalization is .'mine': 3."),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message, path):
    keywords = {"example": np.zeros((1, 1, 6, 6), np.float32), **arguments}
    with pytest.raises(error, match=message):
        eq.Sequential(eq.LiftingConv(1, 2, 3, C4)).save(path, **keywords)
