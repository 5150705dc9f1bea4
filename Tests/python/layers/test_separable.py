# SPDX-License-Identifier: Apache-2.0
"""Separable kernels k_H(d) k_X(u) and depthwise layers: the same functions as full layers, at their lower cost."""

import re

import equiconv as eq
import numpy as np
import pytest
from cases import FORWARD

GROUPS = {
    "C4": eq.cyclic(4),
    "C8": eq.cyclic(8),
    "D6": eq.dihedral(6),
    "scales": eq.scaling([1, 2], dimension=2),
    "axial": eq.axial_cyclic(6),
}
OPTIONS = [{"padding": "same"}, {"stride": 2, "padding": 1}, {"padding": 2, "dilation": 2, "padding_mode": "circular"}]


def operands(group, dtype=np.float64):
    rng = np.random.default_rng(7)
    size = (9, 9) if group.dimension == 2 else (3, 5, 5)
    return (
        rng.normal(size=(2, 3, group.order, *size)).astype(dtype),
        rng.normal(size=(4, 3, group.order)).astype(dtype),
        rng.normal(size=(4, *(3,) * group.dimension)).astype(dtype),
    )


def full_kernel(over_h, over_x):
    return over_h.reshape(over_h.shape + (1,) * (over_x.ndim - 1)) * over_x[:, None, None]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", GROUPS)
def test_separable_conv_is_the_group_convolution_with_the_product(name, options):
    group = GROUPS[name]
    x, over_h, over_x = operands(group)
    kernel = full_kernel(over_h, over_x)
    bias = np.arange(4.0)
    expected = eq.group_conv(x, kernel, group, bias, **options)
    actual = eq.separable_conv(x, over_h, over_x, group, bias, **options)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-11)

    grad = np.random.default_rng(8).normal(size=actual.shape)
    grad_x, grad_kernel, grad_bias = eq.group_conv_vjp(grad, x, kernel, group, **options)
    gradients = eq.separable_conv_vjp(grad, x, over_h, over_x, group, **options)
    space = tuple(range(3, kernel.ndim))
    np.testing.assert_allclose(gradients[0], grad_x, rtol=0, atol=1e-11)
    np.testing.assert_allclose(
        gradients[1], np.sum(grad_kernel * over_x[:, None, None], axis=space), rtol=0, atol=1e-10
    )
    products = grad_kernel * over_h.reshape(over_h.shape + (1,) * len(space))
    np.testing.assert_allclose(gradients[2], np.sum(products, axis=(1, 2)), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(gradients[3], grad_bias)


@pytest.mark.parametrize("name", ["C4", "C8", "D6"])
def test_separable_conv_commutes_with_lattice_elements_to_the_last_bit(name):
    """Both of its convolutions are direct."""
    group = GROUPS[name]
    x, over_h, over_x = operands(group, np.float32)
    f = lambda x: eq.separable_conv(x, over_h, over_x, group, padding="same")  # noqa: E731
    assert eq.equivariance_error(f, x, group) == 0.0


def test_separable_conv_of_a_large_batch_is_that_of_its_images():
    """Large batches are computed a few images at a time."""
    group = eq.cyclic(8)
    rng = np.random.default_rng(10)
    x = rng.standard_normal((7, 16, 8, 40, 40), dtype=np.float32)
    over_h = rng.standard_normal((16, 16, 8), dtype=np.float32)
    over_x = rng.standard_normal((16, 5, 5), dtype=np.float32)
    together = eq.separable_conv(x, over_h, over_x, group, padding="same")
    for image in range(7):
        alone = eq.separable_conv(x[image : image + 1], over_h, over_x, group, padding="same")
        np.testing.assert_array_equal(together[image : image + 1], alone)
    out = np.empty_like(together)
    assert eq.separable_conv(x, over_h, over_x, group, padding="same", out=out) is out
    np.testing.assert_array_equal(out, together)


def test_depthwise_conv_is_one_layer_for_each_channel():
    group = eq.dihedral(4)
    rng = np.random.default_rng(9)
    x, weight = rng.normal(size=(2, 3, 4, 7, 7)), rng.normal(size=(3, 1, 4, 3, 3))
    spaces = {"input_stabilizer": [0, 4], "output_stabilizer": [0, 2]}
    together = eq.conv(x, weight, group, groups=3, **spaces)
    for channel in range(3):
        alone = eq.conv(x[:, channel : channel + 1], weight[channel : channel + 1], group, algorithm="direct", **spaces)
        np.testing.assert_array_equal(together[:, channel : channel + 1], alone)


X, H, K = operands(eq.cyclic(8))
WRONG = {
    "weight_h of rank 2": (lambda: eq.separable_conv(X, H[0], K, eq.cyclic(8)), "weight_h has shape (3, 8)"),
    "weight_h of another group": (lambda: eq.separable_conv(X, H, K, eq.cyclic(4)), "|H| = 4 of C4"),
    "weight_x of other channels": (
        lambda: eq.separable_conv(X, H, K[:2], eq.cyclic(8)),
        "weight_x has shape (2, 3, 3)",
    ),
    "channels": (lambda: eq.separable_conv(X[:, :2], H, K, eq.cyclic(8)), "expected 2 on axis 1"),
    "depthwise channels": (
        lambda: eq.conv(
            X, H[:3, :, :, None, None], eq.cyclic(8), input_stabilizer=[0], output_stabilizer=[0], groups=3
        ),
        "expected 3 / 3 on axis 1",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_factors_are_named(name):
    call, message = WRONG[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("layer", FORWARD)
def test_groups_of_channels_are_layers_beside_each_other(layer):
    group, rng = eq.dihedral(4), np.random.default_rng(11)
    fiber = (group.order,) if layer in ("group", "projection") else ()
    x, weight = rng.normal(size=(2, 4, *fiber, 6, 7)), rng.normal(size=(6, 2, *fiber, 3, 3))
    options = {"padding": 1, "padding_mode": "reflect", "algorithm": "direct"}
    together = FORWARD[layer](x, weight, group, groups=2, **options)
    for part in range(2):
        alone = FORWARD[layer](x[:, 2 * part : 2 * part + 2], weight[3 * part : 3 * part + 3], group, **options)
        np.testing.assert_array_equal(together[:, 3 * part : 3 * part + 3], alone)


def test_wrong_groups_are_named():
    for groups, kind, text in [
        (True, TypeError, "groups is True"), (0, ValueError, "groups is 0"), (-1, ValueError, "groups is -1"),
        (2, ValueError, "expected a multiple of 2 on axis 0"),
    ]:  # fmt: skip
        with pytest.raises(kind, match=text):
            eq.group_conv(np.ones((1, 2, 4, 5, 5)), np.ones((3, 1, 4, 3, 3)), eq.cyclic(4), groups=groups)
