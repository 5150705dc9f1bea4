# SPDX-License-Identifier: Apache-2.0
"""The theorem: equivariant operators are the group convolutions with stabilizer-invariant kernels."""

from __future__ import annotations

import itertools

import equiconv as eq
import numpy as np
import pytest
from cases import FORWARD, LAYERS
from equiconv import theory
from equiconv.theory import Space
from reference import READS_GROUP, WRITES_GROUP
from theory_cases import (
    C4,
    D2,
    D4,
    GRIDS,
    OCTAHEDRAL,
    REFLECTION,
    ROUNDING,
    all_spaces,
    layer_matrix,
    moved,
    random_matrix,
    space_of,
)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("group", "shape"), GRIDS)
def test_layers_of_the_package_are_equivariant_matrices(rng, layer, group, shape):
    matrix, _, x_space, y_space = layer_matrix(rng, layer, group, shape)
    assert theory.equivariance_defect(matrix, x_space, y_space) == 0.0


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("group", "shape"), GRIDS)
def test_kernel_of_a_layer_is_its_weight(rng, layer, group, shape):
    """Its mean over H for layers to the plane; centered on the grid, and 0 elsewhere."""
    matrix, weight, x_space, y_space = layer_matrix(rng, layer, group, shape)
    expected = np.zeros((3, 2, *(group.order,) * READS_GROUP[layer], *shape))
    expected[(..., *(slice(n // 2 - 1, n // 2 + 2) for n in shape))] = weight
    expected = expected.reshape(3, 2, *x_space.signal_shape)
    if not WRITES_GROUP[layer]:
        still = (0,) * len(shape)
        expected = np.mean([moved(expected, x_space, still, h) for h in range(group.order)], axis=0)
    kernel = theory.kernel_of(matrix, x_space, y_space)
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=ROUNDING)
    assert theory.stabilizer_defect(kernel, x_space, y_space) <= ROUNDING


@pytest.mark.parametrize(("group", "shape"), GRIDS)
def test_every_equivariant_matrix_is_the_group_convolution_with_its_kernel(rng, group, shape):
    for x_on_group, y_on_group in itertools.product([False, True], repeat=2):
        if group is OCTAHEDRAL and x_on_group and y_on_group:
            continue
        x_space, y_space = space_of(x_on_group, group, shape), space_of(y_on_group, group, shape)
        matrix = theory.project(random_matrix(rng, x_space, y_space, 1, 2), x_space, y_space)
        kernel = theory.kernel_of(matrix, x_space, y_space)
        assert theory.stabilizer_defect(kernel, x_space, y_space) <= ROUNDING
        np.testing.assert_allclose(
            theory.operator_from_kernel(kernel, x_space, y_space), matrix, rtol=0, atol=ROUNDING * np.abs(matrix).max()
        )


@pytest.mark.parametrize("x_stabilizer", theory.subgroups(D4), ids=str)
def test_every_equivariant_matrix_between_quotients_is_a_group_convolution(rng, x_stabilizer):
    x_space = Space(D4, (3, 3), x_stabilizer)
    for y_space in all_spaces(D4, (3, 3)):
        matrix = theory.project(random_matrix(rng, x_space, y_space, 2, 1), x_space, y_space)
        kernel = theory.kernel_of(matrix, x_space, y_space)
        assert theory.stabilizer_defect(kernel, x_space, y_space) <= ROUNDING
        np.testing.assert_allclose(theory.operator_from_kernel(kernel, x_space, y_space), matrix, rtol=0, atol=ROUNDING)


def test_kernel_of_a_matrix_that_is_not_equivariant_is_an_error_that_names_the_defect(rng):
    plane = Space.plane(C4, 5)
    matrix = random_matrix(rng, plane, plane)
    defect = theory.equivariance_defect(matrix, plane, plane)
    assert defect > 1
    with pytest.raises(ValueError, match=f"not equivariant .* C4: its defect is {defect:.3g}, expected at most 1e-09"):
        theory.kernel_of(matrix, plane, plane)


@pytest.mark.parametrize("entry", [(0, 0), (37, 4)])
def test_one_wrong_weight_is_found(rng, entry):
    matrix, _, x_space, y_space = layer_matrix(rng, "lifting", C4, (5, 5))
    matrix[entry] += 1e-6
    # Moving one entry by 1e-6 changes M at two places.
    expected = np.sqrt(2) * 1e-6 / np.linalg.norm(matrix)
    assert theory.equivariance_defect(matrix, x_space, y_space) == pytest.approx(expected, rel=1e-6)


def test_defect_sees_each_generator_of_g(rng):
    """Operators that commute with all of G but translations, or but flips."""
    plane, turning = Space.plane(D4, 5), Space.plane(C4, 5)
    still = [plane.permutation((0, 0), h) for h in range(D4.order)]
    mask = np.diag(np.abs(np.indices((5, 5)) - 2).sum(axis=0).ravel().astype(float))
    assert max(np.abs(mask[np.ix_(p, p)] - mask).max() for p in still) == 0.0
    assert theory.equivariance_defect(mask, plane, plane) > 0.1
    turns = theory.project(random_matrix(rng, plane, plane), turning, turning)
    assert theory.equivariance_defect(turns, turning, turning) <= ROUNDING
    assert theory.equivariance_defect(turns, plane, plane) > 0.1


# Group convolution => equivariant


@pytest.mark.parametrize("y_stabilizer", theory.subgroups(D4), ids=str)
def test_group_convolution_with_an_invariant_kernel_is_equivariant(rng, y_stabilizer):
    y_space = Space(D4, (3, 3), y_stabilizer)
    for x_space in all_spaces(D4, (3, 3)):
        kernel = theory.symmetrize(rng.normal(size=(2, 1, *x_space.signal_shape)), x_space, y_space)
        matrix = theory.operator_from_kernel(kernel, x_space, y_space)
        assert theory.equivariance_defect(matrix, x_space, y_space) <= ROUNDING
        np.testing.assert_array_equal(theory.kernel_of(matrix, x_space, y_space), kernel)


@pytest.mark.parametrize("y_stabilizer", theory.subgroups(D4)[1:], ids=str)
def test_without_the_invariance_it_is_not(rng, y_stabilizer):
    y_space = Space(D4, (3, 3), y_stabilizer)
    x_space = Space.whole_group(D4, (3, 3))
    kernel = rng.normal(size=(1, 1, *x_space.signal_shape))
    with pytest.raises(ValueError, match="kernel is not invariant under the stabilizer"):
        theory.operator_from_kernel(kernel, x_space, y_space)
    matrix = theory.operator_from_kernel(kernel, x_space, y_space, check_stabilizer=False)
    assert theory.equivariance_defect(matrix, x_space, y_space) > 0.1


@pytest.mark.parametrize("layer", LAYERS)
def test_group_convolution_with_the_weight_as_kernel_is_the_layer(rng, layer):
    """The definition, evaluated by the module, against the engine on a random signal."""
    matrix, weight, x_space, y_space = layer_matrix(rng, layer, D4, (5, 5))
    kernel = np.pad(weight, [(0, 0)] * (weight.ndim - 2) + [(1, 1)] * 2)
    built = theory.operator_from_kernel(theory.symmetrize(kernel, x_space, y_space), x_space, y_space)
    np.testing.assert_allclose(built, matrix, rtol=0, atol=ROUNDING)
    x = rng.normal(size=(1, 2, *x_space.signal_shape))
    y = FORWARD[layer](x, weight, D4, padding="same", padding_mode="circular")
    np.testing.assert_allclose((built @ x.ravel()).reshape(y.shape), y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("output", theory.subgroups(D4), ids=str)
def test_conv_between_quotients_is_the_group_convolution_with_the_symmetrized_weight(rng, output):
    """The engine's one operator against the theorem, for all pairs of subgroups; its matrix commutes with G exactly."""
    for stabilizer in theory.subgroups(D4):
        x_space, y_space = Space(D4, (5, 5), stabilizer), Space(D4, (5, 5), output)
        weight = rng.normal(size=(3, 2, *x_space.signal_shape[:-2], 3, 3))
        kernel = np.pad(weight, [(0, 0)] * (weight.ndim - 2) + [(1, 1)] * 2)
        built = theory.operator_from_kernel(theory.symmetrize(kernel, x_space, y_space), x_space, y_space)
        options = {"input_stabilizer": stabilizer, "output_stabilizer": output}

        def layer(x, weight=weight, options=options):
            return eq.conv(x, weight, D4, padding="same", padding_mode="circular", algorithm="direct", **options)

        matrix = theory.matrix_of(layer, x_space, y_space, 2, 3)
        np.testing.assert_allclose(matrix, built, rtol=0, atol=ROUNDING)
        assert theory.equivariance_defect(matrix, x_space, y_space) == 0.0


def test_symmetrize_is_an_orthogonal_projection(rng):
    x_space, y_space = Space(D4, (5, 5), (0, 2)), Space(D4, (5, 5), (0, 1, 2, 3))
    a, b = rng.normal(size=(2, 1, 1, *x_space.signal_shape))
    pa, pb = theory.symmetrize(a, x_space, y_space), theory.symmetrize(b, x_space, y_space)
    np.testing.assert_allclose(theory.symmetrize(pa, x_space, y_space), pa, rtol=0, atol=ROUNDING)
    assert np.sum(pa * b) == pytest.approx(np.sum(a * pb), abs=1e-12)


# Projection


@pytest.mark.parametrize(("group", "shape"), [(REFLECTION, (6,)), (D4, (3, 3)), (D2, (2, 3))])
def test_projection_is_the_average_over_the_whole_group_and_orthogonal(rng, group, shape):
    for x_space, y_space in itertools.product(all_spaces(group, shape), repeat=2):
        a, b = random_matrix(rng, x_space, y_space, 2, 1), random_matrix(rng, x_space, y_space, 2, 1)
        pa, pb = theory.project(a, x_space, y_space), theory.project(b, x_space, y_space)
        assert theory.equivariance_defect(pa, x_space, y_space) <= ROUNDING
        np.testing.assert_allclose(theory.project(pa, x_space, y_space), pa, rtol=0, atol=ROUNDING)
        assert np.sum(pa * b) == pytest.approx(np.sum(a * pb), abs=1e-11)
    blocks = a.reshape(y_space.size, 2, x_space.size)
    total = np.zeros_like(blocks)
    for h, *t in itertools.product(range(group.order), *map(range, shape)):
        p, q = x_space.permutation(tuple(t), h), y_space.permutation(tuple(t), h)
        total[q[:, None, None], np.arange(2)[:, None], p] += blocks
    expected = (total / (group.order * np.prod(shape))).reshape(a.shape)
    np.testing.assert_allclose(pa, expected, rtol=0, atol=ROUNDING)


def test_random_matrix_is_far_from_equivariant_and_its_projection_is_not(rng):
    plane, lifted = Space.plane(D4, 5), Space.whole_group(D4, 5)
    matrix = random_matrix(rng, plane, lifted)
    # Two independent random matrices are sqrt(2) of their norm apart.
    assert theory.equivariance_defect(matrix, plane, lifted) == pytest.approx(np.sqrt(2), rel=0.1)
    assert theory.equivariance_defect(theory.project(matrix, plane, lifted), plane, lifted) <= ROUNDING
    assert theory.equivariance_defect(np.zeros_like(matrix), plane, lifted) == 0.0
