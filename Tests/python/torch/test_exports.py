# SPDX-License-Identifier: Apache-2.0
"""Networks in the layouts of model zoos: what other programs read there computes what the network does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from equiconv.torch._export.yaml_text import yaml_text  # noqa: E402

# Of torch.jit, that there are newer ways.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
C4 = eq.cyclic(4)
NORMALIZATION = {"scale": 1 / 255, "mean": [0.7, 0.5, 0.6], "deviation": [0.2, 0.25, 0.125]}
ABOUT = {
    "name": "cells", "description": "Nothing that was trained", "classes": ["normal", "2 or more"],
    "normalization": NORMALIZATION, "pixel_size": 0.25,
}  # fmt: skip
PAPERS = {"authors": ["A. Author", {"name": "B. Author", "github_user": "b"}], "license": "Apache-2.0"}


def classifier():
    """Of color images."""
    torch.manual_seed(20200426)
    network = torch.nn.Sequential(
        et.LiftingConv(3, 4, 3, C4),
        et.BatchNorm(4),
        torch.nn.ReLU(),
        et.SpatialMaxPool(C4, 2),
        et.GroupConv(4, 4, 3, C4),
        et.GroupPool(C4, "max"),
        et.SpatialMean(C4),
        torch.nn.Linear(4, 2),
    )
    with torch.no_grad():
        network[1].running_mean.normal_()
        network[1].running_var.uniform_(0.5, 2)
    return network.eval()


def segmenter():
    """Of gray images: scores on a grid of half the resolution."""
    torch.manual_seed(20200426)
    return torch.nn.Sequential(
        et.LiftingConv(1, 2, 3, C4, padding=1),
        et.SpatialMaxPool(C4, 2),
        torch.nn.ReLU(),
        et.ProjectionConv(2, 3, 3, C4),
    ).eval()


def pixels(channels=3, size=18, batch=1):
    """Of images, 0 to 255."""
    values = np.random.default_rng(20200426).integers(0, 256, (batch, channels, size, size))
    return torch.from_numpy(values.astype(np.float32))


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "cells.safetensors"
    et.save_network(classifier(), path, pixels(), **ABOUT)
    return path


def test_wsinfer_gives_the_probabilities_of_the_network(network_file, tmp_path):
    """By WSInfer's own steps: pixels to 0 to 1, mean and deviation, the program of TorchScript."""
    path = et.export_wsinfer(network_file, tmp_path / "zoo", patch_size=26)
    config = json.loads(path.read_text())
    assert config["class_names"] == ABOUT["classes"]
    assert (config["num_classes"], config["patch_size_pixels"], config["spacing_um_px"]) == (2, 26, 0.25)
    patches = pixels(size=26, batch=3)
    x = patches
    for step in config["transform"]:
        if step["name"] == "ToTensor":
            x = x / 255
        else:
            assert step["name"] == "Normalize"
            mean, std = (torch.tensor(step["arguments"][key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))
            x = (x - mean) / std
    found = torch.jit.load(path.parent / "torchscript_model.pt")(x)
    mean, deviation = (torch.tensor(NORMALIZATION[key]).reshape(1, 3, 1, 1) for key in ("mean", "deviation"))
    expected = classifier()((patches / 255 - mean) / deviation)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert (path.parent / "network.safetensors").read_bytes() == network_file.read_bytes()


def test_wsinfer_configs_are_those_of_its_schema(network_file, tmp_path):
    zoo = pytest.importorskip("wsinfer_zoo.client", reason="wsinfer-zoo is not installed: its schema is not tested")
    config = json.loads(et.export_wsinfer(network_file, tmp_path, patch_size=26).read_text())
    found = zoo.ModelConfiguration.from_dict(config)
    assert list(found.class_names) == ABOUT["classes"]


def test_wsinfer_takes_modules_too(tmp_path):
    plain = {key: value for key, value in ABOUT.items() if key != "normalization"}
    path = et.export_wsinfer(classifier(), tmp_path, patch_size=18, example=pixels() / 255, **plain)
    config = json.loads(path.read_text())
    assert config["transform"] == [{"name": "ToTensor"}]
    x = pixels(batch=2) / 255
    assert torch.allclose(torch.jit.load(tmp_path / "torchscript_model.pt")(x), classifier()(x), atol=1e-4)


def read_yaml(path):
    return pytest.importorskip("yaml", reason="PyYAML is not installed").safe_load(path.read_text())


def test_bioimage_programs_give_the_test_output_for_the_test_input(network_file, tmp_path):
    """By the steps that the description lists."""
    path = et.export_bioimage(network_file, tmp_path, title="Cells (C4)", **PAPERS)
    described = read_yaml(path)
    (source,), (result,) = described["inputs"], described["outputs"]
    x = np.load(tmp_path / source["test_tensor"]["source"])
    assert np.array_equal(x, pixels().numpy())
    for step in source["preprocessing"]:
        kwargs = step["kwargs"]
        if step["id"] == "ensure_dtype":
            x = x.astype(kwargs["dtype"])
        elif step["id"] == "scale_linear":
            x = np.float32(kwargs["gain"]) * x
        else:
            assert (step["id"], kwargs["axis"]) == ("fixed_zero_mean_unit_variance", "channel")
            mean, std = (np.float32(kwargs[key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))
            x = (x - mean) / std
    program = torch.jit.load(tmp_path / described["weights"]["torchscript"]["source"])
    expected = np.load(tmp_path / result["test_tensor"]["source"])
    assert np.allclose(program(torch.from_numpy(x)).numpy(), expected, rtol=1e-4, atol=1e-4)
    assert [axis["type"] for axis in result["axes"]] == ["batch", "channel"]
    assert result["axes"][1]["channel_names"] == ["normal", "class_2_or_more"]
    assert [axis.get("scale") for axis in source["axes"]] == [None, None, 0.25, 0.25]


def test_bioimage_files_have_the_digests_of_the_description(network_file, tmp_path):
    described = read_yaml(et.export_bioimage(network_file, tmp_path, title="Cells (C4)", **PAPERS))
    files = [described["inputs"][0]["test_tensor"], described["outputs"][0]["test_tensor"]]
    files += [described["weights"]["torchscript"], *described["attachments"]]
    for file in files:
        assert hashlib.sha256((tmp_path / file["source"]).read_bytes()).hexdigest() == file["sha256"]
    assert described["attachments"][0]["source"] == "network.safetensors"
    assert "## Validation" in (tmp_path / described["documentation"]).read_text()


def test_loaded_networks_expand(network_file):
    """As any other module: their modules can be replaced."""
    x = pixels()
    with torch.no_grad():
        assert torch.allclose(et.expand(et.load_network(network_file))(x), et.load_network(network_file)(x), atol=1e-4)
    assert not any(type(module) is et.GroupConv for module in et.expand(et.load_network(network_file)).modules())


def test_bioimage_sizes_follow_those_of_the_input(tmp_path):
    """size = n scale / scale + offset, for every size that the description allows."""
    network = segmenter()
    path = et.export_bioimage(
        network, tmp_path, title="Halves", step=4, example=pixels(1, 16) / 255, pixel_size=0.5, **PAPERS
    )
    described = read_yaml(path)
    axis, out = described["inputs"][0]["axes"][2], described["outputs"][0]["axes"][2]
    assert axis["size"] == {"min": 16, "step": 4}
    assert (axis["unit"], out["unit"], out["scale"]) == ("micrometer", "micrometer", 1.0)
    program = torch.jit.load(tmp_path / "weights.pt")
    for steps in range(3):
        size = 16 + 4 * steps
        y = program(torch.zeros(1, 1, size, size))
        assert y.shape[2] == size * axis["scale"] / out["scale"] + out["size"]["offset"]
        assert torch.allclose(y, network(torch.zeros(1, 1, size, size)), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_bioimage_models_pass_the_validator_of_bioimage_io(network_file, tmp_path):
    spec = pytest.importorskip("bioimageio.spec", reason="bioimageio.spec is not installed: models are not validated")
    networks = {
        "Cells (C4)": {"network": network_file},
        "Halves": {"network": segmenter(), "step": 4, "example": pixels(1, 16) / 255},
    }
    papers = {"authors": ["A. Author"], "license": "Apache-2.0", "tags": ["equivariance"]}
    for title, arguments in networks.items():
        path = et.export_bioimage(folder=tmp_path / title, title=title, **arguments, **papers)
        summary = spec.load_description_and_validate_format_only(path)
        assert summary.status == "valid-format", summary.format()


@pytest.mark.filterwarnings("ignore")
def test_people_and_papers_pass_the_validator_of_bioimage_io(network_file, tmp_path):
    """Which asks the web about them otherwise."""
    spec = pytest.importorskip("bioimageio.spec", reason="bioimageio.spec is not installed: models are not validated")
    cite = [{"text": "Cohen and Welling", "url": "https://arxiv.org/abs/1602.07576"}]
    path = et.export_bioimage(
        network_file, tmp_path, title="Cells", cite=cite, maintainers=[{"github_user": "b"}], **PAPERS
    )
    with spec.ValidationContext(perform_io_checks=False):
        summary = spec.load_description_and_validate_format_only(path)
    assert summary.status == "valid-format", summary.format()


@pytest.mark.filterwarnings("ignore")
def test_bioimage_core_reproduces_the_test_output(network_file, tmp_path):
    core = pytest.importorskip("bioimageio.core", reason="bioimageio.core is not installed: models are not run by it")
    path = et.export_bioimage(network_file, tmp_path, title="Cells", authors=["A. Author"], license="Apache-2.0")
    summary = core.test_model(path, weight_format="torchscript")
    assert summary.status == "passed", summary.format()


def test_onnx_weights_compute_the_same(network_file, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f"{package} is not installed: weights in ONNX are not tested")
    import onnxruntime

    path = et.export_bioimage(network_file, tmp_path, title="Cells", weights=["torchscript", "onnx"], **PAPERS)
    entry = read_yaml(path)["weights"]["onnx"]
    assert entry["parent"] == "torchscript"
    session = onnxruntime.InferenceSession(tmp_path / entry["source"])
    x = torch.randn(3, 3, 18, 18)
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    assert np.allclose(found, classifier()(x).detach().numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"patch_size": 0}, ValueError, "patch_size is 0, expected an integer from 1"),
        ({"patch_size": 2}, ValueError, "patch_size is 2, expected a size that the network reads"),
        ({"pixel_size": -1.0}, ValueError, "pixel_size is -1.0, expected"),
        ({"classes": ["a", "b"]}, TypeError, "classes are given, expected them for a module only"),
        ({"network": 3}, TypeError, "network is 3, expected a torch.nn.Module or the path"),
        ({"network": classifier()}, TypeError, "example is None, expected an input of the module"),
        ({"network": segmenter(), "example": pixels(1, 16), "pixel_size": 1.0}, ValueError, "network reads 1 channels"),
    ],
)
def test_networks_that_wsinfer_cannot_run_are_refused(network_file, tmp_path, changes, error, message):
    arguments = {"network": network_file, "folder": tmp_path, "patch_size": 26} | changes
    with pytest.raises(error, match=message):
        et.export_wsinfer(**arguments)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"title": "C4"}, ValueError, "title is 'C4', expected 5 to 128 letters"),
        ({"authors": [{"affiliation": "x"}]}, TypeError, r"authors\[0\] is .* expected a name, or a mapping"),
        ({"weights": ["onnx"]}, ValueError, "weights is .* expected 'torchscript'"),
        ({"weights": ["torchscript", "keras"]}, ValueError, "weights is"),
        ({"step": 0}, ValueError, "step is 0, expected an integer from 1"),
    ],
)
def test_descriptions_that_bioimage_io_does_not_have_are_refused(network_file, tmp_path, changes, error, message):
    arguments = {"network": network_file, "folder": tmp_path, "title": "Cells (C4)"} | PAPERS | changes
    with pytest.raises(error, match=message):
        et.export_bioimage(**arguments)


def test_yaml_reads_back_as_it_was_written():
    value = {
        "name": "no", "text": "a: b # c\n\"d\" 'e' \u00e9 \\", "number": 1e-05, "large": 1e22, "count": 3, "is": True,
        "nothing": None, "empty": [], "nested": [{"a": [1, 2.5], "b": {"c": ["x", "y"]}}, "z", [1, 2]],
        "on": 1, "with space": {"1": 2}, "mapping": {},
    }  # fmt: skip
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(yaml_text(value)) == value
    with pytest.raises(ValueError, match="a number is nan, expected a finite one"):
        yaml_text({"a": float("nan")})


def test_exporters_leave_modules_as_they_are(tmp_path):
    network = classifier()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    et.export_wsinfer(network, Path(tmp_path), patch_size=18, example=pixels(), **ABOUT)
    assert not network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
