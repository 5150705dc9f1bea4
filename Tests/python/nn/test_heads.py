"""Norms, pools over space, linear maps and functions in NumPy: by their definitions, and equivariant."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest

C4 = eq.cyclic(4)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(2, 3, 4, 6, 6)).astype(np.float32)


@pytest.mark.parametrize(
    "layer",
    [eq.SpatialMean(C4), eq.SpatialMaxPool(C4, 2), eq.SpatialAvgPool(C4, 2), eq.SpatialMaxPool(C4, 4, 2, 1)],
)
def test_pools_over_space_commute_with_the_group_to_the_last_bit(layer, x):
    for element in range(C4.order):
        turned, pooled = layer(eq.act(x, C4, element)), layer(x)
        if isinstance(layer, eq.SpatialMean):
            assert np.array_equal(turned, np.take(pooled, C4.cayley[C4.inverses[element]], axis=2))
        else:
            assert np.array_equal(turned, eq.act(pooled, C4, element))


def test_pools_are_those_of_each_window(x):
    largest, mean = eq.SpatialMaxPool(C4, 3, 2, 1)(x[..., :5, :5]), eq.SpatialAvgPool(C4, 3, 2, 1)(x[..., :5, :5])
    padded = np.pad(x[..., :5, :5].astype(np.float64), [(0, 0)] * 3 + [(1, 1)] * 2)
    for row in range(3):
        for column in range(3):
            window = padded[..., 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            assert np.allclose(mean[..., row, column], window.mean((-1, -2)), atol=1e-6)
    assert np.array_equal(largest[..., 1, 1], x[..., 1:4, 1:4].max((-1, -2)))
    assert np.array_equal(largest[..., 0, 0], x[..., :2, :2].max((-1, -2)))
    assert largest.dtype == mean.dtype == np.float32


def test_batch_norm_is_its_formula(x):
    rng = np.random.default_rng(1)
    norm = eq.BatchNorm(3, eps=0.1)
    norm.load({name: rng.uniform(0.5, 2, 3) for name in norm.parameters()})
    own = {name: array.reshape(3, 1, 1, 1).astype(float) for name, array in norm.parameters().items()}
    expected = (x - own["running_mean"]) / np.sqrt(own["running_var"] + 0.1) * own["weight"] + own["bias"]
    assert np.allclose(norm(x), expected, atol=1e-6)
    assert norm(x).dtype == np.float32


def test_linear_is_its_formula():
    rng = np.random.default_rng(1)
    layer, x = eq.Linear(4, 3, dtype="float64"), rng.normal(size=(2, 4))
    layer.load({name: rng.normal(size=array.shape) for name, array in layer.parameters().items()})
    assert np.allclose(layer(x), np.einsum("of,bf->bo", layer.weight, x) + layer.bias)
    assert set(eq.Linear(4, 3, bias=False).parameters()) == {"weight"}


FUNCTIONS = {
    "relu": lambda v: max(v, 0),
    "leaky_relu": lambda v: v if v > 0 else 0.01 * v,
    "elu": lambda v: v if v > 0 else math.expm1(v),
    "gelu_tanh": lambda v: v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))) / 2,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "silu": lambda v: v / (1 + math.exp(-v)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_are_their_formulas(name, dtype):
    x = np.linspace(-5, 5, 41).astype(dtype)
    y = getattr(eq, name)(x)
    assert y.dtype == x.dtype
    assert np.allclose(y, [FUNCTIONS[name](float(v)) for v in x], atol=1e-6 if dtype == "float32" else 1e-14)


def test_functions_do_not_overflow():
    x = np.array([[-1e30, 0, 1e30]], np.float32)
    with np.errstate(all="raise", under="ignore"):
        assert np.array_equal(eq.sigmoid(x), [[0, 0.5, 1]])
        assert np.array_equal(eq.silu(x), [[0, 0, np.float32(1e30)]])
        assert np.array_equal(eq.elu(x), [[-1, 0, np.float32(1e30)]])
        assert np.array_equal(eq.softmax(x), [[0, 0, 1]])
    assert np.isnan(eq.relu(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: eq.relu(np.zeros(3, int)), TypeError, "dtype int64"),
        (lambda: eq.softmax(np.zeros(3)), ValueError, "expected .B, C"),
        (lambda: eq.leaky_relu(np.zeros(3), "a"), TypeError, "slope is 'a'"),
        (lambda: eq.BatchNorm(0), ValueError, "num_features is 0"),
        (lambda: eq.BatchNorm(3, "a"), TypeError, "eps is 'a'"),
        (lambda: eq.BatchNorm(3)(np.zeros((1, 4, 2, 2), np.float32)), ValueError, r"expected \(B, 3, ...\)"),
        (lambda: eq.BatchNorm(3)(np.zeros((1, 3, 2, 2))), TypeError, "x has dtype float64, expected float32"),
        (lambda: eq.Linear(3, 0), ValueError, "out_features is 0"),
        (lambda: eq.Linear(3, 2)(np.zeros((1, 4), np.float32)), ValueError, r"expected \(B, 3\)"),
        (lambda: eq.Linear(3, 2).load({"weight": np.zeros((2, 3))}), ValueError, "parameters are"),
        (lambda: eq.SpatialMean(3), TypeError, "group is 3"),
        (lambda: eq.SpatialMean(C4)(np.zeros((1, 3, 0, 2))), ValueError, "of at least 1"),
        (lambda: eq.SpatialMaxPool(C4, 2, 1, 2), ValueError, "padding is 2 on axis 0"),
        (lambda: eq.SpatialMaxPool(C4, 2)(np.zeros((1, 3))), ValueError, "expected .B, C"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
