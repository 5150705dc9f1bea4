# SPDX-License-Identifier: Apache-2.0
"""Detections are what their definition says, for every division of the map into blocks."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy", reason='detections are not tested: pip install "equiconv[slides]"')

from equiconv.slides._detect import suppression
from equiconv.slides._detect.detections import detections
from equiconv.slides._detect.points import Detections

BLOCKS = [1, 2, (1, 7), (5, 3), 8, (100, 4), 1000]


def by_definition(scores, threshold, distance):
    """Places and scores: all local maxima in their order, each against all that were kept."""
    rows, columns = scores.shape

    def rank(place):
        return (-scores[place], *place)

    peaks = []
    for row, column in np.argwhere(scores >= threshold).tolist():
        around = [
            (y, x)
            for y in range(max(0, row - 1), min(rows, row + 2))
            for x in range(max(0, column - 1), min(columns, column + 2))
            if (y, x) != (row, column) and not np.isnan(scores[y, x])
        ]
        if all(rank((row, column)) < rank(place) for place in around):
            peaks.append((row, column))
    kept = []
    for row, column in sorted(peaks, key=rank):
        if all((row - y) ** 2 + (column - x) ** 2 >= distance**2 for y, x in kept):
            kept.append((row, column))
    return kept, [scores[place] for place in kept]


def draw(seed, shape=(23, 31), levels=6):
    """A map of few different scores, so with plateaus and ties; a tenth of it is missing."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, shape) / levels
    scores[rng.random(shape) < 0.1] = np.nan
    return scores.astype(np.float32)


