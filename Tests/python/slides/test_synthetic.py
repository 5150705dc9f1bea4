# SPDX-License-Identifier: Apache-2.0
"""Synthetic slides: pixels depend on place and seed alone, nuclei are where they are said to be, size costs nothing."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from equiconv.slides import Source, SyntheticSlide, open_source
from slide_files import check_regions, whole

SLIDE = SyntheticSlide((620, 540), 3, 0.5)
FROZEN_PIXELS, FROZEN_COUNT = [234, 230, 231, 192, 185, 184, 217, 211, 211], 84


def test_regions_are_those_of_the_whole():
    assert isinstance(SLIDE, Source)
    check_regions(SLIDE, whole(SLIDE))
    for level in range(3):
        check_regions(SLIDE.at(level), whole(SLIDE.at(level)), count=5)


def test_bands_that_bound_the_memory_change_no_bit(monkeypatch):
    expected = whole(SLIDE)
    monkeypatch.setattr("equiconv.slides.synthetic._BAND", 3000)
    np.testing.assert_array_equal(whole(SLIDE), expected)


def test_other_processes_draw_the_same_slide():
    program = (
        "import hashlib, pickle, sys; s = pickle.loads(sys.stdin.buffer.read());"
        "print(hashlib.sha256(s.read((100, 50), (300, 400)).tobytes()).hexdigest(), s.fingerprint)"
    )
    found = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(SLIDE.at(0)), capture_output=True)
    digest = hashlib.sha256(SLIDE.read((100, 50), (300, 400)).tobytes()).hexdigest()
    assert found.stdout.decode().strip() == f"{digest} {SLIDE.fingerprint}", found.stderr.decode()


def test_the_drawing_is_frozen():
    """Files, seeds and truths in reports refer to it."""
    slide = SyntheticSlide((512, 512), 0)
    assert slide.read((100, 200), (101, 203)).ravel().tolist() == FROZEN_PIXELS
    assert len(slide.nuclei()) == FROZEN_COUNT


def test_seeds_and_sizes_are_other_slides():
    others = [
        SyntheticSlide((620, 540), 4, 0.5),
        SyntheticSlide((620, 540), 3, 0.25),
        SyntheticSlide((620, 900), 3, 0.5),
    ]
    for other in others:
        assert other.fingerprint != SLIDE.fingerprint
        assert (other.read((0, 0), (540, 540)) != SLIDE.read((0, 0), (540, 540))).mean() > 0.2


def test_nuclei_of_parts_are_those_of_the_whole():
    found = SLIDE.nuclei()
    assert len(found) > 40
    parts = [
        SLIDE.nuclei((row, column), (row + 155, column + 108))
        for row in range(0, 620, 155)
        for column in range(0, 540, 108)
    ]
    together = np.concatenate(parts)
    assert sorted(map(tuple, together)) == sorted(map(tuple, found))
    for part, (row, column) in zip(
        parts, ((r, c) for r in range(0, 620, 155) for c in range(0, 540, 108)), strict=True
    ):
        assert ((part >= (row, column)) & (part < (row + 155, column + 108))).all()


def test_nuclei_are_purple_where_they_are_said_to_be_and_nowhere_else():
    """At the centers all pixels are dark, and all dark pixels are within the largest radius of a center."""
    red = whole(SLIDE)[0].astype(int)
    centers = SLIDE.nuclei()
    rows, columns = np.floor(centers).astype(int).T
    assert (red[rows, columns] < 135).all()
    dark = np.argwhere(red < 135) + 0.5
    ndimage = pytest.importorskip("scipy.spatial", reason='needs pip install "equiconv[slides]"')
    # Nuclei with a center beyond the edge do not exist: each is within its square of 16 micrometers.
    distance, _ = ndimage.cKDTree(centers).query(dark)
    inside = (dark < np.array(SLIDE.extents) - 32).all(1)
    assert distance[inside].max() <= 4.4 / 0.5 + 1


def test_nuclei_lie_apart():
    spatial = pytest.importorskip("scipy.spatial", reason='needs pip install "equiconv[slides]"')
    nearest = spatial.cKDTree(SLIDE.nuclei()).query(SLIDE.nuclei(), 2)[0][:, 1]
    assert nearest.min() >= 2 * 4.4 / 0.5


def test_levels_show_the_same_slide():
    large = SyntheticSlide((2048, 2048), 1, 0.5)
    means = open_source(large, level=0).read((0, 0), (2048, 2048)).reshape(3, 512, 4, 512, 4).mean((2, 4))
    coarse = open_source(large, level=1)
    assert (coarse.extents, coarse.mpp, coarse.spacing) == ((512, 512), (2.0, 2.0), (4.0, 4.0))
    # A point of each square, with a grain of up to 4, against its mean.
    assert np.abs(whole(coarse) - means).mean() < 5
    assert open_source(large, mpp=2.0).fingerprint == coarse.fingerprint
    copy = pickle.loads(pickle.dumps(coarse))
    np.testing.assert_array_equal(whole(copy), whole(coarse))


def test_a_slide_of_any_size_takes_the_memory_of_what_is_read():
    tracemalloc.start()
    slide = SyntheticSlide((100_000, 100_000), 2, 0.25)
    pixels = slide.read((54_321, 98_765), (54_321 + 256, 98_765 + 256))
    nuclei = slide.nuclei((54_321, 98_765), (54_321 + 256, 98_765 + 256))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pixels.shape == (3, 256, 256)
    assert nuclei.shape[1] == 2
    assert peak < 40e6


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (((0, 5),), ValueError, "extents"),
        (((5, 5, 5),), ValueError, "extents"),
        (((5, 5), -1), ValueError, "seed is -1"),
        (((5, 5), 0.5), TypeError, "seed is 0.5"),
        (((5, 5), 0, 0), ValueError, "mpp is 0"),
        (((5, 5), 0, None), TypeError, "mpp is None"),
        (((5, 5), 0, float("nan")), ValueError, "mpp is nan"),
    ],
)
def test_slides_that_are_none(arguments, error, text):
    with pytest.raises(error, match=text):
        SyntheticSlide(*arguments)


def test_the_smallest_slide_has_a_pixel():
    assert whole(SyntheticSlide((1, 1))).shape == (3, 1, 1)
