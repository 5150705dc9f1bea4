# SPDX-License-Identifier: Apache-2.0
"""Any group, any basis, any quotient: the layers against their definition, their gradients, and what is exact."""

from __future__ import annotations

import warnings

import equiconv as eq
import general
import numpy as np
import pytest
from cases import FORWARD, LAYERS, VJP
from quotients import GROUPS, SUBGROUPS, fiber, signal_sizes
from reference import READS_GROUP, WRITES_GROUP

# By dimension; None for the pixels of a layer without a basis.
BASES = {
    2: {
        "pixels": None,
        "pixel basis": eq.pixel_basis(5, "bicubic"),
        "splines": eq.bspline_basis(5, 3, scale=1.5),
        "atrous": eq.atrous_bspline_basis(5, 2, spacing=1.25),
        "round": eq.round_bspline_basis(5, 1),
        "placed": eq.bspline_basis(5, 3, [[0.0, 1.0], [-0.5, 0.25]]),
        "harmonics": eq.circular_harmonics(5),
        "gaussian": eq.gaussian_derivatives(5, 2, 0.8),
    },
    3: {"pixels": None, "gaussian": eq.gaussian_derivatives(3, 1, 0.7, dimension=3)},
}
CASES = [(name, basis) for name, group in GROUPS.items() for basis in BASES[group.dimension]]
C8, D4 = GROUPS["C8"], GROUPS["D4"]


def weight_for(rng, basis, outputs, channels, points, kernel, dtype=np.float64):
    shape = kernel if basis is None else basis.shape
    return rng.normal(size=(outputs, channels, *points, *shape)).astype(dtype)


def stabilizers_of(layer, group):
    whole = list(range(group.order))
    return ([0] if READS_GROUP[layer] else whole, [0] if WRITES_GROUP[layer] else whole)


def bound(x, weight, basis):
    """Unit roundoff x terms x largest term; matrices are inverted once more in the reference, with its own rounding."""
    largest = 1 if basis is None else max(1.0, float(np.abs(basis.sample(np.zeros(basis.dimension))).max()))
    return 1e-13 * weight[0].size * np.abs(x).max() * np.abs(weight).max() * largest


@pytest.mark.parametrize("keywords", [{}, {"stride": 2, "padding": 2, "dilation": 2}, {"padding": "same"}], ids=str)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("name", "basis_name"), CASES)
def test_layers_equal_their_definition(rng, name, basis_name, layer, keywords):
    group = GROUPS[name]
    basis = BASES[group.dimension][basis_name]
    kernel = (3,) * group.dimension if basis is None else basis.extents
    if basis is not None and not keywords:
        keywords = {"padding": 1}
    stabilizers = stabilizers_of(layer, group)
    points = (group.order,) if READS_GROUP[layer] else ()
    x = rng.normal(size=(1, 2, *points, *signal_sizes(group)))
    weight = weight_for(rng, basis, 2, 2, points, kernel)
    bank = general.filter_bank(weight, basis or eq.pixel_basis(kernel), group.matrices, stabilizers)
    expected = general.conv(x, bank, kernel, has_fiber=(bool(points), WRITES_GROUP[layer]), **keywords)
    with_basis = keywords if basis is None else {**keywords, "basis": basis}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eq.EquivarianceWarning)
        y = FORWARD[layer](x, weight, group, **with_basis)
    np.testing.assert_allclose(y, expected, rtol=0, atol=bound(x, weight, basis))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "bspline3"])
def test_interpolation_of_pixels_is_that_of_the_pixel_basis(rng, interpolation):
    x, weight = rng.normal(size=(1, 2, 8, 8)), rng.normal(size=(3, 2, 5, 5))
    y = eq.lifting_conv(x, weight, C8, interpolation=interpolation)
    np.testing.assert_array_equal(y, eq.lifting_conv(x, weight, C8, basis=eq.pixel_basis(5, interpolation)))
    lattice = eq.lifting_conv(x, weight, D4, interpolation=interpolation)
    np.testing.assert_array_equal(lattice, eq.lifting_conv(x, weight, D4))
    if interpolation != "bilinear":
        assert np.any(y != eq.lifting_conv(x, weight, C8))


