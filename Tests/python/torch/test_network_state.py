"""What a file keeps of a module, and what stays as it was."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from equiconv._network.file import read_file, write_file  # noqa: E402
from network_cases import signal, trained  # noqa: E402
from network_reference import run_document  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402

C4 = eq.cyclic(4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network"


def small():
    return nn.Sequential(
        et.LiftingConv(2, 3, 3, C4, padding=1), et.BatchNorm(3), nn.Dropout(0.5), nn.ReLU(), et.GroupPool(C4)
    )


def assert_file_computes(path, network, x):
    """The file, by the definitions, and the network that it is loaded as compute what the module does."""
    document, tensors = read_file(path)
    with torch.no_grad():
        outputs = network(x)
        assert torch.allclose(et.load_network(path)(x), outputs, atol=1e-5 * float(outputs.abs().max()))
    (found,) = run_document(document, tensors, x.numpy()).values()
    assert np.abs(found - outputs.numpy()).max() <= 1e-5 * np.abs(outputs.numpy()).max()


def test_networks_in_training_are_saved_in_evaluation_and_stay_as_they_are(path):
    network = trained(small).train()
    network[1].eval()
    before = copy.deepcopy(network.state_dict())
    et.save_network(network, path, signal((2, 2, 8, 8)))
    assert [part.training for part in network] == [True, False, True, True, True]
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert_file_computes(path, network.eval(), signal((2, 2, 8, 8)))


def test_modes_are_restored_after_an_error(path):
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.PReLU()).train()
    with pytest.raises(ValueError, match="prelu"):
        et.save_network(network, path, torch.zeros(1, 1, 8, 8))
    assert all(part.training for part in network.modules())


def test_random_numbers_are_those_of_a_program_that_saves_nothing(path):
    network, x = trained(small), signal((2, 2, 8, 8))
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    et.save_network(network, path, x)
    et.load_network(path)
    assert torch.equal(torch.rand(4), expected)


class Shared(nn.Module):
    """One module called twice, one under two names, and a tied weight."""

    def __init__(self):
        super().__init__()
        self.twice = nn.Conv2d(2, 2, 3, padding=1)
        block = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU())
        self.blocks = nn.ModuleList([block, block])
        self.up = nn.ConvTranspose2d(2, 2, 3, padding=1)
        self.up.weight = block[0].weight

    def forward(self, x):
        y = self.twice(self.twice(x).relu())
        for block in self.blocks:
            y = block(y)
        return self.up(y)


def test_shared_tensors_are_in_the_file_once_and_shared_again(path):
    network, x = trained(Shared), signal((2, 2, 6, 6))
    et.save_network(network, path, x)
    assert_file_computes(path, network, x)
    names = set(read_file(path)[1])
    assert {name for name in names if "equiconv.test" not in name} == {
        "twice.weight", "twice.bias", "blocks.0.0.weight", "blocks.0.0.bias", "up.bias",
    }  # fmt: skip
    loaded = et.load_network(path)
    assert len(list(loaded.parameters())) == 5
    assert loaded.up.weight is loaded.get_parameter("blocks.0.0.weight")
    network.load_state_dict(loaded.state_dict())


def test_parametrized_weights_are_computed_once(path):
    torch.manual_seed(0)
    network = nn.Sequential(
        parametrizations.weight_norm(nn.Conv2d(2, 3, 3)),
        parametrizations.spectral_norm(et.LiftingConv(3, 2, 3, C4)),
        et.GroupPool(C4),
    )
    x = signal((2, 2, 8, 8))
    network(x)
    et.save_network(network.train(), path, x)
    network.eval()
    assert_file_computes(path, network, x)
    tensors = read_file(path)[1]
    for name in ("0.weight", "1.weight"):
        assert np.array_equal(tensors[name], network[int(name[0])].weight.detach())
    assert sorted(tensors)[:4] == ["0.bias", "0.weight", "1.bias", "1.weight"]


class Constants(nn.Module):
    """Weights that are computed of parameters, buffers and numbers."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3))
        self.register_buffer("mask", (torch.rand(3, 3) > 0.3).float(), persistent=False)
        self.matrix = nn.Parameter(torch.randn(3, 4))

    def forward(self, x):
        y = et.isotropic_conv(x, self.weight * self.mask / 2, C4)
        return y.mean((2, 3)) @ self.matrix


def test_constants_are_computed_once(path):
    network, x = trained(Constants), signal((2, 2, 6, 6))
    et.save_network(network, path, x)
    assert_file_computes(path, network, x)
    assert len(read_file(path)[1]) == 4


def test_frozen_parameters_are_saved_and_loaded_to_train(path):
    network, x = trained(small).requires_grad_(False), signal((2, 2, 8, 8))
    et.save_network(network, path, x)
    assert_file_computes(path, network, x)
    assert all(parameter.requires_grad for parameter in et.load_network(path).parameters())


class InPlace(nn.Module):
    """A sum in place, whose first term is read again afterwards."""

    def __init__(self, copies):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.copies = copies

    def forward(self, x):
        y = self.conv(x)
        z = y.clone() if self.copies else y
        y.relu_()
        return self.conv(z) + y


