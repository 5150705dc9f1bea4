# SPDX-License-Identifier: Apache-2.0
"""A call does what explain says; an algorithm that cannot do a call is an error that says why."""

from __future__ import annotations

import dataclasses
from typing import get_args

import equiconv as eq
import numpy as np
import pytest
from cases import FORWARD, GROUPS, LAYERS, VJP, all_cases, identify, operands, output_like
from equiconv._layer.algorithms import ChosenAlgorithm

RUNS = ("forward", "input_gradient", "weight_gradient")
ALGORITHMS = get_args(ChosenAlgorithm)
C4 = eq.cyclic(4)


def run_of(layer, run, x, weight, group, grad_out, **keywords):
    """The result of the part of the layer that `run` names."""
    if run == "forward":
        return FORWARD[layer](x, weight, group, **keywords)
    wanted = "x" if run == "input_gradient" else "weight"
    gradients = VJP[layer](grad_out, x, weight, group, wanted=(wanted,), **keywords)
    return gradients[0 if wanted == "x" else 1]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(("C4", "D2", "reflection")), ids=identify)
def test_auto_has_the_bits_of_the_algorithm_that_explain_names(rng, layer, name, sampling, run):
    group = GROUPS[name]
    x, weight, _ = operands(rng, layer, group, sampling, np.float32, channels=4, outputs=5)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    explained = eq.explain(FORWARD[layer], x, weight, group, run=run, **sampling.keywords)
    assert explained.algorithm in ALGORITHMS
    arguments = (layer, run, x, weight, group, grad_out)
    chosen = run_of(*arguments, **sampling.keywords)
    named = run_of(*arguments, algorithm=explained.algorithm, **sampling.keywords)
    if explained.is_exact and not np.array_equal(chosen, named):
        # The tiles of an exact method differ from those of the same algorithm where it is asked for.
        named = run_of(*arguments, algorithm="exact", **sampling.keywords)
    np.testing.assert_array_equal(chosen, named)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("algorithm", ["fourier", "winograd"])
@pytest.mark.parametrize(
    ("layer", "name", "sampling"), all_cases(("C4", "D2", "trivial1", "tetrahedral")), ids=identify
)
def test_a_call_is_refused_exactly_where_explain_refuses_it(rng, layer, name, sampling, algorithm, run):
    group = GROUPS[name]
    x, weight, _ = operands(rng, layer, group, sampling, np.float32)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    keywords = sampling.keywords | {"algorithm": algorithm}
    try:
        explained = eq.explain(FORWARD[layer], x, weight, group, run=run, **keywords)
    except ValueError as error:
        assert str(error).startswith(f"algorithm is {algorithm}")  # noqa: PT017 (there may be none)
        assert ", expected " in str(error)  # noqa: PT017
        with pytest.raises(ValueError, match=f"algorithm is {algorithm}"):
            run_of(layer, run, x, weight, group, grad_out, **keywords)
    else:
        assert explained.algorithm == algorithm
        result = run_of(layer, run, x, weight, group, grad_out, **keywords)
        expected = run_of(layer, run, x, weight, group, grad_out, **sampling.keywords | {"algorithm": "direct"})
        tolerance = 1e-4 if algorithm == "winograd" else 1e-5
        np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("layer", LAYERS)
def test_direct_makes_the_operations_of_the_definition(layer, run):
    points = {"isotropic": (1, 4), "lifting": (4, 4), "group": (16, 4), "projection": (4, 4)}
    fiber = (4,) if layer in ("group", "projection") else ()
    explained = eq.explain(
        FORWARD[layer], (2, 3, *fiber, 9, 9), (5, 3, *fiber, 3, 3), C4, run=run, algorithm="direct", padding="same"
    )
    # An isotropic kernel is read as one averaged kernel; the others once for each pair of points of the fibers.
    pairs = points[layer][0]
    assert explained.definition_operations == 2 * 2 * 5 * 3 * pairs * 9 * 81
    if layer in ("lifting", "group") or run != "forward":
        assert explained.operations == explained.definition_operations
    else:
        # Numbers that share a coefficient of the averaged kernel are added up first: one multiplication for four.
        assert explained.definition_operations / 4 < explained.operations < explained.definition_operations
    assert (explained.algorithm, explained.tile, explained.weight_bytes) == ("direct", 0, 0)
    assert (explained.layer, explained.run) == (f"{layer}_conv", run)