@pytest.mark.parametrize("group_basis", [eq.localized([0, 1, 7]), eq.group_bspline(2, 4)], ids=repr)
@pytest.mark.parametrize("layer", ["group", "projection"])
def test_group_bases_equal_their_definition(rng, layer, group_basis):
    """k(d) = sum over i of M[d, i] w_i: the layer with the weights M w."""
    x, weight = rng.normal(size=(1, 2, 8, 7, 7)), rng.normal(size=(3, 2, group_basis.count, 3, 3))
    full = np.einsum("di,ocixy->ocdxy", group_basis.matrix(C8), weight)
    y = FORWARD[layer](x, weight, C8, group_basis=group_basis)
    np.testing.assert_allclose(y, FORWARD[layer](x, full, C8), rtol=0, atol=bound(x, full, None))


@pytest.mark.parametrize("layer", LAYERS)
def test_quadrature_of_a_closed_group_is_the_mean(rng, layer):
    points = (8,) if READS_GROUP[layer] else ()
    x, weight = rng.normal(size=(1, 2, *points, 7, 7)), rng.normal(size=(3, 2, *points, 3, 3))
    y = FORWARD[layer](x, weight, C8, quadrature=True)
    share = 8 if points else 1
    np.testing.assert_allclose(y * share, FORWARD[layer](x, weight, C8), rtol=0, atol=10 * bound(x, weight, None))


@pytest.mark.parametrize("layer", ["group", "projection"])
@pytest.mark.parametrize("name", ["scaling", "similarity"])
def test_quadrature_weights_each_element_of_the_input(rng, name, layer):
    """sum over h' of w(h') ...: the layer applied to w f."""
    group = GROUPS[name]
    measures = group.quadrature_weights
    x, weight = rng.normal(size=(1, 2, group.order, 7, 7)), rng.normal(size=(3, 2, group.order, 3, 3))
    y = FORWARD[layer](x, weight, group, quadrature=True)
    expected = FORWARD[layer](x * measures[:, None, None], weight, group)
    np.testing.assert_allclose(y, expected, rtol=0, atol=bound(x, weight, None))


@pytest.mark.parametrize("name", ["C8", "D4", "D6", "similarity"])
def test_conv_between_quotients_equals_its_definition(rng, name):
    group = GROUPS[name]
    for source in SUBGROUPS[name]:
        for target in SUBGROUPS[name]:
            points = fiber(group, source)
            x, weight = rng.normal(size=(1, 2, *points, 6, 7)), rng.normal(size=(2, 2, *points, 3, 3))
            y = eq.conv(x, weight, group, input_stabilizer=source, output_stabilizer=target[::-1], padding=1)
            bank = general.filter_bank(weight, eq.pixel_basis(3), group.matrices, (source, target))
            expected = general.conv(x, bank, (3, 3), has_fiber=(bool(points), bool(fiber(group, target))), padding=1)
            np.testing.assert_allclose(y, expected, rtol=0, atol=bound(x, weight, None))


@pytest.mark.parametrize("layer", LAYERS)
def test_conv_with_whole_and_trivial_stabilizers_is_the_named_layer(rng, layer):
    for group in (C8, D4):
        points = (8,) if READS_GROUP[layer] else ()
        x, weight, bias = rng.normal(size=(2, 3, *points, 9, 9)), rng.normal(size=(4, 3, *points, 3, 3)), np.ones(4)
        source, target = stabilizers_of(layer, group)
        keywords = {"input_stabilizer": iter(source), "output_stabilizer": np.array(target[::-1])}
        out = np.empty_like(FORWARD[layer](x, weight, group))
        assert eq.conv(x, weight, group, bias, **keywords, out=out) is out
        np.testing.assert_array_equal(out, FORWARD[layer](x, weight, group, bias))


