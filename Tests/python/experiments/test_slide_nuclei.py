# SPDX-License-Identifier: Apache-2.0
"""The experiment that finds nuclei in an image: on images that are made here, from training to files for QuPath."""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path

import experiment_runs
import numpy as np
import pytest
from experiment_runs import process, read_metrics, stopped_at  # noqa: F401 (a fixture)

experiment_runs.require()
pytest.importorskip("zarr", reason='nuclei of slides are not tested: pip install "equiconv[slides]"')

import torch  # noqa: E402
from equiconv.slides import (  # noqa: E402
    Detections,
    precision_recall,
    predict,
    read_geojson,
    write_geojson,
)
from equiconv_experiments.common.networks import parameter_count  # noqa: E402
from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from equiconv_experiments.data import outlines, tissue  # noqa: E402
from equiconv_experiments.slide_nuclei import program as slide_nuclei  # noqa: E402
from equiconv_experiments.slide_nuclei import runs  # noqa: E402
from equiconv_experiments.slide_nuclei.crops import RADIUS, Crops, Image, labels_near  # noqa: E402
from PIL import Image as Picture  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")


def draw(seed: int, rows: int, columns: int):
    """Noise with a dark disk in most squares of 40 pixels: colors (rows, columns, 3), numbers of disks, middles."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(170, 250, (rows, columns, 3))
    numbers = np.zeros((rows, columns), np.int32)
    down, right = np.indices((rows, columns))
    for row, column in np.ndindex(rows // 40, columns // 40):
        if rng.random() < 0.8:
            center = 40 * row + rng.integers(12, 28), 40 * column + rng.integers(12, 28)
            disk = (down - center[0]) ** 2 + (right - center[1]) ** 2 <= 64
            numbers[disk] = numbers.max() + 1
            colors[disk] -= 120
    middles = np.array([np.argwhere(numbers == number).mean(0) + 0.5 for number in range(1, numbers.max() + 1)])
    return colors.astype(np.uint8), numbers, middles


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder like the package's, with a slide and its points."""
    folder = tmp_path_factory.mktemp("histolytics")
    colors, numbers, _ = draw(0, 240, 400)
    Picture.fromarray(colors).save(folder / tissue.IMAGE, quality=95)
    np.savez_compressed(folder / tissue.OUTLINES, nuc_raster=numbers)
    np.savez_compressed(folder / tissue.KINDS, nuc_raster=(numbers > 0).astype(np.int32))
    colors, _, middles = draw(1, 200, 280)
    Picture.fromarray(colors).save(folder / "slide.png")
    write_geojson(Detections(middles, np.ones(len(middles))), folder / "points.geojson")
    return folder


def line(data: Path, folder: Path, *more: str) -> list[str]:
    given = ["--data", data, "--slide", data / "slide.png", "--points", data / "points.geojson"]
    return ["--quick", *map(str, given), "--output-dir", str(folder), *more]


@pytest.fixture(scope="module")
def finished(process, data, tmp_path_factory):  # noqa: F811 (the fixture)
    """A folder with the results of a quick run."""
    folder = tmp_path_factory.mktemp("runs") / "quick"
    assert slide_nuclei.main(line(data, folder, "--epochs", "5", "--seeds", "0", "--networks", "cnn,c4")) == 0
    return folder


def test_pixels_near_a_middle_are_labeled():
    middles = np.array([[5.25, 6.5], [0.5, 0.5], [19.5, 29.0]])
    labels = labels_near(Image(np.zeros((3, 20, 30), np.uint8), middles))
    down, right = np.indices((20, 30)) + 0.5
    near = [(down - y) ** 2 + (right - x) ** 2 <= RADIUS**2 for y, x in middles]
    assert np.array_equal(labels, np.any(near, 0))


def test_columns_have_their_pixels_and_nuclei():
    image = Image(np.arange(600, dtype=np.uint8).reshape(3, 10, 20), np.array([[1.5, 3.5], [2.5, 8.0], [4.5, 12.5]]))
    part = image.columns(8, 20)
    assert np.array_equal(part.colors, image.colors[:, :, 8:])
    assert part.centers.tolist() == [[2.5, 0.0], [4.5, 4.5]]
    assert len(image.columns(0, 8).centers) == 1


