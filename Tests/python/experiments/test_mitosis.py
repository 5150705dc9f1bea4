# SPDX-License-Identifier: Apache-2.0
"""The experiment on mitoses: drawings, real data, scores with intervals, and runs that are killed."""

from __future__ import annotations

import gzip
import itertools
import json

import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import h5py  # noqa: E402
import torch  # noqa: E402
from equiconv_experiments.mitosis import nuclei, patches  # noqa: E402
from equiconv_experiments.mitosis import program as mitosis  # noqa: E402
from equiconv_experiments.mitosis.runs import make_network  # noqa: E402
from equiconv_experiments.mitosis.scores import best_threshold, evaluate, intervals  # noqa: E402
from PIL import Image  # noqa: E402
from sklearn.metrics import f1_score, roc_auc_score  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")
PARTS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def finished(process, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run."""
    folder = tmp_path_factory.mktemp("quick")
    assert mitosis.main(["--quick", "--networks", "cnn,c4,d4", "--epochs", "1", "--output-dir", str(folder)]) == 0
    return folder


def test_drawings_are_repeated_by_their_seed_and_labeled_by_what_was_drawn():
    first, again, other = nuclei.patches(60, 5), nuclei.patches(60, 5), nuclei.patches(60, 6)
    assert first.images.shape == (60, 48, 48, 3)
    assert first.images.dtype == np.uint8
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, other.images)
    assert first.labels.sum() == round(nuclei.MITOTIC_SHARE * 60)
    mitotic = {"metaphase", "anaphase", "prometaphase"}
    assert [nuclei.KINDS[kind] in mitotic for kind in first.kinds] == first.labels.astype(bool).tolist()


def test_every_kind_is_drawn_at_every_orientation():
    drawn = nuclei.patches(900, 0)
    assert set(drawn.kinds.tolist()) == set(range(len(nuclei.KINDS)))
    # The long axis of the dark pixels in the middle, from second moments: spindles and plates have one.
    for kind in ("fibroblast", "metaphase"):
        angles = []
        for image in drawn.images[drawn.kinds == nuclei.KINDS.index(kind)]:
            ink = (200.0 - image[10:38, 10:38].mean(2)).clip(0) ** 2
            y, x = np.mgrid[13.5:-14.5:-1, -13.5:14.5]
            angles.append(0.5 * np.arctan2(2 * (ink * x * y).sum(), (ink * (x**2 - y**2)).sum()))
        counts = np.histogram(angles, bins=4, range=(-np.pi / 2, np.pi / 2))[0]
        assert counts.min() > 0.12 * counts.sum(), (kind, counts)


def test_the_output_says_that_the_data_is_synthetic(finished, capsys):
    metrics = read_metrics(finished)
    assert metrics["synthetic"] is True
    assert metrics["data"].startswith("SYNTHETIC")
    assert "SYNTHETIC" in nuclei.__doc__
    assert "SYNTHETIC" in mitosis.__doc__
    assert mitosis.main(["--quick", "--networks", "cnn,c4,d4", "--epochs", "1", "--output-dir", str(finished)]) == 0
    assert "SYNTHETIC" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cnn", "c4", "d4"])
def test_trained_networks_are_kept_as_files_that_read_colors(finished, name):
    """From 0 to 255; the networks themselves read normalized ones."""
    network = make_network(name)
    network.load_state_dict(torch.load(finished / "checkpoints" / f"{name}-64-images-seed-0.pt")["network"])
    kept = et.load_network(finished / "networks" / f"{name}-64-images-seed-0.safetensors")
    colors = nuclei.patches(6, 5).images
    signals = torch.stack([patches.as_signal(image) for image in colors])
    with torch.no_grad():
        found = kept(torch.from_numpy(colors.transpose(0, 3, 1, 2).astype(np.float32)))
        assert torch.allclose(found, network.eval()(signals), atol=1e-4)
    assert kept.about.classes == {"y": ("normal", "mitotic")}


def test_the_results_are_those_of_the_probabilities(finished):
    metrics = read_metrics(finished)
    labels = np.array(metrics["test_labels"])
    for row in metrics["summary"]:
        runs = [run["results"] for run in metrics["runs"] if run["network"] == row["network"]]
        f1 = [f1_score(labels, np.array(one["probabilities"]) >= one["threshold"]) for one in runs]
        auc = [roc_auc_score(labels, one["probabilities"]) for one in runs]
        for key, values in (("f1", f1), ("auc", auc)):
            assert row["over_seeds"][key]["mean"] == pytest.approx(np.mean(values))
            assert row["over_seeds"][key]["deviation"] == pytest.approx(np.std(values, ddof=1))
            assert row["over_images"][key]["value"] == pytest.approx(np.mean(values))
            assert [one[key]["value"] for one in row["of_runs"]] == pytest.approx(values)
            for one in (row["over_images"], *row["of_runs"]):
                assert 0 <= one[key]["low"] <= one[key]["value"] <= one[key]["high"] <= 1
    assert metrics["summary"][0]["minus_first"]["f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    names = {"roc.png", "learning-curves.png", "orientation.png", "examples.png"}
    assert {file.name for file in (finished / "figures").iterdir()} == names


def test_group_networks_keep_every_bit_of_their_scores(finished):
    found = {row["network"]: row["bitwise_scores_that_differ"] for row in read_metrics(finished)["summary"]}
    assert found["c4"] == found["d4"] == 0 < found["cnn"]


def test_the_threshold_is_the_best_on_validation():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    probabilities = (0.4 * labels + 0.6 * rng.random(80)).round(2)
    best = max(f1_score(labels, probabilities >= value) for value in np.unique(probabilities))
    assert f1_score(labels, probabilities >= best_threshold(labels, probabilities)) == best


def test_intervals_cover_the_true_area_as_often_as_they_say():
    rng = np.random.default_rng(1)
    # Of two normal distributions, one apart, the area is Phi(1 / sqrt 2) = 0.7602.
    labels = np.repeat([0, 1], 60)
    hits = 0
    for _ in range(16):
        scores = rng.standard_normal(120) + labels
        found = intervals(labels, {"one": [{"probabilities": scores.tolist(), "threshold": 0.5}]}, 100)["one"]
        hits += found["over_images"]["auc"]["low"] <= 0.7602 <= found["over_images"]["auc"]["high"]
    # Of 16 trials of 95 %, 12 or fewer have a probability of 1 in 1000; with a fixed seed the number is fixed.
    assert hits >= 13


def test_differences_are_paired():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 40)
    scores = (rng.standard_normal(80) + labels).tolist()
    one = {"probabilities": scores, "threshold": 0.5}
    found = intervals(labels, {"a": [one], "same": [one, one]}, 50)
    assert found["same"]["minus_first"]["auc"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["a"]["over_images"]["auc"]["value"] == evaluate(labels, one)["auc"]


def test_a_stopped_run_resumes_to_the_same_bits(tmp_path, monkeypatch):
    arguments = ["--quick", "--networks", "c4", "--seeds", "0", "--epochs", "3"]
    assert mitosis.main([*arguments, "--output-dir", str(tmp_path / "whole")]) == 0
    steps = itertools.count(1)
    original = torch.optim.AdamW.step

    def stopped(*values, **keywords):
        # Of the 2 steps of an epoch the second of the second.
        if next(steps) == 4:
            raise KeyboardInterrupt
        return original(*values, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", stopped)
        with pytest.raises(KeyboardInterrupt):
            mitosis.main([*arguments, "--output-dir", str(tmp_path / "stopped")])
    torch.manual_seed(99)
    assert mitosis.main([*arguments, "--output-dir", str(tmp_path / "stopped")]) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


def _images(count, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def _patch_camelyon(folder, count=8, size=40):
    for seed, part in enumerate(PARTS):
        for name, values in (("x", _images(count, size, seed)), ("y", (np.arange(count) % 2).reshape(-1, 1, 1, 1))):
            with h5py.File(folder / f"camelyonpatch_level_2_split_{part}_{name}.h5", "w") as file:
                file[name] = values.astype(np.uint8)


def _folders(folder, classes=("mitotic", "normal"), size=40, count=4):
    for part in PARTS:
        for index, name in enumerate(classes):
            (folder / part / name).mkdir(parents=True)
            for number, image in enumerate(_images(count, size, index)):
                Image.fromarray(image).save(folder / part / name / f"{number}.png")


def test_patch_camelyon_is_read_lazily_and_cut_from_the_middle(tmp_path):
    _patch_camelyon(tmp_path)
    cells = patches.load_folder(tmp_path, None, None, 32)
    assert not cells.synthetic
    assert cells.identity["positive"] == "metastatic"
    assert cells.test.labels.tolist() == [0, 1] * 4
    expected = _images(8, 40, seed=2)[5, 4:36, 4:36]
    assert np.array_equal(cells.test.image(5), expected)
    signal, label = cells.test[5]
    assert signal.shape == (3, 32, 32)
    assert label == 1
    assert np.allclose(signal.numpy() * 0.2 + 0.7, expected.transpose(2, 0, 1) / 255, atol=1e-6)
    limited = patches.load_folder(tmp_path, None, 6, None)
    assert len(limited.train) == 6
    assert limited.identity["size"] == 40
    chosen = [image.tobytes() for image in _images(8, 40)]
    assert len({chosen.index(limited.train.image(index).tobytes()) for index in range(6)}) == 6


def test_a_folder_of_images_is_read_with_either_class_positive(tmp_path):
    _folders(tmp_path, ("tumour", "benign"))
    cells = patches.load_folder(tmp_path, "tumour", None, None)
    assert cells.valid.labels.tolist() == [0] * 4 + [1] * 4
    assert np.array_equal(cells.valid.image(0), _images(4, 40, seed=1)[0])
    swapped = patches.load_folder(tmp_path, "benign", None, None)
    assert np.array_equal(swapped.valid.image(4), cells.valid.image(0))


@pytest.mark.parametrize("kind", ["hdf5", "images"])
def test_the_experiment_runs_on_real_data(tmp_path, kind, capsys):
    data = tmp_path / "data"
    data.mkdir()
    (_patch_camelyon if kind == "hdf5" else _folders)(data)
    arguments = ["--quick", "--data", str(data), "--networks", "c4", "--seeds", "0", "--size", "32"]
    assert mitosis.main([*arguments, "--output-dir", str(tmp_path / "out")]) == 0
    metrics = read_metrics(tmp_path / "out")
    assert metrics["synthetic"] is False
    assert "SYNTHETIC" not in json.dumps(metrics) + capsys.readouterr().out
    assert metrics["config"]["data"]["counts"] == [8, 8, 8]


def _damage_nothing(folder):
    folder.rmdir()


def _damage_compressed(folder):
    _patch_camelyon(folder)
    file = folder / "camelyonpatch_level_2_split_valid_x.h5"
    with gzip.open(f"{file}.gz", "wb") as packed:
        packed.write(file.read_bytes())
    file.unlink()


def _damage_missing(folder):
    _patch_camelyon(folder)
    (folder / "camelyonpatch_level_2_split_test_y.h5").unlink()


def _damage_bytes(folder):
    _patch_camelyon(folder)
    (folder / "camelyonpatch_level_2_split_train_x.h5").write_bytes(b"not HDF5")


def _damage_shape(folder):
    _patch_camelyon(folder)
    with h5py.File(folder / "camelyonpatch_level_2_split_train_x.h5", "w") as file:
        file["x"] = np.zeros((8, 40, 40), np.uint8)


def _damage_labels(folder):
    _patch_camelyon(folder)
    with h5py.File(folder / "camelyonpatch_level_2_split_train_y.h5", "w") as file:
        file["y"] = np.full((8, 1, 1, 1), 2, np.uint8)


def _damage_class(folder):
    _folders(folder, ("good", "bad"))


def _damage_third_class(folder):
    _folders(folder, ("mitotic", "normal", "other"))


def _damage_image(folder):
    _folders(folder)
    (folder / "valid" / "normal" / "0.png").write_bytes(b"not an image")


def _damage_half_image(folder):
    _folders(folder)
    file = folder / "train" / "normal" / "0.png"
    file.write_bytes(file.read_bytes()[:2000])


def _damage_empty(folder):
    _folders(folder)
    for file in (folder / "test" / "normal").iterdir():
        file.unlink()


def _damage_small(folder):
    _folders(folder, size=20)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_damage_nothing, "expected a folder"),
        (_damage_compressed, "is compressed, expected camelyonpatch_level_2_split_valid_x.h5; run: gunzip -k"),
        (_damage_missing, "camelyonpatch_level_2_split_test_y.h5 is not there"),
        (_damage_bytes, "is no HDF5 file"),
        (_damage_shape, "x has shape (8, 40, 40) and dtype uint8, expected (N, rows, columns, 3)"),
        (_damage_labels, "y has the values [2], expected 0 and 1"),
        (_damage_class, "--positive is mitotic, expected one of the classes bad and good"),
        (_damage_third_class, "has the folders mitotic, normal, other, expected two"),
        (_damage_image, "0.png is no image"),
        (_damage_half_image, "0.png is no whole image"),
        (_damage_empty, "has no images"),
        (_damage_small, "the smallest image has 20 rows or columns, expected 32 or more"),
    ],
)
def test_data_that_is_not_what_it_should_be_ends_with_status_2_and_a_message(tmp_path, capsys, damage, message):
    data = tmp_path / "data"
    data.mkdir()
    damage(data)
    arguments = ["--quick", "--networks", "cnn", "--data", str(data), "--output-dir", str(tmp_path / "out")]
    assert mitosis.main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", "10"], "--limit is 10, expected --data with it"),
        (["--positive", "x"], "--positive is x, expected --data with it"),
        (["--data", "x", "--limit", "1"], "--limit is 1, expected 4 or more"),
        (["--data", "x", "--size", "50"], "--size is 50, expected a multiple of 4 from 32 on"),
        (["--networks", ""], "--networks has ''"),
    ],
)
def test_bad_command_lines_end_with_status_2_and_a_message(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        mitosis.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
