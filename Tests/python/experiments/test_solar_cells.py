# SPDX-License-Identifier: Apache-2.0
"""The experiment on solar cells: the reader, on files that are made here, the split, and runs that are killed."""

from __future__ import annotations

import itertools
from importlib.util import find_spec
from pathlib import Path

import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from equiconv_experiments.common.networks import GroupNetwork, parameter_count  # noqa: E402
from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from equiconv_experiments.solar import cells  # noqa: E402
from equiconv_experiments.solar import program as solar_cells  # noqa: E402
from PIL import Image  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")

COUNT, SIDE = 40, 82
PROBABILITIES = ("0.0", "0.3333333333333333", "0.6666666666666666", "1.0")


def make_data(folder: Path) -> Path:
    """A folder like the package's: gray noise, darker for cells that are surely defective."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    lines = []
    for index in range(COUNT):
        probability = PROBABILITIES[(0, 0, 3, 3, 1, 0, 3, 2)[index % 8]]
        image = rng.integers(60, 256, (SIDE, SIDE)) // (2 if probability == "1.0" else 1)
        Image.fromarray(image.astype(np.uint8)).save(folder / "images" / f"cell{index:04}.png")
        lines.append(f"images/cell{index:04}.png  {probability:20} {'mono' if index % 3 else 'poly'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The made data."""
    return make_data(tmp_path_factory.mktemp("elpv"))


def arguments(data, *more):
    """A quick command line."""
    return ["--quick", "--size", "39", "--epochs", "2", "--data", str(data), *more]


