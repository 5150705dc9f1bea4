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
    "icosahedral": eq.icosahedral(),
    "full_icosahedral": eq.full_icosahedral(),
    "C5_about_z": eq.axial_cyclic(5),
    "D3_about_x": eq.axial_dihedral(3, "x"),
    "matrices": eq.PointGroup.from_matrices(HALF_TURN),
}
ORDERS = {
    "trivial1": 1, "reflection": 2, "trivial2": 1, "C1": 1, "C2": 2, "C4": 4, "D1": 2, "D2": 4, "D4": 8, "trivial3": 1,
    "octahedral": 24, "full_octahedral": 48, "C3": 3, "C8": 8, "D5": 10, "matrices": 2, "tetrahedral": 12,
    "pyritohedral": 24, "icosahedral": 60, "full_icosahedral": 120, "C4_about_x": 4, "D2_about_y": 4, "C5_about_z": 5,
    "D3_about_x": 6,
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
    assert group.is_closed
    np.testing.assert_array_equal(group.quadrature_weights, np.full(n, 1 / n))


def test_documented_element_order():
    for r, (c, s) in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        np.testing.assert_array_equal(eq.cyclic(4).matrices[r], [[c, -s], [s, c]])
        np.testing.assert_array_equal(eq.dihedral(4).matrices[4 + r], np.array([[c, -s], [s, c]]) @ np.diag([-1, 1]))
    cube = eq.octahedral()
    np.testing.assert_array_equal(cube.determinants, np.ones(24))
    np.testing.assert_array_equal(eq.full_octahedral().matrices, np.concatenate([cube.matrices, -cube.matrices]))


def test_documented_element_order_in_space():
    half, quarter = np.diag([-1.0, 1, -1]), [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(eq.axial_cyclic(4).matrices[1], quarter)
    np.testing.assert_array_equal(eq.axial_dihedral(4).matrices[4:], eq.axial_cyclic(4).matrices @ half)
    for axis, shift in (("z", 0), ("x", 1), ("y", 2)):  # x to y, y to z, z to x
        turned = np.roll(np.array(quarter), (shift, shift), axis=(0, 1))
        np.testing.assert_array_equal(eq.axial_cyclic(4, axis).matrices[1], turned)
    np.testing.assert_array_equal(eq.axial_dihedral(5).matrices[:, :2, :2], eq.dihedral(5).matrices)
    cube, tetrahedron = eq.octahedral().matrices, eq.tetrahedral().matrices
    places = [int(np.flatnonzero((cube == matrix).all(axis=(1, 2)))[0]) for matrix in tetrahedron]
    assert places == sorted(places)
    np.testing.assert_array_equal(eq.pyritohedral().matrices, np.concatenate([tetrahedron, -tetrahedron]))
    icosahedron = eq.icosahedral().matrices
    golden = (1 + 5**0.5) / 2
    np.testing.assert_array_equal(icosahedron[:12], tetrahedron)
    np.testing.assert_allclose(icosahedron[12] @ [0, 1, golden], [0, 1, golden], atol=1e-15)
    np.testing.assert_allclose(np.trace(icosahedron[12]), 1 + 2 * np.cos(2 * np.pi / 5), atol=1e-15)
    for j in range(1, 5):
        turned = icosahedron[12] @ icosahedron[12 * j - 12 : 12 * j]
        np.testing.assert_allclose(icosahedron[12 * j : 12 * j + 12], turned, atol=1e-15)
    np.testing.assert_array_equal(eq.full_icosahedral().matrices, np.concatenate([icosahedron, -icosahedron]))


def test_turns_about_the_depth_are_those_of_slices(rng):
    x = rng.normal(size=(1, 2, 3, 4, 5))
    np.testing.assert_array_equal(eq.act(x, eq.axial_cyclic(4), 1), np.rot90(x, axes=(3, 4)))


TRUNCATED = {
    "scaling1": eq.scaling([1, 2, 4, 8], dimension=1),
    "scaling2": eq.scaling([1, 0.5, 2, 0.25]),
    "scaling3": eq.scaling([1, 3, 1.5], dimension=3),
    "roots": eq.scaling([2 ** (i / 3) for i in range(6)]),
    "similarity": eq.similarity(8, [1, 2**0.5, 2]),
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_truncated_sets_have_the_products_that_are_elements(name):
    group = TRUNCATED[name]
    n, cayley, inverses = group.order, group.cayley, group.inverses
    assert not group.is_closed
    assert not group.is_lattice
    products = np.einsum("aij,bjk->abik", group.matrices, group.matrices)
    equal = np.isclose(products[:, :, None], group.matrices, rtol=1e-12, atol=1e-12).all(axis=(3, 4))
    np.testing.assert_array_equal(cayley, np.where(equal.any(axis=2), equal.argmax(axis=2), -1))
    np.testing.assert_array_equal(inverses, np.where((cayley == 0).any(axis=1), (cayley == 0).argmax(axis=1), -1))
    np.testing.assert_allclose(group.determinants, np.linalg.det(group.matrices), rtol=1e-12)
    np.testing.assert_allclose(group.quadrature_weights.sum(), 1, rtol=1e-14)
    assert group.quadrature_weights.shape == (n,)


def test_scalings_multiply_by_their_factors():
    factors = [1, 2, 0.5]
    for d in (1, 2, 3):
        group = eq.scaling(factors, dimension=d)
        np.testing.assert_array_equal(group.matrices, np.multiply.outer(factors, np.eye(d)))
        np.testing.assert_array_equal(group.determinants, np.power(factors, d))
        np.testing.assert_array_equal(group.inverses, [0, 2, 1])
    similar = eq.similarity(4, factors)
    np.testing.assert_array_equal(similar.matrices[4:8], 2 * eq.cyclic(4).matrices)
    assert eq.scaling([1]) == eq.trivial(2)
    assert eq.similarity(6, [1]) == eq.cyclic(6)


def test_quadrature_of_scalings_is_the_trapezoidal_rule_in_the_logarithm():
    factors = np.array([1, 3, 0.25, 2, 16.0])
    ordered = np.sort(np.log(factors))
    expected = np.trapezoid(ordered**2, ordered) if hasattr(np, "trapezoid") else np.trapz(ordered**2, ordered)
    weights = eq.scaling(factors).quadrature_weights
    np.testing.assert_allclose(weights @ np.log(factors) ** 2, expected / np.ptp(ordered), rtol=1e-13)
    np.testing.assert_allclose(eq.scaling([1, 2, 4]).quadrature_weights, [0.25, 0.5, 0.25], rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: eq.scaling([]), ValueError, "factors has 0 numbers, expected 1 to 4096"),
        (lambda: eq.scaling([2, 1]), ValueError, "factors[0] is 2.0, expected 1, the identity"),
        (lambda: eq.scaling([1, 0]), ValueError, "factors[1] is 0.0, expected a number in 1/1024...1024"),
        (lambda: eq.scaling([1, float("nan")]), ValueError, "factors[1] is nan, expected a number in 1/1024...1024"),
        (lambda: eq.scaling([1, 2, 2]), ValueError, "factors[1] and factors[2] are equal, expected each factor once"),
        (lambda: eq.scaling([1], dimension=4), ValueError, "dimension is 4, expected an integer from 1 to 3"),
        (lambda: eq.scaling(2.0), TypeError, "factors is 2.0 (float), expected a sequence of numbers"),
        (lambda: eq.scaling("12"), TypeError, "factors is '12' (str), expected a sequence of numbers"),
        (lambda: eq.similarity(4096, [1, 2]), ValueError, "factors has 2 numbers, expected 1 to 1"),
        (lambda: eq.similarity(0, [1]), ValueError, "n is 0, expected an integer from 1 to 4096"),
        (lambda: eq.axial_cyclic(4, "w"), ValueError, "axis is 'w', expected 'x', 'y' or 'z'"),
        (lambda: eq.axial_dihedral(4, 2), TypeError, "axis is 2, expected 'x', 'y' or 'z'"),
        (lambda: eq.axial_dihedral(2049), ValueError, "n is 2049, expected an integer from 1 to 2048"),
        (
            lambda: eq.cyclic(4).subgroup([4]),
            ValueError,
            "generators[0] is 4, expected an integer from 0 to 3, an element of C4",
        ),
        (lambda: eq.cyclic(4).subgroup(1), TypeError, "generators is 1 (int), expected a sequence of integers"),
        (
            lambda: eq.similarity(4, [1, 2]).subgroup([4]),
            ValueError,
            "generators is [4], expected elements of a subgroup in similarity(4, 2)",
        ),
        (
            lambda: eq.similarity(4, [1, 2]).cosets([0, 4]),
            ValueError,
            "subgroup has 4 and 4, whose product is not in similarity(4, 2), expected a subgroup",
        ),
    ],
)
def test_errors_name_the_argument_its_value_and_what_was_expected(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("name", TRUNCATED)
def test_actions_by_scalings_are_refused(name, rng):
    """They would interpolate; rotations and reflections among the elements may act."""
    group = TRUNCATED[name]
    x = rng.normal(size=(1, 1, *[4] * group.dimension))
    scalings = [element for element in range(group.order) if abs(abs(group.determinants[element]) - 1) > 1e-9]
    assert scalings
    for element in scalings:
        with pytest.raises(ValueError, match=f"element is {element} of .* grid to itself"):
            eq.act(x, group, element)


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


def test_subgroups_are_generated():
    group = eq.dihedral(4)
    for generators, expected in (
        ([], (0,)),
        ([2], (0, 2)),
        ([1], (0, 1, 2, 3)),
        ([2, 4], (0, 2, 4, 6)),
        ([1, 4], range(8)),
    ):
        assert group.subgroup(generators) == tuple(expected)
    assert eq.octahedral().subgroup([1, 12]) == tuple(
        int(np.flatnonzero((eq.octahedral().matrices == matrix).all(axis=(1, 2)))[0])
        for matrix in eq.tetrahedral().matrices
    )
    similar = eq.similarity(6, [1, 2])
    assert similar.subgroup([2]) == (0, 2, 4)
    np.testing.assert_array_equal(similar.cosets([0, 3]), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])


def test_tables_are_read_only():
    group = eq.cyclic(4)
    for table in (group.matrices, group.cayley, group.inverses, group.determinants, group.quadrature_weights):
        with pytest.raises(ValueError, match="read-only"):
            table[...] = 0
    assert group.cayley is group.cayley


def test_groups_are_immutable():
    group = eq.cyclic(4)
    for name in ("order", "name", "matrices", "_arrays", "other"):
        with pytest.raises(AttributeError):
            setattr(group, name, 1)
    with pytest.raises(AttributeError, match="immutable"):
        del group._arrays


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


@pytest.mark.parametrize("name", [*ALL, *TRUNCATED])
def test_pickle_and_copies(name):
    group = {**ALL, **TRUNCATED}[name]
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
