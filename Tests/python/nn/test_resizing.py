# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools, adaptive means and pools that round up, in NumPy: by definition, and equivariant."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.file import read_file
from network_reference import run_document
from resizing_cases import GROUPS, LAYERS, bound, defined, elements_of, signal

C4, D4, LINE, D2 = eq.cyclic(4), eq.dihedral(4), eq.reflection(), eq.dihedral(2)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", GROUPS)
def test_layers_commute_with_every_element_of_the_lattice_to_the_last_bit(group, layer):
    group, (name, arguments, keywords) = GROUPS[group], LAYERS[layer]
    call = getattr(eq, name)(group, *arguments, **keywords)
    for size in (5, 6):
        x = signal(group, size)
        y = call(x)
        assert y.dtype == np.float32
        for element in elements_of(group):
            assert np.array_equal(call(eq.act(x, group, element)), eq.act(y, group, element)), element


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if "max" not in layer])
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_are_the_matrices_of_their_definitions(group, layer, dtype):
    group, (name, arguments, keywords) = GROUPS[group], LAYERS[layer]
    for size in (1, 5, 6):
        x = signal(group, size, dtype)[(..., *[slice(size)] * group.dimension)]
        if size == 1 and keywords.get("padding") == 1:
            continue  # 5 taps and a padding of 1 are too many
        y = getattr(eq, name)(group, *arguments, **keywords)(x)
        expected = defined(x, name, arguments, keywords, group)
        assert y.shape == expected.shape
        assert np.abs(y - expected).max() <= bound(x, name, arguments)


def test_layers_take_signals_on_the_plane_as_each_element_by_itself():
    x = signal(C4, 6)
    for name, arguments, keywords in LAYERS.values():
        call = getattr(eq, name)(C4, *arguments, **keywords)
        assert np.array_equal(call(x)[:, :, 1], call(x[:, :, 1]))


def test_batches_may_be_empty():
    x = np.zeros((0, 2, 4, 6, 6), np.float32)
    pools = [eq.SpatialMaxPool(C4, 2), eq.SpatialAvgPool(C4, 2)]
    for call in [
        *pools,
        *(getattr(eq, name)(C4, *arguments, **keywords) for name, arguments, keywords in LAYERS.values()),
    ]:
        assert call(x).shape == (0, *call(np.zeros((1, *x.shape[1:]), np.float32)).shape[1:])


def test_one_mean_has_the_bits_of_the_mean_over_space():
    for group in GROUPS.values():
        x = signal(group, 6)
        assert np.array_equal(eq.AdaptiveMean(group, 1)(x).reshape(x.shape[:3]), eq.SpatialMean(group)(x))


