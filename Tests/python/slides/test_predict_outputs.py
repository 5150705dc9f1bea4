# SPDX-License-Identifier: Apache-2.0
"""What is written: Zarr with the metadata of OME-NGFF 0.5, pyramids, OME-TIFF, detections; and where places lie."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import equiconv as eq
import equiconv.slides as slides
import numpy as np
import pytest
from equiconv.slides._outputs.pyramid import halve, level_extents
from slide_networks import CLASSES, GROUPS, NETWORKS, Maker, several
from slide_runs import NoiseSource, PlainSource, digest, pixels

zarr = pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')


@pytest.fixture(scope="module")
def strided(tmp_path_factory):
    """The path of a network of stride 4."""
    return NETWORKS["strided"](GROUPS["C4"], tmp_path_factory.mktemp("network") / "network")


def attributes(folder):
    """Of a group."""
    return json.loads((folder / "zarr.json").read_text())["attributes"]


def means(x):
    """The definition of a level, a place at a time."""
    rows, columns = (-(-n // 2) for n in x.shape[1:])
    found = np.full((len(x), rows, columns), np.nan, x.dtype)
    for c, i, j in np.ndindex(found.shape):
        four = np.sort(x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].ravel())
        four = four[~np.isnan(four)]
        if four.size:
            found[c, i, j] = np.cumsum(four)[-1] / x.dtype.type(four.size)
    return found


@pytest.mark.parametrize("extents", [(1, 1), (1, 6), (7, 5), (8, 12)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_levels_are_means_of_what_is_there(rng, extents, dtype):
    x = rng.standard_normal((2, *extents)).astype(dtype)
    x[rng.random(x.shape) < 0.3] = np.nan
    assert np.array_equal(halve(x), means(x), equal_nan=True)
    assert halve(x).dtype == dtype


def test_levels_turn_with_what_they_are_of(rng):
    x, group = rng.standard_normal((1, 3, 32, 32)).astype(np.float32), GROUPS["D4"]
    for element in range(8):
        turned = np.ascontiguousarray(eq.act(x, group, element)[0])
        assert np.array_equal(halve(turned), eq.act(halve(x[0])[None], group, element)[0])


def test_levels_end_with_a_single_chunk():
    assert level_extents((100, 30), (30, 30)) == [(100, 30), (50, 15), (25, 8)]
    assert level_extents((5, 5), (5, 5)) == [(5, 5)]


def test_the_folder_is_ngff_with_names_and_micrometers(tmp_path, strided):
    out = tmp_path / "scores.zarr"
    found = slides.predict(strided, NoiseSource(), out, tile=64)
    assert json.loads((out / "zarr.json").read_text())["zarr_format"] == 3
    ome, own = (attributes(out)[key] for key in ("ome", "equiconv"))
    (image,) = ome["multiscales"]
    assert ome["version"] == "0.5"
    assert [axis["name"] for axis in image["axes"]] == ["c", "y", "x"]
    assert [axis.get("unit") for axis in image["axes"]] == [None, "micrometer", "micrometer"]
    assert [channel["label"] for channel in ome["omero"]["channels"]] == own["classes"] == list(CLASSES)
    assert own["complete"] is True
    assert own["spacing"] == [4.0, 4.0]
    assert own["mpp"] == [0.5, 0.25]
    group = zarr.open_group(store=str(out), mode="r")
    level = found.array[:]
    for number, dataset in enumerate(image["datasets"]):
        scale, translation = dataset["coordinateTransformations"]
        factor = 4 * 2**number
        assert scale == {"type": "scale", "scale": [1.0, 0.5 * factor, 0.25 * factor]}
        # The middle of place 0 of level 0 is pixel 0: all windows are odd and symmetric. Pixels are measured from their
        # edges, as the origin is.
        middle = [0.5 * (0.5 - 2 + factor / 2), 0.25 * (0.5 - 2 + factor / 2)]
        assert translation == {"type": "translation", "translation": [0.0, *middle]}
        array = group[dataset["path"]]
        assert array.dtype == np.float32
        assert np.array_equal(array[:], level)
        level = halve(level)
    assert array.shape[1] <= array.chunks[1]
    assert not (out / "journal.jsonl").exists()
    assert not list(out.rglob("*.partial"))


def test_a_chunk_is_a_tile(tmp_path, strided):
    found = slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=70)
    assert found.array.chunks == (3, 17, 17)  # 68 pixels, a multiple of the stride.
    assert found.tiles.all == 5 * 4


@pytest.mark.parametrize("network", NETWORKS)
def test_places_lie_in_the_middle_of_what_they_read(tmp_path, network):
    """By the gradient's support: the pixels that change a place have it in their middle."""
    path = NETWORKS[network](GROUPS["C4"], tmp_path / "network")
    found = slides.predict(path, pixels((64, 64)), tile=64, axes="CYX")
    place = found.places["scores"]
    run = eq.load_network(path, "exact")
    x = pixels((64, 64))[None].astype(np.float32)
    first, centers = found.array.shape[1] // 2 // 4 * 4, []
    for at in range(first, first + (4 if network == "unet" else 1)):
        changed = []
        for row in range(64):
            other = x.copy()
            other[:, :, row] = 255 - other[:, :, row]
            changed.append(np.any(run(other)[0][:, at] != run(x)[0][:, at]))
        (reads,) = np.nonzero(changed)
        centers.append((reads[0] + reads[-1] + 1) / 2 - at * place.spacing[0])
    # Of a U-Net the places of a period read differently; they are about the middle of theirs together.
    assert np.mean(centers) == pytest.approx(place.origin[0] + place.spacing[0] / 2, abs=0.51)


