# SPDX-License-Identifier: Apache-2.0
"""Modules of Flax and Equinox: names and arguments, which are those of the other front ends."""

from __future__ import annotations

import inspect

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, assert_same_bits, jax, quick_compiler, x64
from jax_modules import LAYERS, arguments_of, compiled, framework, signal

__all__ = ["framework", "quick_compiler", "x64"]

BATCH_NORM = [("num_features", inspect.Parameter.empty), ("eps", 1e-5), ("momentum", 0.1), ("affine", True)]
# Where others have a device, or a generator of numbers.
OTHER = {
    "device",
    "rng",
    "rngs",
    "key",
    "dtype",
    "track_running_stats",
    "inference",
    "deterministic",
    "use_running_average",
}


# What the networks of `equiconv.torch.models` want of blocks, and JAX's do not have.
OF_TORCH_ALONE = {"DenseBlock": {"padding", "dropout"}, "ResidualBlock": {"dropout"}}


def of_framework(parameter):
    """The default; the name of what each framework has its own of."""
    return parameter.default.__name__ if parameter.name in ("norm", "activation") else parameter.default


def test_names_are_those_of_torch(framework):
    extra = {"Sequential", "signature", "check_signature"}
    # What files of networks are traced from and loaded as.
    of_torch_alone = {"Induce", "NetworkModule", "PartialProjection", "Restrict"}
    # What trains on several processes.
    of_torch_alone |= {"Checkpoints", "PatchLoader", "Patches"}
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    assert torch is not None
    theirs = {name for name in et.__all__ if inspect.isclass(getattr(et, name))} - of_torch_alone
    assert set(framework.modules.__all__) >= theirs
    assert set(framework.modules.__all__) - theirs >= extra
    for name in theirs:
        mine, expected = (
            [(p.name, of_framework(p)) for p in arguments_of(getattr(modules, name)) if p.name not in OTHER]
            for modules in (framework.modules, et)
        )
        expected = [entry for entry in expected if entry[0] not in OF_TORCH_ALONE.get(name, ())]
        if name == "GroupPool":
            # Which torch has no choice of there.
            assert mine.pop() == ("backend", None)
        # Batch normalization of torch has the arguments of its base class.
        assert mine == (BATCH_NORM if name == "BatchNorm" else expected)


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_of_layers_are_those_of_numpy(framework, name):
    found, expected = ([p.name for p in arguments_of(getattr(modules, name))] for modules in (framework.modules, eq))
    of_arrays = {*OTHER, "backend"}
    assert [key for key in found if key not in of_arrays] == [key for key in expected if key not in of_arrays]


def test_float64_needs_jax_to_have_it(framework):
    assert not jax.config.jax_enable_x64
    with pytest.raises(TypeError, match="dtype is float64, which JAX would round"):
        framework.make("LiftingConv", 1, 2, 3, C4, dtype=np.float64)


