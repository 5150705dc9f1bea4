# SPDX-License-Identifier: Apache-2.0
"""The dimension of the space of equivariant operators: by rank, by orbits of pairs, by orbits of kernels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from equiconv import theory
from equiconv.theory import Space
from theory_cases import C4, D2, D4, GRIDS, OCTAHEDRAL, REFLECTION, ROUNDING, all_spaces


def orbits_of_pairs(x_space, y_space):
    """The orbits of G on Y x X by walking: each pair takes the least number of its neighbors until none changes."""
    d = x_space.group.dimension
    elements = [(tuple(int(a == axis) for a in range(d)), 0) for axis in range(d)]
    elements += [((0,) * d, h) for h in range(1, x_space.group.order)]
    labels = np.arange(y_space.size * x_space.size).reshape(y_space.size, x_space.size)
    while True:
        before = labels
        for t, h in elements:
            labels = np.minimum(labels, labels[np.ix_(y_space.permutation(t, h), x_space.permutation(t, h))])
        if np.array_equal(labels, before):
            return len(np.unique(labels))


@pytest.mark.parametrize(
    ("group", "shape"),
    [(REFLECTION, (4,)), (REFLECTION, (5,)), (D2, (2, 3)), (C4, (3, 3)), (C4, (4, 4)), (D4, (3, 3))],
)
def test_dimension_is_the_same_by_rank_and_by_counting_orbits_for_all_subgroups(group, shape):
    for x_space, y_space in itertools.product(all_spaces(group, shape), repeat=2):
        count = theory.dimension_by_orbits(x_space, y_space)
        assert theory.dimension_by_rank(x_space, y_space) == count
        assert orbits_of_pairs(x_space, y_space) == count
        assert theory.kernel_orbits(x_space, y_space).max() + 1 == count


def test_dimension_of_octahedral_cases():
    plane, lifted = Space.plane(OCTAHEDRAL, 3), Space.whole_group(OCTAHEDRAL, 3)
    # Center, faces, edges and corners of the cube of 27 cells.
    assert theory.dimension_by_rank(plane, plane) == theory.dimension_by_orbits(plane, plane) == 4
    assert theory.dimension_by_rank(plane, lifted) == theory.dimension_by_orbits(plane, lifted) == 27
    for stabilizer in theory.subgroups(OCTAHEDRAL):
        space = Space(OCTAHEDRAL, (3, 3, 3), stabilizer)
        for other in (plane, space):
            count = theory.dimension_by_orbits(other, space)
            assert count == theory.dimension_by_orbits(space, other) == theory.kernel_orbits(other, space).max() + 1


@pytest.mark.parametrize(("group", "shape"), GRIDS)
def test_dimension_of_the_four_layers(group, shape):
    plane, lifted = Space.plane(group, shape), Space.whole_group(group, shape)
    pixels = int(np.prod(shape))
    assert theory.dimension_by_orbits(plane, lifted) == theory.dimension_by_orbits(lifted, plane) == pixels
    assert theory.dimension_by_orbits(lifted, lifted) == pixels * group.order


def test_kernel_orbits_are_where_symmetrized_kernels_are_constant(rng):
    x_space, y_space = Space(D4, (5, 5), (0, 4)), Space(D4, (5, 5), (0, 1, 2, 3))
    labels = theory.kernel_orbits(x_space, y_space)
    kernel = theory.symmetrize(rng.normal(size=(1, 1, *x_space.signal_shape)), x_space, y_space)[0, 0]
    values = [np.ptp(kernel[labels == label]) for label in range(labels.max() + 1)]
    assert max(values) <= ROUNDING
    assert len(np.unique(kernel.round(9))) == labels.max() + 1
