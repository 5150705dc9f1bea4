# SPDX-License-Identifier: Apache-2.0
"""equivariance_error with rotations by any angle and scalings: exact where the grid allows, small for smooth maps."""

from __future__ import annotations

import sys

import equiconv as eq
import numpy as np
import pytest


def smooth(rng, size, limit=0.6):
    """A sum of plane waves of at most `limit` radians per pixel: splines of degree 5 reproduce it to about 1e-4."""
    angles, radii = rng.uniform(0, 2 * np.pi, 12), limit * np.sqrt(rng.uniform(0, 1, 12))
    rows, columns = np.mgrid[:size, :size]
    phases = np.multiply.outer(radii * np.cos(angles), columns) + np.multiply.outer(radii * np.sin(angles), rows)
    return np.cos(phases + rng.uniform(0, 2 * np.pi, (12, 1, 1))).sum(axis=0)[None, None]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("group", [eq.cyclic(4), eq.cyclic(8), eq.dihedral(4)], ids=lambda group: group.name)
def test_quarter_turns_of_equivariant_layers_have_no_error(group, dtype, rng):
    x = rng.standard_normal((2, 2, 11, 14)).astype(dtype)
    w1 = rng.standard_normal((2, 2, 3, 3)).astype(dtype)
    w2 = rng.standard_normal((2, 2, group.order, 3, 3)).astype(dtype)
    quarters = [0, 90, -180, 270, 450]

    def layers(f):
        lifted = eq.lifting_conv(f, w1, group, padding="same", algorithm="direct")
        return eq.group_conv(lifted, w2, group, padding="same", algorithm="direct")

    if group.is_lattice:
        assert eq.equivariance_error(layers, x, group, angles=quarters) == 0.0
    else:
        assert eq.equivariance_error(layers, x, group, angles=quarters) < 100 * np.finfo(dtype).eps
    second = eq.lifting_conv(x, w1, group)
    assert (
        eq.equivariance_error(lambda f: eq.group_conv(f, w2, group), second, group, angles=quarters)
        < 100 * np.finfo(dtype).eps
    )
    assert (
        eq.equivariance_error(lambda f: f * np.arange(14), x[..., :11, :].repeat(1, axis=0), eq.cyclic(2), angles=180)
        > 0.1
    )


def test_quarter_turns_on_quotients_are_those_of_act(rng):
    group, half_turns = eq.dihedral(4), [0, 2]
    x = rng.standard_normal((1, 2, 4, 7, 7))
    turned = eq.act(x, group, 1, half_turns)
    seen = []
    eq.equivariance_error(
        lambda f: seen.append(f) or f, x, group, input_stabilizer=half_turns, output_stabilizer=half_turns, angles=90
    )
    assert np.array_equal(seen[1], turned)


def test_no_angles_and_no_scales_is_the_exact_error(rng):
    x = rng.standard_normal((1, 1, 6, 6))
    group = eq.cyclic(4)
    exact = eq.equivariance_error(lambda f: f * np.arange(6), x, group)
    assert exact == eq.equivariance_error(lambda f: f * np.arange(6), x, group, spline_order=3, radius=0.1)


def test_isotropic_smooth_filter_is_nearly_invariant(rng):
    pytest.importorskip("scipy")
    x, group = smooth(rng, 49), eq.trivial(2)
    taps = np.exp(-np.square(np.mgrid[-4:5, -4:5]).sum(axis=0) / 2)[None, None]
    angles = [7.0, 22.5, 45.0, -130.0]
    assert eq.equivariance_error(lambda f: eq.isotropic_conv(f, taps, group), x, group, angles=angles) < 1e-3
    edge = rng.standard_normal((1, 1, 9, 9))
    assert eq.equivariance_error(lambda f: eq.isotropic_conv(f, edge, group), x, group, angles=angles) > 0.1


def test_angles_turn_counterclockwise_as_the_elements_do(rng):
    """The layer of C8 commutes with its elements; with their inverses, it does not."""
    pytest.importorskip("scipy")
    x, group = smooth(rng, 49), eq.cyclic(8)
    basis = eq.gaussian_derivatives(9, 2, 1.2)
    weight = rng.standard_normal((2, 1, basis.count))

    def layer(f):
        return eq.lifting_conv(f, weight, group, basis=basis)

    assert eq.equivariance_error(layer, x, group, angles=[45, 135, -45]) < 1e-2
    assert eq.equivariance_error(lambda f: layer(f)[:, :, ::-1], x, group, angles=45) > 0.1


