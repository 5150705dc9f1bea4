# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions are the adjoints of layers: in numbers, in sizes, and in what they commute with."""

from __future__ import annotations

import warnings

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, FORWARD, GROUPS, LAYERS, all_cases, identify, operands, output_like, rounding_bound

C4 = eq.cyclic(4)
EXACT_GROUPS = ("reflection", "C4", "D4", "octahedral", "C4_about_x")


def adjoint(layer, x, weight, group, bias=None, **options):
    return eq.transposed_conv(x, weight, group, bias, layer=layer, **options)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(), ids=identify)
def test_a_transposed_convolution_is_the_adjoint_of_its_layer(rng, layer, name, sampling, dtype):
    """<K v, g> = <v, K* g>, and K* g has the size of v where the stride of K fits it."""
    group = GROUPS[name]
    v, weight, _ = operands(rng, layer, group, sampling, dtype)
    g = output_like(rng, layer, group, sampling, v, weight)
    y = adjoint(layer, g, weight, group, **sampling.keywords)
    assert (y.shape, y.dtype) == (v.shape, np.dtype(dtype))
    outputs = FORWARD[layer](v, weight, group, **sampling.keywords)
    bound = rounding_bound(v, weight, group) * np.abs(g).sum() + np.finfo(dtype).eps * g.size
    difference = np.sum(outputs.astype(float) * g) - np.sum(v.astype(float) * y)
    assert abs(difference) <= bound


@pytest.mark.parametrize("algorithm", ["direct", "exact"])
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(EXACT_GROUPS), ids=identify)
def test_it_commutes_with_the_group_to_the_last_bit(rng, layer, name, sampling, algorithm):
    group = GROUPS[name]
    v, weight, _ = operands(rng, layer, group, sampling, np.float32)
    g = output_like(rng, layer, group, sampling, v, weight)
    bias = rng.normal(size=3).astype(np.float32)
    options = {**sampling.keywords, "algorithm": algorithm}
    assert eq.equivariance_error(lambda x: adjoint(layer, x, weight, group, bias, **options), g, group) == 0


@pytest.mark.parametrize("layer", LAYERS)
def test_the_quarter_turns_of_another_group_are_exact_too(rng, layer):
    group = eq.cyclic(8)
    v, weight = rng.normal(size=(1, 3, 9, 9)), rng.normal(size=(2, 3, 3, 3))
    if layer in ("group", "projection"):
        weight = rng.normal(size=(2, 3, 8, 3, 3))
    shape = (1, 2, 8, 5, 5) if layer in ("group", "lifting") else (1, 2, 5, 5)
    x, options = rng.normal(size=shape), {"stride": 2, "padding": 1, "algorithm": "direct"}
    assert eq.equivariance_error(lambda x: adjoint(layer, x, weight, group, **options), x, group) == 0
    assert adjoint(layer, x, weight, group, **options).shape[-2:] == v.shape[-2:]


@pytest.mark.parametrize("algorithm", ["direct", "exact"])
@pytest.mark.parametrize("layer", LAYERS)
def test_all_algorithms_give_the_adjoint(rng, layer, algorithm):
    """Of small integers all sums are exact, and so is the mean over turns, of equal terms."""
    group = eq.dihedral(4)
    x = rng.integers(-4, 5, size=(2, 3, 8, 5, 6) if layer in ("group", "lifting") else (2, 3, 5, 6)).astype(float)
    weight = rng.integers(-4, 5, size=(3, 2, 8, 4, 4) if layer in ("group", "projection") else (3, 2, 4, 4))
    weight = weight.astype(float) * 8  # means over H of the kernel are integers
    options = {"stride": 2, "padding": 1}
    y = adjoint(layer, x, weight, group, **options)
    np.testing.assert_array_equal(adjoint(layer, x, weight, group, algorithm=algorithm, **options), y)