WRONG = {
    "in_channels is 1267650600228229401496703205376": ("LiftingConv", (2**100, 2, 3, C4), {}),
    r"in_channels is 1073741824, out_channels is 1073741824 and kernel is \(3, 3\), expected at most 2\^48 weights": (
        "LiftingConv", (2**30, 2**30, 3, C4), {},
    ),
    "out_channels is 0": ("LiftingConv", (1, 0, 3, C4), {}),
    "kernel is 1267650600228229401496703205376": ("LiftingConv", (1, 2, 2**100, C4), {}),
    "stride is -1267650600228229401496703205376": ("LiftingConv", (1, 2, 3, C4), {"stride": -(2**100)}),
    "padding is 1267650600228229401496703205376": ("LiftingConv", (1, 2, 3, C4), {"padding": 2**100}),
    "dilation is 1267650600228229401496703205376": ("GroupConv", (1, 2, 3, C4), {"dilation": 2**100}),
    "bias is 'no'": ("LiftingConv", (1, 2, 3, C4), {"bias": "no"}),
    "group is 'C4'": ("LiftingConv", (1, 2, 3, "C4"), {}),
    "algorithm is 'fast'": ("LiftingConv", (1, 2, 3, C4), {"algorithm": "fast"}),
    "dtype .*int32": ("LiftingConv", (1, 2, 3, C4), {"dtype": np.int32}),
    "backend is 'torch'": ("LiftingConv", (1, 2, 3, C4), {"backend": "torch"}),
    "backend is 1": ("GroupPool", (C4,), {"backend": 1}),
    "mode is 'median'": ("GroupPool", (C4, "median"), {}),
    "p is 1.5": ("FieldDropout", (1.5,), {}),
    r"p is 1.2676506002282294e\+30": ("FieldDropout", (2**100,), {}),
    "num_features is 1267650600228229401496703205376": ("BatchNorm", (2**100,), {}),
    "momentum is 2.0": ("BatchNorm", (3, 1e-5, 2.0), {}),
    "kernel is 1267650600228229401496703205376 ": ("SpatialMaxPool", (C4, 2**100), {}),
    "padding is 2 on axis 0": ("SpatialAvgPool", (C4, 3, 1, 2), {}),
    "group is 3": ("SpatialMean", (3,), {}),
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments_are_named(framework, message):
    name, arguments, keywords = WRONG[message]
    with pytest.raises((TypeError, ValueError), match=message.strip()):
        framework.make(name, *arguments, **keywords)


def test_modules_may_start_in_evaluation(rng, framework):
    x = signal(rng, "GroupConv", C4)
    assert_same_bits(framework.make("FieldDropout", 0.5, **framework.in_evaluation("FieldDropout"))(x), x)
    call, running = framework.batch_norm(3, **framework.in_evaluation("BatchNorm"))
    np.testing.assert_allclose(call(x, None), x / np.sqrt(np.float32(1 + 1e-5)), rtol=1e-6)
    assert [array.tolist() for array in running()] == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize("dtype", ["default", np.float32, np.float64])
def test_parameters_have_the_dtype_of_the_argument_and_float32_without_it(framework, x64, dtype):
    keywords = {} if dtype == "default" else {"dtype": dtype}
    expected = np.dtype(np.float32 if dtype == "default" else dtype)
    layer = framework.make("LiftingConv", 1, 2, 3, C4, **keywords)
    norm = framework.make("BatchNorm", 2, **keywords)
    _, running = framework.batch_norm(2, **keywords)
    arrays = [*framework.parameters(layer), *framework.parameters(norm), *running()]
    assert [array.dtype for array in arrays] == [expected] * 6


def test_flax_tells_parameters_from_statistics():
    """So that an optimizer with ``wrt=nnx.Param`` trains the ones and leaves the others."""
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    rngs = nnx.Rngs(0)
    for layer in (enn.LiftingConv(1, 2, 3, C4, rngs=rngs), enn.BatchNorm(2)):
        assert set(nnx.to_pure_dict(nnx.state(layer, nnx.Param))) == {"weight", "bias"}
    assert set(nnx.to_pure_dict(nnx.state(layer, nnx.BatchStat))) == {"running_mean", "running_var"}


def test_the_backend_of_a_layer_of_flax_may_be_set():
    enn = pytest.importorskip("equiconv.jax.nnx", reason="Flax is not installed")
    nnx = pytest.importorskip("flax.nnx")
    layer = enn.LiftingConv(1, 2, 3, C4, rngs=nnx.Rngs(0))
    x = np.ones((1, 1, 5, 5), np.float32)
    programs = []
    for backend in (None, "xla"):
        layer.backend = backend
        programs.append("equiconv_forward" in compiled(layer).lower(x).as_text())
    assert programs == [True, False]
    layer.backend = "gpu"
    with pytest.raises(ValueError, match="backend is 'gpu'"):
        layer(x)