def test_arrays_and_their_shapes_are_explained_alike(rng):
    x, weight = rng.normal(size=(2, 8, 4, 20, 20)), rng.normal(size=(8, 8, 4, 5, 5))
    expected = eq.explain(eq.group_conv, x, weight, C4, padding="same")
    for signal, kernel, dtype in [
        (x.shape, weight.shape, np.float64),
        (list(x.shape), weight, None),
        (x, list(weight.shape), None),
        (x[::-1, :, ::-1], np.asfortranarray(weight), None),
        (x.shape, weight.tolist(), None),
    ]:
        assert eq.explain(eq.group_conv, signal, kernel, C4, padding="same", dtype=dtype) == expected
    assert eq.explain(eq.group_conv, x.shape, weight.shape, C4, bias=None, out=None) == eq.explain(
        eq.group_conv, x.astype("f"), weight.astype("f"), C4
    )


def test_general_layers_and_bases_are_explained():
    quotient = {"input_stabilizer": [0, 2], "output_stabilizer": range(4)}
    explained = eq.explain(eq.conv, (1, 3, 2, 8, 8), (5, 3, 2, 3, 3), C4, **quotient)
    assert explained.layer == "conv"
    basis = eq.bspline_basis(5)
    harmonic = eq.explain(eq.lifting_conv, (1, 3, 9, 9), (5, 3, basis.count), eq.cyclic(8), basis=basis)
    assert harmonic.definition_operations > 0
    depthwise = {"input_stabilizer": [0], "output_stabilizer": [0], "groups": 3}
    assert eq.explain(eq.conv, (1, 3, 4, 8, 8), (3, 1, 4, 3, 3), C4, **depthwise).algorithm == "direct"
    assert eq.explain(eq.lifting_conv, (0, 3, 8, 8), (5, 3, 3, 3), C4).operations == 0


def test_an_explanation_is_a_value_that_prints_as_a_table():
    explained = eq.Explanation(
        "group_conv", "input_gradient", "fourier", 16, 2.5e9, 10e9, 3 << 20, 5000, 2, 0.0042, False, "a long kernel"
    )
    text = str(explained)
    for part in (
        "group_conv, input gradient", "fourier, tiles of 16 x 16 points", "2.5 GFLOP, 4 times less", "definition's 10",
        "3 MiB on 2 threads", "4.88 KiB transformed", "4.2 ms", "a long kernel",
    ):  # fmt: skip
        assert part in text
    assert repr(explained) == text
    with pytest.raises(dataclasses.FrozenInstanceError):
        explained.tile = 3  # type: ignore[misc]
    assert dataclasses.replace(explained, algorithm="direct", weight_bytes=0, seconds=2e-5) != explained
    direct = str(
        dataclasses.replace(
            explained, algorithm="direct", tile=0, is_exact=True, operations=10e9, weight_bytes=0, seconds=2e-5
        )
    )
    assert "direct, exact" in direct
    assert "exact" not in text
    assert "tiles" not in direct
    assert "times" not in direct
    assert "20 us" in direct


