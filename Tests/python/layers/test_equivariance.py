# SPDX-License-Identifier: Apache-2.0
"""All four layers commute with the action of the group: by the direct algorithm, to the last bit."""

from __future__ import annotations

import platform
import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, FORWARD, GROUPS, LAYERS, all_cases, identify, operands, samplings
from paths import environment

ISAS = ("baseline", "neon") if platform.machine() in ("aarch64", "arm64") else ("baseline", "avx2", "avx512")


def assert_commutes(layer, group, x, weight, bias, keywords):
    """f(L_g x) = L_g f(x) for every element g, bit for bit."""
    y = FORWARD[layer](x, weight, group, bias, algorithm="direct", **keywords)
    for g in range(group.order):
        turned = FORWARD[layer](eq.act(x, group, g), weight, group, bias, algorithm="direct", **keywords)
        assert np.array_equal(turned, eq.act(y, group, g)), f"{layer} does not commute with element {g} of {group.name}"


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(), ids=identify)
def test_layer_commutes_with_the_action_to_the_last_bit(rng, layer, name, sampling, dtype):
    group = GROUPS[name]
    channels = 1 if name == "full_octahedral" else 3
    x, weight, bias = operands(rng, layer, group, sampling, dtype, channels=channels)
    assert_commutes(layer, group, x, weight, bias, sampling.keywords)


def wide_operands(layer, name, dtype):
    """A case large enough for several threads, with sizes that are no multiple of a vector."""
    group = GROUPS[name]
    fiber = (group.order,) if layer in ("group", "projection") else ()
    sizes = (41, 37) if group.dimension == 2 else (13, 11, 9)
    rng = np.random.default_rng(7)
    draw = lambda *shape: rng.normal(size=shape).astype(dtype)  # noqa: E731
    return group, draw(2, 8, *fiber, *sizes), draw(9, 8, *fiber, *(3,) * group.dimension), draw(9)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ["D4", "octahedral"])
def test_layer_commutes_with_the_action_at_any_number_of_threads(threads, layer, name, count):
    group, x, weight, bias = wide_operands(layer, name, np.float32)
    threads(1)
    alone = FORWARD[layer](x, weight, group, bias, padding=1, algorithm="direct")
    threads(count)
    together = FORWARD[layer](x, weight, group, bias, padding=1, algorithm="direct")
    np.testing.assert_array_equal(alone, together)
    g = group.order - 1
    turned = FORWARD[layer](eq.act(x, group, g), weight, group, bias, padding=1, algorithm="direct")
    np.testing.assert_array_equal(turned, eq.act(together, group, g))


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_do_not_depend_on_the_number_of_threads(threads, layer):
    group, x, weight, bias = wide_operands(layer, "C4", np.float32)
    vjp = getattr(eq, f"{layer}_conv_vjp")
    grad_out = FORWARD[layer](x, weight, group, bias)
    threads(1)
    alone = vjp(grad_out, x, weight, group, algorithm="direct")
    threads(2)
    for one, two in zip(alone, vjp(grad_out, x, weight, group, algorithm="direct"), strict=True):
        np.testing.assert_array_equal(one, two)


def check_in_this_process() -> None:
    """What the instruction-set test runs in a process of its own: every layer and lattice group, two thread counts."""
    for count in (1, 2):
        eq.set_num_threads(count)
        for name in ("reflection", "C4", "D2", "D4", "octahedral"):
            for layer in LAYERS:
                for dtype in DTYPES:
                    for sampling in samplings(name)[:6:2]:
                        rng = np.random.default_rng(3)
                        operand = operands(rng, layer, GROUPS[name], sampling, dtype, channels=2)
                        assert_commutes(layer, GROUPS[name], *operand, sampling.keywords)
        for layer in LAYERS:
            group, x, weight, bias = wide_operands(layer, "D4", np.float32)
            assert_commutes(layer, group, x, weight, bias, {"padding": "same"})
    print(sys.modules["equiconv._native"].instruction_set())


@pytest.mark.parametrize("isa", ISAS)
def test_layers_commute_with_the_action_on_every_instruction_set(isa):
    code = f"import {__name__} as tests; tests.check_in_this_process()"
    command = [sys.executable, "-c", code]
    variables = environment(EQUICONV_ISA=isa)
    result = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    # A machine without the instruction set asked for uses the best it has below it.
    assert result.stdout.strip() in ISAS[: ISAS.index(isa) + 1]


