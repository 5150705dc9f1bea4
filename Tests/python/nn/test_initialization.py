# SPDX-License-Identifier: Apache-2.0
"""He initialization: its closed form on lattice groups, and the variance of signals through ten layers."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest
from equiconv._layer.initialization import _moments, _settled, fan_in, he_deviation
from equiconv._layer.layer import LAYERS, Kernel

PIXELS = Kernel(None, "bilinear", None, False)
C8 = eq.cyclic(8)


def kernel_of(group, layer, basis=None, group_basis=None, quadrature=False):
    return Kernel.checked(group, LAYERS[layer], (basis, "bilinear", group_basis, quadrature, 1))


def by_the_general_formula(layer, group, kernel, extents):
    correlation, total = _moments(layer, group, kernel, extents)
    return _settled(correlation, (total - correlation.sum()) / math.pi)


@pytest.mark.parametrize(
    ("group", "extents"),
    [
        (eq.trivial(2), (3, 3)),
        (eq.cyclic(4), (3, 3)),
        (eq.dihedral(4), (5, 5)),
        (eq.reflection(), (4,)),
        (eq.octahedral(), (3, 3, 3)),
    ],
)
def test_fan_in_counts_taps_and_elements_on_lattice_groups(group, extents):
    assert fan_in("lifting", group, PIXELS, extents) == math.prod(extents)
    assert fan_in("group", group, PIXELS, extents) == group.order * math.prod(extents)
    assert he_deviation("group", group, 7, PIXELS, extents) == math.sqrt(2 / (7 * group.order * math.prod(extents)))
    for layer in ("lifting", "group"):
        assert by_the_general_formula(layer, group, PIXELS, extents) == pytest.approx(
            fan_in(layer, group, PIXELS, extents), rel=1e-12
        )


def test_fan_in_of_a_projection_is_the_second_moment_of_its_mean_kernel():
    # A coefficient is read at |H| places, each by 1/|H|, whose mean products are 1 and 1/pi in units of E[f^2].
    group, taps = eq.cyclic(4), 9
    expected = group.order * taps * (4 + 12 / math.pi) / 16
    assert fan_in("projection", group, PIXELS, (3, 3)) == pytest.approx(expected, rel=1e-12)


def test_quadrature_divides_the_deviation_of_a_kernel_by_the_order():
    group = eq.cyclic(4)
    plain = fan_in("group", group, PIXELS, (3, 3))
    assert fan_in("group", group, kernel_of(group, "group", quadrature=True), (3, 3)) == pytest.approx(plain / 16)


def test_functions_localized_on_elements_count_as_so_many():
    basis = eq.localized([0, 1, 7])
    local = fan_in("group", C8, kernel_of(C8, "group", group_basis=basis), (5, 5))
    assert local == pytest.approx(3 * fan_in("lifting", C8, PIXELS, (5, 5)), rel=1e-12)


def variances(group, basis, group_basis, isotropic, seed):
    """The second moments of the outputs of ten layers with rectifiers between, for white noise."""
    rng = np.random.default_rng(seed)
    channels, kernel = 32, 5 if basis is None else basis
    options = {"padding": "same", "padding_mode": "circular", "bias": False, "rng": rng}
    first = eq.IsotropicConv if isotropic else eq.LiftingConv
    y = first(channels, channels, kernel, group, **options)(
        rng.standard_normal((1, channels, 17, 17), dtype=np.float32)
    )
    moments = []
    for _ in range(10):
        y = np.maximum(y, 0)
        if isotropic:
            y = eq.IsotropicConv(channels, channels, kernel, group, **options)(y)
        else:
            y = eq.GroupConv(channels, channels, kernel, group, group_basis=group_basis, **options)(y)
        moments.append(float(np.mean(y.astype(np.float64) ** 2)))
    return np.array(moments)


CASES = {
    "C4 pixels": (eq.cyclic(4), None, None, False),
    "D4 pixels": (eq.dihedral(4), None, None, False),
    "C8 pixels": (C8, None, None, False),
    "C8 splines": (C8, eq.bspline_basis(5), None, False),
    "C8 wide splines": (C8, eq.bspline_basis(5, scale=2.0), None, False),
    "C8 round splines": (C8, eq.round_bspline_basis(7), None, False),
    "C8 harmonics": (C8, eq.circular_harmonics(7), None, False),
    "C8 derivatives": (C8, eq.gaussian_derivatives(7, 3, 1.2), None, False),
    "C8 localized": (C8, None, eq.localized([0, 1, 7]), False),
    "C8 splines of the angle": (C8, None, eq.group_bspline(3, 4), False),
    "C8 splines of both": (C8, eq.circular_harmonics(7), eq.group_bspline(3, 4), False),
    "D4 isotropic": (eq.dihedral(4), None, None, True),
    "C8 isotropic harmonics": (C8, eq.circular_harmonics(7), None, True),
}


@pytest.mark.parametrize("name", CASES)
def test_ten_layers_keep_the_variance(name):
    # White noise is no output of such a layer and loses in the first three, until correlations have settled. The bound
    # of 4 for seven layers is what the finite width of 32 leaves: with the sum of squares in place of F smooth kernels
    # grow by 2 to 10 a layer.
    moments = np.exp(np.mean([np.log(variances(*CASES[name], seed)) for seed in range(3)], axis=0))
    assert 0.25 < moments[-1] / moments[2] < 4
    assert 0.005 < moments[-1] < 4


def test_the_weights_of_a_layer_have_the_deviation_of_the_closed_form():
    layer = eq.GroupConv(16, 64, 3, eq.dihedral(4), rng=0)
    assert layer.weight.std() == pytest.approx(math.sqrt(2 / (16 * 8 * 9)), rel=0.01)
    assert abs(layer.weight.mean()) < 1e-3
    assert np.all(layer.bias == 0)


def test_making_a_layer_of_many_coefficients_takes_no_long_time_for_its_deviation():
    # 60 elements, 125 taps: the bank of all coefficients at once would have 56 million numbers.
    kernel = kernel_of(eq.icosahedral(), "group")
    assert fan_in("group", eq.icosahedral(), kernel, (5, 5, 5)) > 0