def test_explain_takes_nothing_but_what_the_layer_takes():
    x, weight = (1, 3, 4, 8, 8), (5, 3, 4, 3, 3)
    wrong = [
        ((eq.separable_conv, x, weight, C4), {}, TypeError, "layer is separable_conv, expected one of equiconv.iso"),
        (("group", x, weight, C4), {}, TypeError, "layer is 'group', expected one of equiconv.isotropic_conv"),
        ((eq.group_conv, x, weight, C4), {"strid": 1}, TypeError, r"explain\(group_conv, ...\): .*'strid'"),
        ((eq.group_conv, x, weight, C4), {"depthwise": True}, TypeError, r"explain\(group_conv, ...\): .*'depthwise'"),
        ((eq.conv, x, weight, C4), {}, TypeError, r"explain\(conv, ...\): .*'input_stabilizer'"),
        ((eq.group_conv, x, weight, 4), {}, TypeError, "group is 4"),
        ((eq.group_conv, x, weight, C4), {"run": "backward"}, ValueError, "run is 'backward', expected 'forward', "),
        ((eq.group_conv, x, weight, C4), {"run": 0}, TypeError, "run is 0"),
        ((eq.group_conv, x, weight, C4), {"dtype": np.int32}, TypeError, "dtype is .*int32.*, expected float32"),
        ((eq.group_conv, x, weight, C4), {"algorithm": "fast"}, ValueError, "algorithm is 'fast'"),
        ((eq.group_conv, x, weight, C4), {"stride": 0}, ValueError, "stride is 0"),
        ((eq.group_conv, x, weight, C4), {"stride": (1, 2)}, ValueError, "stride is"),
        ((eq.group_conv, x[1:], weight, C4), {}, ValueError, r"x has shape \(3, 4, 8, 8\), expected \(B, C, \|H\|"),
        ((eq.group_conv, (1, 3, 4, 0, 8), weight, C4), {}, ValueError, "expected at least 1 on axis 3"),
        ((eq.group_conv, (1, 3, 4, -1, 8), weight, C4), {}, ValueError, r"x\[3\] is -1"),
        ((eq.group_conv, (1, 2, 4, 8, 8), weight, C4), {}, ValueError, "expected 2 on axis 1"),
        ((eq.group_conv, x, (5, 3, 4, 9, 9), C4), {}, ValueError, "its kernel reaches over 9"),
        ((eq.group_conv, x, np.ones(weight, np.int64), C4), {}, TypeError, "weight has dtype int64"),
        ((eq.group_conv, np.ones(x), np.ones(weight, np.float32), C4), {}, TypeError, "weight has dtype float32"),
        ((eq.group_conv, (2**50, 3, 4, 8, 8), weight, C4), {}, ValueError, "expected"),
        ((eq.group_conv, (1, 3, 4, 2**40, 2**40), weight, C4), {}, ValueError, "expected"),
    ]  # fmt: skip
    for arguments, keywords, kind, text in wrong:
        with pytest.raises(kind, match=text):
            eq.explain(*arguments, **keywords)


def test_reasons_of_a_refusal_name_what_is_in_the_way():
    x, weight = (1, 4, 4, 9, 9), (4, 4, 4, 3, 3)
    spaces = {"input_stabilizer": [0], "output_stabilizer": [0], "groups": 4}
    for arguments, keywords, text in [
        ((eq.group_conv, x, weight, C4), {"stride": 2}, r"fourier with stride \(2, 2\), expected stride 1"),
        (
            (eq.conv, x, (4, 1, 4, 3, 3), C4),
            spaces,
            "fourier with 4 groups of channels, expected sums over all channels",
        ),
        ((eq.lifting_conv, (1, 2, 9), (3, 2, 3), eq.reflection()), {}, "fourier with 1 dimension"),
        ((eq.lifting_conv, (1, 2, 5, 5, 5), (3, 2, 3, 3, 3), eq.octahedral()), {}, "fourier with 3 dimensions"),
        ((eq.group_conv, (1, 1, 4, 40, 40), (1, 1, 4, 33, 33), C4), {}, "fourier with a reach of 33"),
        (
            (eq.group_conv, x, weight, C4),
            {"padding_mode": "circular", "run": "input_gradient"},
            "fourier with circular padding that changes the size",
        ),
    ]:
        with pytest.raises(ValueError, match=text):
            eq.explain(*arguments, algorithm="fourier", **keywords)