def test_outputs_have_a_folder_each(tmp_path):
    path = several(GROUPS["D4"], tmp_path / "network")
    found = slides.predict(path, NoiseSource((61, 67)), tmp_path / "o.zarr", tile=32)
    expected = eq.load_network(path, "exact")(pixels((61, 67))[None].astype(np.float32))
    root = attributes(tmp_path / "o.zarr")["equiconv"]
    assert root["outputs"] == ["fine/plane", "on group"]
    assert root["complete"] is True
    for name, folder in (("fine/plane", "fine%2Fplane"), ("on group", "on group")):
        assert attributes(tmp_path / "o.zarr" / folder)["equiconv"]["complete"] is True
        assert found.arrays[name][:].tobytes() == expected[name][0].tobytes()


def test_a_mask_leaves_out_chunks(tmp_path, strided):
    mask = np.eye(2)
    found = slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=52, mask=mask)
    whole = slides.predict(strided, NoiseSource(), tile=52).array
    is_there = ~np.isnan(found.array[:])
    assert 0 < is_there.mean() < 1
    assert np.array_equal(found.array[:][is_there], whole[is_there])
    assert len(list((tmp_path / "s.zarr" / "0" / "c" / "0").rglob("*/*"))) == found.tiles.computed
    assert found.tiles.masked > 0


def test_a_complete_run_is_returned_as_it_is(tmp_path, strided):
    out = tmp_path / "s.zarr"
    first = slides.predict(strided, NoiseSource(), out, tile=64)
    before = digest(out)
    again = slides.predict(strided, NoiseSource(), out, tile=64)
    assert (again.tiles.computed, again.tiles.known) == (0, first.tiles.computed)
    assert digest(out) == before
    slides.predict(strided, NoiseSource(), out, tile=64, resume=False)
    assert digest(out) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"tile": 96}, "tile"),
        ({"mode": "fast"}, "mode"),
        ({"mask": np.ones((2, 2))}, "mask_sha256"),
        ({"source": NoiseSource((100, 99))}, "source_fingerprint|extents"),
    ],
)
def test_a_run_of_other_arguments_is_not_touched(tmp_path, strided, change, name):
    out = tmp_path / "s.zarr"
    slides.predict(strided, NoiseSource(), out, tile=64)
    before = digest(out)
    arguments = {"source": NoiseSource(), "tile": 64} | change
    with pytest.raises(ValueError, match=f"with ({name})"):
        slides.predict(strided, arguments.pop("source"), out, **arguments)
    other = NETWORKS["strided"](GROUPS["C4"], tmp_path / "other", seed=1)
    with pytest.raises(ValueError, match="with network_sha256"):
        slides.predict(other, NoiseSource(), out, tile=64)
    assert digest(out) == before
    slides.predict(other, NoiseSource(), out, tile=64, resume=False)
    assert digest(out) != before


@pytest.mark.parametrize("resume", [True, False])
def test_what_no_run_has_written_is_not_touched(tmp_path, strided, resume):
    out = tmp_path / "data.zarr"
    zarr.create_group(store=str(out)).attrs["mine"] = 1
    before = digest(out)
    with pytest.raises(ValueError, match="something else"):
        slides.predict(strided, NoiseSource(), out, resume=resume)
    (tmp_path / "file.zarr").write_text("text")
    with pytest.raises(ValueError, match="something else"):
        slides.predict(strided, NoiseSource(), tmp_path / "file.zarr", resume=resume)
    assert digest(out) == before
    assert (tmp_path / "file.zarr").read_text() == "text"


