# SPDX-License-Identifier: Apache-2.0
"""Slides as files: levels and resolutions are those that were written, regions agree, and no damage is hidden."""

from __future__ import annotations

import pickle
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from equiconv.slides import SourceError, SyntheticSlide, open_source, write_tiff
from equiconv.slides._sources.openslide_files import OpenSlidePyramid
from equiconv.slides._sources.resampling import Resampled
from slide_files import INSTALL, check_regions, whole

tifffile = pytest.importorskip("tifffile", reason=INSTALL)
pytest.importorskip("openslide", reason=INSTALL)
pytest.importorskip("imagecodecs", reason=INSTALL)

SLIDE = SyntheticSlide((523, 611), 5, 0.5)
FILES = [("aperio", "jpeg"), ("aperio", "deflate"), ("ome", "jpeg"), ("ome", "deflate")]
# Each file with the readers that it has.
READS = [(*file, reader) for file in FILES for reader in ("openslide", "tifffile")[file[0] == "ome" :]]
TILE = 11
"""The tile of level 0 that is damaged: rows 256 to 383, columns 128 to 255 of 5 tiles a row."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """The slide in all kinds of files."""
    folder = tmp_path_factory.mktemp("slides")
    found = {}
    for kind, compression in FILES:
        found[kind, compression] = folder / f"{compression}.{'svs' if kind == 'aperio' else 'ome.tif'}"
        write_tiff(SLIDE, found[kind, compression], kind, tile=128, compression=compression)
    return found


@pytest.fixture
def damaged(paths, tmp_path):
    """Makes a copy of a file, changed by a function of its bytes and of the place and count of the tile's."""

    def make(kind, compression, change):
        path = tmp_path / paths[kind, compression].name
        data = bytearray(paths[kind, compression].read_bytes())
        with tifffile.TiffFile(paths[kind, compression]) as file:
            page = file.pages[0]
            path.write_bytes(change(data, page.dataoffsets[TILE], page.databytecounts[TILE]))
        return path

    return make


def test_openslide_knows_the_aperio_file(paths):
    openslide = pytest.importorskip("openslide")
    with openslide.OpenSlide(paths["aperio", "jpeg"]) as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        assert slide.level_dimensions == ((611, 523), (152, 130), (38, 32))
        assert float(slide.properties["openslide.mpp-x"]) == 0.5
        assert "thumbnail" in slide.associated_images


@pytest.mark.parametrize(("kind", "compression", "reader"), READS)
def test_levels_and_resolutions_are_those_written(kind, compression, reader, paths):
    for level in range(3):
        source = open_source(paths[kind, compression], level=level, reader=reader)
        step = 4**level
        assert source.extents == (523 // step, 611 // step)
        assert source.mpp == (0.5 * step, 0.5 * step)
        assert source.spacing == (step, step)
        assert (source.channels, source.dtype) == (3, np.uint8)
        if compression == "deflate" and (reader == "tifffile" or level == 0):
            expected = SLIDE if level == 0 else Resampled(SLIDE, (step, step))
            np.testing.assert_array_equal(whole(source), whole(expected))
    with pytest.raises(ValueError, match=r"level is 3, expected at most 2: level 0 has 523 x 611 pixels at 0.5 micro"):
        open_source(paths[kind, compression], level=3, reader=reader)


@pytest.mark.parametrize(("kind", "compression", "reader"), READS)
def test_regions_are_those_of_the_whole(kind, compression, reader, paths):
    for level in range(3):
        source = open_source(paths[kind, compression], level=level, reader=reader)
        check_regions(source, whole(source))
    for mpp in (1.0, 1.3, 2.0, 3.7):
        source = open_source(paths[kind, compression], mpp=mpp, reader=reader)
        check_regions(source, whole(source), count=6)


@pytest.mark.parametrize(("kind", "reader"), [("aperio", "openslide"), ("aperio", "tifffile"), ("ome", "tifffile")])
def test_sources_reopen_where_they_arrive_and_threads_share_them(kind, reader, paths):
    source = open_source(paths[kind, "jpeg"], mpp=1.0, reader=reader)
    expected = whole(source)
    text = pickle.dumps(source)
    assert len(text) < 1000
    copy = pickle.loads(text)
    assert copy.fingerprint == source.fingerprint
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda row: copy.read((row, 0), (row + 1, 305)), [*range(261)] * 2))
    np.testing.assert_array_equal(np.concatenate(rows[:261], 1), expected)
    copy.close()
    np.testing.assert_array_equal(whole(copy), expected)