@pytest.mark.parametrize("copies", [False, True])
def test_operations_in_place_change_what_shares_their_memory(copies, path):
    torch.manual_seed(0)
    network, x = InPlace(copies).eval(), signal((2, 2, 6, 6))
    et.save_network(network, path, x)
    assert_file_computes(path, network, x)


class WithoutGradients(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3)

    @torch.no_grad()
    def forward(self, x):
        with torch.no_grad():
            y = self.conv(x)
        return y.relu()


@pytest.mark.parametrize("mode", ["no_grad", "enable_grad"])
def test_networks_that_set_gradients_are_saved(mode, path):
    torch.manual_seed(0)
    network, x = WithoutGradients().eval(), signal((2, 2, 6, 6))
    with getattr(torch, mode)():
        et.save_network(network, path, x)
    assert_file_computes(path, network, x)


def test_channels_last_is_a_layout_only(path):
    network, x = trained(small), signal((2, 2, 8, 8))
    network = nn.Sequential(nn.Conv2d(2, 2, 3), network).to(memory_format=torch.channels_last).eval()
    et.save_network(network, path, x.to(memory_format=torch.channels_last))
    assert_file_computes(path, network, x)


def test_normalization_is_applied_to_what_the_file_reads(path):
    network, x = trained(small), signal((2, 2, 8, 8)) * 100 + 120
    et.save_network(network, path, x, normalization={"mean": [0.4, 0.5], "deviation": 0.3, "scale": 1 / 255})
    document, tensors = read_file(path)
    assert document["input"]["normalization"] == {"scale": 1 / 255, "mean": [0.4, 0.5], "deviation": [0.3, 0.3]}
    assert np.array_equal(tensors["equiconv.test.input"], x)
    with torch.no_grad():
        expected = network((x / 255 - torch.tensor([0.4, 0.5]).reshape(2, 1, 1)) / 0.3)
        assert torch.allclose(et.load_network(path)(x), expected, atol=1e-4)
    (found,) = run_document(document, tensors, x.numpy()).values()
    assert np.abs(found - expected.numpy()).max() < 1e-4
    loaded = et.load_network(path)
    assert set(loaded.state_dict()) == set(network.state_dict())
    again = path.with_suffix(".again")
    et.save_network(loaded, again, x)
    first, second = read_file(path)[0], read_file(again)[0]
    assert first.pop("test")["input"] == second.pop("test")["input"]
    assert first == second
    with pytest.raises(ValueError, match="the module has one of its own"):
        et.save_network(loaded, again, x, normalization={"mean": 0})


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        y = self.conv(x)
        return {"scores": y.mean((2, 3)), "map": torch.softmax(y, 1)}


def test_texts_classes_and_pixels_are_in_the_document(path):
    x = signal((1, 1, 8, 8))
    classes = {"scores": ["cell", "none"]}
    et.save_network(
        Named(),
        path,
        x,
        name="cells",
        description="of a test",
        classes=classes,
        pixel_size=(0.5, 0.25),
        input_name="image",
    )
    document, _ = read_file(path)
    assert (document["name"], document["description"]) == ("cells", "of a test")
    assert document["input"]["name"] == "image"
    assert document["input"]["pixel_size"] == [0.5, 0.25]
    assert [output["name"] for output in document["outputs"]] == ["scores", "map"]
    assert document["outputs"][0]["classes"] == ["cell", "none"]
    loaded = et.load_network(path)
    assert set(loaded(x)) == {"scores", "map"}
    again = path.with_suffix(".again")
    et.save_network(loaded, again, x, input_name="image")
    # Means over space have a rounding of their own.
    assert {**read_file(again)[0], "test": None} == {**document, "test": None}


def test_names_are_of_the_class_and_outputs_are_counted(path):
    et.save_network(nn.Conv2d(1, 2, 3), path, signal((1, 1, 8, 8)), classes=["a", "b"])
    document, _ = read_file(path)
    assert document["name"] == "Conv2d"
    assert {**document["outputs"][0], "axes": None} == {"name": "y", "value": "v0", "classes": ["a", "b"], "axes": None}
    assert "description" not in document


def test_sizes_are_those_of_the_example_if_wanted(path):
    et.save_network(trained(small), path, signal((2, 2, 8, 7)), dynamic=False)
    assert read_file(path)[0]["input"]["extents"] == [8, 7]


class SizeOfSkip(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x):
        y = nn.functional.max_pool2d(self.conv(x), 2)
        return nn.functional.interpolate(y, size=x.shape[-2:])


def test_sizes_are_fixed_where_a_step_has_an_integer_factor_for_some_only(path):
    network, x = SizeOfSkip().eval(), signal((1, 1, 8, 6))
    et.save_network(network, path, x)
    assert read_file(path)[0]["input"]["extents"] == [8, 6]
    assert_file_computes(path, network, x)
    with pytest.raises(ValueError, match="resizes 4 to 9, expected a multiple of it"):
        et.save_network(network, path, signal((1, 1, 9, 6)))


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        return self.conv(x) if x.shape[-1] < 32 else self.conv(x).relu()


