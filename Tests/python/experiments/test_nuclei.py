# SPDX-License-Identifier: Apache-2.0
"""The experiment on nuclei in tissue: the reader, on files that are made here, and parts that share no pixel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)

experiment_runs.require()

import torch  # noqa: E402
from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from equiconv_experiments.data import tissue  # noqa: E402
from equiconv_experiments.nuclei import program as nuclei  # noqa: E402
from equiconv_experiments.nuclei import regions  # noqa: E402
from equiconv_experiments.nuclei.regions import FOLDS, Regions, fold_of  # noqa: E402
from PIL import Image  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")

SIDE = 960


def save_masks(folder: Path, outlines, kinds) -> None:
    """The two files of masks."""
    np.savez_compressed(folder / tissue.OUTLINES, nuc_raster=outlines)
    np.savez_compressed(folder / tissue.KINDS, nuc_raster=kinds)


def make_data(folder: Path) -> Path:
    """A folder like the package's: noise with disks, darker and larger from type to type."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    image = rng.integers(180, 256, (SIDE, SIDE, 3))
    outlines, kinds = np.zeros((SIDE, SIDE), np.int32), np.zeros((SIDE, SIDE), np.int32)
    rows, columns = np.indices((SIDE, SIDE))
    for number, (row, column) in enumerate(np.ndindex(16, 16), 1):
        kind = 1 + int(rng.integers(3))
        center = 30 + 60 * row + int(rng.integers(-9, 10)), 30 + 60 * column + int(rng.integers(-9, 10))
        window = slice(center[0] - 20, center[0] + 20), slice(center[1] - 20, center[1] + 20)
        disk = (rows[window] - center[0]) ** 2 + (columns[window] - center[1]) ** 2 <= (3 + 3 * kind) ** 2
        outlines[window][disk], kinds[window][disk] = number, kind
        image[window][disk] -= 40 * kind
    Image.fromarray(image.astype(np.uint8)).save(folder / tissue.IMAGE, quality=95)
    save_masks(folder, outlines, kinds)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The made data."""
    return make_data(tmp_path_factory.mktemp("histolytics"))


@pytest.fixture(scope="module")
def finished(process, data, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run on both tasks."""
    folder = tmp_path_factory.mktemp("quick")
    line = ["--quick", "--size", "32", "--epochs", "1", "--data", str(data)]
    assert nuclei.main([*line, "--networks", "cnn,d4", "--output-dir", str(folder / "types")]) == 0
    line += ["--task", "background", "--networks", "cnn", "--seeds", "0"]
    assert nuclei.main([*line, "--output-dir", str(folder / "background")]) == 0
    return folder


def test_nuclei_have_the_middle_and_the_type_of_their_pixels(data):
    read = tissue.load(data)
    assert read.image.shape == (SIDE, SIDE, 3)
    assert len(read.types) == 256
    kinds = np.load(data / tissue.KINDS)["nuc_raster"]
    for number in (1, 100, 256):
        rows, columns = np.nonzero(read.outlines == number)
        assert read.centers[number - 1].tolist() == [round(rows.mean()), round(columns.mean())]
        assert {int(read.types[number - 1]) + 1} == set(kinds[rows, columns].tolist())


@pytest.mark.parametrize("task", list(regions.TASKS))
@pytest.mark.parametrize("size", [32, 40, 300])
def test_no_pixel_of_a_test_patch_is_in_a_training_patch(data, task, size):
    patches = Regions(tissue.load(data), task, size)
    corners, labels = patches.places
    tested = np.zeros(len(labels), int)
    for fold in range(FOLDS):
        train, test = patches.split(fold)
        seen = np.zeros((SIDE, SIDE), bool)
        for row, column in corners[train]:
            seen[row : row + size, column : column + size] = True
        assert not any(seen[row : row + size, column : column + size].any() for row, column in corners[test])
        # More than that: a test patch lies in tiles of its fold, and training sees no pixel of these.
        assert not (seen & (fold_of(*np.indices((SIDE, SIDE))) == fold)).any()
        tested[test] += 1
    assert tested.max() <= 1


def test_patches_are_cut_about_their_nuclei(data):
    patches = Regions(tissue.load(data), "types", 32)
    corners, labels = patches.places
    train, test = patches.parts(4)
    chosen = patches.split(4 % FOLDS)
    for part, indices in zip((train, test), chosen, strict=True):
        assert part.labels.tolist() == labels[indices].tolist()
        row, column = corners[indices[3]]
        expected = patches.tissue.image[row : row + 32, column : column + 32].transpose(2, 0, 1)
        assert np.array_equal(part.images[3].numpy(), expected.astype(np.float32))
        numbers = patches.tissue.outlines[corners[indices, 0] + 16, corners[indices, 1] + 16]
        assert (patches.tissue.types[numbers - 1] == part.labels).all()
        assert part.part == "fold 1"


def test_background_is_away_from_all_nuclei(data):
    patches = Regions(tissue.load(data), "background", 32)
    corners, labels = patches.places
    outlines = patches.tissue.outlines
    for row, column in corners[labels == 0][:50] + 16:
        nuclei_there = np.argwhere(outlines[max(0, row - 14) : row + 15, max(0, column - 14) : column + 15])
        middle = np.array([row - max(0, row - 14), column - max(0, column - 14)])
        assert not len(nuclei_there) or np.hypot(*(nuclei_there - middle).T).min() >= regions.DISTANCE
    assert (outlines[corners[labels == 1, 0] + 16, corners[labels == 1, 1] + 16] > 0).all()