# ---- Gradients ----


def check_gradients(rng, forward, vjp, x, weight):
    """Central differences of a function that is linear in x and in weight are exact up to rounding."""
    grad_out = rng.normal(size=forward(x, weight).shape)
    grad_x, grad_weight, grad_bias = vjp(grad_out, x, weight)
    for array, gradient, value in (
        (x, grad_x, lambda e: forward(e, weight)), (weight, grad_weight, lambda e: forward(x, e)),
    ):  # fmt: skip
        assert gradient.shape == array.shape
        for place in rng.integers(array.size, size=6):
            step = np.zeros_like(array)
            step.flat[place] = 1.0
            slope = np.sum(grad_out * (value(array + step) - value(array - step))) / 2
            assert abs(slope - gradient.flat[place]) <= 1e-12 * (1 + np.abs(grad_out).sum() * np.abs(array).max())
    np.testing.assert_allclose(grad_bias, np.moveaxis(grad_out, 1, 0).reshape(weight.shape[0], -1).sum(axis=1))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("name", "basis_name"), CASES)
def test_gradients_are_those_of_finite_differences(rng, name, basis_name, layer):
    group = GROUPS[name]
    basis = BASES[group.dimension][basis_name]
    kernel = (3,) * group.dimension if basis is None else basis.extents
    points = (group.order,) if READS_GROUP[layer] else ()
    x = rng.normal(size=(1, 2, *points, *signal_sizes(group)))
    weight = weight_for(rng, basis, 2, 2, points, kernel)
    keywords = {"padding": "same", "basis": basis, "interpolation": "bicubic"}
    check_gradients(
        rng,
        lambda x, w: FORWARD[layer](x, w, group, **keywords),
        lambda g, x, w: VJP[layer](g, x, w, group, **keywords),
        x, weight,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["C8", "D6", "similarity"])
def test_gradients_between_quotients(rng, name):
    group = GROUPS[name]
    for source in SUBGROUPS[name]:
        for target in SUBGROUPS[name]:
            points = fiber(group, source)
            x, weight = rng.normal(size=(2, 2, *points, 5, 5)), rng.normal(size=(2, 2, *points, 3, 3))
            keywords = {"input_stabilizer": source, "output_stabilizer": target}
            check_gradients(
                rng,
                lambda x, w, k=keywords: eq.conv(x, w, group, **k),
                lambda g, x, w, k=keywords: eq.conv_vjp(g, x, w, group, **k),
                x, weight,
            )  # fmt: skip


def test_gradients_of_group_bases_and_quadrature(rng):
    keywords = {"group_basis": eq.group_bspline(2, 3), "quadrature": True, "basis": eq.circular_harmonics(5)}
    x, weight = rng.normal(size=(1, 2, 8, 6, 6)), rng.normal(size=(2, 2, 3, 6))
    check_gradients(
        rng,
        lambda x, w: eq.group_conv(x, w, C8, **keywords),
        lambda g, x, w: eq.group_conv_vjp(g, x, w, C8, **keywords),
        x, weight,
    )  # fmt: skip


def test_unwanted_gradients_are_none(rng):
    x, weight = rng.normal(size=(1, 1, 5, 5)), rng.normal(size=(1, 1, 3, 3))
    keywords = {"input_stabilizer": range(8), "output_stabilizer": [0]}
    grad_out = np.ones((1, 1, 8, 3, 3))
    assert eq.conv_vjp(grad_out, x, weight, C8, **keywords, wanted=())[0] is None
    assert [g is None for g in eq.conv_vjp(grad_out, x, weight, C8, **keywords, wanted=("x",))] == [False, True, True]


# ---- What is exact ----

EXACT = {
    "C8": C8, "C16": eq.cyclic(16), "D8": eq.dihedral(8), "D6": GROUPS["D6"], "D4": D4,
    "similarity": eq.similarity(8, [1, 1.5]),
}  # fmt: skip


