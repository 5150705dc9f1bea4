# SPDX-License-Identifier: Apache-2.0
"""Zarr: chunks that are not in the store are errors unless asked for, and levels are those of OME-NGFF."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from equiconv.slides import SourceError, open_source
from slide_files import INSTALL, check_regions, whole

zarr = pytest.importorskip("zarr", reason=INSTALL)

PIXELS = np.random.default_rng(1).integers(1, 256, (64, 96), np.uint8)
KINDS = {
    "chunks": {"chunks": (16, 16)},
    "shards": {"chunks": (8, 8), "shards": (32, 32)},
    "version 2": {"chunks": (16, 16), "zarr_format": 2},
}


def written(path, pixels, **options):
    array = zarr.create_array(str(path), shape=pixels.shape, dtype=pixels.dtype, **options)
    array[...] = pixels
    return array


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_regions_are_those_of_the_array(kind, dtype, tmp_path):
    pixels = PIXELS > 0 if dtype is bool else PIXELS.astype(dtype)
    written(tmp_path / "x.zarr", pixels, **KINDS[kind])
    source = open_source(tmp_path / "x.zarr")
    check_regions(source, pixels[None])
    check_regions(pickle.loads(pickle.dumps(source)), pixels[None])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fill", [0, 7, float("nan")])
def test_chunks_that_are_not_stored_are_errors(kind, fill, tmp_path):
    """By default Zarr leaves out chunks of the fill value, as if their files were lost."""
    pixels = PIXELS.astype(np.float32)
    pixels[32:48, 64:80] = fill
    written(tmp_path / "x.zarr", pixels, fill_value=fill, **KINDS[kind])
    source = open_source(tmp_path / "x.zarr")
    size = KINDS[kind]["chunks"][0]
    name = rf"x\.zarr: rows 30 to 39, columns 60 to 69 .* chunk \({32 // size}, {64 // size}\)"
    with pytest.raises(SourceError, match=name):
        source.read((30, 60), (40, 70))
    np.testing.assert_array_equal(source.read((0, 0), (32, 96)), pixels[None, :32])
    np.testing.assert_array_equal(whole(open_source(tmp_path / "x.zarr", missing="fill")), pixels[None])
    with pytest.raises(SourceError, match="missing='fill'"):
        pickle.loads(pickle.dumps(source)).read((47, 79), (64, 96))


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_of_the_fill_value_that_are_stored_are_none(kind, tmp_path):
    pixels = PIXELS.copy()
    pixels[10:50, 10:90] = 0
    written(tmp_path / "x.zarr", pixels, fill_value=0, config={"write_empty_chunks": True}, **KINDS[kind])
    check_regions(open_source(tmp_path / "x.zarr"), pixels[None])


@pytest.mark.parametrize(("kind", "file"), [("chunks", "c/2/4"), ("version 2", "2.4"), ("shards", "c/1/2")])
@pytest.mark.parametrize("damage", ["lost", "cut", "noise"])
def test_lost_and_damaged_files_of_chunks_are_errors(kind, file, damage, tmp_path):
    written(tmp_path / "x.zarr", PIXELS, **KINDS[kind])
    path = tmp_path / "x.zarr" / file
    data = path.read_bytes()
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 3] if damage == "cut" else np.random.default_rng(0).bytes(len(data)))
    source = open_source(tmp_path / "x.zarr")
    with pytest.raises(SourceError, match=r"x\.zarr: rows 32 to 63, columns 64 to 95"):
        source.read((32, 64), (64, 96))
    np.testing.assert_array_equal(source.read((0, 0), (16, 64)), PIXELS[None, :16, :64])


def test_dimension_names_tell_the_axes(tmp_path):
    pixels = PIXELS.reshape(64, 16, 6)
    written(tmp_path / "x.zarr", pixels, chunks=(16, 16, 6), dimension_names=["y", "x", "c"])
    check_regions(open_source(tmp_path / "x.zarr"), pixels.transpose(2, 0, 1))
    array = written(tmp_path / "y.zarr", pixels, chunks=(16, 16, 6))
    with pytest.raises(ValueError, match="pass axes"):
        open_source(array)
    check_regions(open_source(array, axes="YXC"), pixels.transpose(2, 0, 1))


def ome(path, version="0.5", unit="micrometer", scale=0.25):
    """A multiscale image of two levels, as OME-NGFF describes it."""
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if version == "0.5" else 2)
    planes = PIXELS.reshape(1, 3, 1, 32, 64)
    for level, pixels in enumerate((planes, planes[..., ::2, ::2])):
        array = group.create_array(str(level), shape=pixels.shape, dtype=pixels.dtype, chunks=(1, 3, 1, 16, 16))
        array[...] = pixels
    space = {"type": "space", **({"unit": unit} if unit else {})}
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    image = {
        "axes": [*axes, *({"name": name, **space} for name in "zyx")],
        "datasets": [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 1, 1, scale * 2**level, scale * 2**level]}
                ],
            }
            for level in range(2)
        ],
    }
    group.attrs.update(
        {"ome": {"version": "0.5", "multiscales": [image]}} if version == "0.5" else {"multiscales": [image]}
    )
    return planes[0, :, 0]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(
    ("unit", "scale", "mpp"), [("micrometer", 0.25, 0.25), ("nanometer", 250, 0.25), (None, 0.25, None)]
)
def test_multiscale_images_have_levels_and_resolution(version, unit, scale, mpp, tmp_path):
    planes = ome(tmp_path / "x.zarr", version, unit, scale)
    for level in range(2):
        source = open_source(tmp_path / "x.zarr", level=level)
        assert source.mpp == (None if mpp is None else (mpp * 2**level,) * 2)
        assert source.spacing == (2.0**level,) * 2
        check_regions(source, planes[:, :: 2**level, :: 2**level])
        check_regions(pickle.loads(pickle.dumps(source)), planes[:, :: 2**level, :: 2**level])
    if mpp is None:
        with pytest.raises(ValueError, match=r"x\.zarr does not say its resolution"):
            open_source(tmp_path / "x.zarr", mpp=1)
    else:
        assert open_source(tmp_path / "x.zarr", mpp=0.5).fingerprint == source.fingerprint
        assert open_source(tmp_path / "x.zarr", mpp=1).extents == (8, 16)


def test_groups_that_are_no_images_are_named(tmp_path):
    written(tmp_path / "x.zarr/inside", PIXELS)
    zarr.open_group(str(tmp_path / "x.zarr"))
    with pytest.raises(SourceError, match=r"x\.zarr: .* it holds inside"):
        open_source(tmp_path / "x.zarr")
    ome(tmp_path / "y.zarr")
    metadata = json.loads((tmp_path / "y.zarr/zarr.json").read_text())
    del metadata["attributes"]["ome"]["multiscales"][0]["datasets"]
    (tmp_path / "y.zarr/zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(SourceError, match=r"y\.zarr: .*OME-NGFF"):
        open_source(tmp_path / "y.zarr")
    (tmp_path / "z.zarr").mkdir()
    with pytest.raises(SourceError, match=r"z\.zarr"):
        open_source(tmp_path / "z.zarr")


def test_fingerprints_follow_rewritten_metadata(tmp_path):
    written(tmp_path / "x.zarr", PIXELS, chunks=(16, 16))
    first = open_source(tmp_path / "x.zarr").fingerprint
    assert open_source(tmp_path / "x.zarr").fingerprint == first
    written(tmp_path / "x.zarr", PIXELS, chunks=(16, 16), overwrite=True)
    assert open_source(tmp_path / "x.zarr").fingerprint != first
