# SPDX-License-Identifier: Apache-2.0
"""Files of slides for tests, and regions of them."""

from __future__ import annotations

import numpy as np

INSTALL = 'needs pip install "equiconv[slides]"'


def whole(source):
    """All pixels of a source."""
    return source.read((0, 0), source.extents)


def regions(extents, count=12, seed=5):
    """Regions of an image: single pixels at its corners, and random ones."""
    height, width = extents
    yield (0, 0), (1, 1)
    yield (height - 1, width - 1), (height, width)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        (top, bottom), (left, right) = (np.sort(rng.choice(size + 1, 2, replace=False)) for size in extents)
        yield (int(top), int(left)), (int(bottom), int(right))


def check_regions(source, expected, **options):
    """Every region is the same region of the whole, in C order and the caller's own."""
    for begin, end in regions(source.extents, **options):
        found = source.read(begin, end)
        assert found.dtype == source.dtype
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_array_equal(found, expected[:, begin[0] : end[0], begin[1] : end[1]])
        found[...] = 0
    assert (source.read((0, 0), (1, 1)) == expected[:, :1, :1]).all()
