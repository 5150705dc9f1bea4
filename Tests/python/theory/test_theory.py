# SPDX-License-Identifier: Apache-2.0
"""The theorem: equivariant operators are the group convolutions with stabilizer-invariant kernels."""

from __future__ import annotations

import itertools
from fractions import Fraction

import equiconv as eq
import numpy as np
import pytest
from cases import FORWARD, LAYERS
from equiconv import theory
from equiconv.theory import Space
from reference import READS_GROUP, WRITES_GROUP

C4, D4, D2 = eq.cyclic(4), eq.dihedral(4), eq.dihedral(2)
REFLECTION, OCTAHEDRAL = eq.reflection(), eq.octahedral()

# Grids small enough for dense matrices: odd ones, on which eq.act and Space share the fixed point.
GRIDS = [
    pytest.param(group, shape, id=f"{group.name}-{'x'.join(map(str, shape))}")
    for group, shape in [
        (REFLECTION, (7,)),
        (eq.trivial(2), (3, 5)),
        (D2, (3, 5)),
        (C4, (5, 5)),
        (D4, (5, 5)),
        (OCTAHEDRAL, (3, 3, 3)),
    ]
]

# Sums of at most 1e3 numbers of order 1, divided by norms of order 1e2 or more, round by far less.
ROUNDING = 1e-13


def space_of(on_group, group, shape):
    """The group or the plane."""
    return Space.whole_group(group, shape) if on_group else Space.plane(group, shape)


def all_spaces(group, shape):
    """One space for every subgroup."""
    return [Space(group, shape, stabilizer) for stabilizer in theory.subgroups(group)]


def random_matrix(rng, x_space, y_space, channels_in=1, channels_out=1):
    return rng.normal(size=(channels_out * y_space.size, channels_in * x_space.size))


def moved(f, space, translation, h):
    """L_g f of a signal with leading axes."""
    result = np.empty((*f.shape[: f.ndim - len(space.signal_shape)], space.size))
    result[..., space.permutation(translation, h)] = f.reshape(result.shape)
    return result.reshape(f.shape)


def layer_matrix(rng, layer, group, shape):
    """(matrix, weight, X, Y) of a layer of the package, from 2 to 3 channels, on a periodic grid."""
    x_space, y_space = space_of(READS_GROUP[layer], group, shape), space_of(WRITES_GROUP[layer], group, shape)
    weight = rng.normal(size=(3, 2, *(group.order,) * READS_GROUP[layer], *(3,) * len(shape)))
    fiber_in, fiber_out = READS_GROUP[layer] and group.order == 1, WRITES_GROUP[layer] and group.order == 1

    def f(x):
        # H = {1}: plane and group are one space, whose signals have no axis for H.
        x = x[:, :, None] if fiber_in else x
        y = FORWARD[layer](x, weight, group, padding="same", padding_mode="circular", algorithm="direct")
        return y[:, :, 0] if fiber_out else y

    return theory.matrix_of(f, x_space, y_space, 2, 3), weight, x_space, y_space


# Spaces


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


# Equivariant => group convolution


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


# Dimensions


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


# Dilations


def test_lifting_with_the_determinant_commutes_with_dilations_exactly(rng):
    """Small integers: every sum is exact, so equality is to the last bit."""
    for _ in range(10):
        signal, kernel = rng.integers(-9, 10, size=13), rng.integers(-9, 10, size=6)
        assert theory.dilation_defect(signal, kernel, 4) == 0.0
    assert theory.dilation_defect(rng.normal(size=30), rng.normal(size=8), 5) < 1e-12


def test_without_the_determinant_the_response_to_a_dilated_signal_doubles(rng):
    signal, kernel = rng.integers(-9, 10, size=13), rng.integers(1, 10, size=6)
    assert theory.dilation_defect(signal, kernel, 4, normalized=False) == 1.0
    before = theory.dyadic_lifting(signal, kernel, 3, normalized=False)
    after = theory.dyadic_lifting(theory.dilate(signal), kernel, 4, normalized=False)
    np.testing.assert_array_equal(after[1:, ::2], 2 * before)


def test_dyadic_lifting_is_the_integral_of_its_definition(rng):
    """By the midpoint rule on quarter cells, exact for functions that are constant on cells."""
    signal, kernel = rng.integers(-9, 10, size=7), rng.integers(-9, 10, size=4)

    def at(values, first, x):
        cell = int(np.floor(x)) - first
        return int(values[cell]) if 0 <= cell < len(values) else 0

    y = theory.dyadic_lifting(signal, kernel, 3)
    for j, m in itertools.product(range(3), range(8)):
        points = [Fraction(2 * i + 1, 8) for i in range(4 * 7)]
        integral = sum(at(kernel, -2, (x - m) / 2**j) * at(signal, 0, x) for x in points) * Fraction(1, 4)
        assert y[j, m] == integral / 2**j


