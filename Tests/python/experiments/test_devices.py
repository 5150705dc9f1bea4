# SPDX-License-Identifier: Apache-2.0
"""Training the networks of the experiments on digits by every backend and on every device."""

from __future__ import annotations

import json

import experiment_runs
import pytest
from experiment_runs import process  # noqa: F401 (a fixture)

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from devices import on_accelerators  # noqa: E402
from equiconv_experiments.common import options  # noqa: E402
from equiconv_experiments.common.storage import Folder  # noqa: E402
from equiconv_experiments.common.training import Recipe, Run, fit, scores  # noqa: E402
from equiconv_experiments.digits import program as rotated_digits  # noqa: E402
from equiconv_experiments.digits.runs import Setting, make_network  # noqa: E402
from torch.utils.data import TensorDataset  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")

COUNT = 96


@pytest.fixture(scope="module")
def data():
    train = Setting(Recipe(1), train_limit=COUNT).parts[0]
    return TensorDataset(torch.from_numpy(train.turned(0.0)), torch.from_numpy(train.labels))


def trained(data, folder, backend=None, device="cpu", epochs=2):
    """A network and its history."""

    def make():
        network = make_network("c4")
        et.set_backend(network, backend)
        return network

    with Folder(folder, {"backend": backend, "device": device}) as kept:
        return fit(Run("c4", 0, COUNT), make, data, Recipe(epochs, device=device), kept)


def test_backends_train_to_the_same_loss(data, tmp_path):
    (engine, first), (expanded, second) = (trained(data, tmp_path / name, name) for name in ("engine", "torch"))
    # Six steps in single precision, whose sums are taken in other orders.
    for one, other in zip(first, second, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-3)
    assert torch.allclose(scores(engine, data), scores(expanded, data), atol=0.02)


@on_accelerators
def test_a_device_trains_to_the_loss_of_the_cpu(data, tmp_path, device):
    name = str(device)
    (_, first), (network, second) = (trained(data, tmp_path / each[:3], device=each) for each in ("cpu", name))
    assert next(network.parameters()).device == device
    assert scores(network, data).is_cpu
    for one, other in zip(first, second, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=0.05)


@on_accelerators
def test_a_run_on_a_device_resumes_to_the_same_bits(data, tmp_path, device):
    name = str(device)
    options.set_up_process(1)
    whole, _ = trained(data, tmp_path / "whole", device=name)
    with Folder(tmp_path / "half", {}) as kept:
        recipe = Recipe(2, device=name)

        def stop():
            raise KeyboardInterrupt

        run = Run("c4", 0, COUNT)
        with pytest.raises(KeyboardInterrupt):
            fit(run, lambda: make_network("c4"), data, recipe, kept, advance=stop)
        resumed, _ = fit(run, lambda: make_network("c4"), data, recipe, kept)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_results_have_the_device_that_they_were_found_on(tmp_path):
    arguments = ["--quick", "--epochs", "1", "--seeds", "0", "--networks", "c4", "--device", "cpu"]
    assert rotated_digits.main([*arguments, "--output-dir", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["config"]["device"] == "cpu"


def test_results_of_another_device_are_of_another_configuration(tmp_path, monkeypatch, capsys):
    from equiconv_experiments.common import program

    arguments = ["--quick", "--epochs", "1", "--seeds", "0", "--networks", "cnn", "--output-dir", str(tmp_path)]
    assert rotated_digits.main(arguments) == 0
    monkeypatch.setattr(program, "device_text", lambda name: "cuda (Some GPU)")
    assert rotated_digits.main(arguments) == 2
    assert "device was 'cpu' and is now 'cuda (Some GPU)'" in capsys.readouterr().err
