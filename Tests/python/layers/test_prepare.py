# SPDX-License-Identifier: Apache-2.0
"""Transformed weights always belong to the numbers that are passed; prepared ones to the numbers at the time."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, FORWARD, LAYERS, VJP, identify

C4, D4 = eq.cyclic(4), eq.dihedral(4)
ALGORITHMS = ("auto", "direct", "fourier")


@pytest.fixture
def limit():
    """Sets the limit of workspace, and restores it after the test."""
    before = eq.workspace_limit()
    yield eq.set_workspace_limit
    eq.set_workspace_limit(before)


def draw(rng, layer, group=D4, dtype=np.float32, size=14, channels=3, kernel=5):
    fiber = (group.order,) if layer in ("group", "projection") else ()
    x = rng.normal(size=(2, channels, *fiber, size, size + 3)).astype(dtype)
    weight = rng.normal(size=(4, channels, *fiber, kernel, kernel)).astype(dtype)
    return x, weight


def method(explained):
    """What bits depend on."""
    return explained.algorithm, explained.tile, explained.is_exact


@pytest.mark.parametrize("place", [0, 0.5, -1], ids=["start", "middle", "end"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_weight_is_never_served_stale(rng, layer, algorithm, place):
    """One number of the same array is changed in place between calls, and then changed back."""
    x, weight = draw(rng, layer)
    keywords = {"padding": "same", "algorithm": algorithm}
    grad_out = FORWARD[layer](x, weight, D4, **keywords)

    def results(array):
        y = FORWARD[layer](x, array, D4, **keywords)
        return y, VJP[layer](grad_out, x, array, D4, wanted=("x",), **keywords)[0]

    first = results(weight)
    index = int(place * weight.size) if place > 0 else place
    old = weight.flat[index]
    weight.flat[index] += 1
    changed = results(weight)
    # The results of an equal array elsewhere, after calls with a third one: nothing can have been kept.
    results(-weight)
    for i, expected in enumerate(results(weight.copy())):
        np.testing.assert_array_equal(changed[i], expected)
        assert not np.array_equal(changed[i], first[i])
    weight.flat[index] = old
    for again, expected in zip(results(weight), first, strict=True):
        np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("algorithm", ["direct", "fourier"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_prepared_weight_has_the_bits_of_its_array_and_keeps_them(rng, layer, algorithm, dtype):
    x, weight = draw(rng, layer, dtype=dtype)
    bias = rng.normal(size=4).astype(dtype)
    keywords = {"padding": "same", "algorithm": algorithm}
    prepared = eq.prepare(weight)
    small = np.ascontiguousarray(x[:1, ..., :9, :9])
    expected = [FORWARD[layer](signal, weight, D4, bias, **keywords) for signal in (x, small)]
    alike = [
        method(eq.explain(FORWARD[layer], signal, weight, D4, **keywords))
        == method(eq.explain(FORWARD[layer], signal, prepared, D4, **keywords))
        for signal in (x, small)
    ]
    weight[...] = np.nan
    for _ in range(2):
        for signal, value, is_alike in zip((x, small), expected, alike, strict=True):
            y = FORWARD[layer](signal, prepared, D4, bias, **keywords)
            if is_alike:
                np.testing.assert_array_equal(y, value)
            np.testing.assert_allclose(y, value, rtol=0, atol=1e-5 * np.abs(value).max())
    out = np.empty_like(expected[0])
    assert FORWARD[layer](x, prepared, D4, bias, out=out, **keywords) is out
    np.testing.assert_array_equal(out, FORWARD[layer](x, prepared, D4, bias, **keywords))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kernel", [3, 7])
def test_auto_with_a_prepared_weight_is_explained(rng, layer, kernel):
    """With a prepared weight, auto may use another algorithm than with the array."""
    x, weight = draw(rng, layer, size=24, channels=8, kernel=kernel)
    prepared = eq.prepare(weight)
    explained = eq.explain(FORWARD[layer], x, prepared, D4, padding="same")
    y = FORWARD[layer](x, prepared, D4, padding="same")
    np.testing.assert_array_equal(
        y, FORWARD[layer](x, eq.prepare(weight), D4, padding="same", algorithm=explained.algorithm)
    )
    direct = FORWARD[layer](x, weight, D4, padding="same", algorithm="direct")
    np.testing.assert_allclose(y, direct, rtol=0, atol=1e-4 * np.abs(direct).max())
    with pytest.raises(TypeError, match="gradients and expand take the array"):
        eq.explain(FORWARD[layer], x, prepared, D4, run="input_gradient")


def test_general_layers_and_bases_take_prepared_weights(rng):
    spaces = {"input_stabilizer": [0, 2], "output_stabilizer": [0]}
    x, weight = rng.normal(size=(2, 3, 2, 9, 9)), rng.normal(size=(4, 3, 2, 3, 3))
    np.testing.assert_array_equal(eq.conv(x, eq.prepare(weight), C4, **spaces), eq.conv(x, weight, C4, **spaces))
    depthwise = {"input_stabilizer": [0], "output_stabilizer": [0], "groups": 3}
    x, weight = rng.normal(size=(2, 3, 4, 9, 9)), rng.normal(size=(3, 1, 4, 3, 3))
    np.testing.assert_array_equal(eq.conv(x, eq.prepare(weight), C4, **depthwise), eq.conv(x, weight, C4, **depthwise))
    basis = eq.circular_harmonics(5)
    x, weight = rng.normal(size=(2, 3, 9, 9)), rng.normal(size=(4, 3, basis.count))
    for algorithm in ("direct", "fourier"):
        keywords = {"basis": basis, "algorithm": algorithm}
        np.testing.assert_allclose(
            eq.lifting_conv(x, eq.prepare(weight), eq.cyclic(8), **keywords),
            eq.lifting_conv(x, weight, eq.cyclic(8), **keywords),
            rtol=0,
            atol=1e-12,
        )


def test_a_prepared_weight_is_of_one_shape_and_type(rng):
    weight = rng.normal(size=(4, 3, 5, 5))
    prepared = eq.prepare(weight[::-1].T.T)
    assert (prepared.shape, prepared.ndim, prepared.dtype) == ((4, 3, 5, 5), 4, np.dtype(np.float64))
    assert weight.nbytes <= prepared.nbytes < weight.nbytes + 4096
    assert repr(prepared) == f"equiconv.PreparedWeight(shape=(4, 3, 5, 5), dtype=float64, nbytes={prepared.nbytes})"
    before = prepared.nbytes
    eq.lifting_conv(rng.normal(size=(1, 3, 9, 9)), prepared, C4, algorithm="fourier")
    assert prepared.nbytes > before
    assert copy.copy(prepared) is prepared
    assert copy.deepcopy(prepared) is prepared
    for name in ("shape", "dtype", "nbytes", "anything"):
        with pytest.raises(AttributeError):
            setattr(prepared, name, 1)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_a_pickled_weight_has_the_numbers_it_was_made_of(rng, dtype):
    x, weight = draw(rng, "group", dtype=dtype)
    kept = weight.copy()
    prepared = eq.prepare(weight)
    weight[...] = 0
    expected = eq.group_conv(x, prepared, D4, padding="same", algorithm="fourier")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        sent = pickle.dumps(prepared, protocol)
        again = pickle.loads(sent)
        assert type(again) is eq.PreparedWeight
        assert (again.shape, again.dtype) == (kept.shape, kept.dtype)
        np.testing.assert_array_equal(again.get_numbers(), kept)
        np.testing.assert_array_equal(eq.group_conv(x, again, D4, padding="same", algorithm="fourier"), expected)
    # Not the transforms, which are several times as large.
    assert len(sent) < kept.nbytes + 1000 < prepared.nbytes
    buffers = []
    sent = pickle.dumps(prepared, 5, buffer_callback=buffers.append)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent, buffers=buffers).get_numbers(), kept)


def test_a_prepared_weight_is_refused_where_it_does_not_fit(rng):
    x, weight = draw(rng, "lifting", C4)
    prepared, grad_out = eq.prepare(weight), eq.lifting_conv(x, weight, C4)
    gradients = r"weight is equiconv.PreparedWeight\(.*\), expected an array: .* gradients and expand take the array"
    with pytest.raises(TypeError, match=gradients):
        eq.lifting_conv_vjp(grad_out, x, prepared, C4)
    with pytest.raises(TypeError, match=gradients):
        eq.expand(prepared, C4, "lifting")
    with pytest.raises(TypeError, match=r"x is equiconv\.PreparedWeight"):
        eq.lifting_conv(prepared, weight, C4)
    with pytest.raises(TypeError, match=r"weight is equiconv\.PreparedWeight"):
        eq.prepare(prepared)
    with pytest.raises(TypeError, match=r"weight has dtype float32, expected float64 as x has: .*prepare"):
        eq.lifting_conv(x.astype(np.float64), prepared, C4)
    with pytest.raises(ValueError, match=r"weight has shape \(4, 3, 5, 5\), expected \(O, C, \|H\|, k, k\)"):
        eq.group_conv(np.ones((1, 3, 4, 9, 9), np.float32), prepared, C4)
    with pytest.raises(ValueError, match="expected 2 on axis 1"):
        eq.lifting_conv(x[:, :2], prepared, C4)
    with pytest.raises(TypeError, match=r"use equiconv.prepare\(weight\)"):
        eq.PreparedWeight(weight)


@pytest.mark.parametrize(
    ("weight", "kind", "text"),
    [
        (np.ones((3, 3)), ValueError, r"weight has shape \(3, 3\), expected \(O, C, \[\|H\|,\] kernel...\)"),
        (np.ones((1,) * 7), ValueError, "3 to 6 axes"),
        (np.ones((3, 0, 3)), ValueError, "expected at least 1 on axis 1"),
        (np.ones((3, 3, 3), np.int32), TypeError, "weight has dtype int32"),
        (np.ones((3, 3, 3), ">f8"), TypeError, "big-endian"),
        ("weight", TypeError, "weight"),
        (None, TypeError, "weight"),
    ],
)
def test_prepare_takes_weights_only(weight, kind, text):
    with pytest.raises(kind, match=text):
        eq.prepare(weight)


@pytest.mark.parametrize("count", [1, 3])
def test_threads_share_a_prepared_weight(rng, threads, count):
    """The first calls find nothing transformed yet, and all transform at once."""
    threads(count)
    x, weight = draw(rng, "group", C4, size=24, channels=6, kernel=3)
    for algorithm in ("direct", "fourier", "winograd"):
        expected = [eq.group_conv(x, w, C4, algorithm=algorithm) for w in (weight.copy(), eq.prepare(weight))]
        prepared = eq.prepare(weight)

        def run(i, prepared=prepared, algorithm=algorithm, expected=expected):
            y = eq.group_conv(x, prepared if i % 2 else weight, C4, algorithm=algorithm)
            return prepared.nbytes > 0 and np.array_equal(y, expected[i % 2])

        with ThreadPoolExecutor(6) as executor:
            assert all(executor.map(run, range(48)))


def test_the_workspace_limit_is_held_by_blocking(rng, limit):
    """With a limit far below what the layer would take, the numbers are the same up to rounding."""
    assert eq.workspace_limit() == 64 * 2**20
    x, weight = draw(rng, "group", size=24, channels=24)
    keywords = {"padding": "same", "algorithm": "fourier"}
    expected = eq.group_conv(x, weight, D4, **keywords)
    before = eq.explain(eq.group_conv, x, weight, D4, **keywords).workspace_bytes
    limit(2**20)
    assert eq.workspace_limit() == 2**20
    assert eq.config()["workspace limit"] == "1 MiB for each thread"
    assert eq.explain(eq.group_conv, x, weight, D4, **keywords).workspace_bytes <= before
    y = eq.group_conv(x, weight, D4, **keywords)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("value", "kind"), [(0, ValueError), (-1, ValueError), (2**20 - 1, ValueError), (2**63, ValueError),
                        (1e8, TypeError), ("64 MiB", TypeError), (True, TypeError), (None, TypeError)],
)  # fmt: skip
def test_the_workspace_limit_is_a_number_of_bytes(value, kind):
    with pytest.raises(kind, match=r"bytes is .*, expected an integer from 1048576"):
        eq.set_workspace_limit(value)
    assert eq.workspace_limit() == 64 * 2**20