def test_three_seeds_test_all_regions(finished):
    metrics = read_metrics(finished / "types")
    assert {run["results"]["part"] for run in metrics["runs"]} == {"fold 0", "fold 1"}
    assert metrics["config"]["seeds"] == [0, 1]
    for run in metrics["runs"]:
        assert len(run["results"]["labels"]) == metrics["config"]["test_sizes"][run["seed"] % FOLDS]
    assert metrics["classes"] == ["connective", "inflammatory", "neoplastic"]
    assert read_metrics(finished / "background")["classes"] == ["background", "nucleus"]


def test_group_networks_keep_every_bit_of_their_scores(finished):
    found = {
        row["network"]: row.get("bitwise_scores_that_differ") for row in read_metrics(finished / "types")["summary"]
    }
    assert found["d4"] == 0 < found["cnn"]


def _damage_missing(folder):
    (folder / tissue.IMAGE).unlink()


def _damage_no_mask(folder):
    (folder / tissue.OUTLINES).unlink()


def _damage_half_mask(folder):
    file = folder / tissue.KINDS
    file.write_bytes(file.read_bytes()[:500])


def _damage_array(folder):
    np.savez(folder / tissue.OUTLINES, other=np.zeros((SIDE, SIDE), np.int32))


def _damage_pickle(folder):
    np.savez(folder / tissue.OUTLINES, nuc_raster=np.array([[{}]], object))


def _damage_floats(folder):
    np.savez(folder / tissue.OUTLINES, nuc_raster=np.zeros((SIDE, SIDE)))


def _damage_shape(folder):
    np.savez(folder / tissue.KINDS, nuc_raster=np.zeros((SIDE, SIDE - 1), np.int32))


def _damage_types(folder):
    np.savez(folder / tissue.KINDS, nuc_raster=np.full((SIDE, SIDE), 4))


def _damage_untyped(folder):
    np.savez(folder / tissue.KINDS, nuc_raster=np.zeros((SIDE, SIDE), np.int32))


def _damage_no_nuclei(folder):
    np.savez(folder / tissue.OUTLINES, nuc_raster=np.zeros((SIDE, SIDE), np.int32))


def _damage_image(folder):
    file = folder / tissue.IMAGE
    file.write_bytes(file.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_damage_missing, "hgsc_nest.jpg is no whole image"),
        (_damage_no_mask, "expected data of histolytics; run: pip install --no-deps histolytics"),
        (_damage_half_mask, "hgsc_nest_type_mask.npz cannot be read"),
        (_damage_array, "hgsc_nest_inst_mask.npz cannot be read"),
        (_damage_pickle, "has shape (1, 1) and dtype object, expected rows and columns to 8192 of integers"),
        (_damage_floats, "has shape (960, 960) and dtype float64, expected rows and columns to 8192 of integers"),
        (_damage_shape, "nuc_raster has shape (960, 959), expected (960, 960) as hgsc_nest.jpg"),
        (_damage_types, "has values to 4, expected 0 to 3"),
        (_damage_untyped, "has nuclei without a type"),
        (_damage_no_nuclei, "has no numbers over 0"),
        (_damage_image, "hgsc_nest.jpg is no whole image"),
    ],
)
def test_data_that_is_not_what_it_should_be_is_refused_with_a_message(data, tmp_path, damage, message, capsys):
    folder = tmp_path / "data"
    folder.mkdir()
    for file in data.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    damage(folder)
    assert nuclei.main(["--quick", "--data", str(folder), "--output-dir", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_a_mask_that_says_to_be_huge_is_refused_before_it_is_read(data, tmp_path):
    # Zeros of many gigabytes, were they unpacked, in a small file.
    import zipfile

    from numpy.lib import format as npy

    file = tmp_path / tissue.OUTLINES
    with zipfile.ZipFile(file, "w") as archive, archive.open("nuc_raster.npy", "w") as stream:
        npy.write_array_header_1_0(stream, {"descr": "<i4", "fortran_order": False, "shape": (10**6, 10**6)})
    with pytest.raises(RefusedError, match=r"shape \(1000000, 1000000\)"):
        tissue._mask(file)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--size", "42"], "--size is 42, expected a multiple of 4 from 32 to 300"),
        (["--size", "304"], "--size is 304, expected a multiple of 4 from 32 to 300"),
        (["--task", "mitoses"], "invalid choice: 'mitoses'"),
    ],
)
def test_bad_command_lines_end_with_status_2_and_a_message(more, message, capsys):
    with pytest.raises(SystemExit) as ended:
        nuclei.main(more)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr("equiconv_experiments.common.packages.find_spec", lambda name: None)
    with pytest.raises(RefusedError, match="run: pip install --no-deps histolytics; or give its folder"):
        tissue.folder(None)


def test_the_installed_image_has_the_nuclei_that_it_should():
    if find_spec("histolytics") is None:
        pytest.skip("the real tissue is not tested: pip install --no-deps histolytics")
    read = tissue.load(tissue.folder(None))
    assert read.image.shape == (1500, 1500, 3)
    assert np.bincount(read.types).tolist() == [373, 633, 288]
    assert torch.equal(*(Regions(read, "types", 40).parts(seed)[1].images for seed in (0, FOLDS)))
