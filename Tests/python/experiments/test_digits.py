# SPDX-License-Identifier: Apache-2.0
"""The experiment on turned digits: data, results, bits, and runs that are killed."""

from __future__ import annotations

import json

import equiconv as eq
import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from equiconv_experiments.common import storage, training  # noqa: E402
from equiconv_experiments.common.exactness import bitwise_invariance  # noqa: E402
from equiconv_experiments.common.networks import DIGIT_NETWORKS  # noqa: E402
from equiconv_experiments.common.statistics import spread  # noqa: E402
from equiconv_experiments.common.storage import Folder  # noqa: E402
from equiconv_experiments.digits import images  # noqa: E402
from equiconv_experiments.digits import program as rotated_digits  # noqa: E402
from equiconv_experiments.digits.runs import Setting, make_network  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")


@pytest.fixture(scope="module")
def finished(process, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run of all networks."""
    folder = tmp_path_factory.mktemp("quick")
    assert rotated_digits.main(["--quick", "--epochs", "2", "--output-dir", str(folder)]) == 0
    return folder


def test_no_test_digit_is_in_training():
    train, test = images.load()
    seen = {image.tobytes() for image in train.turned()}
    assert (len(train), len(test)) == (1347, 450)
    assert not any(image.tobytes() in seen for image in test.turned())
    shares = [np.bincount(part.labels, minlength=10) / len(part) for part in (train, test)]
    assert np.abs(shares[0] - shares[1]).max() < 0.005


def test_a_quarter_turn_of_the_data_is_one_of_the_array():
    part = images.load()[1].subset(np.arange(20))
    for turns in range(1, 4):
        expected = np.rot90(part.turned(0), turns, axes=(2, 3))
        assert np.abs(part.turned(90.0 * turns) - expected).max() < 1e-5


def test_images_pass_through_the_pixels_of_the_digits():
    train, test = images.load()
    data = load_digits()
    pixels = {(image / 16).astype(np.float32).round(4).tobytes() for image in data.images}
    part = test.subset(np.arange(30))
    for image in _resampled_at_pixels(part):
        assert (image.round(4) + np.float32(0)).tobytes() in pixels
    assert len(train) + len(test) == len(data.images)


def _resampled_at_pixels(part):
    """The 8 x 8 image of splines whose field is 8 pixels wide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "FIELD", 8.0)
        return part.turned(0, size=8)[:, 0]


def test_each_digit_turns_by_its_own_angle():
    part = images.load()[0].subset(np.arange(8))
    mixed = part.turned(np.arange(8) * 10.0)
    for index in range(8):
        assert np.array_equal(mixed[index], part.subset(np.array([index])).turned(index * 10.0)[0])


def test_the_results_say_what_was_measured(finished):
    metrics = read_metrics(finished)
    assert metrics["schema"] == "equiconv.experiments.rotated_digits/1"
    assert metrics["synthetic"] is False
    assert metrics["config"]["environment"]["torch"] == torch.__version__
    assert {row["network"] for row in metrics["summary"]} == set(DIGIT_NETWORKS)
    for row in metrics["summary"]:
        entries = [
            entry for entry in metrics["runs"]
            if (entry["network"], entry["train_size"]) == (row["network"], row["train_size"])
        ]  # fmt: skip
        values = [entry["results"]["turned_accuracy"] for entry in entries]
        assert row["turned_accuracy"] == spread(values)
        assert row["turned_accuracy"]["deviation"] == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2))
        for entry in entries:
            assert len(entry["history"]) == entry["epochs"]
            confusion = np.array(entry["results"]["turned_confusion"])
            assert np.trace(confusion) / confusion.sum() == pytest.approx(entry["results"]["turned_accuracy"])


def test_figures_are_drawn(finished):
    names = {"accuracy-by-angle.png", "sample-efficiency.png", "learning-curves.png", "turned-digits.png"}
    files = {file.name: file for file in (finished / "figures").iterdir()}
    assert set(files) == names
    assert all(file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 10_000 for file in files.values())


@pytest.mark.parametrize("name", DIGIT_NETWORKS)
def test_trained_networks_are_kept_as_files(finished, name):
    """That give the scores of the network, and know their classes."""
    network = make_network(name)
    network.load_state_dict(torch.load(finished / "checkpoints" / f"{name}-200-images-seed-0.pt")["network"])
    kept = et.load_network(finished / "networks" / f"{name}-200-images-seed-0.safetensors")
    digits = torch.from_numpy(images.load()[1].subset(np.arange(20)).turned())
    with torch.no_grad():
        assert torch.allclose(kept(digits), network.eval()(digits), atol=1e-5)
    assert kept.about.classes == {"y": tuple("0123456789")}


@pytest.mark.parametrize("name", ["c4", "d4", "c8"])
def test_a_trained_network_keeps_every_bit_of_its_scores_under_the_group(finished, name):
    for run in read_metrics(finished)["runs"]:
        if run["network"] == name and "bitwise" in run["results"]:
            found = run["results"]["bitwise"]
            assert found["elements"] == (7 if name == "d4" else 3)
            assert found["scores_compared"] == 60 * 10 * found["elements"]
            assert found["scores_that_differ"] == 0
            assert found["largest_difference"] == 0.0


