# SPDX-License-Identifier: Apache-2.0
"""Padding "equivariant": the least with which a stride fits a size, and what is said where there is none."""

from __future__ import annotations

import re
import warnings
from itertools import product

import equiconv as eq
import numpy as np
import pytest

C4, D4, LINE = eq.cyclic(4), eq.dihedral(4), eq.reflection()
CUBE, TILTED = eq.octahedral(), eq.cyclic(3)
FITTED = {"padding": "equivariant"}
KERNELS_AND_STRIDES = list(product(range(1, 6), range(1, 6)))
SIZES_AND_DILATIONS = list(product(range(1, 14), (1, 2)))


@pytest.fixture(autouse=True)
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def paddings(size, kernel, stride, dilation=1, most=None):
    """All that fit and give at least size / stride outputs, by definition; up to a pixel of signal in each window."""
    reach = dilation * (kernel - 1) + 1
    rests = {amount: size + 2 * amount - reach for amount in range(reach if most is None else most + 1)}
    return [
        amount
        for amount, rest in rests.items()
        if rest >= 0 and rest % stride == 0 and (rest // stride + 1) * stride >= size
    ]


def line(size, seed=0):
    return np.random.default_rng(seed).standard_normal((1, 1, size))


@pytest.mark.parametrize(("kernel", "stride"), KERNELS_AND_STRIDES)
def test_it_is_the_least_padding_that_fits(kernel, stride):
    weight = line(kernel, 1)
    for size, dilation in SIZES_AND_DILATIONS:
        x, fitting = line(size), paddings(size, kernel, stride, dilation)
        options = {"stride": stride, "dilation": dilation, "algorithm": "direct"}
        if fitting:
            y = eq.lifting_conv(x, weight, LINE, **FITTED, **options)
            assert np.array_equal(y, eq.lifting_conv(x, weight, LINE, padding=fitting[0], **options))
            assert np.array_equal(eq.lifting_conv(x[..., ::-1], weight, LINE, **FITTED, **options), eq.act(y, LINE, 1))
        else:
            with pytest.raises(ValueError, match=f"none fits size {size} of x on axis 2 for kernel {kernel}"):
                eq.lifting_conv(x, weight, LINE, **FITTED, **options)


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(9, 3, 2), (8, 4, 2), (8, 2, 2), (10, 3, 3), (8, 4, 4), (7, 5, 1)]
)
@pytest.mark.parametrize("group", [C4, D4], ids=str)
def test_outputs_turn_with_the_signal(group, size, kernel, stride):
    rng = np.random.default_rng(0)
    x, signal = rng.standard_normal((1, 2, size, size)), rng.standard_normal((1, 2, group.order, size, size))
    planar = rng.standard_normal((3, 2, kernel, kernel))
    full = rng.standard_normal((3, 2, group.order, kernel, kernel))
    options = {"stride": stride, "algorithm": "direct", **FITTED}
    for call, f in [
        (lambda f: eq.lifting_conv(f, planar, group, **options), x),
        (lambda f: eq.isotropic_conv(f, planar, group, **options), x),
        (lambda f: eq.group_conv(f, full, group, **options), signal),
        (lambda f: eq.projection_conv(f, full, group, **options), signal),
        (lambda f: eq.separable_conv(f, full[..., 0, 0], full[:, 0, 0], group, stride=stride, **FITTED), signal),
    ]:
        assert eq.equivariance_error(call, f, group) == 0
        assert call(f).shape[-1] >= size / stride


def test_general_layers_and_volumes_have_it_too():
    rng = np.random.default_rng(0)
    stabilizers = {"input_stabilizer": [0], "output_stabilizer": [0, 2]}
    x, weight = rng.standard_normal((1, 2, 4, 8, 8)), rng.standard_normal((3, 2, 4, 4, 4))
    y = eq.conv(x, weight, C4, **stabilizers, stride=2, **FITTED)
    assert np.array_equal(y, eq.conv(x, weight, C4, **stabilizers, stride=2, padding=1))
    volume, taps = rng.standard_normal((1, 1, 6, 6, 6)), rng.standard_normal((1, 1, 2, 2, 2))
    call = lambda f: eq.lifting_conv(f, taps, CUBE, stride=2, algorithm="direct", **FITTED)  # noqa: E731
    assert call(volume).shape == (1, 1, 24, 3, 3, 3)
    assert eq.equivariance_error(call, volume, CUBE) == 0


def test_gradients_are_those_of_the_padding_in_numbers():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 4, 10, 10)), rng.standard_normal((3, 2, 4, 3, 3))
    y = eq.group_conv(x, weight, C4, stride=3, padding=1)
    found = eq.group_conv_vjp(y, x, weight, C4, stride=3, **FITTED)
    for one, other in zip(found, eq.group_conv_vjp(y, x, weight, C4, stride=3, padding=1), strict=True):
        assert np.array_equal(one, other)
    stabilizers = {"input_stabilizer": [0], "output_stabilizer": [0]}
    assert np.array_equal(eq.conv_vjp(y, x, weight, C4, **stabilizers, stride=3, **FITTED)[1], found[1])


def test_axes_that_the_group_exchanges_have_one_padding():
    rng, weight = np.random.default_rng(0), np.ones((1, 1, 3, 3))
    x = rng.standard_normal((1, 1, 7, 10))
    call = lambda f: eq.lifting_conv(f, weight, C4, stride=3, algorithm="direct", **FITTED)  # noqa: E731
    assert call(x).shape[-2:] == (3, 4)
    assert eq.equivariance_error(call, x, C4) == 0
    with pytest.raises(ValueError, match=r"sizes 9 and 10 of x on axes 2 and 3, which C4 exchanges, .*multiples of"):
        call(rng.standard_normal((1, 1, 9, 10)))
    # Elements of C3 mix axes and map no grid to itself; D2 mirrors each axis by itself.
    with pytest.raises(ValueError, match="which C3 exchanges"):
        eq.lifting_conv(rng.standard_normal((1, 1, 9, 10)), weight, TILTED, stride=3, **FITTED)
    y = eq.lifting_conv(rng.standard_normal((1, 1, 9, 10)), weight, eq.dihedral(2), stride=3, **FITTED)
    assert y.shape[-2:] == (3, 4)


