# SPDX-License-Identifier: Apache-2.0
"""The laws of groups, on every group; and groups as Python objects."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import numpy as np
import pytest
from cases import GROUPS

HALF_TURN = [[[1, 0], [0, 1]], [[-1, 0], [0, -1]]]
ALL = {
    **GROUPS,
    "C3": eq.cyclic(3),
    "C8": eq.cyclic(8),
    "D5": eq.dihedral(5),
    "matrices": eq.PointGroup.from_matrices(HALF_TURN),
}
ORDERS = {
    "trivial1": 1, "reflection": 2, "trivial2": 1, "C1": 1, "C2": 2, "C4": 4, "D1": 2, "D2": 4, "D4": 8, "trivial3": 1,
    "octahedral": 24, "full_octahedral": 48, "C3": 3, "C8": 8, "D5": 10, "matrices": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_group_laws(name):
    group = ALL[name]
    n, d, matrices, cayley = group.order, group.dimension, group.matrices, group.cayley
    assert n == ORDERS[name]
    assert matrices.shape == (n, d, d)
    assert cayley.shape == (n, n)
    np.testing.assert_array_equal(matrices[0], np.eye(d))
    np.testing.assert_allclose(matrices[cayley], np.einsum("aij,bjk->abik", matrices, matrices), atol=1e-12)
    np.testing.assert_array_equal(np.sort(cayley, axis=0), np.tile(np.arange(n)[:, None], n))
    np.testing.assert_array_equal(np.sort(cayley, axis=1), np.tile(np.arange(n), (n, 1)))
    np.testing.assert_array_equal(cayley[cayley], cayley[:, cayley])  # (a b) c = a (b c)
    np.testing.assert_array_equal(cayley[np.arange(n), group.inverses], np.zeros(n))
    np.testing.assert_allclose(group.determinants, np.linalg.det(matrices), atol=1e-12)
    assert group.is_lattice == bool(np.isin(matrices, (-1, 0, 1)).all())


def test_documented_element_order():
    for r, (c, s) in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        np.testing.assert_array_equal(eq.cyclic(4).matrices[r], [[c, -s], [s, c]])
        np.testing.assert_array_equal(eq.dihedral(4).matrices[4 + r], np.array([[c, -s], [s, c]]) @ np.diag([-1, 1]))
    cube = eq.octahedral()
    np.testing.assert_array_equal(cube.determinants, np.ones(24))
    np.testing.assert_array_equal(eq.full_octahedral().matrices, np.concatenate([cube.matrices, -cube.matrices]))


def test_names():
    assert [ALL[name].name for name in ("C4", "D4", "octahedral")] == ["C4", "D4", "octahedral"]
    assert repr(eq.cyclic(4)) == "PointGroup('C4', order=4, dimension=2)"


def test_cosets():
    group = eq.dihedral(4)
    cosets = group.cosets([0, 1, 2, 3])
    np.testing.assert_array_equal(cosets, [0, 0, 0, 0, 1, 1, 1, 1])
    for subgroup in ([0], [0, 2], [0, 4], [0, 2, 4, 6], range(8), np.array([0, 5])):
        cosets = group.cosets(subgroup)
        counts = np.bincount(cosets)
        assert cosets[0] == 0
        np.testing.assert_array_equal(counts, np.full(8 // len(subgroup), len(subgroup)))
        for a in range(8):  # a K is the coset of a
            assert len(set(cosets[group.cayley[a, list(subgroup)]])) == 1


def test_tables_are_read_only():
    group = eq.cyclic(4)
    for table in (group.matrices, group.cayley, group.inverses, group.determinants):
        with pytest.raises(ValueError, match="read-only"):
            table[...] = 0
    assert group.cayley is group.cayley


def test_groups_are_immutable():
    group = eq.cyclic(4)
    for name in ("order", "name", "matrices", "_recipe", "other"):
        with pytest.raises(AttributeError):
            setattr(group, name, 1)
    with pytest.raises(AttributeError, match="immutable"):
        del group._recipe


def test_equality_and_hash():
    assert eq.cyclic(4) == eq.cyclic(4) != eq.cyclic(2)
    again = eq.PointGroup.from_matrices(eq.cyclic(4).matrices)
    assert again == eq.cyclic(4)
    assert hash(again) == hash(eq.cyclic(4))
    assert eq.PointGroup.from_matrices(HALF_TURN) == eq.cyclic(2)
    assert eq.dihedral(2) != eq.PointGroup.from_matrices(eq.dihedral(2).matrices[[0, 2, 1, 3]])
    assert eq.cyclic(4) != 4
    assert eq.trivial(1) != eq.trivial(2)
    assert len({eq.cyclic(4), eq.cyclic(4), eq.dihedral(4)}) == 2


@pytest.mark.parametrize("name", ALL)
def test_pickle_and_copies(name):
    group = ALL[name]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(group, protocol))
        assert again == group
        assert (again.name, again.order, again.is_lattice) == (group.name, group.order, group.is_lattice)
        np.testing.assert_array_equal(again.cayley, group.cayley)
    assert copy.copy(group) is group
    assert copy.deepcopy([group])[0] is group


def test_groups_are_usable_after_their_matrices_are_gone(rng):
    matrices = np.array(HALF_TURN, dtype=np.float64)
    group = eq.PointGroup.from_matrices(matrices)
    matrices[...] = np.nan
    x = rng.normal(size=(1, 1, 4, 5))
    np.testing.assert_array_equal(eq.act(x, group, 1), np.rot90(x, 2, axes=(2, 3)))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(group)).matrices, np.array(HALF_TURN))


def test_matrices_within_the_tolerance_are_one_group():
    matrices = eq.cyclic(4).matrices + 1e-9
    assert eq.PointGroup.from_matrices(matrices).is_lattice


def test_layer_of_a_group_from_matrices_is_that_of_the_named_group(rng):
    group = eq.PointGroup.from_matrices(eq.dihedral(4).matrices)
    x, weight = rng.normal(size=(1, 2, 7, 7)), rng.normal(size=(3, 2, 3, 3))
    np.testing.assert_array_equal(eq.lifting_conv(x, weight, group), eq.lifting_conv(x, weight, eq.dihedral(4)))


def test_large_groups_have_tables():
    group = eq.cyclic(360)
    assert not group.is_lattice
    assert group.cayley[359, 1] == 0
    assert group.inverses[10] == 350
