# SPDX-License-Identifier: Apache-2.0
"""The tutorial's experiment: its networks, images, results, and runs that are killed."""

from __future__ import annotations

import equiconv as eq
import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)
from image_files import write_mnist, write_rotated

experiment_runs.require()

import torch  # noqa: E402
from equiconv_experiments.common.networks import parameter_count  # noqa: E402
from equiconv_experiments.common.training import Recipe  # noqa: E402
from equiconv_experiments.data.sources import load  # noqa: E402
from equiconv_experiments.data.turns import turned  # noqa: E402
from equiconv_experiments.uva_tutorial import program as uva_tutorial  # noqa: E402
from equiconv_experiments.uva_tutorial import setting  # noqa: E402
from equiconv_experiments.uva_tutorial.setting import NETWORKS, NORMALIZATION, Sizes, TutorialNetwork, make  # noqa: E402
from torch import nn  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")
COUNTS = (90, 60)
SIZES = Sizes((90,), None, 10, (0.0, 90.0))


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
    arguments = ["--quick", "--epochs", "1", "--data", str(data)]
    assert uva_tutorial.main([*arguments, "--output-dir", str(folder)]) == 0
    return folder


def test_networks_have_the_parameters_of_the_tutorial():
    assert {name: parameter_count(one.make()) for name, one in NETWORKS.items()} == {"cnn": 103_690, "c4": 102_970}


def test_the_plain_network_is_the_tutorials():
    torch.manual_seed(0)
    network = TutorialNetwork(eq.trivial(2), 6)
    y = x = torch.randn(3, 1, 28, 28)
    convolutions = [module for module in network.features if hasattr(module, "algorithm")]
    assert len(convolutions) == 5
    for module in convolutions:
        weight = module.weight.reshape(*module.weight.shape[:2], 5, 5)
        y = nn.functional.conv2d(y, weight, module.bias)
        y = torch.relu(nn.functional.layer_norm(y, y.shape[-3:]))
    assert y.shape[-2:] == (8, 8)
    expected = network.classify(nn.functional.adaptive_avg_pool2d(y, 1).flatten(1))
    assert torch.allclose(network(x), expected, rtol=0, atol=1e-5)


def test_the_group_network_is_the_tutorials():
    """A convolution of turned kernels, its norm over channels, H and space, and means."""
    torch.manual_seed(1)
    group, width = eq.cyclic(4), 3
    network = TutorialNetwork(group, width)
    x = torch.randn(2, 1, 28, 28)
    y = x[:, :, None]
    for module in (module for module in network.features if hasattr(module, "algorithm")):
        weight = module.weight if module.weight.dim() == 5 else module.weight[:, :, None]
        fibers = weight.shape[2]
        turned_weights = [
            torch.roll(torch.rot90(weight, turn, (-2, -1)), turn if fibers > 1 else 0, dims=2) for turn in range(4)
        ]
        bank = torch.stack(turned_weights, 1).reshape(width * 4, -1, 5, 5)
        z = nn.functional.conv2d(y.reshape(2, -1, *y.shape[-2:]), bank)
        y = z.reshape(2, width, 4, *z.shape[-2:])
        y = torch.relu(nn.functional.layer_norm(y, y.shape[-4:]))
    expected = network.classify(y.mean((2, 3, 4)))
    assert torch.allclose(network(x), expected, rtol=0, atol=1e-5)


def test_training_images_are_upright_and_test_images_are_turned(data):
    found, upright = make(str(data), Recipe(1), SIZES), load(str(data))
    mean, deviation = (np.float32(number) for number in NORMALIZATION)
    assert np.array_equal(found.train.tensors[0].numpy(), (upright.train.signals() - mean) / deviation)
    assert np.array_equal(found.tests["upright"].tensors[0].numpy(), (upright.test.signals() - mean) / deviation)
    angles = np.random.default_rng(setting.ANGLE_SEED).uniform(0, 360, COUNTS[1])
    expected = (turned(upright.test.signals(), angles) - mean) / deviation
    assert np.array_equal(found.tests["turned"].tensors[0].numpy(), expected)


def test_images_that_have_been_turned_are_refused(tmp_path, capsys):
    write_rotated(tmp_path)
    assert uva_tutorial.main(["--quick", "--data", str(tmp_path), "--output-dir", str(tmp_path / "output")]) == 2
    assert "rotated MNIST, expected upright images" in capsys.readouterr().err


def test_the_results_say_what_was_measured(finished):
    metrics = read_metrics(finished)
    assert metrics["schema"] == "equiconv.experiments.uva_tutorial/1"
    assert metrics["published"]["accuracy"] == {"cnn": 0.4735, "c4": 0.9070}
    for run in metrics["runs"]:
        results = run["results"]
        if run["train_size"] == COUNTS[0]:
            assert len(results["accuracy_by_angle"]) == len(metrics["config"]["angles"])
            assert len(results["predictions_by_angle"][0]) == metrics["config"]["images_by_angle"]
            assert set(run["history"][0]) >= {"upright_accuracy", "turned_accuracy", "train_loss"}
    rows = {(row["network"], row["train_size"]): row for row in metrics["summary"]}
    assert (
        rows["c4", COUNTS[0]]["bitwise_scores_that_differ"] == 0 < rows["cnn", COUNTS[0]]["bitwise_scores_that_differ"]
    )
    names = {"accuracy-by-angle.png", "sample-efficiency.png", "learning-curves.png"}
    assert {file.name for file in (finished / "figures").iterdir()} == names


def test_quarter_turns_change_no_answer_of_the_group_network(finished):
    for run in read_metrics(finished)["runs"]:
        if run["network"] == "c4" and run["train_size"] == COUNTS[0]:
            at = dict(zip(read_metrics(finished)["config"]["angles"], run["results"]["accuracy_by_angle"], strict=True))
            assert at[0.0] == at[90.0] == at[180.0] == at[270.0]


def test_a_run_stopped_at_any_step_resumes_to_the_same_bits(data, tmp_path, monkeypatch):
    arguments = ["--quick", "--networks", "c4", "--seeds", "1", "--epochs", "2", "--jobs", "1", "--data", str(data)]
    assert uva_tutorial.main([*arguments, "--output-dir", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", experiment_runs.stopped_at(2))
        with pytest.raises(KeyboardInterrupt):
            uva_tutorial.main([*arguments, "--output-dir", str(tmp_path / "stopped")])
    torch.manual_seed(99)
    assert uva_tutorial.main([*arguments, "--output-dir", str(tmp_path / "stopped")]) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


def test_the_published_protocol_has_a_constant_rate_and_all_images(data):
    found = uva_tutorial.make_setting(uva_tutorial.parse(["--full", "--data", str(data)]))
    assert (found.recipe.schedule, found.recipe.learning_rate, found.recipe.batch_size) == ("constant", 0.01, 64)
    assert (found.recipe.epochs, len(found.train), len(found.tests["turned"])) == (10, *COUNTS)


def test_full_and_quick_exclude_each_other(capsys):
    with pytest.raises(SystemExit) as ended:
        uva_tutorial.main(["--quick", "--full"])
    assert ended.value.code == 2
    assert "--full is given with --quick" in capsys.readouterr().err
