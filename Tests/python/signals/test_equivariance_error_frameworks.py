# SPDX-License-Identifier: Apache-2.0
"""`equivariance_error` of networks of PyTorch and JAX is that of the same network of NumPy."""

from __future__ import annotations

import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest

C4 = eq.cyclic(4)
LAYER = eq.LiftingConv(2, 3, 3, C4, rng=0, algorithm="direct")


@pytest.fixture
def x(rng):
    return rng.normal(size=(1, 2, 9, 9)).astype(np.float32)


def ordinary(lifted):
    """Not equivariant, by as much in every framework."""
    return lifted[:, :, 0]


@pytest.fixture
def expected(x):
    error = eq.equivariance_error(lambda f: ordinary(LAYER(f)), x, C4)
    assert error > 0.1
    return error


@pytest.fixture
def torch_layer():
    torch = pytest.importorskip("torch")
    et = pytest.importorskip("equiconv.torch")
    layer = et.LiftingConv(2, 3, 3, C4, algorithm="direct")
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(LAYER.weight))
    return layer


def test_torch_modules_and_functions_of_arrays_and_tensors(x, expected, torch_layer):
    import torch

    class Ordinary(torch.nn.Module):
        def forward(self, lifted):
            return ordinary(lifted)

    network = torch.nn.Sequential(torch_layer, Ordinary())
    for f in (
        network,
        lambda f: ordinary(torch_layer(f)),
        lambda f: network(torch.clone(f)),
        lambda f: network(f.clone()),
    ):
        for signal in (
            x,
            torch.from_numpy(x),
            torch.from_numpy(x).requires_grad_(),
            torch.nn.Parameter(torch.from_numpy(x)),
        ):
            error = eq.equivariance_error(f, signal, C4)
            assert type(error) is float
            assert error == expected
    assert eq.equivariance_error(torch_layer, x, C4) == 0.0
    assert eq.equivariance_error(torch_layer, torch.from_numpy(x), C4, angles=[90, 180]) == 0.0
    assert torch_layer.weight.grad is None


def test_a_torch_module_is_never_called_with_an_array(x):
    """Not even to see whether it takes one: what a module counts in a call, it counts once."""
    torch = pytest.importorskip("torch")
    calls = []

    class Recording(torch.nn.Module):
        def forward(self, signal):
            calls.append(type(signal))
            return signal

    assert eq.equivariance_error(Recording(), x, C4) == 0.0
    assert calls == [torch.Tensor] * 5


def test_a_map_that_writes_to_its_input_does_not_change_the_signal(x, torch_layer):
    import torch

    before = x.copy()
    eq.equivariance_error(lambda f: torch_layer(f.mul_(2)), torch.from_numpy(x), C4)
    np.testing.assert_array_equal(x, before)
    read_only = x.copy()
    read_only.setflags(write=False)
    assert eq.equivariance_error(torch_layer, read_only, C4) == 0.0


def test_a_map_of_arrays_that_makes_tensors_is_called_with_arrays(x, expected, torch_layer):
    import torch

    calls = []

    def f(array):
        calls.append(type(array))
        return ordinary(torch_layer(torch.from_numpy(array)))

    assert eq.equivariance_error(f, x, C4) == expected
    assert set(calls) == {np.ndarray}


def test_jax_functions_of_arrays(x, expected):
    jax = pytest.importorskip("jax")
    ej = pytest.importorskip("equiconv.jax")
    weight = LAYER.weight

    def lift(f):
        return ordinary(ej.lifting_conv(f, weight, C4, algorithm="direct"))

    for f in (lift, jax.jit(lift), lambda f: lift(f.at[:].multiply(1.0))):
        for signal in (x, jax.numpy.asarray(x)):
            error = eq.equivariance_error(f, signal, C4)
            assert type(error) is float
            assert error == expected


def test_what_no_framework_takes_is_an_error_of_the_first_call(x):
    with pytest.raises(AttributeError, match=r"'numpy.ndarray' object has no attribute 'missing'"):
        eq.equivariance_error(lambda f: f.missing, x, C4)
    with pytest.raises(TypeError, match="f is 3, expected a callable"):
        eq.equivariance_error(3, x, C4)
    with pytest.raises(TypeError, match=r"f\(x\) has dtype int64"):
        eq.equivariance_error(lambda f: np.zeros(f.shape, np.int64), x, C4)


def test_tensors_without_such_numbers_are_refused(x, torch_layer):
    import torch

    for signal, message in [
        (torch.from_numpy(x).half(), "x has dtype torch.float16, expected torch.float32 or torch.float64"),
        (torch.from_numpy(x).to(torch.complex64), "x has dtype torch.complex64"),
        (torch.empty(x.shape, device="meta"), "x is .*, expected a dense tensor with numbers"),
        (torch.from_numpy(x).to_sparse(), "x is .*, expected a dense tensor with numbers"),
    ]:
        with pytest.raises(TypeError, match=message):
            eq.equivariance_error(torch_layer, signal, C4)
    with pytest.raises(TypeError, match=r"f\(x\) has dtype torch.bfloat16"):
        eq.equivariance_error(lambda f: torch_layer(f).bfloat16(), torch.from_numpy(x), C4)


def test_no_framework_is_imported_for_it():
    code = (
        "import sys, numpy, equiconv as eq\n"
        "w = numpy.ones((1, 1, 3, 3))\n"
        "f = lambda x: eq.lifting_conv(x, w, eq.cyclic(4), algorithm='direct')\n"
        "assert eq.equivariance_error(f, numpy.ones((1, 1, 5, 5)), eq.cyclic(4)) == 0.0\n"
        "eq.set_algorithm(eq.LiftingConv(1, 1, 3, eq.cyclic(4)), 'direct')\n"
        "assert not {'torch', 'jax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_set_algorithm_reaches_every_layer_of_a_torch_module(x, torch_layer):
    import torch

    et = pytest.importorskip("equiconv.torch")
    block = torch.nn.ModuleDict({"a": et.GroupConv(3, 3, 3, C4), "b": et.GroupPool(C4)})
    network = torch.nn.ModuleList([torch_layer, torch.nn.ReLU(), block])
    eq.set_algorithm(network, "winograd")
    assert [torch_layer.algorithm, block["a"].algorithm] == ["winograd", "winograd"]
    eq.set_algorithm(torch_layer, "direct")
    assert eq.equivariance_error(torch_layer, x, C4) == 0.0
    with pytest.raises(ValueError, match="expected one with a convolution of equiconv"):
        eq.set_algorithm(torch.nn.Conv2d(1, 1, 3), "direct")
    assert eq.set_algorithm(eq.Sequential(torch_layer), "auto") is None
    assert torch_layer.algorithm == "auto"