def test_scales_move_scalings_and_skip_what_is_truncated(rng):
    pytest.importorskip("scipy")
    x, group = smooth(rng, 65, 0.3), eq.scaling([1.0, 1.5, 2.25])
    basis = eq.gaussian_derivatives(9, 2, 1.2)
    weight = rng.standard_normal((2, 1, basis.count))

    def layer(f):
        return eq.lifting_conv(f, weight, group, basis=basis, padding=(9 * 2) // 2)

    assert eq.equivariance_error(layer, x, group, scales=1.5, radius=0.3) < 1e-2
    assert eq.equivariance_error(lambda f: layer(f)[:, :, ::-1], x, group, scales=1.5, radius=0.3) > 0.1


def test_shrinking_is_compared_where_the_shrunk_image_is(rng):
    """A Gaussian half as wide on the image half as large: f(L_s x) = L_s f(x). With the same Gaussian it is not."""
    pytest.importorskip("scipy")
    x, group = smooth(rng, 97, 0.3), eq.trivial(2)
    squares = np.square(np.mgrid[-16:17, -16:17]).sum(axis=0)
    taps = [np.exp(-squares / (2 * sigma**2))[None, None] / (2 * np.pi * sigma**2) for sigma in (4.0, 2.0)]
    calls = iter([taps[0], taps[1], taps[0], taps[0]])

    def filtered(f):
        return eq.isotropic_conv(f, next(calls), group, padding="same")

    assert eq.equivariance_error(filtered, x, group, scales=0.5) < 1e-2
    assert eq.equivariance_error(filtered, x, group, scales=0.5) > 0.1


def test_numbers_per_channel_are_compared_whole(rng):
    x = rng.standard_normal((2, 3, 6, 6))
    group = eq.cyclic(4)
    assert eq.equivariance_error(lambda f: f[:, :, 0, 0] * 0 + 1, x, group, angles=90) == 0.0
    assert eq.equivariance_error(lambda f: f[:, :, 0, 0], x, group, angles=90) > 0.1
    assert np.isnan(eq.equivariance_error(lambda f: f * np.nan, x, group, angles=90))


@pytest.mark.parametrize("order", [3, 5])
def test_both_spline_orders_resample(order, rng):
    pytest.importorskip("scipy")
    x = smooth(rng, 33)
    error = eq.equivariance_error(lambda f: f * f, x, eq.trivial(2), angles=30, spline_order=order)
    assert 0 < error < 1e-2


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"angles": "a"}, TypeError, "angles has dtype <U1, expected real numbers"),
        ({"angles": []}, ValueError, "angles is [], expected one or more finite numbers of degrees"),
        ({"angles": [np.nan]}, ValueError, "angles is [nan], expected one or more finite numbers of degrees"),
        ({"scales": 0}, ValueError, "scales is 0, expected one or more numbers in 1/1024...1024"),
        ({"scales": [1, -2]}, ValueError, "scales is [1, -2], expected one or more numbers in 1/1024...1024"),
        ({"angles": 90, "radius": 0}, ValueError, "radius is 0.0, expected a number above 0 and at most 1"),
        ({"angles": 90, "radius": "1"}, TypeError, "radius is '1' (str), expected a number"),
        (
            {"angles": 90, "radius": 1e-9},
            ValueError,
            "radius is 1e-09, within which an output of (6, 6) pixels has none",
        ),
        ({"angles": 90, "spline_order": 6}, ValueError, "spline_order is 6, expected an integer from 1 to 5"),
    ],
)
def test_wrong_arguments_are_named(options, error, text):
    with pytest.raises(error) as caught:
        eq.equivariance_error(lambda f: f, np.ones((1, 1, 6, 6)), eq.cyclic(4), **options)
    assert str(caught.value).startswith(text)


def test_angles_need_the_plane():
    with pytest.raises(ValueError, match="angles is 90, expected None for octahedral, which acts on 3-D"):
        eq.equivariance_error(lambda f: f, np.ones((1, 1, 3, 3, 3)), eq.octahedral(), angles=90)


def test_outputs_on_the_group_need_an_element():
    pytest.importorskip("scipy")
    group = eq.cyclic(4)
    with pytest.raises(ValueError, match=r"f\(x\) is a signal on C4, which has no element that is a rotation by 45"):
        eq.equivariance_error(
            lambda f: eq.lifting_conv(f, np.ones((1, 1, 3, 3)), group), np.ones((1, 1, 8, 8)), group, angles=45
        )


def test_outputs_of_another_shape_are_named():
    sizes = iter([6, 5])
    with pytest.raises(
        ValueError, match=r"f\(L_A x\) has shape \(1, 1, 5, 6\) for A of 90 degrees, expected \(1, 1, 6"
    ):
        eq.equivariance_error(lambda f: f[:, :, : next(sizes)], np.ones((1, 1, 6, 6)), eq.cyclic(4), angles=90)


def test_without_scipy_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    x = np.ones((1, 1, 6, 6))
    with pytest.raises(ModuleNotFoundError, match="needs SciPy: pip install scipy"):
        eq.equivariance_error(lambda f: f, x, eq.cyclic(4), angles=45)
    assert eq.equivariance_error(lambda f: f, x, eq.cyclic(4), angles=90) == 0.0
