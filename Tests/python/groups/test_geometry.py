# SPDX-License-Identifier: Apache-2.0
"""How elements move the axes of arrays, against their matrices and against NumPy's own turns."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._groups.geometry import array_matrix, axis_action, exchanges, lattice_elements, moved_axes

GROUPS = {
    "trivial2": eq.trivial(2),
    "reflection": eq.reflection(),
    "C4": eq.cyclic(4),
    "C8": eq.cyclic(8),
    "D1": eq.dihedral(1),
    "D6": eq.dihedral(6),
    "full octahedral": eq.full_octahedral(),
    "icosahedral": eq.icosahedral(),
    "C3 about x": eq.axial_cyclic(3, "x"),
    "D4 about y": eq.axial_dihedral(4, "y"),
    "scaling": eq.scaling([1, 0.25, 4], 3),
    "similarity": eq.similarity(4, [1, 2]),
}


def reordered(matrix):
    """The matrix on array axes, by the formula: x = column, y = -row, z = -depth."""
    d = len(matrix)
    signs = np.array([-1.0] * (d - 1) + [1.0])
    return signs[:, None] * matrix[::-1, ::-1] * signs


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_matrices_act_on_array_axes(group):
    for matrix in group.matrices:
        np.testing.assert_array_equal(array_matrix(matrix), reordered(matrix))


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_lattice_elements_are_signed_permutations_of_the_axes(group):
    elements = lattice_elements(group)
    entries = np.abs(group.matrices)
    assert elements == [
        g for g in range(group.order) if np.isin(entries[g], (0, 1)).all() and entries[g].sum() == len(entries[g])
    ]
    assert (len(elements) == group.order) == group.is_lattice
    for g in elements:
        action = axis_action(group, g)
        matrix = np.zeros((group.dimension, group.dimension))
        matrix[range(group.dimension), action.axes] = action.signs
        np.testing.assert_array_equal(matrix, array_matrix(group.matrices[g]))


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_actions_turn_arrays_as_the_engine_does(rng, group):
    x = rng.standard_normal((2, 3, 4)[3 - group.dimension :])
    for g in lattice_elements(group):
        action = axis_action(group, g)
        turned = np.flip(x.transpose(action.axes), [axis for axis, sign in enumerate(action.signs) if sign < 0])
        np.testing.assert_array_equal(eq.act(x[None, None], group, g)[0, 0], turned)


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_moved_axes_are_those_that_no_element_just_scales(group):
    matrices = np.array([reordered(matrix) for matrix in group.matrices])
    expected = [
        axis
        for axis, size in enumerate(matrices.shape[1:2] * group.dimension)
        if any(
            not np.allclose(matrix[axis], np.eye(size)[axis] * abs(np.linalg.det(matrix)) ** (1 / size))
            for matrix in matrices
        )
    ]
    assert list(moved_axes(group)) == expected


def test_exchanged_axes():
    assert exchanges(eq.cyclic(4), 0, 1)
    assert not exchanges(eq.cyclic(2), 0, 1)
    group = eq.axial_cyclic(4, "z")
    assert [exchanges(group, *pair) for pair in ((0, 1), (0, 2), (1, 2))] == [False, False, True]
