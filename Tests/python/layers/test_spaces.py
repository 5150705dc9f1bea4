# SPDX-License-Identifier: Apache-2.0
"""Maps between signals on H, on its quotients and on its subgroups commute with the action to the last bit."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from general import is_signed_permutation
from quotients import SUBGROUPS, fiber, signal_sizes

GROUPS = {"D4": eq.dihedral(4), "C8": eq.cyclic(8), "octahedral": eq.octahedral(), "reflection": eq.reflection()}
CASES = [(name, tuple(subgroup)) for name in ("D4", "C8", "octahedral") for subgroup in SUBGROUPS[name]]
CASES += [("reflection", (0,)), ("reflection", (0, 1))]


def signal(rng, group, points, dtype=np.float64):
    sizes = (5,) if group.dimension == 1 else signal_sizes(group)
    return rng.normal(size=(2, 3, *points, *sizes)).astype(dtype)


def exact_elements(group):
    return [g for g, matrix in enumerate(group.matrices) if is_signed_permutation(matrix)]


@pytest.mark.parametrize(("name", "subgroup"), CASES)
def test_restriction_commutes_with_the_subgroup(rng, name, subgroup):
    """(L_l f) read on each right coset of L is L_l of what is read."""
    group = GROUPS[name]
    inside = eq.PointGroup.from_matrices(group.matrices[list(subgroup)])
    x = signal(rng, group, (group.order,))
    y = eq.restrict(x, group, subgroup[::-1])
    copies, order = group.order // len(subgroup), len(subgroup)
    assert y.shape == (2, 3, copies, order, *x.shape[3:])
    assert sorted(y.ravel()) == sorted(x.ravel())
    for number, element in enumerate(subgroup):
        if element not in exact_elements(group):
            continue
        before = eq.restrict(eq.act(x, group, element), group, subgroup)
        flat = y.reshape(2, -1, order, *x.shape[3:])
        after = eq.act(flat, inside, number)
        np.testing.assert_array_equal(before.reshape(after.shape), after)


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize(("name", "subgroup"), CASES)
def test_partial_projection_commutes_with_the_group(rng, name, subgroup, mode):
    group = GROUPS[name]
    x = signal(rng, group, (group.order,), np.float32)
    y = eq.partial_projection(x, group, subgroup, mode)
    assert y.shape == (2, 3, *fiber(group, subgroup), *x.shape[3:])
    for g in exact_elements(group):
        before = eq.partial_projection(eq.act(x, group, g), group, subgroup, mode)
        np.testing.assert_array_equal(before, eq.act(y, group, g, subgroup))


@pytest.mark.parametrize(("name", "subgroup"), CASES)
def test_partial_projection_pools_each_coset(rng, name, subgroup):
    group = GROUPS[name]
    x = signal(rng, group, (group.order,))
    numbers = group.cosets(subgroup)
    members = [np.flatnonzero(numbers == point) for point in range(numbers.max() + 1)]
    for mode, pool in (("mean", np.mean), ("max", np.max)):
        expected = np.stack([pool(x[:, :, m], axis=2) for m in members], axis=2)
        y = eq.partial_projection(x, group, subgroup, mode)
        np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=0, atol=1e-14)
        out = np.empty_like(y)
        assert eq.partial_projection(x, group, subgroup, mode, out=out) is out
        np.testing.assert_array_equal(out, y)


@pytest.mark.parametrize(("name", "subgroup"), CASES)
def test_induction_commutes_with_the_group(rng, name, subgroup):
    group = GROUPS[name]
    x = signal(rng, group, fiber(group, subgroup))
    y = eq.induce(x, group, subgroup)
    assert y.shape == (2, 3, group.order, *x.shape[-group.dimension :])
    for g in exact_elements(group):
        before = eq.induce(eq.act(x, group, g, subgroup), group, subgroup)
        np.testing.assert_array_equal(before, eq.act(y, group, g))
    # The mean over a coset of equal numbers is exact for powers of two only; the maximum always is.
    np.testing.assert_array_equal(eq.partial_projection(y, group, subgroup, "max"), x)


@pytest.mark.parametrize(("name", "subgroup"), CASES)
def test_action_on_quotients_is_an_action(rng, name, subgroup):
    """L_a L_b = L_ab and L_e = 1, and the action on the whole and trivial quotients is that on plane and group."""
    group = GROUPS[name]
    x = signal(rng, group, fiber(group, subgroup))
    np.testing.assert_array_equal(eq.act(x, group, 0, subgroup), x)
    elements = exact_elements(group)[:9]
    for a in elements:
        for b in elements:
            twice = eq.act(eq.act(x, group, b, subgroup), group, a, subgroup)
            np.testing.assert_array_equal(twice, eq.act(x, group, int(group.cayley[a, b]), subgroup))
        if len(subgroup) in (1, group.order):
            np.testing.assert_array_equal(eq.act(x, group, a, subgroup), eq.act(x, group, a))
