# SPDX-License-Identifier: Apache-2.0
"""Masks: tissue is found where it is, and a block is let in exactly if a pixel of the mask meets it."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from equiconv.slides import SyntheticSlide, TileMask, open_source, tissue_mask, write_tiff
from equiconv.slides._mask import otsu
from slide_files import INSTALL

pytest.importorskip("scipy.ndimage", reason=INSTALL)


def meets(mask, extents, begin, end):
    """The definition, pixel by pixel, in fractions."""
    height, width = mask.shape
    for row, column in np.argwhere(mask):
        top, bottom = Fraction(int(row) * extents[0], height), Fraction((int(row) + 1) * extents[0], height)
        left, right = Fraction(int(column) * extents[1], width), Fraction((int(column) + 1) * extents[1], width)
        if top < end[0] and bottom > begin[0] and left < end[1] and right > begin[1]:
            return True
    return False


@pytest.mark.parametrize("shape", [(1, 1), (7, 11), (40, 30), (64, 95)])
@pytest.mark.parametrize("extents", [(40, 30), (41, 29), (5, 300)])
def test_blocks_are_let_in_exactly_if_a_pixel_meets_them(shape, extents):
    rng = np.random.default_rng(0)
    mask = rng.random(shape) < 0.05
    mask[-1, -1] = shape == (1, 1)
    tiles = pickle.loads(pickle.dumps(TileMask(mask, extents)))
    both = set()
    for _ in range(60):
        begin = tuple(int(rng.integers(size)) for size in extents)
        end = tuple(int(rng.integers(b + 1, min(size, b + 12) + 1)) for b, size in zip(begin, extents, strict=True))
        assert tiles.touches(begin, end) == meets(mask, extents, begin, end)
        both.add(tiles.touches(begin, end))
        assert tiles.within(begin, end).any() <= tiles.touches(begin, end)
    assert both == ({True} if shape == (1, 1) else {True, False})
    assert tiles.touches((0, 0), extents) == mask.any()


def test_places_have_the_pixel_at_their_middle():
    mask = np.random.default_rng(0).random((8, 6)) < 0.5
    np.testing.assert_array_equal(TileMask(mask, (8, 6)).within((0, 0), (8, 6)), mask)
    np.testing.assert_array_equal(
        TileMask(mask, (32, 24)).within((4, 8), (32, 24)), mask.repeat(4, 0).repeat(4, 1)[4:, 8:]
    )
    np.testing.assert_array_equal(TileMask(mask.repeat(3, 0).repeat(3, 1), (8, 6)).within((0, 0), (8, 6)), mask)


@pytest.mark.parametrize(
    ("mask", "extents", "error", "text"),
    [
        (np.zeros(5), (5, 5), ValueError, r"mask has shape \(5,\)"),
        (np.zeros((0, 5)), (5, 5), ValueError, "mask has shape"),
        (np.zeros((5, 5), "U1"), (5, 5), ValueError, "of numbers"),
        (np.zeros((5, 5)), (5, 0), ValueError, "extents"),
        (np.zeros((5, 5)), (5, 5, 5), ValueError, "extents"),
    ],
)
def test_masks_that_are_none(mask, extents, error, text):
    with pytest.raises(error, match=text):
        TileMask(mask, extents)


def test_blocks_are_within_the_extents():
    with pytest.raises(ValueError, match="expected a region with pixels"):
        TileMask(np.ones((2, 2)), (5, 5)).touches((0, 0), (6, 5))


def test_otsu_has_the_largest_variance_between_classes():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.2, 0.05, 3000), rng.normal(0.6, 0.1, 1000)]).clip(0, 1)

    def variance(edge):
        # Of the middles of the intervals, as the histogram has them.
        middles = (np.floor(np.minimum(values * 256, 255)) + 0.5) / 256
        low, high = middles[values < edge], middles[values >= edge]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2 if len(low) and len(high) else -1

    edges = np.arange(1, 256) / 256
    assert otsu(values) == edges[np.argmax([variance(edge) for edge in edges])]
    assert otsu(np.array([0.1] * 5 + [0.9] * 5)) == pytest.approx(0.5, abs=0.01)


def drawn(extents=(900, 700)):
    """A white slide with a pink disc that has a hole, and with small specks in and beside it."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: extents[0], : extents[1]]
    distance = np.hypot(y - 450, x - 350)
    tissue = (distance < 250) & (distance > 60)
    image = np.where(tissue[None], np.array([220, 150, 190])[:, None, None], 240) + rng.integers(-6, 7, (3, *extents))
    image[:, 20:24, 20:24] = image[:, 450:452, 500:502] = np.array([220, 150, 190])[:, None, None]
    image[:, 448:452, 200:204] = 240
    return np.clip(image, 0, 255).astype(np.uint8), tissue


@pytest.mark.parametrize("longest", [1024, 450, 200])
def test_tissue_is_where_it_was_drawn_without_specks_and_small_holes(longest):
    image, tissue = drawn()
    mask = tissue_mask(image, longest=longest)
    step = -(-900 // longest)
    assert mask.shape == (900 // step, 700 // step)
    middle = tissue[step // 2 :: step, step // 2 :: step][: mask.shape[0], : mask.shape[1]]
    assert (mask != middle).mean() < 0.02
    assert not mask[: 60 // step, : 60 // step].any()
    assert mask[448 // step : 452 // step, 200 // step : 204 // step].all()
    assert not mask[450 // step, 350 // step]


def test_a_slide_without_tissue_has_none():
    noise = np.random.default_rng(0).integers(236, 246, (3, 300, 400)).astype(np.uint8)
    assert not tissue_mask(noise).any()
    assert not tissue_mask(np.zeros((3, 30, 40), np.uint8)).any()


def test_gray_images_are_split_by_darkness():
    image, tissue = drawn()
    gray = np.where(tissue, 60, 220).astype(np.uint8)
    assert (tissue_mask(gray) != tissue).mean() < 0.01
    with pytest.raises(ValueError, match="source has 2 channels, expected 1, 3 or 4"):
        tissue_mask(image[:2], axes="CYX")


def test_levels_of_files_and_of_sources_give_nearly_the_same_mask(tmp_path):
    slide = SyntheticSlide((2048, 1536), 6, 1.0)
    pytest.importorskip("tifffile", reason=INSTALL)
    write_tiff(slide, tmp_path / "x.ome.tif", "ome", compression="deflate")
    masks = [
        tissue_mask(source, longest=256) for source in (tmp_path / "x.ome.tif", slide, open_source(slide, level=0))
    ]
    assert masks[0].shape == (256, 192)
    for mask in masks:
        assert 0.2 < mask.mean() < 0.8
        assert (mask != masks[0]).mean() < 0.05


def test_all_nuclei_of_a_synthetic_slide_are_in_its_mask():
    slide = SyntheticSlide((2048, 2048), 6, 0.5)
    mask = TileMask(tissue_mask(slide), slide.extents)
    rows, columns = np.floor(slide.nuclei()).astype(int).T
    inside = mask.within((0, 0), slide.extents)[rows, columns]
    assert inside.mean() > 0.99