class Unrolled(nn.Module):
    def forward(self, x):
        for _ in range(x.shape[-1]):
            x = torch.tanh(x)
        return x


@pytest.mark.parametrize(("kind", "extents"), [(Branch, [8, 6]), (Unrolled, [None, 6])])
def test_sizes_are_fixed_where_the_module_decides_by_them(kind, extents, path):
    network, x = kind().eval(), signal((1, 1, 8, 6))
    et.save_network(network, path, x)
    assert read_file(path)[0]["input"]["extents"] == extents
    assert_file_computes(path, network, x)


def test_means_over_space_are_flattened_for_all_sizes(path):
    network = nn.Sequential(et.LiftingConv(1, 2, 3, C4), et.SpatialMean(C4), nn.Flatten(), nn.Linear(8, 3)).eval()
    et.save_network(network, path, signal((1, 1, 8, 6)))
    assert read_file(path)[0]["input"]["extents"] == [None, None]
    assert_file_computes(path, network, signal((2, 1, 5, 7)))


def test_compiled_networks_are_saved_as_they_were(path):
    network, x = trained(small), signal((2, 2, 8, 8))
    et.save_network(torch.compile(network, backend="eager"), path, x)
    assert_file_computes(path, network, x)
    assert read_file(path)[0]["name"] == "Sequential"


def test_operations_are_named_by_where_they_stand(path):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return (self.conv(self.conv(x).relu()) + x).relu()

    et.save_network(nn.Sequential(Block(), nn.ReLU()), path, signal((1, 1, 8, 8)))
    names = [operation["name"] for operation in read_file(path)[0]["operations"]]
    assert names == ["0.conv", "0.pointwise", "0.conv_2", "0.add", "0.pointwise_2", "1"]


def test_loaded_networks_can_be_copied_pickled_and_be_part_of_others(path):
    network, x = trained(small), signal((2, 2, 8, 8))
    et.save_network(network, path, x)
    loaded = et.load_network(path)
    copies = [copy.deepcopy(loaded), pickle.loads(pickle.dumps(loaded))]
    for twin in copies:
        with torch.no_grad():
            assert torch.equal(twin(x), loaded(x))
            for parameter in twin.parameters():
                parameter.zero_()
            assert not torch.equal(twin(x), loaded(x))
    whole = nn.Sequential(loaded, nn.Conv2d(3, 2, 1)).eval()
    et.save_network(whole, path, x)
    assert_file_computes(path, whole, x)
    assert "0.1.running_mean" in read_file(path)[1]


def test_loaded_networks_are_exact_on_request(path):
    network = nn.Sequential(small(), et.SpatialMean(C4), nn.Linear(3, 4))
    x = signal((2, 2, 9, 9))
    et.save_network(network, path, x)
    loaded = et.load_network(path)
    eq.set_algorithm(loaded, "exact")
    turned = torch.from_numpy(eq.act(x.numpy(), C4, 1))
    with torch.no_grad():
        assert torch.equal(loaded(turned), loaded(x))
    et.save_network(loaded, path, x)
    assert "algorithm=exact" in read_file(path)[0]["operations"][0]["layer"]


def test_statistics_of_a_loaded_network_are_trained(path):
    network, x = trained(small), signal((2, 2, 8, 8))
    et.save_network(network, path, x)
    loaded = et.load_network(path)
    before = loaded.get_buffer("1.running_mean").clone()
    loaded.train()(x)
    assert not torch.equal(loaded.get_buffer("1.running_mean"), before)


@pytest.mark.parametrize("epsilon", [1e-5, 0.5])
def test_sums_of_many_terms_and_groups_of_one_name_are_kept(epsilon, path):
    matrices = C4.matrices
    other = eq.PointGroup.from_matrices(matrices[[0, 3, 2, 1]])
    network = nn.Sequential(et.LiftingConv(1, 2, 3, C4), et.BatchNorm(2, eps=epsilon), et.ProjectionConv(2, 1, 3, C4),
                            et.LiftingConv(1, 2, 3, other), et.GroupPool(other)).eval()  # fmt: skip
    x = signal((1, 1, 8, 8))
    et.save_network(network, path, x)
    document, tensors = read_file(path)
    assert len(document["groups"]) == 2
    assert document["operations"][1]["epsilon"] == epsilon
    v = document["operations"][-1]["output"]
    document["operations"].append({"kind": "add", "name": "sum", "inputs": [v, v, v], "output": "total"})
    document["outputs"][0]["value"] = "total"
    write_file(document, tensors, path)
    loaded = et.load_network(path)
    with torch.no_grad():
        assert torch.allclose(loaded(x), 3 * network(x), atol=1e-5)
    again = path.with_suffix(".again")
    et.save_network(loaded, again, x)
    kept = read_file(again)[0]["operations"]
    assert [operation["name"] for operation in kept] == [operation["name"] for operation in document["operations"]]
    assert len(kept[-1]["inputs"]) == 3
