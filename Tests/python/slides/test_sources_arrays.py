# SPDX-License-Identifier: Apache-2.0
"""Arrays as sources: regions are those of the array, whatever holds it; axes are told or asked for; copies reopen."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from equiconv.slides import ArraySource, Source, SourceError, open_source
from slide_files import INSTALL, check_regions, whole

PLANES = np.random.default_rng(0).integers(0, 256, (3, 37, 53), np.uint8)


def memmap_of(path, array):
    mapped = np.memmap(path, array.dtype, "w+", 128, array.shape)
    mapped[...] = array
    mapped.flush()
    return mapped


def hdf5_of(path, array):
    h5py = pytest.importorskip("h5py", reason=INSTALL)
    with h5py.File(path, "w") as file:
        file.create_dataset("group/image", data=array, chunks=True)
    return h5py.File(path, "r")["group/image"]


def zarr_of(path, array):
    zarr = pytest.importorskip("zarr", reason=INSTALL)
    zarr.save_array(str(path), array)
    return zarr.open_array(str(path), mode="r")


def dask_of(_, array):
    return pytest.importorskip("dask.array", reason="needs Dask").from_array(array, chunks=16)


HOLDERS = {
    "numpy": lambda _, array: array,
    "memmap": memmap_of,
    "hdf5": hdf5_of,
    "zarr": zarr_of,
    "dask": dask_of,
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("layout", ["CYX", "YXC"])
def test_regions_are_those_of_the_array(holder, layout, tmp_path):
    array = np.ascontiguousarray(PLANES.transpose(["CYX".index(letter) for letter in layout]))
    source = open_source(HOLDERS[holder](tmp_path / "x", array))
    assert isinstance(source, Source)
    assert (source.extents, source.channels, source.dtype, source.mpp) == ((37, 53), 3, np.uint8, None)
    check_regions(source, PLANES)
    copy = pickle.loads(pickle.dumps(source))
    check_regions(copy, PLANES)
    assert copy.fingerprint == source.fingerprint


@pytest.mark.parametrize("name", ["x.npy", "x.h5::group/image", "x.zarr", "x.png"])
def test_files_of_arrays_are_read_by_their_names(name, tmp_path):
    array = np.ascontiguousarray(PLANES.transpose(1, 2, 0))
    path = str(tmp_path / name.partition("::")[0])
    if name == "x.npy":
        np.save(path, array)
    elif name == "x.png":
        pytest.importorskip("PIL.Image", reason=INSTALL).fromarray(array).save(path)
    else:
        HOLDERS["zarr" if name == "x.zarr" else "hdf5"](path, array)
    source = open_source(f"{tmp_path}/{name}")
    check_regions(source, PLANES)
    copy = pickle.loads(pickle.dumps(source))
    check_regions(copy, PLANES)
    assert copy.fingerprint == source.fingerprint
    source.close()


def test_mapped_arrays_travel_as_their_file(tmp_path):
    big = memmap_of(tmp_path / "x", np.zeros((1000, 1000), np.float32))
    assert len(pickle.dumps(open_source(big))) < 2000
    # A part of a mapped array has the name and offset of the whole, so it travels as its numbers.
    part = open_source(np.asarray(PLANES))
    mapped = open_source(memmap_of(tmp_path / "y", PLANES)[:, 3:20, 5:])
    assert (whole(pickle.loads(pickle.dumps(mapped))) == whole(part)[:, 3:20, 5:]).all()


@pytest.mark.parametrize(
    ("shape", "axes", "planes"),
    [
        ((7, 9), None, (1, 7, 9)),
        ((7, 9), "XY", (1, 9, 7)),
        ((3, 7, 9), None, (3, 7, 9)),
        ((7, 9, 4), None, (4, 7, 9)),
        ((7, 9, 5), "HWC", (5, 7, 9)),
        ((3, 9, 3), "cyx", (3, 9, 3)),
        ((1, 5, 1, 7, 9), "TCZYX", (5, 7, 9)),
    ],
)
def test_axes_are_told_by_the_shape_or_given(shape, axes, planes):
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    source = open_source(array, axes=axes)
    assert (source.channels, *source.extents) == planes
    letters = {"XY": "YX", "HWC": "YXC"}.get(axes, axes) if axes else None
    if axes == "XY":
        expected = array.T[None]
    elif letters == "YXC" or (axes is None and shape[-1] == 4):
        expected = array.transpose(2, 0, 1)
    else:
        expected = array.reshape(planes)
    check_regions(source, expected)


@pytest.mark.parametrize(
    ("source", "axes", "error", "text"),
    [
        (np.zeros((3, 9, 3)), None, ValueError, r"shape \(3, 9, 3\), which does not tell its axes: pass axes"),
        (np.zeros((8, 9, 7)), None, ValueError, "pass axes"),
        (np.zeros((2, 3, 9, 9)), None, ValueError, "pass axes"),
        (np.zeros((2, 3, 9, 9)), "TCYX", ValueError, "2 entries along T, expected 1"),
        (np.zeros((9, 9)), "YXC", ValueError, "axes is 'YXC', expected one letter for each axis"),
        (np.zeros((9, 9)), "CX", ValueError, "with Y and X"),
        (np.zeros((9, 9)), 7, TypeError, "axes is 7"),
        (np.zeros((0, 9)), None, ValueError, r"extents \(0, 9\)"),
        (np.zeros((9, 9), complex), None, TypeError, "dtype complex128"),
        (np.zeros((9, 9), "U3"), None, TypeError, "expected integers, floats or bools"),
        (np.ma.zeros((9, 9)), None, TypeError, "mask would be lost"),
        ([[1, 2], [3, 4]], None, TypeError, "expected an array or a path"),
        (None, None, TypeError, "source is None"),
    ],
)
def test_arrays_that_are_no_images(source, axes, error, text):
    with pytest.raises(error, match=text):
        open_source(source, axes=axes)


@pytest.mark.parametrize(
    ("begin", "end", "error"),
    [
        ((0, 0), (0, 5), ValueError),
        ((5, 5), (4, 9), ValueError),
        ((-1, 0), (4, 9), ValueError),
        ((0, 0), (38, 9), ValueError),
        ((0, 0), (2**70, 9), ValueError),
        ((0,), (4, 9), TypeError),
        ((0, 0.5), (4, 9), TypeError),
        (None, (4, 9), TypeError),
    ],
)
def test_regions_have_pixels_of_the_image(begin, end, error):
    with pytest.raises(error, match=r"begin|end"):
        open_source(PLANES).read(begin, end)


def test_other_byte_orders_are_read_in_this_machines():
    source = open_source(np.arange(12, dtype=">u2").reshape(3, 4))
    assert source.dtype.isnative
    assert whole(source)[0, 2, 3] == 11


def test_fingerprints_follow_numbers_and_files(tmp_path):
    other = PLANES.copy()
    other[1, 2, 3] += 1
    assert open_source(PLANES).fingerprint == open_source(PLANES.copy()).fingerprint
    assert open_source(PLANES).fingerprint != open_source(other).fingerprint
    np.save(tmp_path / "x.npy", PLANES)
    first = open_source(tmp_path / "x.npy").fingerprint
    assert open_source(tmp_path / "x.npy").fingerprint == first
    np.save(tmp_path / "x.npy", other)
    assert open_source(tmp_path / "x.npy").fingerprint != first


def test_threads_read_at_once(tmp_path):
    hdf5 = open_source(hdf5_of(tmp_path / "x", PLANES))
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda row: hdf5.read((row % 37, 0), (row % 37 + 1, 53)), range(200)))
    for number, row in enumerate(rows):
        assert (row[:, 0] == PLANES[:, number % 37]).all()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("x.npy", b"\x93NUMPY\x01\x00\x99", "cannot be opened as a .npy file"),
        ("x.npy", b"no array", "cannot be opened as a .npy file"),
        ("x.h5", b"no file", "dataset  cannot be opened"),
        ("x.png", b"\x89PNG\r\n\x1a\n\0\0", "cannot be read as an image"),
        ("x.tif", b"II*\0\x08\0\0\0", "TIFF"),
        ("x.svs", b"nothing", "TIFF"),
    ],
)
def test_files_that_are_none_are_named(name, content, text, tmp_path):
    pytest.importorskip("tifffile", reason=INSTALL)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=text) as error:
        open_source(path)
    assert str(path) in str(error.value)


def test_truncated_arrays_are_named(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, PLANES)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(SourceError, match=r"x\.npy"):
        open_source(path)


def test_missing_files_and_wrong_arguments(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        open_source("/nowhere/x.svs")
    with pytest.raises(ValueError, match="expected at most one of them"):
        open_source(PLANES, mpp=1, level=0)
    with pytest.raises(ValueError, match="numpy array does not say its resolution"):
        open_source(PLANES, mpp=1)
    with pytest.raises(ValueError, match="level is 1, expected at most 0"):
        open_source(PLANES, level=1)
    with pytest.raises(ValueError, match="reader is 'npy', but source is no path"):
        open_source(PLANES, reader="npy")
    with pytest.raises(ValueError, match="missing is 'zero'"):
        open_source(PLANES, missing="zero")
    with pytest.raises(ValueError, match=r"mpp is -1, expected micrometers per pixel, above 0"):
        open_source(PLANES, mpp=-1)
    np.save(tmp_path / "x.npy", PLANES)
    with pytest.raises(ValueError, match="only HDF5 files have datasets"):
        open_source(f"{tmp_path}/x.npy::y", reader="npy")


def test_arrays_can_be_given_a_resolution():
    source = ArraySource(PLANES, mpp=(0.5, 0.25))
    assert source.mpp == (0.5, 0.25)
    assert open_source(source, mpp=(1.0, 0.5)).extents == (18, 26)
