# SPDX-License-Identifier: Apache-2.0
"""What cannot be read or is wrong: tiles that fail are named, the others stay; wrong arguments are refused."""

from __future__ import annotations

import errno
import sys

import equiconv as eq
import equiconv.slides as slides
import numpy as np
import pytest
from equiconv.slides._outputs.zarr_folder import ChunkWriter
from slide_networks import GROUPS, NETWORKS
from slide_runs import BrokenSource, NoiseSource, digest, pixels

zarr = pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')


@pytest.fixture(scope="module")
def strided(tmp_path_factory):
    """The path of a network of stride 4, which reads 21 pixels for a place: 8 beside it on each side."""
    return NETWORKS["strided"](GROUPS["C4"], tmp_path_factory.mktemp("network") / "network")


def test_tiles_that_read_what_is_broken_fail_and_others_stay(tmp_path, strided):
    source = BrokenSource((100, 30))
    found = slides.predict(strided, source, tmp_path / "s.zarr", tile=64, retries=1)
    whole = slides.predict(strided, NoiseSource(), tile=64).array
    assert [failed.tile for failed in found.failed] == [(1, 0)]
    text = str(found.failed[0])
    for part in ("tile (1, 0)", "rows 64 to 127", "columns 0 to 63", "SourceError", "(100, 30) is broken"):
        assert part in text
    is_there = ~np.isnan(found.array[:])
    expected = np.ones(whole.shape, bool)
    expected[:, 16:32, :16] = False
    assert np.array_equal(is_there, expected)
    assert np.array_equal(found.array[:][is_there], whole[is_there])
    assert "1 failed" in repr(found)


def test_tiles_that_failed_are_computed_by_the_next_run(tmp_path, strided):
    out = tmp_path / "s.zarr"
    slides.predict(strided, BrokenSource((100, 30)), out, tile=64, retries=0)
    again = slides.predict(strided, NoiseSource(), out, tile=64)
    assert (again.tiles.computed, again.failed) == (1, ())
    slides.predict(strided, NoiseSource(), tmp_path / "other.zarr", tile=64)
    assert digest(out) == digest(tmp_path / "other.zarr")


@pytest.mark.parametrize(("retries", "fails"), [(0, True), (1, True), (2, False)])
def test_tiles_are_tried_again(strided, retries, fails):
    found = slides.predict(strided, BrokenSource((100, 30), times=2), tile=64, retries=retries)
    assert bool(found.failed) is fails
    if not fails:
        assert found.array.tobytes() == slides.predict(strided, NoiseSource(), tile=64).array.tobytes()


def test_a_converted_file_waits_for_all_tiles(tmp_path, strided):
    out = tmp_path / "s.ome.tif"
    found = slides.predict(strided, BrokenSource((100, 30)), out, tile=64, retries=0)
    assert len(found.failed) == 1
    assert not out.exists()
    assert np.isfinite(found.array[:]).any()
    assert slides.predict(strided, NoiseSource(), out, tile=64).tiles.computed == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.ome.tif"]


def test_a_chunk_that_is_missing_names_tile_and_file(tmp_path, strided):
    path = tmp_path / "image.zarr"
    array = zarr.create_array(store=str(path), shape=(3, 300, 260), chunks=(3, 50, 40), dtype="u1")
    array[:] = pixels()
    (path / "c" / "0" / "2" / "0").unlink()
    found = slides.predict(strided, path, tile=64, axes="CYX", retries=0)
    assert {failed.tile for failed in found.failed} == {(1, 0), (2, 0)}
    assert all(str(path) in failed.error for failed in found.failed)
    whole = slides.predict(strided, NoiseSource(), tile=64).array
    is_there = ~np.isnan(found.array)
    assert np.array_equal(found.array[is_there], whole[is_there])
    assert is_there[0].sum() == 75 * 65 - 2 * 256


