# SPDX-License-Identifier: Apache-2.0
"""Bases of kernels and on H: their functions, and that they are values."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import numpy as np
import pytest

interpolate = pytest.importorskip("scipy.interpolate")

BASES = {
    "pixel": eq.pixel_basis(5),
    "pixel cubic": eq.pixel_basis((4, 5), "bspline3"),
    "bspline": eq.bspline_basis(5, 3, scale=1.5),
    "bspline at": eq.bspline_basis((3, 5), 2, [[0.25, 1.0], [-1.5, 0.0]], 2),
    "atrous": eq.atrous_bspline_basis(7, 1, spacing=3.0),
    "round": eq.round_bspline_basis(7, dimension=3),
    "round radius": eq.round_bspline_basis(5, 3, 0),
    "harmonics": eq.circular_harmonics(7),
    "harmonics limited": eq.circular_harmonics(6, 1),
    "rings": eq.circular_harmonics(7, radii=[0.5, 2.0], frequencies=[1, 3], sigma=0.5),
    "gaussian": eq.gaussian_derivatives(7, 2, 1.0),
    "gaussian line": eq.gaussian_derivatives((9,), 3, 1.25),
}
GROUP_BASES = {
    "localized": eq.localized([0, 3, 1]),
    "splines": eq.group_bspline(3, 4),
    "spline centers": eq.group_bspline(1, centers=[0.0, 1.0], scale=1.5),
}
COUNTS = {
    "pixel": 25, "pixel cubic": 20, "bspline": 9, "bspline at": 2, "atrous": 9, "round": 33, "round radius": 1,
    "harmonics": 15, "harmonics limited": 6, "rings": 10, "gaussian": 6, "gaussian line": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", BASES)
def test_attributes(rng, name):
    basis = BASES[name]
    assert basis.count == COUNTS[name]
    assert basis.dimension == len(basis.extents)
    assert basis.shape == (basis.extents if name.startswith("pixel") else (basis.count,))
    points = rng.normal(size=(3, 2, basis.dimension))
    values = basis.sample(points)
    assert values.shape == (3, 2, basis.count)
    np.testing.assert_array_equal(values[1, 1], basis.sample(points[1, 1]))
    assert basis.sample(np.empty((0, basis.dimension))).shape == (0, basis.count)
    np.testing.assert_array_equal(basis.sample([np.nan] * basis.dimension), np.zeros(basis.count))


@pytest.mark.parametrize("basis", [*BASES.values(), *GROUP_BASES.values()], ids=repr)
def test_bases_are_values(basis):
    assert basis == pickle.loads(pickle.dumps(basis))
    assert hash(basis) == hash(pickle.loads(pickle.dumps(basis)))
    assert copy.copy(basis) is basis
    assert copy.deepcopy(basis) is basis
    assert repr(basis).startswith("equiconv.")
    assert basis != 3
    others = [other for other in (*BASES.values(), *GROUP_BASES.values()) if other is not basis]
    assert basis not in others
    with pytest.raises(AttributeError, match="immutable"):
        basis.count = 1
    with pytest.raises(AttributeError, match="immutable"):
        del basis._shown


@pytest.mark.parametrize("basis", [*BASES.values(), *GROUP_BASES.values()], ids=repr)
def test_repr_makes_an_equal_basis(basis):
    assert eval(repr(basis), {"equiconv": eq}) == basis


@pytest.mark.parametrize("degree", range(1, 6))
def test_splines_are_those_of_scipy(degree):
    """beta_n((t - c) / s) with the B-spline of SciPy on the knots -(n+1)/2, ..., (n+1)/2; ends to rounding."""
    knots = np.arange(degree + 2) - (degree + 1) / 2
    spline = interpolate.BSpline.basis_element(knots, extrapolate=False)
    t = np.linspace(-6, 6, 241)
    basis = eq.bspline_basis(7, degree, [[0.3], [-2.0]], 1.7, dimension=1)
    expected = np.stack([np.nan_to_num(spline((t - c) / 1.7)) for c in (0.3, -2.0)], axis=1)
    np.testing.assert_allclose(basis.sample(t[:, None]), expected, rtol=0, atol=1e-12)


def test_gaussian_derivatives_are_derivatives():
    """The first-order functions are sigma times the derivatives of the first, by central differences."""
    basis, step = eq.gaussian_derivatives(9, 1, 1.5), 1e-5
    points = np.random.default_rng(1).normal(size=(50, 2))
    for axis, function in ((0, 1), (1, 2)):
        shift = step * np.eye(2)[axis]
        slope = (basis.sample(points + shift)[:, 0] - basis.sample(points - shift)[:, 0]) / (2 * step)
        np.testing.assert_allclose(1.5 * slope, basis.sample(points)[:, function], rtol=0, atol=1e-8)


@pytest.mark.parametrize("angle", [0.3, 1.1, np.pi / 4])
def test_harmonics_of_one_frequency_mix_among_each_other(angle):
    """B_cos(R^-1 u) = cos(m a) B_cos(u) + sin(m a) B_sin(u), B_sin(R^-1 u) = cos(m a) B_sin(u) - sin(m a) B_cos(u)."""
    basis = eq.circular_harmonics(7, radii=[2.0], frequencies=[4])
    points = np.random.default_rng(2).normal(scale=2, size=(50, 2))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = basis.sample(points), basis.sample(points @ rotation)
    np.testing.assert_allclose(after[:, 0], before[:, 0], rtol=0, atol=1e-13)
    for m in range(1, 5):
        cosine, sine = before[:, 2 * m - 1], before[:, 2 * m]
        c, s = np.cos(m * angle), np.sin(m * angle)
        np.testing.assert_allclose(after[:, 2 * m - 1], c * cosine + s * sine, rtol=0, atol=1e-13)
        np.testing.assert_allclose(after[:, 2 * m], c * sine - s * cosine, rtol=0, atol=1e-13)


def test_matrices_of_group_bases():
    np.testing.assert_array_equal(eq.localized([2, 0]).matrix(eq.cyclic(4)), np.eye(4)[:, [2, 0]])
    for n in (8, 5, 3):
        np.testing.assert_allclose(eq.group_bspline(3, 4).matrix(eq.cyclic(n)).sum(axis=1), 1, rtol=0, atol=1e-14)
