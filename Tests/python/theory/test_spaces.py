# SPDX-License-Identifier: Apache-2.0
"""Spaces of the theorem: G acts on their points as the package acts on signals; subgroups are all found."""

from __future__ import annotations

import itertools

import equiconv as eq
import numpy as np
import pytest
from equiconv import theory
from equiconv.theory import Space
from theory_cases import C4, D2, D4, GRIDS, OCTAHEDRAL, REFLECTION, all_spaces, moved, space_of


@pytest.mark.parametrize(("group", "shape"), [grid for grid in GRIDS if "trivial" not in grid.id])
@pytest.mark.parametrize("on_group", [False, True])
def test_elements_of_h_act_as_act_does_on_odd_grids(rng, group, shape, on_group):
    space = space_of(on_group, group, shape)
    f = rng.normal(size=(2, 3, *space.signal_shape))
    for h in range(group.order):
        np.testing.assert_array_equal(moved(f, space, (0,) * len(shape), h), eq.act(f, group, h))


def test_elements_of_h_act_as_act_does_up_to_a_translation_on_even_grids(rng):
    space = Space.whole_group(D4, (4, 4))
    f = rng.normal(size=(1, 1, *space.signal_shape))
    for h in range(D4.order):
        shifts = list(itertools.product(range(4), repeat=2))
        equal = [t for t in shifts if np.array_equal(moved(f, space, t, h), eq.act(f, D4, h))]
        assert len(equal) == 1


def test_translations_act_as_roll_does(rng):
    space = Space(D2, (3, 4), (0, 2))
    f = rng.normal(size=(2, 1, *space.signal_shape))
    np.testing.assert_array_equal(moved(f, space, (-2, 5), 0), np.roll(f, (-2, 5), axis=(-2, -1)))


@pytest.mark.parametrize("stabilizer", theory.subgroups(D4), ids=str)
def test_signals_on_a_quotient_are_group_signals_that_are_constant_on_cosets(rng, stabilizer):
    space = Space(D4, (5, 5), stabilizer)
    cosets = D4.cosets(stabilizer)
    f = rng.normal(size=(1, 1, space.fiber, 5, 5))
    for h in range(D4.order):
        turned = moved(f.reshape(1, 1, *space.signal_shape), space, (0, 0), h).reshape(f.shape)
        np.testing.assert_array_equal(turned[:, :, cosets], eq.act(f[:, :, cosets], D4, h))


@pytest.mark.parametrize(("group", "shape"), [(REFLECTION, (4,)), (D4, (3, 3)), (D2, (2, 3)), (OCTAHEDRAL, (2, 2, 2))])
def test_group_acts_by_permutations_that_compose_and_reach_every_point(rng, group, shape):
    for space in all_spaces(group, shape):
        still = (0,) * len(shape)
        for _ in range(10):
            (a, b), (s, t) = rng.integers(group.order, size=2).tolist(), rng.integers(-9, 9, size=(2, len(shape)))
            composed = space.permutation(tuple(s.tolist()), a)[space.permutation(tuple(t.tolist()), b)]
            # The product is the element with h = a b that moves the origin of the grid to the same place.
            place = np.array(np.unravel_index(composed[space.origin] % np.prod(shape), shape))
            shift = tuple((place - np.array(shape) // 2).tolist())
            np.testing.assert_array_equal(composed, space.permutation(shift, int(group.cayley[a, b])))
        fixing = [h for h in range(group.order) if space.permutation(still, h)[space.origin] == space.origin]
        assert tuple(fixing) == space.stabilizer
        translations = itertools.product(*map(range, shape))
        orbit = {space.permutation(t, h)[space.origin] for t in translations for h in range(group.order)}
        assert orbit == set(range(space.size))


def test_subgroups_of_small_groups_are_all_sets_that_are_closed():
    for group in (C4, D4, D2, REFLECTION, eq.cyclic(6), eq.dihedral(3)):
        closed = []
        for bits in range(1, 2**group.order, 2):
            elements = [h for h in range(group.order) if bits >> h & 1]
            if set(group.cayley[np.ix_(elements, elements)].ravel()) == set(elements):
                closed.append(tuple(elements))
        assert theory.subgroups(group) == sorted(closed, key=lambda e: (len(e), e))


@pytest.mark.parametrize(
    ("group", "count"),
    [(C4, 3), (D4, 10), (eq.dihedral(6), 16), (OCTAHEDRAL, 30), (eq.full_octahedral(), 98)],
    ids=["C4", "D4", "D6", "octahedral", "full_octahedral"],
)
def test_number_of_subgroups_is_the_known_one(group, count):
    """For D_n: the number plus the sum of the divisors of n; for S4 and S4 x C2: from the literature."""
    found = theory.subgroups(group)
    assert len(set(found)) == len(found) == count
    assert found[0] == (0,)
    assert found[-1] == tuple(range(group.order))