def test_a_tiff_that_is_cut_short_names_tile_and_file(tmp_path, strided):
    tifffile = pytest.importorskip("tifffile", reason='needs tifffile: pip install "equiconv[slides]"')
    path = tmp_path / "slide.tif"
    tifffile.imwrite(path, np.moveaxis(pixels(), 0, 2), tile=(64, 64), photometric="rgb")
    with tifffile.TiffFile(path) as file:
        last = file.pages[0].dataoffsets[-1]
    with path.open("r+b") as file:
        file.truncate(last + 100)
    found = slides.predict(strided, path, tmp_path / "s.zarr", tile=64, retries=0)
    assert (4, 4) in {failed.tile for failed in found.failed}
    assert all(str(path) in failed.error for failed in found.failed)
    whole = slides.predict(strided, NoiseSource(), tile=64).array
    is_there = ~np.isnan(found.array[:])
    assert np.array_equal(found.array[:][is_there], whole[is_there])
    assert is_there.mean() > 0.8


def test_a_disk_that_is_full_ends_the_run_and_a_next_one_goes_on(tmp_path, strided, monkeypatch):
    out, write, calls = tmp_path / "s.zarr", ChunkWriter.write, []

    def full(self, tile, blocks):
        calls.append(tile)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, tile, blocks)

    with monkeypatch.context() as patch:
        patch.setattr(ChunkWriter, "write", full)
        with pytest.raises(OSError, match="No space left"):
            slides.predict(strided, NoiseSource(), out, tile=64)
    assert slides.predict(strided, NoiseSource(), out, tile=64).tiles.known == 5
    slides.predict(strided, NoiseSource(), tmp_path / "other.zarr", tile=64)
    assert digest(out) == digest(tmp_path / "other.zarr")


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"out": "scores.png"}, ValueError, r"out is 'scores\.png', expected a name with one of \.zarr"),
        ({"out": ".zarr"}, ValueError, "out is"),
        ({"out": 5}, TypeError, r"out is 5 \(int\), expected a path"),
        ({"tile": 0}, ValueError, "tile is 0"),
        ({"tile": 2.5}, TypeError, "tile is 2.5"),
        ({"retries": -1}, ValueError, "retries is -1"),
        ({"mode": "quick"}, ValueError, "mode is 'quick'"),
        ({"mask": "tumor"}, ValueError, "mask is 'tumor'"),
        ({"mask": np.ones(3)}, ValueError, "mask has shape"),
        ({"outputs": ["cat"]}, ValueError, r"outputs is \('cat',\)"),
        ({"outputs": []}, ValueError, "outputs is"),
        ({"resume": 1}, TypeError, "resume is 1"),
        ({"progress": None}, TypeError, "progress is None"),
        ({"client": object()}, ValueError, "out is None"),
        ({"detect": {"threshold": 1}}, ValueError, "detect is"),
        ({"out": "a.geojson"}, ValueError, "detect is None"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, monkeypatch, strided, arguments, kind, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=text):
        slides.predict(strided, NoiseSource((64, 64)), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_the_network_does_not_read(strided):
    with pytest.raises(ValueError, match=r"reads 3 channels, and .* has 1"):
        slides.predict(strided, np.zeros((64, 64), np.uint8))
    with pytest.raises(TypeError, match="dtype float64"):
        slides.predict(strided, np.zeros((64, 64, 3)))
    with pytest.raises(TypeError, match="dtype int32"):
        slides.predict(strided, np.zeros((64, 64, 3), np.int32))


def test_a_network_of_other_signals_is_refused(tmp_path):
    layers = (eq.GroupConv(3, 2, 3, eq.cyclic(4)), eq.GroupPool(eq.cyclic(4)))
    network = eq.Sequential(*layers)
    network.save(tmp_path / "network", np.zeros((1, 3, 4, 9, 9), np.float32))
    with pytest.raises(ValueError, match="network reads a signal on group"):
        slides.predict(tmp_path / "network", NoiseSource((64, 64)))


@pytest.mark.parametrize(("package", "out"), [("zarr", "s.zarr"), ("zarr", "s.ome.tif")])
def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch, strided, package, out):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf'needs {package}, .*pip install "equiconv\[slides\]"'):
        slides.predict(strided, NoiseSource((64, 64)), tmp_path / out)
    assert list(tmp_path.iterdir()) == []


def test_an_image_without_a_place_of_the_output(tmp_path):
    path = NETWORKS["valid"](GROUPS["C4"], tmp_path / "network")
    with pytest.raises(ValueError, match=r"place|extent|size"):
        slides.predict(path, NoiseSource((4, 64)))