@pytest.mark.parametrize("name", ["s.ome.tif", "s.ome.tiff"])
def test_ome_tiff_has_the_numbers_of_the_folder(tmp_path, strided, name):
    tifffile = pytest.importorskip("tifffile", reason='needs tifffile: pip install "equiconv[slides]"')
    folder = slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=64)
    found = slides.predict(strided, NoiseSource(), tmp_path / name, tile=64)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "s.zarr"])
    assert np.array_equal(found.array[:], folder.array[:])
    with tifffile.TiffFile(tmp_path / name) as file:
        levels = file.series[0].levels
        group = zarr.open_group(store=str(tmp_path / "s.zarr"), mode="r")
        assert len(levels) == len(list(group.array_keys())) > 1
        for number, level in enumerate(levels):
            assert level.axes == "CYX"
            assert np.array_equal(level.asarray(), group[str(number)][:])
        root = ElementTree.fromstring(file.ome_metadata)
    image = next(element for element in root.iter() if element.tag.endswith("Pixels"))
    assert (float(image.get("PhysicalSizeY")), float(image.get("PhysicalSizeX"))) == (2.0, 1.0)
    assert [each.get("Name") for each in image if each.tag.endswith("Channel")] == list(CLASSES)
    content = (tmp_path / name).read_bytes()
    again = slides.predict(strided, NoiseSource(), tmp_path / name, tile=64)
    assert again.tiles.computed == 0
    with pytest.raises(ValueError, match="with tile"):
        slides.predict(strided, NoiseSource(), tmp_path / name, tile=96)
    slides.predict(strided, NoiseSource(), tmp_path / name, tile=64, resume=False)
    assert (tmp_path / name).read_bytes() == content


def test_files_hold_one_output(tmp_path):
    path = several(GROUPS["C4"], tmp_path / "network")
    with pytest.raises(ValueError, match="expected outputs to name one of"):
        slides.predict(path, NoiseSource((61, 67)), tmp_path / "s.ome.tif")
    found = slides.predict(path, NoiseSource((61, 67)), tmp_path / "s.ome.tif", outputs="on group")
    assert found.array.shape == (12, 30, 33)


def test_geojson_has_the_detections_of_the_folder(tmp_path, strided):
    arguments = {"threshold": 0.4, "distance": 9.0}
    slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=64)
    expected = slides.detections(tmp_path / "s.zarr", **arguments)
    slides.write_geojson(expected, tmp_path / "expected.geojson")
    slides.predict(strided, NoiseSource(), tmp_path / "s.geojson", tile=64, detect=arguments)
    assert (tmp_path / "s.geojson").read_bytes() == (tmp_path / "expected.geojson").read_bytes()
    assert len(json.loads((tmp_path / "s.geojson").read_text())["features"]) > 0
    with pytest.raises(ValueError, match="resume=False"):
        slides.predict(strided, NoiseSource(), tmp_path / "s.geojson", tile=64, detect=arguments)


def test_channels_without_names_are_numbered(tmp_path):
    maker = Maker(GROUPS["C4"])
    value = maker.add("group_pool", maker.conv("image", 2), mode="max")
    path = maker.save(tmp_path / "network", [("scores", value)])
    slides.predict(path, pixels((20, 20)), tmp_path / "s.zarr", axes="CYX")
    found = attributes(tmp_path / "s.zarr")
    assert [channel["label"] for channel in found["ome"]["omero"]["channels"]] == ["scores 0", "scores 1"]
    assert found["equiconv"]["classes"] is None
    assert "unit" not in found["ome"]["multiscales"][0]["axes"][1]


def test_levels_of_what_is_masked_are_not_computed(tmp_path, strided, monkeypatch):
    """Of a large slide with little tissue they would take longer than the network."""
    counted = []
    monkeypatch.setattr("equiconv.slides._outputs.pyramid.halve", lambda x: counted.append(x.shape) or halve(x))
    mask = np.zeros((64, 64), np.uint8)
    mask[40, 20] = 1
    found = slides.predict(strided, PlainSource((4096, 4096)), tmp_path / "s.zarr", tile=32, mask=mask)
    assert found.tiles.all == 128**2
    group = zarr.open_group(store=str(tmp_path / "s.zarr"), mode="r")
    levels = [group[str(number)] for number in range(len(list(group.array_keys())))]
    assert len(counted) == len(levels) - 1 == 7
    for fine, coarse in zip(levels[-3:], levels[-2:], strict=False):
        assert np.array_equal(coarse[:], halve(fine[:]), equal_nan=True)
    assert np.isfinite(levels[-1][:]).any()