def test_an_axis_that_the_group_leaves_alone_has_the_least_padding_where_none_fits():
    weight = np.ones((1, 1, 3, 3))
    for size, expected in [(8, 4), (9, 5)]:
        x = np.ones((1, 1, size, size))
        assert eq.lifting_conv(x, weight, eq.trivial(2), stride=2, **FITTED).shape == (1, 1, 1, expected, expected)
    assert eq.lifting_conv(np.ones((1, 1, 10)), np.ones((1, 1, 3)), eq.trivial(1), stride=3, **FITTED).shape[-1] == 4


@pytest.mark.parametrize(("kernel", "stride"), KERNELS_AND_STRIDES)
def test_errors_name_the_nearest_sizes_and_kernels_that_fit(kernel, stride):
    for size, dilation in SIZES_AND_DILATIONS:
        if paddings(size, kernel, stride, dilation):
            continue
        with pytest.raises(ValueError, match="Expected size") as caught:
            eq.lifting_conv(line(size), line(kernel), LINE, stride=stride, dilation=dilation, **FITTED)
        remedies = str(caught.value).split("Expected ")[1].split(" or kernel ")
        sizes, *kernels = ([int(number) for number in re.findall(r"\d+", part)] for part in remedies)
        assert all(paddings(other, kernel, stride, dilation) for other in sizes)
        assert not any(paddings(other, kernel, stride, dilation) for other in range(sizes[0] + 1, sizes[-1]))
        assert all(paddings(size, other, stride, dilation) for named in kernels for other in named)


def test_the_warning_of_a_stride_says_whether_this_padding_helps():
    with pytest.warns(
        eq.EquivarianceWarning, match="fit: 9 or 12; with padding 'equivariant', here 1, this size fits$"
    ):
        eq.lifting_conv(line(10), line(3), LINE, stride=3)
    with pytest.warns(eq.EquivarianceWarning, match="7 or 9; with padding 'equivariant' this size fits kernel 2 or 4$"):
        eq.lifting_conv(line(8), line(3), LINE, stride=2)


def test_operands_that_do_not_fit_are_told_so_first():
    with pytest.raises(ValueError, match=r"weight has shape .*expected 2 on axis 1"):
        eq.lifting_conv(np.ones((1, 2, 8)), np.ones((1, 3, 3)), LINE, stride=2, **FITTED)
    with pytest.raises(ValueError, match="x has shape"):
        eq.lifting_conv(np.ones((1, 8)), np.ones((1, 3, 3)), LINE, stride=2, **FITTED)
    with pytest.raises(ValueError, match="'same', 'valid' or 'equivariant'"):
        eq.lifting_conv(line(8), line(3), LINE, padding="equal")
    assert eq.lifting_conv([[[1.0, 2.0, 3.0]]], [[[1.0]]], LINE, stride=2, **FITTED).shape == (1, 1, 2, 2)


@pytest.mark.parametrize(("kernel", "stride", "expected"), [(4, 2, 16), (2, 2, 16), (3, 2, 15), (3, 1, 8), (5, 3, 24)])
def test_a_transposed_convolution_enlarges_by_its_stride(kernel, stride, expected):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 3, 4, 8, 8)), rng.standard_normal((3, 2, 4, kernel, kernel))
    options = {"stride": stride, **FITTED}
    y = eq.transposed_conv(x, weight, C4, algorithm="direct", **options)
    assert y.shape == (1, 2, 4, expected, expected)
    # The adjoint of the layer with that padding, whose sizes fit.
    v = rng.standard_normal(y.shape)
    assert np.isclose(np.vdot(eq.group_conv(v, weight, C4, **options), x), np.vdot(v, y))
    call = lambda f: eq.transposed_conv(f, weight, C4, algorithm="direct", **options)  # noqa: E731
    assert eq.equivariance_error(call, x, C4) == 0
    grad_x, grad_weight, _ = eq.transposed_conv_vjp(v, x, weight, C4, **options)
    assert np.isclose(np.vdot(grad_x, x), np.vdot(v, y))
    assert np.isclose(np.vdot(grad_weight, weight), np.vdot(v, y))


def test_output_padding_contradicts_it():
    x, weight = np.ones((1, 1, 8)), np.ones((1, 1, 2, 3))
    with pytest.raises(
        ValueError, match="output_padding is 1 on spatial axis 0, expected 0 with padding 'equivariant'"
    ):
        eq.transposed_conv(x[:, :, None].repeat(2, 2), weight, LINE, stride=2, output_padding=1, **FITTED)
    free = eq.transposed_conv(x[:, :, None], weight[:, :, :1], eq.trivial(1), stride=2, output_padding=1, **FITTED)
    assert free.shape == (1, 1, 1, 16)


def test_explain_and_prepared_weights_take_it():
    x, weight = np.ones((1, 3, 4, 8, 8)), np.ones((5, 3, 4, 4, 4))
    numbers = eq.explain(eq.group_conv, x, weight, C4, stride=2, padding=1)
    assert eq.explain(eq.group_conv, x, weight, C4, stride=2, **FITTED).operations == numbers.operations
    y = eq.group_conv(x, eq.prepare(weight), C4, stride=2, **FITTED)
    assert np.array_equal(y, eq.group_conv(x, weight, C4, stride=2, padding=1))