def test_labels_of_crops_are_where_their_colors_are():
    _, _, middles = draw(2, 200, 240)
    image = Image(np.zeros((3, 200, 240), np.uint8), middles)
    marked = Image(np.repeat(255 * labels_near(image)[None], 3, 0).astype(np.uint8), middles)
    torch.manual_seed(0)
    crops = Crops(marked, 64, 20, torch.nn.Identity())
    colors, labels = map(torch.stack, zip(*(crops[index] for index in range(20)), strict=True))
    assert colors.shape == (20, 3, 64, 64)
    assert torch.equal(colors, 255.0 * labels[:, None].expand(-1, 3, -1, -1))
    assert len({one.numpy().tobytes() for one in labels}) > 15
    torch.manual_seed(0)
    assert torch.equal(crops[0][0], colors[0])


def test_amounts_of_stain_are_powers_of_light():
    torch.manual_seed(1)
    colors, _ = Crops(Image(np.full((3, 8, 8), 51, np.uint8), np.zeros((0, 2))), 8, 1, torch.nn.Identity())[0]
    powers = torch.log(colors / 255) / np.log(51 / 255)
    assert ((powers >= 0.499) & (powers <= 1.501)).all()
    assert len(powers.unique()) <= 3 < powers.numel()


def test_networks_have_about_as_many_parameters():
    counts = [parameter_count(runs._Trained(name)) for name in runs.NETWORKS]
    assert counts == [36811, 36471, 33537]


def test_cross_entropy_is_that_of_log_odds():
    torch.manual_seed(0)
    trained = runs._Trained("c4").eval()
    images, labels = torch.randn(2, 3, 16, 16), torch.randint(2, (2, 16, 16))
    loss = torch.nn.functional.cross_entropy(trained(images), labels)
    odds = trained.network(images)[:, 0]
    assert torch.isclose(loss, torch.nn.functional.binary_cross_entropy_with_logits(odds, labels.float()))


def test_results_are_those_of_the_files(finished, data):
    metrics = read_metrics(finished)
    truth = read_geojson(data / "points.geojson").positions
    assert metrics["schema"] == "equiconv.experiments.slide_nuclei/1"
    assert metrics["config"]["nuclei"]["test"] == len(truth)
    for run in metrics["runs"]:
        name, results = f"{run['network']}-16-images-seed-0", run["results"]
        found = read_geojson(finished / "detections" / f"{name}.geojson")
        again = precision_recall(found, truth, metrics["config"]["matching_distance"])
        assert (again.true_positives, len(found)) == (results["true_positives"], results["found"])
        assert again.recall == results["recall"]
        assert len(found) == 0 or found.scores.min() >= results["threshold"]


def test_maps_do_not_depend_on_tiles(finished, data):
    import zarr

    name = "c4-16-images-seed-0"
    again = predict(finished / "networks" / f"{name}.safetensors", data / "slide.png", tile=64, progress=False).array
    group = zarr.open_group(finished / "maps" / f"{name}.zarr", mode="r")
    stored = group[group.attrs["ome"]["multiscales"][0]["datasets"][0]["path"]][:]
    assert np.array_equal(stored, again)


def test_a_group_network_finds_the_same_in_a_turned_image(finished):
    bits = {run["network"]: run["results"]["bitwise"] for run in read_metrics(finished)["runs"]}
    assert bits["c4"]["scores_that_differ"] == 0 < bits["cnn"]["scores_that_differ"]
    assert bits["c4"]["scores_compared"] == 3 * 200 * 200


def test_disks_are_found_after_a_few_steps(finished):
    found = {run["network"]: run["results"] for run in read_metrics(finished)["runs"]}
    # A guess of as many points finds few: a disk of the matching distance is a fifth of a square of 40 pixels.
    assert found["c4"]["average_precision"] > 0.5


def test_figures_are_drawn(finished):
    assert {file.name for file in (finished / "figures").iterdir()} == {
        "curves.png", "learning.png", "overlay-c4.png", "overlay-cnn.png",
    }  # fmt: skip


