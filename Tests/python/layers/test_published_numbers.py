# SPDX-License-Identifier: Apache-2.0
"""Numbers of GrouPy (Cohen and Welling, ICML 2016): valid correlation, no bias, integers, hence exact.

GrouPy's D4 element 4 m + r is flipud^m rot90^r; ours, n j + r, is rot90^r fliplr^j. OURS gives our number of each.
"""

from __future__ import annotations

import hashlib

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, identify

OURS = [0, 1, 2, 3, 6, 5, 4, 7]
C4_LIFTED = [
    [[312, 348, 384], [492, 528, 564], [672, 708, 744]],
    [[204, 240, 276], [384, 420, 456], [564, 600, 636]],
    [[120, 156, 192], [300, 336, 372], [480, 516, 552]],
    [[228, 264, 300], [408, 444, 480], [588, 624, 660]],
]
# Where each turned 3 x 3 filter reads, as 3 u + v.
PLANE_READS = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    [2, 5, 8, 1, 4, 7, 0, 3, 6],
    [8, 7, 6, 5, 4, 3, 2, 1, 0],
    [6, 3, 0, 7, 4, 1, 8, 5, 2],
    [6, 7, 8, 3, 4, 5, 0, 1, 2],
    [0, 3, 6, 1, 4, 7, 2, 5, 8],
    [2, 1, 0, 5, 4, 3, 8, 7, 6],
    [8, 5, 2, 7, 4, 1, 6, 3, 0],
]
EVEN_PLANE_READS = [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1]]
# T[g][s], the fiber plane read at s by the filter turned by g.
C4_FIBER_READS = ["0123", "3012", "2301", "1230"]
D4_FIBER_READS = [
    "01234567", "30125674", "23016745", "12307456", "45670123", "56743012", "67452301", "74561230"
]  # fmt: skip
# The first 16 digits of sha256 of the int32 index arrays (elements, fiber, u, v, (t, u, v)).
HASHES = {
    ("C4", False, 3): "c810ed47ffdc8032",
    ("C4", True, 3): "6b40af3c809f8294",
    ("D4", False, 3): "dc29241be040c565",
    ("D4", True, 3): "c31638dbe766ed26",
    ("C4", False, 5): "dfb188bc080ab871",
    ("C4", True, 5): "b44191289c91ca4e",
    ("D4", False, 5): "6304994fec00bdbc",
    ("D4", True, 5): "ebd3400b96548ec6",
}


def image(dtype):
    return np.arange(25, dtype=dtype).reshape(1, 1, 5, 5)


def filters(dtype, *shape):
    return np.arange(np.prod(shape), dtype=dtype).reshape(1, 1, *shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_c4_lifting(dtype):
    y = eq.lifting_conv(image(dtype), filters(dtype, 3, 3), eq.cyclic(4), algorithm="direct")
    np.testing.assert_array_equal(y[0, 0], C4_LIFTED)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_c4_group_convolution_and_its_shift_under_rotation(dtype):
    group = eq.cyclic(4)
    for turns, expected in ((0, [272376, 287928, 271944, 256392]), (1, [256392, 272376, 287928, 271944])):
        x = np.rot90(image(dtype), turns, axes=(2, 3))
        lifted = eq.lifting_conv(x, filters(dtype, 3, 3), group, algorithm="direct")
        y = eq.group_conv(lifted, filters(dtype, 4, 3, 3), group, algorithm="direct")
        np.testing.assert_array_equal(y.ravel(), expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_d4_lifting(dtype):
    y = eq.lifting_conv(image(dtype), filters(dtype, 3, 3), eq.dihedral(4), algorithm="direct")
    np.testing.assert_array_equal(y[0, 0, :, 1, 1], [528, 420, 336, 444, 516, 480, 348, 384])
    np.testing.assert_array_equal(y[0, 0, OURS, 1, 1], [528, 420, 336, 444, 348, 480, 516, 384])
    np.testing.assert_array_equal(y[0, 0, OURS, 0, 0], [312, 204, 120, 228, 132, 264, 300, 168])


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_d4_group_convolution(dtype):
    group = eq.dihedral(4)
    weight = np.empty((1, 1, 8, 3, 3), dtype)
    weight[:, :, OURS] = filters(dtype, 8, 3, 3)
    lifted = eq.lifting_conv(image(dtype), filters(dtype, 3, 3), group, algorithm="direct")
    y = eq.group_conv(lifted, weight, group, algorithm="direct")
    expected = [1124064, 1139616, 1084320, 1068768, 1072224, 1079136, 1136160, 1129248]
    np.testing.assert_array_equal(y.ravel()[OURS], expected)


def test_plane_reads_of_the_expanded_filters():
    bank = eq.expand(filters(np.float64, 3, 3), eq.dihedral(4), "lifting")
    np.testing.assert_array_equal(bank.reshape(8, 9)[OURS], PLANE_READS)
    even = eq.expand(filters(np.float64, 2, 2), eq.cyclic(4), "lifting")
    np.testing.assert_array_equal(even.reshape(4, 4), EVEN_PLANE_READS)


@pytest.mark.parametrize(
    ("group", "ours", "table"),
    [(eq.cyclic(4), [0, 1, 2, 3], C4_FIBER_READS), (eq.dihedral(4), OURS, D4_FIBER_READS)],
    ids=["C4", "D4"],
)
def test_fiber_reads(group, ours, table):
    expected = np.array([[ours[int(s)] for s in row] for row in table])
    product = group.cayley[group.inverses]  # [g, s] -> g^-1 s
    np.testing.assert_array_equal(product[np.ix_(ours, ours)], expected)
    bank = eq.expand(filters(np.float64, group.order, 1, 1), group, "group")
    np.testing.assert_array_equal(bank[:, :, 0, 0][np.ix_(ours, ours)], expected)


@pytest.mark.parametrize(("name", "on_group", "k"), HASHES, ids=str)
def test_hash_of_the_index_arrays(name, on_group, k):
    group, ours = (eq.cyclic(4), [0, 1, 2, 3]) if name == "C4" else (eq.dihedral(4), OURS)
    if on_group:
        weight = np.empty((1, 1, group.order, k, k))
        weight[:, :, ours] = filters(np.float64, group.order, k, k)
        bank = eq.expand(weight, group, "group").reshape(group.order, group.order, k, k)[np.ix_(ours, ours)]
    else:
        bank = eq.expand(filters(np.float64, k, k), group, "lifting")[ours]
    reads = np.stack(np.unravel_index(bank.astype(int), (group.order, k, k)), axis=-1)
    digest = hashlib.sha256(np.ascontiguousarray(reads, "<i4").tobytes()).hexdigest()
    assert digest[:16] == HASHES[name, on_group, k]