@pytest.mark.parametrize("name", ["c4", "d4"])
def test_the_checkpoint_keeps_bits_on_all_test_digits(finished, name):
    network = _from_checkpoint(finished, name)
    images = Setting(training.Recipe(1)).upright.tensors[0]
    assert len(images) == 450
    group = eq.dihedral(4) if name == "d4" else eq.cyclic(4)
    assert bitwise_invariance(network, images, group)["scores_that_differ"] == 0
    assert all(module.algorithm == "auto" for module in network.modules() if hasattr(module, "algorithm"))


def test_the_comparison_of_bits_sees_networks_that_are_not_invariant(finished):
    images = Setting(training.Recipe(1), test_limit=60).upright.tensors[0]
    plain = bitwise_invariance(_from_checkpoint(finished, "cnn"), images, eq.cyclic(4))
    assert plain["scores_that_differ"] > 0.9 * plain["scores_compared"]
    mirrored = bitwise_invariance(_from_checkpoint(finished, "c4"), images, eq.dihedral(4))
    # Of the seven elements three are quarter turns, which C4 has, and four are mirrors, which it does not have.
    assert 0.5 < mirrored["scores_that_differ"] / mirrored["scores_compared"] <= 4 / 7
    network = _from_checkpoint(finished, "c4")
    with torch.no_grad():
        network.features[0].weight[0, 0, 0, 0] = torch.nan
    assert bitwise_invariance(network, images, eq.cyclic(4))["images"] == 60


def _from_checkpoint(folder, name):
    config = json.loads((folder / "config.json").read_text())
    with Folder(folder, config) as held:
        state = held.load_checkpoint(f"{name}-200-images-seed-0")
    network = make_network(name)
    network.load_state_dict(state["network"])
    return network.eval()


def test_a_run_stopped_at_any_step_resumes_to_the_same_bits(tmp_path, monkeypatch):
    arguments = ["--quick", "--networks", "c4", "--seeds", "1", "--epochs", "2"]
    assert rotated_digits.main([*arguments, "--output-dir", str(tmp_path / "whole")]) == 0
    # An epoch has 6 steps: killed in the first epoch, then in the second epoch of the resumed run.
    for step in (1, 9):
        with monkeypatch.context() as patch:
            patch.setattr(torch.optim.AdamW, "step", experiment_runs.stopped_at(step))
            with pytest.raises(KeyboardInterrupt):
                rotated_digits.main([*arguments, "--output-dir", str(tmp_path / "stopped")])
        torch.manual_seed(99)
    assert rotated_digits.main([*arguments, "--output-dir", str(tmp_path / "stopped")]) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


def test_another_configuration_is_refused(finished, capsys):
    assert rotated_digits.main(["--quick", "--epochs", "4", "--output-dir", str(finished)]) == 2
    message = capsys.readouterr().err
    assert "another configuration: epochs was 2 and is now 4" in message
    assert "--output-dir" in message


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path, capsys):
    arguments = ["--quick", "--networks", "cnn", "--seeds", "0", "--epochs", "1", "--output-dir", str(tmp_path)]
    assert rotated_digits.main(arguments) == 0
    checkpoint = tmp_path / "checkpoints" / "cnn-200-images-seed-0.pt"
    state = torch.load(checkpoint)
    state["config"]["learning_rate"] = 0.5
    torch.save(state, checkpoint)
    (tmp_path / "runs" / "cnn-200-images-seed-0.json").unlink()
    assert rotated_digits.main(arguments) == 2
    assert "learning_rate was 0.5 and is now 0.01" in capsys.readouterr().err
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert rotated_digits.main(arguments) == 2
    assert "is no checkpoint" in capsys.readouterr().err


def test_two_processes_do_not_share_a_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    with Folder(tmp_path, {}):
        assert rotated_digits.main(["--quick", "--output-dir", str(tmp_path)]) == 2
    assert "in use by another process" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--networks", "cnn,resnet"], "--networks has 'resnet', expected some of cnn, c4, c8, d4"),
        (["--networks", "cnn,cnn"], "expected each at most once"),
        (["--seeds", "1,x"], "--seeds is '1,x', expected numbers by commas"),
        (["--seeds", ""], "--seeds is '', expected numbers by commas"),
        (["--seeds", "-1"], "--seeds has -1, expected 0 to"),
        (["--seeds", "1,1"], "expected each at most once"),
        (["--epochs", "0"], "--epochs is 0, expected 1 or more"),
        (["--threads", "0"], "--threads is 0, expected 1 to 1024"),
        (["--jobs", "0"], "--jobs is 0, expected 1 to 1024"),
        (["--device", "cuda:99"], "--device is 'cuda:99', expected cpu or another device that PyTorch has here: "),
        (["--device", "gpu"], "--device is 'gpu', expected cpu or another device"),
        (["--device", "meta"], "--device is 'meta', expected cpu or another device"),
        (["--color"], "unrecognized arguments"),
    ],
)
def test_bad_command_lines_end_with_status_2_and_a_message(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        rotated_digits.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_ends_with_status_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert rotated_digits.main(["--quick", "--output-dir", str(tmp_path / "file")]) == 2
    assert "expected a folder that can be written to" in capsys.readouterr().err
