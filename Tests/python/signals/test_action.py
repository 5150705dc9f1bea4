# SPDX-License-Identifier: Apache-2.0
"""The action of the group on signals."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, GROUPS, identify
from reference import coordinates, element_of, positions

SPATIAL = {1: (5,), 2: (3, 4), 3: (2, 3, 4)}


def signals(rng, group, dtype=np.float64):
    spatial = SPATIAL[group.dimension]
    return [rng.normal(size=(2, 3, *fiber, *spatial)).astype(dtype) for fiber in ((), (group.order,))]


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("name", GROUPS)
def test_action_equals_its_definition(rng, name, dtype):
    """(L_g f)(x) = f(g^-1 x), (L_g f)(h', x) = f(g^-1 h', g^-1 x), by coordinates about the center."""
    group = GROUPS[name]
    d = group.dimension
    for x in signals(rng, group, dtype):
        for g, matrix in enumerate(group.matrices):
            y = eq.act(x, group, g)
            inverse = np.linalg.inv(matrix)
            source = positions(coordinates(y.shape[-d:]) @ inverse.T, x.shape[-d:])
            expected = x.reshape(*x.shape[:-d], -1)[..., source]
            if x.ndim == 3 + d:
                expected = expected[:, :, [element_of(inverse @ h, group.matrices) for h in group.matrices]]
            np.testing.assert_array_equal(y, expected.reshape(y.shape))
            assert y.dtype == dtype


@pytest.mark.parametrize("name", GROUPS)
def test_action_is_an_action(rng, name):
    """L_a L_b = L_ab and L_e = 1."""
    group = GROUPS[name]
    for x in signals(rng, group):
        np.testing.assert_array_equal(eq.act(x, group, 0), x)
        for a in range(0, group.order, 5):
            for b in range(group.order):
                twice = eq.act(eq.act(x, group, b), group, a)
                np.testing.assert_array_equal(twice, eq.act(x, group, int(group.cayley[a, b])))


def test_rotation_and_mirror_are_those_of_numpy(rng):
    x = rng.normal(size=(2, 3, 5, 7))
    for r in range(4):
        np.testing.assert_array_equal(eq.act(x, eq.cyclic(4), r), np.rot90(x, r, axes=(2, 3)))
        mirrored = np.flip(x, axis=3)
        np.testing.assert_array_equal(eq.act(x, eq.dihedral(4), 4 + r), np.rot90(mirrored, r, axes=(2, 3)))
    line = rng.normal(size=(1, 1, 6))
    np.testing.assert_array_equal(eq.act(line, eq.reflection(), 1), line[..., ::-1])


def test_out_is_written_and_returned(rng):
    x, out = rng.normal(size=(1, 2, 3, 5)), np.empty((1, 2, 5, 3))
    assert eq.act(x, eq.cyclic(4), 1, out=out) is out
    np.testing.assert_array_equal(out, np.rot90(x, 1, axes=(2, 3)))


def test_empty_batch():
    assert eq.act(np.empty((0, 2, 3, 5)), eq.cyclic(4), 1).shape == (0, 2, 5, 3)


def test_arrays_that_are_not_contiguous(rng):
    x = rng.normal(size=(5, 3, 2, 4)).transpose(3, 2, 1, 0)
    np.testing.assert_array_equal(eq.act(x, eq.cyclic(4), 3), np.rot90(x, 3, axes=(2, 3)))