def assert_same(one: Detections, other: Detections):
    for name in ("positions", "scores", "classes"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert (one.names, one.mpp) == (other.names, other.mpp)


@pytest.mark.parametrize("distance", [0, 1, 1.5, 2, 3, 5, 40])
@pytest.mark.parametrize("levels", [2, 6, 10**6])
def test_detections_are_those_of_the_definition(levels, distance):
    scores = draw(levels, levels=levels)
    places, values = by_definition(scores, 0.5, distance)
    found = detections(scores, 0.5, distance)
    assert found.positions.tolist() == [[row + 0.5, column + 0.5] for row, column in places]
    assert found.scores.tolist() == values
    assert len(places) > 0


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("shape", [(23, 31), (1, 40), (40, 1), (1, 1), (2, 2)])
def test_blocks_of_any_size_give_the_detections_of_the_whole(shape, block):
    scores = np.stack([draw(seed, shape) for seed in range(3)])
    for per_class in (True, False):
        whole = detections(scores, 0.2, 2.5, per_class=per_class)
        assert_same(detections(scores, 0.2, 2.5, per_class=per_class, block=block), whole)


def test_points_are_suppressed_in_groups_of_any_size(monkeypatch):
    scores = draw(4, (40, 40), 10**6)
    whole = detections(scores, 0.3, 4)
    monkeypatch.setattr(suppression, "_GROUP", 7)
    assert_same(detections(scores, 0.3, 4), whole)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_detections_of_a_turned_map_are_the_turned_detections(turns):
    scores = np.random.default_rng(5).permutation(24 * 24).reshape(24, 24) / 576  # without ties
    found = detections(scores, 0.4, 3)
    turned = detections(np.ascontiguousarray(np.rot90(scores, turns)), 0.4, 3)
    positions = found.positions
    for _ in range(turns):
        positions = np.stack([24 - positions[:, 1], positions[:, 0]], 1)
    assert np.array_equal(turned.positions, positions)
    assert np.array_equal(turned.scores, found.scores)


def test_what_is_left_out_is_close_to_something_better_that_is_kept():
    scores = draw(3, (60, 60), 10**6)
    every, found = detections(scores, 0.5, 0), detections(scores, 0.5, 4)
    distances = np.hypot(*(every.positions[:, None] - found.positions[None]).transpose(2, 0, 1))
    close = (distances < 4) & (found.scores >= every.scores[:, None])
    assert close.any(1).all()
    among = np.hypot(*(found.positions[:, None] - found.positions[None]).transpose(2, 0, 1))
    assert among[~np.eye(len(found), dtype=bool)].min() >= 4


def test_a_plateau_is_one_detection_and_a_threshold_is_reached_by_equal_scores():
    scores = np.zeros((9, 9), np.float32)
    scores[2:6, 3:7] = 0.7
    assert len(detections(scores, float(np.float32(0.7)), 0)) == 1
    # 0.7 as float32 is less than 0.7.
    assert len(detections(scores, 0.7, 0)) == 0
    assert detections(scores, 0.5, 0).positions.tolist() == [[2.5, 3.5]]
    assert detections(np.full((4, 4), 5, np.uint8), 5, 0).positions.tolist() == [[0.5, 0.5]]


def test_classes_are_found_one_by_one_or_with_one_class_for_each_place():
    scores = np.stack([draw(seed, levels=10**6) for seed in (1, 2, 3)])
    found = detections(scores, [0.5, 0.6, 0.7], 3, channels=[2, 0, 1], names=["c", "a", "b"])
    for index, (channel, threshold, name) in enumerate([(2, 0.5, "c"), (0, 0.6, "a"), (1, 0.7, "b")]):
        alone = detections(scores[channel], threshold, 3)
        assert np.array_equal(found.of_class(name).positions, alone.positions)
        assert set(found.of_class(name).classes.tolist()) == {index}
    assert (np.diff(found.scores) <= 0).all()
    together = detections(scores, 0.5, 3, per_class=False)
    among = np.hypot(*(together.positions[:, None] - together.positions[None]).transpose(2, 0, 1))
    assert among[~np.eye(len(together), dtype=bool)].min() >= 3
    assert together.names == ("class 0", "class 1", "class 2")


def test_positions_are_middles_of_places_in_pixels_of_the_image():
    scores = np.zeros((10, 10))
    scores[1, 2], scores[1, 5], scores[8, 8] = 0.9, 0.8, 0.7
    found = detections(scores, 0.5, 0, spacing=(4, 8), origin=(10, -2))
    assert found.positions.tolist() == [[16, 18], [16, 42], [44, 66]]
    # 24 pixels of 0.25 micrometers are 6 micrometers, and closer than 6 is suppressed.
    for distance, count in ((6, 3), (6.01, 2)):
        assert len(detections(scores, 0.5, distance, spacing=8, mpp=0.25)) == count
        assert len(detections(scores, 0.5, distance * 4, spacing=8)) == count
    assert len(detections(scores, 0.5, 6.01, spacing=8, mpp=(0.25, 1))) == 3
    assert detections(scores, 0.5, 1, mpp=0.25).mpp == (0.25, 0.25)


class Counted:
    """An array in chunks that counts how often each of its numbers is read."""

    def __init__(self, array, chunks):
        self.array, self.chunks = array, chunks
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.reads = np.zeros(array.shape, int)

    def __getitem__(self, where):
        self.reads[where] += 1
        return self.array[where]


@pytest.mark.parametrize("chunks", [(1, 300, 200), (2, 300, 200), (2, 700, 600)])
def test_every_number_is_read_once(chunks):
    scores = np.random.default_rng(0).random((2, 1100, 900), np.float32)
    counted = Counted(scores, chunks)
    assert_same(detections(counted, 0.99, 6), detections(scores, 0.99, 6))
    assert counted.reads.min() == counted.reads.max() == 1


def test_memory_does_not_grow_with_the_map(tmp_path):
    scores = np.lib.format.open_memmap(tmp_path / "scores.npy", "w+", np.float32, (4096, 3000))
    scores[::50, ::50] = 1
    scores.flush()
    tracemalloc.start()
    found = detections(np.load(tmp_path / "scores.npy", mmap_mode="r"), 0.5, 10, block=256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 82 * 60
    # Six blocks and four rows of float64, and a kilobyte for each local maximum: half a percent of the map's own share.
    assert peak < 8 * (6 * 258**2 + 4 * 3000) + 1024 * len(found)


def test_stored_arrays_give_the_same_detections(tmp_path):
    h5py = pytest.importorskip("h5py", reason="datasets of HDF5 are not tested: pip install h5py")
    zarr = pytest.importorskip("zarr", reason='Zarr arrays are not tested: pip install "equiconv[slides]"')
    scores = np.stack([draw(seed, (90, 70), 10**6) for seed in range(2)])
    whole = detections(scores, 0.5, 3)
    stored = zarr.create_array(tmp_path / "a.zarr", shape=scores.shape, chunks=(2, 16, 16), dtype="float32")
    stored[:] = scores
    assert_same(detections(stored, 0.5, 3), whole)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("scores", data=scores, chunks=(1, 32, 16))
        assert_same(detections(file["scores"], 0.5, 3), whole)


def test_a_group_says_where_its_places_are(tmp_path):
    zarr = pytest.importorskip("zarr", reason='Zarr arrays are not tested: pip install "equiconv[slides]"')
    scores = np.stack([draw(seed, (40, 50), 10**6) for seed in range(2)])
    about = {"classes": ["background", "nucleus"], "spacing": [4, 4], "origin": [-2.0, 6.0], "mpp": [0.25, 0.25]}
    group = zarr.open_group(tmp_path / "p.zarr", mode="w")
    group.create_array("0", data=scores, chunks=(2, 16, 16))
    group.attrs.update({"ome": {"version": "0.5", "multiscales": [{"datasets": [{"path": "0"}]}]}, "equiconv": about})
    expected = detections(scores[1], 0.5, 3, mpp=0.25, spacing=4, origin=(-2, 6), names=["nucleus"])
    for source in (tmp_path / "p.zarr", str(tmp_path / "p.zarr"), zarr.open_group(tmp_path / "p.zarr")):
        assert_same(detections(source, 0.5, 3, channels=[1]), expected)
    assert detections(tmp_path / "p.zarr", 0.5, 3, mpp=1).mpp == (1, 1)
    del group.attrs["ome"]
    with pytest.raises(ValueError, match=r"a Zarr group without an image of OME-NGFF 0.5"):
        detections(tmp_path / "p.zarr", 0.5, 3)
    with pytest.raises(ValueError, match=r"none.zarr', expected a Zarr group that predict wrote"):
        detections(tmp_path / "none.zarr", 0.5, 3)


MAP = np.zeros((2, 4, 5))
INF = np.array([[0, np.inf]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"scores": np.zeros(4)}, ValueError, r"scores has shape \(4,\), expected \(rows, columns\) or"),
        ({"scores": np.zeros((4, 0))}, ValueError, r"scores has shape \(4, 0\)"),
        ({"scores": np.zeros((4, 4), complex)}, TypeError, "scores has dtype complex128, expected real numbers"),
        ({"scores": INF}, ValueError, "scores has inf in rows 0 to 0"),
        ({"threshold": np.nan}, ValueError, "threshold is nan, expected a finite number"),
        ({"threshold": [0.5]}, ValueError, r"threshold is \[0.5\], expected a finite number, or one for each of 2"),
        ({"threshold": "0.5"}, TypeError, "threshold is '0.5'"),
        ({"distance": -1}, ValueError, "distance is -1.0, expected a finite number of 0 or more"),
        ({"distance": np.inf}, ValueError, "distance is inf"),
        ({"mpp": 0}, ValueError, "mpp is 0, expected a positive, finite number"),
        ({"spacing": (1, 2, 3)}, ValueError, r"spacing is \(1, 2, 3\), expected a positive, finite number, or one for"),
        ({"origin": np.nan}, ValueError, "origin is nan, expected a finite number"),
        ({"channels": [2]}, ValueError, r"channels\[0\] is 2, expected an integer from 0 to 1"),
        ({"channels": [1, 1]}, ValueError, r"channels is \[1, 1\], expected one or more indices, each once"),
        ({"names": ["a"]}, ValueError, r"names is \['a'\], expected 2, one for each class"),
        ({"names": ["a", "a"]}, ValueError, "expected one or more texts, each once"),
        ({"per_class": 1}, TypeError, "per_class is 1"),
        ({"block": 0}, ValueError, "block is 0, expected an integer from 1"),
        ({"block": (1, 2, 3)}, ValueError, r"block is \(1, 2, 3\), expected rows and columns"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        detections(**({"scores": MAP, "threshold": 0.5, "distance": 2} | arguments))


def test_a_map_without_anything_has_no_detections():
    for scores in (np.zeros((5, 5)), np.full((5, 5), np.nan), np.full((5, 5), -np.inf)):
        found = detections(scores, 0.5, 2)
        assert len(found) == 0
        assert repr(found) == "<Detections: 0 detection>"


def test_without_scipy_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.spatial", None)
    with pytest.raises(ModuleNotFoundError, match=r'detections need scipy, not installed: pip install "equiconv\[slid'):
        detections(np.ones((5, 5)), 0.5, 2)


def test_arrays_of_other_libraries_are_read_by_their_slices():
    scores = draw(1)

    class Lazy(SimpleNamespace):
        def __getitem__(self, where):
            return scores[where]

    # Chunks of several sizes, as Dask's arrays have them.
    array = Lazy(shape=scores.shape, dtype=scores.dtype, ndim=2, chunks=((10, 13), (31,)))
    assert_same(detections(array, 0.5, 2), detections(scores, 0.5, 2))