def test_a_run_that_was_stopped_ends_with_the_same_numbers(data, tmp_path, monkeypatch):
    more = ["--epochs", "2", "--seeds", "3", "--networks", "cnn"]
    assert slide_nuclei.main(line(data, tmp_path / "whole", *more)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", stopped_at(4))
        with pytest.raises(KeyboardInterrupt):
            slide_nuclei.main(line(data, tmp_path / "stopped", *more))
    assert slide_nuclei.main(line(data, tmp_path / "stopped", *more)) == 0
    assert read_metrics(tmp_path / "stopped") == read_metrics(tmp_path / "whole")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--slide", "a.svs"], "--slide and --points are given one without the other, expected both or none"),
        (["--networks", "c8"], "--networks has 'c8', expected some of cnn, c4, d4"),
        (["--epochs", "0"], "--epochs is 0, expected 1 or more"),
    ],
)
def test_bad_command_lines_end_with_status_2_and_a_message(more, message, capsys):
    with pytest.raises(SystemExit) as ended:
        slide_nuclei.main(more)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("points.geojson", b"[]", "points.geojson has no nuclei, expected some to compare with"),
        ("points.geojson", b"{", "points.geojson, which cannot be read"),
        ("slide.png", b"no image", "slide.png, which cannot be searched"),
        (tissue.IMAGE, b"no image", "hgsc_nest.jpg is no whole image"),
    ],
)
def test_data_that_is_not_what_it_should_be_is_refused_with_a_message(data, tmp_path, name, content, message, capsys):
    folder = tmp_path / "data"
    folder.mkdir()
    for file in data.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / name).write_bytes(content)
    more = ["--epochs", "1", "--seeds", "0", "--networks", "cnn"]
    assert slide_nuclei.main(line(folder, tmp_path / "out", *more)) == 2
    assert message in capsys.readouterr().err


def test_an_image_that_is_too_small_is_refused(data, tmp_path, capsys):
    folder = tmp_path / "data"
    folder.mkdir()
    colors, numbers, _ = draw(0, 120, 400)
    Picture.fromarray(colors).save(folder / tissue.IMAGE)
    for name in (tissue.OUTLINES, tissue.KINDS):
        np.savez_compressed(folder / name, nuc_raster=np.minimum(numbers, 1) if name == tissue.KINDS else numbers)
    given = ["--slide", str(data / "slide.png"), "--points", str(data / "points.geojson")]
    assert slide_nuclei.main(["--quick", "--data", str(folder), *given, "--output-dir", str(tmp_path / "out")]) == 2
    assert "has 120 x 400 pixels, expected multiples of 4, with at least 128 rows" in capsys.readouterr().err


def ring(*corners, order="<"):
    return struct.pack(f"{order}BIII", order == "<", 3, 1, len(corners)) + np.array(corners, f"{order}f8").tobytes()


def test_middles_of_outlines_are_those_of_their_areas():
    square = [(10, 20), (14, 20), (14, 26), (10, 26), (10, 20)]
    corner = [(0, 0), (30, 0), (30, 3), (3, 3), (3, 30), (0, 30), (0, 0)]
    center = (30 * 3 * 15 + 3 * 27 * 1.5) / (30 * 3 + 3 * 27)
    for order in "<>":
        assert outlines._center(ring(*square, order=order)).tolist() == [23, 12]
        assert np.allclose(outlines._center(ring(*corner, order=order)), [center, center])
    assert outlines._center(ring((7, 8), (7, 8))).tolist() == [8, 7]
    for wrong in (ring((np.nan, 1)), struct.pack("<BIII", 1, 1, 1, 1), b"\x01", ring((1, 2))[:20]):
        with pytest.raises((ValueError, struct.error)):
            outlines._center(wrong)


def test_files_of_outlines_are_read(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="outlines in Parquet are not tested: pip install pyarrow")
    from pyarrow import parquet

    file = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"geometry": [ring((0, 0), (2, 0), (2, 4), (0, 4)), ring((5, 6))]}), file)
    assert outlines.outline_centers(file).tolist() == [[2, 1], [6, 5]]
    parquet.write_table(arrow.table({"geometry": [b"abc"]}), file)
    with pytest.raises(RefusedError, match=r"a.parquet has an outline that is no polygon"):
        outlines.outline_centers(file)
    file.write_bytes(b"PAR1")
    with pytest.raises(RefusedError, match=r"a.parquet cannot be read"):
        outlines.outline_centers(file)


def test_without_pyarrow_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(RefusedError, match=r"a.parquet is a file of Parquet, which needs pyarrow; run: pip install"):
        outlines.outline_centers(tmp_path / "a.parquet")


def test_the_installed_images_have_the_nuclei_that_they_should():
    if find_spec("histolytics") is None or find_spec("pyarrow") is None:
        pytest.skip("the real images are not tested: pip install --no-deps histolytics; pip install pyarrow")
    setting = slide_nuclei.make_setting(slide_nuclei.parse([]))
    assert setting.train.colors.shape == (3, 1500, 1200)
    assert len(setting.train.centers) + len(setting.valid.centers) == 1294
    assert len(setting.truth) == 423
    assert json.loads(json.dumps(slide_nuclei.describe(slide_nuclei.parse([]), setting)))["slide"] is None