def test_a_blurred_constant_is_that_constant_and_half_the_size_rounded_up():
    for size in range(1, 12):
        y = eq.BlurPool(D4)(np.full((1, 1, 8, size, size), 0.1, np.float32))
        assert y.shape[-2:] == ((size + 1) // 2,) * 2
        assert np.all(y == np.float32(0.1))


@pytest.mark.parametrize("taps", [1, 2, 6, 7, 40])
def test_filters_of_any_length_are_binomial(taps):
    x = np.zeros((1, 1, 2 * taps - 1))
    x[..., taps - 1] = 1
    y = eq.BlurPool(LINE, 1, taps, 0)(x)[0, 0]
    # Each number is a sum of no more than 52 bits.
    assert np.array_equal(y, [math.comb(taps - 1, tap) / 2 ** (taps - 1) for tap in range(taps)])


def test_numbers_at_the_ends_of_their_range_do_not_overflow():
    largest = np.finfo(np.float32).max
    x = np.full((1, 1, 4, 6, 6), largest)
    x[..., ::2] *= -1
    for name, arguments, keywords in LAYERS.values():
        assert np.isfinite(getattr(eq, name)(C4, *arguments, **keywords)(x)).all(), name


@pytest.mark.parametrize(
    ("call", "size", "safe"),
    [
        (eq.BlurPool(C4, 2, 3), 6, "5 or 7"),
        (eq.BlurPool(C4, 2, 4), 7, "6 or 8"),
        (eq.BlurPool(C4, 3), 6, "4 or 7"),
        (eq.MaxBlurPool(C4, 2, 2, 3), 7, "6 or 8"),
        (eq.SpatialMaxPool(C4, 3, 2, ceil_mode=True), 6, "5 or 7"),
        (eq.SpatialAvgPool(C4, 2, ceil_mode=True), 7, "6 or 8"),
    ],
)
def test_strides_that_do_not_fit_warn_and_name_sizes_that_do(call, size, safe):
    x = np.random.default_rng(0).normal(size=(1, 1, 4, size, size))
    with pytest.warns(
        eq.EquivarianceWarning, match=f"does not fit size {size} .*Nearest sizes that fit: {safe}"
    ) as seen:
        y = call(x)
    assert {warning.filename for warning in seen} == {__file__}
    with pytest.warns(eq.EquivarianceWarning):
        assert not np.array_equal(call(eq.act(x, C4, 1)), eq.act(y, C4, 1))
    for good in map(int, safe.split(" or ")):
        x = np.random.default_rng(0).normal(size=(1, 1, 4, good, good))
        assert np.array_equal(call(eq.act(x, C4, 1)), eq.act(call(x), C4, 1))


@pytest.mark.parametrize("call", [eq.SpatialMaxPool(D4, 3, 2, 1, True), eq.SpatialAvgPool(D4, 3, 2, 1, True, False)])
def test_pools_that_round_up_commute_with_the_group_where_sizes_fit(call):
    x = signal(D4, 7)[..., :7, :7]
    for element in range(D4.order):
        assert np.array_equal(call(eq.act(x, D4, element)), eq.act(call(x), D4, element))


@pytest.mark.parametrize("layer", ["nearest", "linear", "linear, corners"])
def test_files_have_upsampling(layer, tmp_path):
    name, arguments, keywords = LAYERS[layer]
    path, x = tmp_path / "network", np.random.default_rng(1).normal(size=(2, 1, 8, 9)).astype(np.float32)
    lift = eq.LiftingConv(1, 2, 3, C4, rng=0)
    network = eq.Sequential(lift, getattr(eq, name)(C4, *arguments, **keywords), eq.GroupPool(C4))
    network.save(path, x)
    (found,) = run_document(*read_file(path), x).values()
    for result in (found, eq.load_network(path)(x)):
        assert np.abs(result - network(x)).max() <= 1e-6 * np.abs(network(x)).max()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (eq.SpatialMaxPool(C4, 2, ceil_mode=True), "neither ceil_mode nor padding left out"),
        (eq.SpatialAvgPool(C4, 2, 2, 1, count_include_pad=False), "neither ceil_mode nor padding left out"),
        (eq.BlurPool(C4), "expected for a file a layer of equiconv"),
        (eq.AdaptiveMean(C4, 2), "expected for a file a layer of equiconv"),
    ],
)
def test_what_files_do_not_have_is_named(layer, message, tmp_path):
    network = eq.Sequential(eq.LiftingConv(1, 2, 3, C4), layer)
    with pytest.raises(TypeError, match=f"layer 1 is {type(layer).__name__}.*{message}"):
        network.save(tmp_path / "network", np.zeros((1, 1, 8, 8), np.float32))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: eq.Upsample(C4, 0), ValueError, "factor is 0"),
        (lambda: eq.Upsample(C4, 1.5), TypeError, "factor is 1.5"),
        (
            lambda: eq.Upsample(C4, (2, 3)),
            ValueError,
            r"factor is \(2, 3\), expected equal numbers on axes 0 and 1, wh",
        ),
        (lambda: eq.Upsample(C4, 2, "bicubic"), ValueError, "mode is 'bicubic', expected 'nearest' or 'linear'"),
        (lambda: eq.Upsample(C4, 2, "nearest", True), ValueError, "align_corners is True, expected False"),
        (lambda: eq.Upsample(C4, 2, "linear", 1), TypeError, "align_corners is 1"),
        (lambda: eq.Upsample(4, 2), TypeError, "group is 4"),
        (lambda: eq.Upsample(C4, 2)(np.zeros((1, 3))), ValueError, "spatial axes of at least 1 for Upsample on C4"),
        (lambda: eq.Upsample(C4, 2)(np.zeros((1, 3, 0, 2))), ValueError, "of at least 1"),
        (lambda: eq.Upsample(C4, 2)(np.zeros((1, 3, 2, 2), int)), TypeError, "dtype int64"),
        (lambda: eq.BlurPool(C4, 0), ValueError, "stride is 0"),
        (lambda: eq.BlurPool(C4, (1, 2)), ValueError, r"stride is \(1, 2\), expected equal numbers"),
        (lambda: eq.BlurPool(C4, 2, (3, 5)), ValueError, r"taps is \(3, 5\), expected equal numbers"),
        (lambda: eq.BlurPool(C4, 2, 3, 2), ValueError, "padding is 2 on axis 0, expected at most 1, half the taps"),
        (lambda: eq.BlurPool(C4, 2, 3, 1, "reflect"), ValueError, "padding_mode is 'reflect'"),
        (lambda: eq.BlurPool(C4, 2, 5, 0)(np.zeros((1, 1, 4, 4))), ValueError, "taps is 5, expected at most 4"),
        (lambda: eq.MaxBlurPool(C4, 0), ValueError, "kernel is 0"),
        (lambda: eq.MaxBlurPool(C4)(np.zeros((1, 1, 1, 1))), ValueError, "expected at most"),
        (lambda: eq.AdaptiveMean(C4, 0), ValueError, "size is 0"),
        (lambda: eq.AdaptiveMean(C4, (1, 2)), ValueError, r"size is \(1, 2\), expected equal numbers"),
        (lambda: eq.SpatialMaxPool(C4, 2, ceil_mode=1), TypeError, "ceil_mode is 1"),
        (lambda: eq.SpatialAvgPool(C4, 2, count_include_pad=None), TypeError, "count_include_pad is None"),
        (
            lambda: eq.SpatialMaxPool(C4, 5)(np.zeros((1, 1, 4, 6))),
            ValueError,
            "kernel is 5, expected at most 4: x has",
        ),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_axes_that_the_group_does_not_exchange_may_differ():
    x = signal(D2, 6)[..., :6, :6]
    assert eq.Upsample(D2, (2, 3), "linear")(x).shape[-2:] == (12, 18)
    assert eq.BlurPool(D2, (1, 2), (3, 4))(x).shape[-2:] == (6, 3)
    assert eq.AdaptiveMean(D2, (2, 5))(x).shape[-2:] == (2, 5)