def test_both_readers_give_the_same_pixels(paths):
    one, other = (open_source(paths["aperio", "jpeg"], reader=reader) for reader in ("openslide", "tifffile"))
    assert np.abs(whole(one).astype(int) - whole(other)).max() <= 2
    assert np.abs(whole(one).astype(int) - whole(SLIDE)).mean() < 4


@pytest.mark.parametrize(
    ("mpp", "level", "factor"), [(0.5, 0, 1), (0.503, 0, 1), (1.0, 0, 2), (1.99, 1, 1), (1.9, 0, 3.8), (8.0, 2, 1)]
)
def test_the_coarsest_level_that_is_not_coarser_is_read(mpp, level, factor, paths):
    source = open_source(paths["ome", "deflate"], mpp=mpp)
    expected = open_source(paths["ome", "deflate"], level=level)
    assert source.mpp == (expected.mpp[0] * factor, expected.mpp[1] * factor)
    if factor != 1:
        assert isinstance(source, Resampled)
        expected = Resampled(expected, (factor, factor))
    assert source.fingerprint == expected.fingerprint


def replaced(data, begin, new):
    """Bytes with others in their place."""
    return data[:begin] + new + data[begin + len(new) :]


CHANGES = {
    "cut": lambda data, place, count: data[: place + count // 2],
    "zeros": lambda data, place, count: replaced(data, place + count // 2, bytes(count // 4)),
    "noise": lambda data, place, count: replaced(data, place + count // 2, np.random.default_rng(0).bytes(count // 4)),
    "half": lambda data, place, count: replaced(data, place + count // 2, bytes(count - count // 2)),
    "gone": lambda data, place, count: replaced(data, place, bytes(count)),
}


@pytest.mark.parametrize("change", ["zeros", "noise", "half", "gone"])
@pytest.mark.parametrize(("kind", "compression", "reader"), READS)
def test_a_damaged_tile_is_an_error_where_it_is_read_and_only_there(kind, compression, reader, change, damaged, paths):
    path = damaged(kind, compression, CHANGES[change])
    source = open_source(path, reader=reader)
    for begin, end in (((250, 100), (300, 300)), ((256, 128), (257, 129)), ((383, 255), (523, 611))):
        with pytest.raises(SourceError, match=rf"rows {begin[0]} to {end[0] - 1}, .* tile {TILE} ") as error:
            source.read(begin, end)
        assert str(path) in str(error.value)
    good = open_source(paths[kind, compression], reader=reader)
    for begin, end in (((0, 0), (256, 611)), ((384, 0), (523, 611)), ((200, 256), (523, 611))):
        np.testing.assert_array_equal(source.read(begin, end), good.read(begin, end))


@pytest.mark.parametrize(("kind", "compression"), FILES)
def test_files_that_end_early_are_errors(kind, compression, damaged, paths):
    """What is behind the data, such as the levels and the description, is lost too: nothing is known of the slide."""
    with pytest.raises(SourceError, match=r"\.(svs|ome\.tif)"):
        open_source(damaged(kind, compression, CHANGES["cut"]))
    size = len(paths[kind, compression].read_bytes())
    for part in (0.99, 0.9, 0.2, 0.001):
        path = damaged(kind, compression, lambda data, *_, part=part: data[: int(size * part)])
        with pytest.raises(SourceError, match=path.name):
            whole(open_source(path))


@pytest.mark.parametrize("compression", ["jpeg", "deflate"])
def test_tiles_that_a_file_leaves_out_are_errors_unless_asked_for(compression, paths, tmp_path):
    path = tmp_path / "x.ome.tif"
    shutil.copy(paths["ome", compression], path)
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages[0].tags["TileByteCounts"]
        tag.overwrite([0 if number == TILE else count for number, count in enumerate(tag.value)])
    with pytest.raises(SourceError, match=rf"tile {TILE} of level 0: it is not in the file; .* missing='fill'"):
        open_source(path).read((256, 128), (300, 200))
    filled = whole(open_source(path, missing="fill"))
    expected = whole(open_source(paths["ome", compression])).copy()
    expected[:, 256:384, 128:256] = 0
    np.testing.assert_array_equal(filled, expected)


def test_tiffslide_reads_where_it_is_installed(paths):
    pytest.importorskip("tiffslide", reason="needs pip install tiffslide")
    for level in range(3):
        expected = whole(open_source(paths["aperio", "deflate"], level=level, reader="tifffile"))
        with open_source(paths["aperio", "deflate"], level=level, reader="tiffslide") as source:
            assert source.mpp == (0.5 * 4**level, 0.5 * 4**level)
            check_regions(source, expected, count=4)


def test_packages_that_are_not_installed_are_named(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "tiffslide", None)
    with pytest.raises(ModuleNotFoundError, match=r"tiffslide is not installed, .* pip install tiffslide"):
        open_source(paths["aperio", "jpeg"], reader="tiffslide")
    # Without OpenSlide, tifffile reads what it knows.
    monkeypatch.setitem(sys.modules, "openslide", None)
    assert type(open_source(paths["aperio", "jpeg"])).__name__ == "TiffLevel"
    with pytest.raises(ModuleNotFoundError, match=r'openslide is not installed, .* pip install "equiconv\[slides\]"'):
        open_source(paths["aperio", "jpeg"], reader="openslide")


def test_what_was_not_scanned_has_the_background_color(paths):
    level = OpenSlidePyramid(str(paths["aperio", "jpeg"]), "openslide").open(0)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 4), np.uint8)
    pixels[:, :10, 3], pixels[:, 10:20, 3] = 0, 255
    level._color[:] = (10, 200, 255)
    alpha = pixels[..., 3:].astype(float)
    expected = np.floor((alpha * pixels[..., :3] + (255 - alpha) * (10, 200, 255)) / 255 + 0.5)
    found = level._on_background(pixels).transpose(1, 2, 0)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[:, :10], np.broadcast_to((10, 200, 255), (30, 10, 3)))
    np.testing.assert_array_equal(found[:, 10:20], pixels[:, 10:20, :3])


def test_fingerprints_differ_between_levels_and_files(paths, tmp_path):
    path = paths["aperio", "jpeg"]
    sources = [open_source(path, level=0), open_source(path, level=1), open_source(path, reader="tifffile")]
    sources += [open_source(path, mpp=1.0), open_source(paths["aperio", "deflate"])]
    shutil.copy(path, tmp_path / path.name)
    (tmp_path / path.name).touch()
    sources.append(open_source(tmp_path / path.name))
    assert len({source.fingerprint for source in sources}) == len(sources)
    assert open_source(path).fingerprint == sources[0].fingerprint


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("options", [{"tile": (32, 48)}, {"rowsperstrip": 7}])
def test_plain_files_of_tiles_and_strips(compression, planar, options, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**16, (5, 75, 110), np.uint16)
    stored = pixels if planar == "separate" else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    tifffile.imwrite(
        tmp_path / "x.tif", stored, photometric="minisblack", planarconfig=planar, compression=compression,
        predictor=compression == "lzw", resolution=(40000, 20000), resolutionunit="CENTIMETER", **options,
    )  # fmt: skip
    source = open_source(tmp_path / "x.tif")
    assert source.mpp == (0.5, 0.25)
    check_regions(source, pixels)


def test_channels_may_be_pages(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**16, (4, 75, 110), np.uint16)
    tifffile.imwrite(tmp_path / "x.ome.tif", pixels, tile=(32, 32), metadata={"axes": "CYX"})
    check_regions(open_source(tmp_path / "x.ome.tif"), pixels)
    tifffile.imwrite(tmp_path / "y.ome.tif", pixels, tile=(32, 32), metadata={"axes": "ZYX"})
    with pytest.raises(SourceError, match=r"y\.ome\.tif: has axes ZYX .* expected a plane of channels"):
        open_source(tmp_path / "y.ome.tif")


def test_resolutions_of_prints_are_none(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((64, 64), np.uint8), resolution=(72, 72), resolutionunit="INCH")
    assert open_source(tmp_path / "x.tif").mpp is None
    with pytest.raises(ValueError, match=r"mpp is 1, but .*x\.tif does not say its resolution"):
        open_source(tmp_path / "x.tif", mpp=1)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"kind": "czi"}, ValueError, "kind is 'czi'"),
        ({"compression": "zip"}, ValueError, "compression is 'zip'"),
        ({"tile": 100}, ValueError, "tile is 100, expected a multiple of 16"),
        ({"levels": 0}, ValueError, "levels is 0"),
        ({"quality": 101}, ValueError, "quality is 101"),
        (
            {"source": open_source(np.zeros((9, 9)))},
            ValueError,
            "source has 1 channels of float64, expected 3 of uint8",
        ),
    ],
)
def test_files_that_cannot_be_written(options, error, text, tmp_path):
    with pytest.raises(error, match=text):
        write_tiff(**{"source": SLIDE, "path": tmp_path / "x.svs", **options})
    assert not (tmp_path / "x.svs").exists()