@pytest.mark.parametrize("basis_name", BASES[2])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", EXACT)
def test_lattice_elements_commute_to_the_last_bit(rng, name, layer, basis_name):
    group, basis = EXACT[name], BASES[2][basis_name]
    points = (group.order,) if READS_GROUP[layer] else ()
    x = rng.normal(size=(1, 2, *points, 7, 8)).astype(np.float32)
    weight = weight_for(rng, basis, 3, 2, points, (3, 3), np.float32)
    bias = rng.normal(size=3).astype(np.float32)
    error = eq.equivariance_error(
        lambda x: FORWARD[layer](
            x, weight, group, bias, basis=basis, padding="same", interpolation="bspline3", algorithm="direct"
        ),
        x,
        group,
    )
    assert error == 0.0


@pytest.mark.parametrize("name", ["C8", "D4", "octahedral", "similarity"])
def test_lattice_elements_commute_with_conv_between_quotients(rng, name):
    group = GROUPS[name]
    for source in SUBGROUPS[name]:
        for target in SUBGROUPS[name]:
            points = fiber(group, source)
            x = rng.normal(size=(1, 2, *points, *signal_sizes(group))).astype(np.float32)
            weight = rng.normal(size=(2, 2, *points, *(3,) * group.dimension)).astype(np.float32)
            keywords = {"input_stabilizer": source, "output_stabilizer": target}
            error = eq.equivariance_error(
                lambda x, w=weight, k=keywords: eq.conv(x, w, group, padding="same", algorithm="direct", **k),
                x,
                group,
                **keywords,
            )
            assert error == 0.0


def test_error_sees_a_map_that_does_not_commute(rng):
    x = rng.normal(size=(1, 1, 8, 8))
    assert eq.equivariance_error(lambda x: np.cumsum(x, axis=2), x, C8) > 0.1


def test_a_turn_by_45_degrees_commutes_on_smooth_signals():
    """y(L_g f)[h, 0] = y(f)[g^-1 h, 0] at the center of the array, which rotations leave in place.

    f is a Gaussian of width 2 off the center, and L_g f is the same about the rotated point: nothing is interpolated.
    Sums over pixels of a product of spectra exp(-|w|^2 / 2) and exp(-4 |w|^2 / 2) are integrals but for its values at
    2 pi, at most exp(-(2 pi)^2 (1 * 4 / 5) / 2) = 1.4e-7; the kernel is cut at 7.5 taps, 5.5 widths off its ring:
    exp(-15).
    """
    grid = np.arange(33) - 16.0
    columns, rows = np.meshgrid(grid, -grid)

    def image(angle):
        x, y = 2.5 * np.cos(angle), 2.5 * np.sin(angle)
        return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2))[None, None]

    weight = np.random.default_rng(3).normal(size=(1, 1, 9))
    basis = eq.circular_harmonics(15, radii=[2.0], frequencies=[4], sigma=1.0)
    straight, turned = (
        eq.lifting_conv(image(0.2 + a), weight, C8, basis=basis, padding="same")[0, 0, :, 16, 16]
        for a in (0, np.pi / 4)
    )
    assert np.ptp(straight) > 0.1 * np.abs(straight).max()
    np.testing.assert_allclose(turned, np.roll(straight, 1), rtol=0, atol=1e-5 * np.abs(straight).max())


def test_stride_that_does_not_fit_warns_for_groups_that_turn(rng):
    x, weight = rng.normal(size=(1, 1, 8, 8)), rng.normal(size=(1, 1, 3, 3))
    with pytest.warns(eq.EquivarianceWarning, match="C8"):
        eq.lifting_conv(x, weight, C8, stride=2)
    with pytest.warns(eq.EquivarianceWarning, match="C8"):
        eq.conv(x, weight, C8, stride=2, input_stabilizer=range(8), output_stabilizer=[0, 4])