@pytest.mark.parametrize("name", ["C4", "D4"])
def test_network_commutes_with_the_action_to_the_last_bit(rng, name):
    group = GROUPS[name]
    first, second = rng.normal(size=(6, 3, 5, 5)), rng.normal(size=(6, 6, group.order, 3, 3))
    last = rng.normal(size=(2, 6, group.order, 3, 3))
    exact = {"algorithm": "direct"}

    def network(x):
        lifted = np.maximum(eq.lifting_conv(x, first, group, padding="same", **exact), 0)
        hidden = np.maximum(eq.group_conv(lifted, second, group, stride=2, **exact), 0)
        return eq.projection_conv(hidden, last, group, **exact)

    assert eq.equivariance_error(network, rng.normal(size=(1, 3, 17, 15)), group) == 0.0
    mean = lambda x: eq.group_pool(eq.lifting_conv(x, first, group, **exact), "mean")  # noqa: E731
    assert eq.equivariance_error(mean, rng.normal(size=(1, 3, 17, 15)), group) == 0.0


def test_stride_that_does_not_fit_warns_and_names_sizes_that_do(rng):
    group, x, weight = eq.cyclic(4), rng.normal(size=(1, 2, 8, 9)), rng.normal(size=(3, 2, 3, 3))
    with pytest.warns(eq.EquivarianceWarning, match=r"stride 2 .* size 8 .* axis 2.* 7 or 9") as caught:
        y = eq.lifting_conv(x, weight, group, stride=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    layers = eq.Sequential(eq.LiftingConv(2, 3, 3, group, stride=2, dtype=float))
    with pytest.warns(eq.EquivarianceWarning) as caught:
        layers(x)
    assert [warning.filename for warning in caught] == [__file__]
    assert not np.array_equal(eq.act(y, group, 1).shape, y.shape)
    exact = {"algorithm": "direct"}
    for safe in (7, 9):
        signal = rng.normal(size=(1, 2, safe, 9))
        assert (
            eq.equivariance_error(lambda f: eq.lifting_conv(f, weight, group, stride=2, **exact), signal, group) == 0.0
        )


@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_stride_that_does_not_fit_breaks_equivariance_as_warned(rng):
    group, x, weight = eq.cyclic(2), rng.normal(size=(1, 1, 8, 8)), rng.normal(size=(1, 1, 3, 3))
    assert eq.equivariance_error(lambda f: eq.lifting_conv(f, weight, group, stride=2), x, group) > 0.1


@pytest.mark.parametrize(
    ("group", "sizes", "warns"),
    [
        (eq.trivial(2), (8, 8), False),
        (eq.cyclic(1), (8, 8), False),
        (eq.dihedral(1), (8, 9), False),
        (eq.dihedral(1), (9, 8), True),
        (eq.dihedral(2), (8, 9), True),
    ],
    ids=["trivial", "C1", "D1-rows", "D1-columns", "D2"],
)
def test_warning_concerns_axes_that_the_group_moves(rng, group, sizes, warns):
    x, weight = rng.normal(size=(1, 1, *sizes)), rng.normal(size=(1, 1, 3, 3))
    if warns:
        with pytest.warns(eq.EquivarianceWarning):
            eq.lifting_conv(x, weight, group, stride=2)
    else:
        f = lambda signal: eq.lifting_conv(signal, weight, group, stride=2, algorithm="direct")  # noqa: E731
        assert eq.equivariance_error(f, x, group) == 0.0


def test_equivariance_error_sees_a_map_that_does_not_commute(rng):
    group, x = eq.cyclic(4), rng.normal(size=(1, 2, 6, 6))
    assert eq.equivariance_error(lambda f: f, x, group) == 0.0
    assert eq.equivariance_error(lambda f: f * np.arange(6), x, group) > 0.1
    assert eq.equivariance_error(lambda f: f.sum(axis=(2, 3), dtype=np.float64) * 0, x, group) == 0.0
    assert eq.equivariance_error(lambda f: f[:, :, 0, 0], x, group) > 0.1
    assert np.isnan(eq.equivariance_error(lambda f: f * np.nan, x, group))


def test_equivariance_error_is_relative_to_the_largest_value():
    x = np.array([[[1.0, 0.0, 4.0]]])
    # f doubles the first entry: f(L_g x) = (8, 0, 1) and L_g f(x) = (4, 0, 2), while max |f(x)| = 4.
    assert eq.equivariance_error(lambda f: f * np.array([2.0, 1.0, 1.0]), x, eq.reflection()) == 1.0