# Wrong calls

PLANE = Space.plane(C4, 3)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "group is 4", lambda: Space(4, (3, 3), (0,))),
        (ValueError, "group is C8, expected a lattice group", lambda: Space.plane(eq.cyclic(8), 3)),
        (ValueError, "shape is .* on axes 0 and 1, which C4 exchanges", lambda: Space.plane(C4, (3, 5))),
        (ValueError, r"shape is \(3,\)", lambda: Space.plane(C4, (3,))),
        (ValueError, "shape is 0", lambda: Space.plane(C4, 0)),
        (ValueError, r"stabilizer is \(0, 1\), expected the elements of a subgroup", lambda: Space(C4, (3, 3), (0, 1))),
        (ValueError, "stabilizer is .* subgroup", lambda: Space(C4, (3, 3), ())),
        (ValueError, r"stabilizer\[1\] is 4", lambda: Space(C4, (3, 3), (0, 4))),
        (TypeError, "stabilizer is 'all'", lambda: Space(C4, (3, 3), "all")),
        (ValueError, "h is 4", lambda: PLANE.permutation((0, 0), 4)),
        (ValueError, "translation is", lambda: PLANE.permutation((0, 0, 0), 1)),
        (TypeError, "group is 'D4'", lambda: theory.subgroups("D4")),
        (TypeError, "x_space is 3, expected a Space", lambda: theory.project(np.eye(9), 3, PLANE)),
        (ValueError, "G must be one", lambda: theory.project(np.eye(9), PLANE, Space.plane(C4, 5))),
        (ValueError, "G must be one", lambda: theory.dimension_by_orbits(PLANE, Space.plane(D4, 3))),
        (ValueError, r"matrix has shape \(9, 8\), expected \(O", lambda: theory.project(np.eye(9, 8), PLANE, PLANE)),
        (ValueError, "matrix has shape", lambda: theory.equivariance_defect(np.ones((0, 9)), PLANE, PLANE)),
        (ValueError, "matrix has infinite or NaN", lambda: theory.project(np.full((9, 9), np.nan), PLANE, PLANE)),
        (TypeError, "matrix has dtype", lambda: theory.equivariance_defect(np.eye(9) * 1j, PLANE, PLANE)),
        (TypeError, "matrix cannot be turned", lambda: theory.equivariance_defect([[1.0], [1.0, 2.0]], PLANE, PLANE)),
        (ValueError, "kernel has shape", lambda: theory.operator_from_kernel(np.ones((3, 3)), PLANE, PLANE)),
        (ValueError, "f is not linear", lambda: theory.matrix_of(lambda f: np.maximum(f, 0), PLANE, PLANE)),
        (ValueError, "f is not linear", lambda: theory.matrix_of(lambda f: f + 1, PLANE, PLANE)),
        (ValueError, "f is not linear: .* nan", lambda: theory.matrix_of(lambda f: f * np.nan, PLANE, PLANE)),
        (ValueError, r"f returns shape \(9, 1, 2, 3\)", lambda: theory.matrix_of(lambda f: f[:, :, 1:], PLANE, PLANE)),
        (TypeError, "f returns dtype float32", lambda: theory.matrix_of(lambda f: f.astype(np.float32), PLANE, PLANE)),
        (TypeError, "f is 3, expected a callable", lambda: theory.matrix_of(3, PLANE, PLANE)),
        (ValueError, "channels_in is 0", lambda: theory.matrix_of(abs, PLANE, PLANE, 0)),
        (ValueError, "expected at most 2.26 entries", lambda: theory.matrix_of(abs, PLANE, PLANE, 4096, 4096)),
        (ValueError, "kernel has shape .* an even size", lambda: theory.dyadic_lifting([1.0], [1.0], 1)),
        (ValueError, "signal has shape", lambda: theory.dilate([])),
        (ValueError, "scales is 17", lambda: theory.dyadic_lifting([1.0], [1.0, 1.0], 17)),
        (TypeError, "scales is True", lambda: theory.dilation_defect([1.0], [1.0, 1.0], True)),
    ],
)  # fmt: skip
def test_wrong_calls_name_the_argument_its_value_and_what_was_expected(error, message, call):
    with pytest.raises(error, match=message):
        call()