@pytest.mark.parametrize("algorithm", ["auto", "exact"])
def test_output_padding_gives_the_sizes_that_the_stride_leaves_out(rng, algorithm):
    """All sizes m of v that the layer takes to n have one output padding, and K* is the adjoint for each."""
    group, weight = C4, rng.normal(size=(2, 3, 3, 3))
    options = {"stride": 3, "padding": 1}
    for more in range(3):
        v = rng.normal(size=(1, 3, 10 + more, 10 + more))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", eq.EquivarianceWarning)
            outputs = eq.lifting_conv(v, weight, group, **options)
            g = rng.normal(size=outputs.shape)
            y = adjoint("lifting", g, weight, group, output_padding=more, algorithm=algorithm, **options)
        assert outputs.shape[-2:] == (4, 4)
        assert y.shape == v.shape
        assert np.vdot(outputs, g) == pytest.approx(np.vdot(v, y), abs=1e-11)


def test_output_padding_on_an_axis_that_the_group_moves_warns_with_the_sizes_that_fit():
    x, weight = np.ones((1, 1, 4, 4, 4)), np.ones((1, 1, 4, 3, 3))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        eq.transposed_conv(x, weight, C4, stride=2, output_padding=1)
    assert [warning.category for warning in seen] == [eq.EquivarianceWarning] * 2
    for axis, warning in enumerate(seen):
        assert f"output_padding is 1 on spatial axis {axis}, expected 0" in str(warning.message)
        assert "not equivariant under C4. Nearest sizes that fit: 9 or 11;" in str(warning.message)
        assert warning.filename == __file__
    # Rows of a reflection of columns stay where they are, and so they do under the trivial group.
    column = eq.PointGroup.from_matrices([np.eye(2), np.diag([-1.0, 1.0])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        eq.transposed_conv(np.ones((1, 1, 2, 4, 4)), np.ones((1, 1, 2, 3, 3)), column, stride=2, output_padding=(1, 0))
        eq.transposed_conv(x[:, :, :1], weight[:, :, :1], eq.trivial(2), stride=2, output_padding=1)


def test_a_margin_on_an_axis_that_stays_leaves_the_bits(rng):
    column = eq.PointGroup.from_matrices([np.eye(2), np.diag([-1.0, 1.0])])
    x, weight = rng.normal(size=(1, 2, 2, 4, 5)), rng.normal(size=(2, 3, 3, 3))

    def f(x):
        return adjoint("lifting", x, weight, column, stride=2, output_padding=(1, 0), algorithm="exact")

    assert eq.equivariance_error(f, x, column) == 0
    np.testing.assert_allclose(
        f(x), adjoint("lifting", x, weight, column, stride=2, output_padding=(1, 0)), rtol=0, atol=1e-13
    )


def test_a_kernel_that_reaches_over_stride_and_paddings_gives_stride_times_the_size():
    for stride, padding in ((2, 0), (2, 1), (3, 2), (4, 1)):
        kernel = stride + 2 * padding
        y = adjoint("isotropic", np.ones((1, 1, 5, 7)), np.ones((1, 1, kernel, kernel)), C4, stride=stride,
                    padding=padding)  # fmt: skip
        assert y.shape == (1, 1, 5 * stride, 7 * stride)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("basis", [None, eq.bspline_basis(5)], ids=["pixels", "splines"])
def test_gradients_are_those_of_finite_differences(rng, layer, basis):
    """y is linear in each of x, weight and bias, so that differences are exact up to rounding."""
    group = eq.cyclic(8)
    taps = (basis.count,) if basis else (3, 3)
    x = rng.normal(size=(2, 2, 8, 3, 4) if layer in ("group", "lifting") else (2, 2, 3, 4))
    weight = rng.normal(size=(2, 3, 8, *taps) if layer in ("group", "projection") else (2, 3, *taps))
    options = {"stride": 2, "padding": 1, "basis": basis, "layer": layer}
    bias = rng.normal(size=3)
    g = rng.normal(size=eq.transposed_conv(x, weight, group, bias, **options).shape)
    gradients = eq.transposed_conv_vjp(g, x, weight, group, **options)
    for number, values in enumerate((x, weight, bias)):
        step = rng.normal(size=values.shape)
        moved = [x, weight, bias]
        moved[number] = values + step
        change = eq.transposed_conv(*moved[:2], group, moved[2], **options)
        change -= eq.transposed_conv(x, weight, group, bias, **options)
        assert gradients[number].shape == values.shape
        assert np.vdot(gradients[number], step) == pytest.approx(np.vdot(g, change), abs=1e-9)


def test_gradients_that_are_not_wanted_are_none(rng):
    x, weight, g = rng.normal(size=(1, 2, 4, 3, 3)), rng.normal(size=(2, 3, 4, 3, 3)), rng.normal(size=(1, 3, 4, 5, 5))
    full = eq.transposed_conv_vjp(g, x, weight, C4)
    for number, name in enumerate(("x", "weight", "bias")):
        some = eq.transposed_conv_vjp(g, x, weight, C4, wanted=[name])
        assert [value is None for value in some] == [place != number for place in range(3)]
        np.testing.assert_array_equal(some[number], full[number])


def test_the_result_can_be_written_to_an_array(rng):
    x, weight, bias = rng.normal(size=(2, 2, 4, 3, 3)), rng.normal(size=(2, 3, 3, 3)), rng.normal(size=3)
    for algorithm in ("auto", "direct"):
        out = np.full((2, 3, 5, 5), np.nan)
        y = adjoint("lifting", x, weight, C4, bias, stride=1, algorithm=algorithm, out=out)
        assert y is out
        np.testing.assert_array_equal(y, adjoint("lifting", x, weight, C4, bias, algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["auto", "direct"])
def test_a_batch_of_none_gives_none(algorithm):
    y = adjoint("lifting", np.ones((0, 2, 4, 3, 3)), np.ones((2, 3, 3, 3)), C4, stride=2, algorithm=algorithm)
    assert y.shape == (0, 3, 7, 7)


X, W = np.ones((2, 5, 4, 6, 7)), np.ones((5, 3, 4, 3, 3))
WRONG = {
    "output padding of the stride": ({"stride": 2, "output_padding": 2}, "output_padding is 2, expected at most 1"),
    "output padding of one axis": ({"stride": 2, "output_padding": (1,)}, "output_padding is .*2 integers"),
    "output padding below 0": ({"stride": 2, "output_padding": -1}, "output_padding is -1"),
    "another layer": ({"layer": "dense"}, "layer is 'dense', expected 'isotropic', 'lifting'"),
    "padding beyond the result": ({"padding": 4}, "padding is 4 on spatial axis 0 of x.*size 0"),
    "uneven stride": ({"stride": (1, 2)}, "stride is .1, 2., expected equal numbers"),
    "same with even taps": ({"weight": np.ones((5, 3, 4, 2, 2)), "padding": "same"}, "padding is 'same'.*even"),
    "channels": ({"weight": np.ones((3, 5, 4, 3, 3))}, "weight has shape .*expected 5 on axis 0, the channels of x"),
    "space of x": ({"x": np.ones((2, 5, 6, 7))}, r"x has shape \(2, 5, 6, 7\), expected .*transposed_conv"),
    "order": ({"x": np.ones((2, 5, 3, 6, 7))}, "x has shape .*= 4 of C4"),
    "bias": ({"bias": np.ones(5)}, r"bias has shape \(5,\), expected \(3,\)"),
    "out": ({"out": np.ones((2, 3, 4, 8, 8))}, r"out has shape .*expected \(2, 3, 4, 8, 9\)"),
    "a result beyond memory": ({"stride": 2**31 - 1}, "stride is .*at most 2.48"),
    "no taps": ({"weight": np.ones((5, 3, 4, 0, 3))}, "weight has shape .*at least 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_errors_that_name_the_argument(case):
    changes, message = WRONG[case]
    arguments = {"x": X, "weight": W, "group": C4} | changes
    with pytest.raises(ValueError, match=message):
        eq.transposed_conv(**arguments)


def test_the_gradient_of_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"grad_out has shape .*expected \(2, 3, 4, 8, 9\)"):
        eq.transposed_conv_vjp(np.ones((2, 3, 4, 8, 8)), X, W, C4)
    with pytest.raises(TypeError, match="grad_out has dtype float32"):
        eq.transposed_conv_vjp(np.ones((2, 3, 4, 8, 9), np.float32), X, W, C4)