@pytest.fixture(scope="module")
def finished(process, data, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run."""
    folder = tmp_path_factory.mktemp("quick")
    line = arguments(data, "--networks", "cnn-augmented,d4", "--output-dir", str(folder))
    assert solar_cells.main(line) == 0
    return folder


def test_images_are_means_over_blocks_of_what_is_cut_alike(data):
    read = cells.load(data, 39)
    assert len(read) == COUNT
    image = np.asarray(Image.open(data / "images" / "cell0007.png"), np.float64)
    # 82 = 2 + 2 * 39 + 2.
    expected = image[2:80, 2:80].reshape(39, 2, 39, 2).mean((1, 3))
    assert np.array_equal(read.images[7, 0].numpy(), expected.astype(np.float32))
    assert read.probabilities[:8].tolist() == [0, 0, 1, 1, 1 / 3, 0, 1, 2 / 3]
    assert read.kinds[:4].tolist() == [1, 0, 0, 1]


def test_a_turned_image_has_turned_means(data, tmp_path):
    turned = tmp_path / "turned"
    (turned / "images").mkdir(parents=True)
    for file in (data / "images").iterdir():
        Image.fromarray(np.rot90(np.asarray(Image.open(file)))).save(turned / "images" / file.name)
    (turned / "labels.csv").write_text((data / "labels.csv").read_text())
    assert torch.equal(cells.load(turned, 39).images, torch.rot90(cells.load(data, 39).images, 1, (2, 3)))


def test_the_split_has_a_quarter_of_each_probability_and_kind():
    rng = np.random.default_rng(1)
    probabilities, kinds = rng.choice([0, 1 / 3, 2 / 3, 1], 2624, p=[0.57, 0.12, 0.04, 0.27]), rng.integers(0, 2, 2624)
    # Each image says which one it is.
    images = torch.arange(2624, dtype=torch.float32).reshape(-1, 1, 1, 1)
    train, test = cells.SolarCells(images, probabilities, kinds).parts()
    indices = [part.images.flatten().numpy().astype(int) for part in (train, test)]
    assert (len(train), len(test)) == (1968, 656)
    assert not set(indices[0]) & set(indices[1])
    for probability, kind in itertools.product((0, 1 / 3, 2 / 3, 1), (0, 1)):
        all_of = (probabilities == probability) & (kinds == kind)
        assert abs(all_of[indices[1]].sum() - all_of.sum() / 4) <= 1
    assert np.array_equal(test.labels, probabilities[indices[1]] > 0.5)
    assert np.array_equal(test.subsets["mono"], kinds[indices[1]] == 0)
    assert np.array_equal(test.subsets["sure"], np.isin(probabilities[indices[1]], (0, 1)))


def test_networks_have_equally_many_parameters_within_3_percent_and_pools_that_fill_their_maps():
    counts = {name: parameter_count(GroupNetwork(one, 1, 2)) for name, one in solar_cells.SOLAR_NETWORKS.items()}
    assert set(counts) == {"cnn", "cnn-augmented", "c4", "d4"}
    assert max(counts.values()) < 1.03 * min(counts.values()), counts
    architecture = solar_cells.SOLAR_NETWORKS["d4"]
    rows = solar_cells.SIZE
    for kernel, padding, pool in zip(
        architecture.kernels, (0, *architecture.paddings), (*architecture.pools, 1), strict=True
    ):
        rows += 2 * padding - kernel + 1
        assert rows % pool == 0
        rows //= pool


def test_the_results_are_those_of_the_probabilities(finished, data):
    metrics = read_metrics(finished)
    assert metrics["config"]["train_sizes"] == [30]
    assert metrics["published"]["accuracy"] == {"cnn": 0.8842, "svm": 0.8244}
    _, test = cells.load(data, 39).parts()
    for run in metrics["runs"]:
        found = run["results"]
        hits = np.argmax(found["probabilities"], 1) == test.labels
        assert found["labels"] == test.labels.tolist()
        assert found["accuracy"] == pytest.approx(hits.mean())
        assert found["accuracy_of"]["sure"] == pytest.approx(hits[test.subsets["sure"]].mean())
        assert np.trace(found["confusion"]) == hits.sum()
    for row in metrics["summary"]:
        values = [run["results"]["accuracy"] for run in metrics["runs"] if run["network"] == row["network"]]
        assert row["accuracy"]["mean"] == pytest.approx(np.mean(values))
    last = metrics["summary"][-1]
    assert last["network"] == "d4"
    means = {row["network"]: row["accuracy"]["mean"] for row in metrics["summary"]}
    for other, interval in last["minus"].items():
        assert interval["value"] == pytest.approx(means["d4"] - means[other])
        assert interval["low"] <= interval["value"] <= interval["high"]
    names = {"sample-efficiency.png", "learning-curves.png", "confusion.png", "examples.png"}
    assert {file.name for file in (finished / "figures").iterdir()} == names


def test_group_networks_keep_every_bit_of_their_scores(finished):
    found = {row["network"]: row["bitwise_scores_that_differ"] for row in read_metrics(finished)["summary"]}
    assert found["d4"] == 0 < found["cnn-augmented"]


def test_trained_networks_are_kept_as_files_that_read_gray_values(finished, data):
    kept = et.load_network(finished / "networks" / "d4-30-images-seed-0.safetensors")
    _, test = cells.load(data, 39).parts()
    with torch.no_grad():
        found = torch.softmax(kept(test.images).double(), 1).numpy()
    results = read_metrics(finished)["runs"]
    expected = next(run["results"] for run in results if (run["network"], run["seed"]) == ("d4", 0))
    assert np.allclose(found, expected["probabilities"], atol=1e-4)
    assert kept.about.classes == {"y": ("functional", "defective")}


def test_a_stopped_run_resumes_to_the_same_bits(data, tmp_path, monkeypatch):
    # Augmented, so that the images depend on random numbers too.
    line = arguments(data, "--networks", "cnn-augmented", "--seeds", "0")
    assert solar_cells.main([*line, "--output-dir", str(tmp_path / "whole")]) == 0
    steps = itertools.count(1)
    original = torch.optim.AdamW.step

    def stopped(*values, **keywords):
        # In the second epoch: each has one step.
        if next(steps) == 2:
            raise KeyboardInterrupt
        return original(*values, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", stopped)
        with pytest.raises(KeyboardInterrupt):
            solar_cells.main([*line, "--output-dir", str(tmp_path / "stopped")])
    torch.manual_seed(99)
    assert solar_cells.main([*line, "--output-dir", str(tmp_path / "stopped")]) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


def _first_line(folder, line):
    lines = (folder / "labels.csv").read_text().splitlines()
    (folder / "labels.csv").write_text("\n".join([line, *lines[1:]]))


def _damage_labels(folder):
    (folder / "labels.csv").unlink()


def _damage_bytes(folder):
    (folder / "labels.csv").write_bytes(b"\xff\xfe\x00")


def _damage_empty(folder):
    (folder / "labels.csv").write_text("\n")


def _damage_kind(folder):
    _first_line(folder, "images/cell0000.png 0.0 thin")


def _damage_probability(folder):
    _first_line(folder, "images/cell0000.png 0.5 mono")


def _damage_number(folder):
    _first_line(folder, "images/cell0000.png nan mono")


def _damage_outside(folder):
    _first_line(folder, "../cell0000.png 0.0 mono")


def _damage_missing(folder):
    (folder / "images" / "cell0003.png").unlink()


def _damage_half(folder):
    file = folder / "images" / "cell0003.png"
    file.write_bytes(file.read_bytes()[:900])


def _damage_colors(folder):
    Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(folder / "images" / "cell0003.png")


def _damage_large(folder):
    Image.fromarray(np.zeros((1, 2000), np.uint8)).save(folder / "images" / "cell0003.png")


def _damage_square(folder):
    Image.fromarray(np.zeros((SIDE, SIDE + 1), np.uint8)).save(folder / "images" / "cell0003.png")


def _damage_small(folder):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "images" / "cell0003.png")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_damage_labels, "labels.csv cannot be read"),
        (_damage_bytes, "expected the ELPV data; run: pip install elpv-dataset"),
        (_damage_empty, "labels.csv is empty, expected lines of path, probability and mono or poly"),
        (_damage_kind, "line 1, is 'images/cell0000.png 0.0 thin', expected path, probability, mono or poly"),
        (_damage_probability, "line 1: the probability is '0.5', expected 0, 1/3, 2/3 or 1"),
        (_damage_number, "line 1: the probability is 'nan', expected 0, 1/3, 2/3 or 1"),
        (_damage_outside, "lists '../cell0000.png', expected images inside its folder"),
        (_damage_missing, "cell0003.png is no whole image"),
        (_damage_half, "cell0003.png is no whole image"),
        (_damage_colors, "82 x 82 pixels of mode RGB, expected gray values of 8 bits"),
        (_damage_large, "has 2000 x 1 pixels of mode L, expected gray values of 8 bits and at most 1024 pixels a side"),
        (_damage_square, "has 82 x 83 pixels, expected a square of at least 39"),
        (_damage_small, "has 20 x 20 pixels, expected a square of at least 39"),
    ],
)
def test_data_that_is_not_what_it_should_be_ends_with_status_2_and_a_message(tmp_path, capsys, damage, message):
    folder = make_data(tmp_path / "data")
    damage(folder)
    # All images, since a quick run reads few.
    line = ["--size", "39", "--networks", "cnn", "--data", str(folder), "--output-dir", str(tmp_path / "out")]
    assert solar_cells.main(line) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--size", "50"], "--size is 50, expected 9 m + 12, such as 39, 48, 66 and 75"),
        (["--networks", "c8"], "--networks has 'c8', expected some of cnn, cnn-augmented, c4, d4"),
        (["--device", "nothing"], "--device is 'nothing'"),
    ],
)
def test_bad_command_lines_end_with_status_2_and_a_message(more, message, capsys):
    with pytest.raises(SystemExit) as ended:
        solar_cells.main(more)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_without_the_package_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("equiconv_experiments.common.packages.find_spec", lambda name: None)
    with pytest.raises(RefusedError, match="not installed; run: pip install elpv-dataset; or give its folder"):
        cells.folder(None)
    with pytest.raises(RefusedError, match="expected a folder"):
        cells.folder(tmp_path / "nothing")


def test_the_installed_data_has_the_counts_that_are_published():
    if find_spec("elpv_dataset") is None:
        pytest.skip("the real images are not tested: pip install elpv-dataset")
    names, probabilities, kinds = cells._labels(cells.folder(None) / "labels.csv")
    assert len(names) == 2624
    counts = np.zeros((2, 4), int)
    np.add.at(counts, (kinds, np.rint(3 * probabilities).astype(int)), 1)
    assert counts.tolist() == [[588, 117, 56, 313], [920, 178, 50, 402]]
    assert cells.load(cells.folder(None), 75, limit=8).images.shape == (8, 1, 75, 75)
