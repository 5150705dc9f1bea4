# SPDX-License-Identifier: Apache-2.0
"""Programs for platforms other than the CPU, and for a CPU without handlers, are made of operations of XLA alone.

Where JAX has a GPU, layers run on it, against the engine.
"""

from __future__ import annotations

import re
import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, draw, ej, jax, program_of, quick_compiler, x64
from jax_magnitudes import magnitudes_of, roundings_of
from torch_cases import CASES, HARMONICS

__all__ = ["quick_compiler", "x64"]

jnp = jax.numpy


def has_gpu():
    try:
        return bool(jax.devices("gpu"))
    except RuntimeError:
        return False


needs_gpu = pytest.mark.skipif(not has_gpu(), reason="JAX has no GPU here: layers are not run on one")


def step_of(case):
    """The gradients of a loss with a pool, as of a step of training."""

    def loss(*operands):
        y = getattr(ej, case.function)(operands[0], operands[1], case.group, operands[2], **case.keywords)
        return (ej.group_pool(y) ** 2).sum() if y.ndim == 3 + case.group.dimension else (y**2).sum()

    return jax.jit(jax.grad(loss, (0, 1, 2)))


@pytest.mark.parametrize("platform", ["cuda", "rocm", "tpu"])
@pytest.mark.parametrize("case", CASES[::5], ids=str)
def test_programs_for_accelerators_have_no_custom_calls(rng, platform, case):
    program = step_of(case).trace(*case.operands(rng, np.float32)).lower(lowering_platforms=(platform,)).as_text()
    assert "custom_call" not in program
    assert program.count("stablehlo.convolution") == 3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_programs_for_accelerators_have_no_scatter(rng, case):
    """Scatters add in an order that differs from run to run on a GPU."""
    program = step_of(case).trace(*case.operands(rng, np.float32)).lower(lowering_platforms=("cuda",)).as_text()
    assert "scatter" not in program


def test_precision_is_that_where_the_layer_is_called(rng):
    """As of `jax.lax.conv_general_dilated`; gradients have it too. Banks are made in full precision in any case."""
    x, weight = draw(rng, (1, 2, 4, 6, 6), np.float32), draw(rng, (2, 2, 4, *HARMONICS.shape), np.float32)

    def loss(x, weight):
        y = (ej.group_conv(x, weight, C4, basis=HARMONICS) ** 2).sum()
        with jax.default_matmul_precision("highest"):
            return y + (ej.group_conv(x, weight, C4, basis=HARMONICS, padding=1) ** 2).sum()

    program = jax.jit(jax.grad(loss, (0, 1))).trace(x, weight).lower(lowering_platforms=("cuda",)).as_text()
    for name, expected in (("convolution", ["DEFAULT"] * 3 + ["HIGHEST"] * 3), ("dot_general", ["HIGHEST"] * 6)):
        lines = [line for line in program.splitlines() if f"stablehlo.{name}" in line]
        found = [re.search("HIGHEST|DEFAULT|$", line)[0] or "DEFAULT" for line in lines]
        assert sorted(found) == expected


def test_exported_programs_are_of_their_platforms(rng):
    export = pytest.importorskip("jax.export")
    case = CASES[0]
    function, operands = step_of(case), case.operands(rng, np.float32)
    of_tpu = export.export(function, platforms=["tpu"])(*operands)
    assert of_tpu.platforms == ("tpu",)
    assert "custom_call @equiconv" not in of_tpu.mlir_module()
    calls = [export.DisabledSafetyCheck.custom_call(f"equiconv_{name}")
             for name in ("forward", "input_gradient", "weight_gradient", "bias_gradient")]  # fmt: skip
    of_both = export.export(function, platforms=["cpu", "cuda"], disabled_checks=calls)(*operands)
    module = of_both.mlir_module()
    assert set(re.findall(r"custom_call @(equiconv_\w+)", module)) == {
        "equiconv_forward", "equiconv_input_gradient", "equiconv_weight_gradient", "equiconv_bias_gradient",
    }  # fmt: skip
    assert "stablehlo.convolution" in module
    for found, expected in zip(of_both.call(*operands), function(*operands), strict=True):
        assert np.array_equal(found, expected)


WITHOUT_HANDLERS = """
import sys, warnings
import jax, jax.ffi
{fault}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import equiconv.jax as ej
print([str(warning.message) for warning in caught if warning.category is RuntimeWarning])
import equiconv as eq, jax.numpy as jnp, numpy as np
rng = np.random.default_rng(20200426)
C4 = eq.cyclic(4)
x, w, b = (rng.normal(size=s).astype(np.float32) for s in ((2, 3, 4, 6, 6), (2, 3, 4, 3, 3), (2,)))
y = jax.jit(lambda x: ej.group_pool(ej.group_conv(x, w, C4, b)))(x)
print(np.allclose(y, eq.group_pool(eq.group_conv(x, w, C4, b)), rtol=1e-5, atol=1e-5))
gradient = jax.grad(lambda w: ej.group_conv(x, w, C4, b).sum())(w)
ones = np.ones((2, 2, 4, 4, 4), np.float32)
print(np.allclose(gradient, eq.group_conv_vjp(ones, x, w, C4)[1], rtol=1e-5, atol=1e-4))
print("equiconv" in jax.jit(lambda x: ej.group_conv(x, w, C4)).lower(x).as_text())
for wrong in (lambda: ej.group_conv(x, w, C4, backend="engine"), lambda: ej.group_pool(x, backend="engine")):
    try:
        wrong()
    except NotImplementedError as error:
        print(error)
"""
FAULTS = {
    "does not take the handlers of this version of equiconv: API version 9": """
def refuse(*arguments, **keywords):
    raise ValueError("API version 9")
jax.ffi.register_ffi_target = refuse
""",
    "this installation of equiconv has no handlers of compiled programs": """
sys.modules["equiconv._jax"] = None
""",
}


@pytest.mark.parametrize("message", FAULTS)
def test_where_handlers_are_absent_or_refused_xla_computes(message):
    code = WITHOUT_HANDLERS.format(fault=FAULTS[message])
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    warned, *holds, of_layer, of_pool = result.stdout.splitlines()
    assert message in warned
    assert "XLA computes the layers instead" in warned
    assert holds == ["True", "True", "False"]
    for error in (of_layer, of_pool):
        assert error.startswith("backend is 'engine', expected 'xla' or None: ")
        assert message in error


# ---- On a GPU ----


@needs_gpu
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gpu_computes_all_passes_within_rounding(rng, x64, monkeypatch, case):
    """In full precision, which is not the default there."""
    operands = [jax.device_put(a, jax.devices("gpu")[0]) for a in case.operands(rng, np.float32)]

    def function(x, weight, bias):
        return getattr(ej, case.function)(x, weight, case.group, bias, **case.keywords)

    with jax.default_matmul_precision("highest"):
        y, vjp = jax.vjp(function, *operands)
        gradient = draw(rng, y.shape, np.float32)
        found = [y, *vjp(jax.device_put(gradient, jax.devices("gpu")[0]))]
    assert {device.platform for array in found for device in array.devices()} == {"gpu"}
    arrays = [np.asarray(array).astype(np.float64) for array in (*operands, gradient)]
    forward, of_gradients = getattr(eq, case.function), getattr(eq, f"{case.function}_vjp")
    expected = [
        forward(arrays[0], arrays[1], case.group, arrays[2], **case.keywords),
        *of_gradients(arrays[3], *arrays[:2], case.group, **case.keywords),
    ]
    program = program_of(function, *operands)
    limits = magnitudes_of(program, *arrays, monkeypatch)
    for one, right, limit, roundings in zip(found, expected, limits, roundings_of(program, 2), strict=True):
        # Transforms of small kernels lose a few bits more than sums.
        assert np.all(np.abs(np.asarray(one) - right) <= 8 * roundings * np.finfo(np.float32).eps * limit)


@needs_gpu
@pytest.mark.parametrize("dtype", [np.float32, jnp.bfloat16, np.float16], ids=str)
def test_gradients_on_a_gpu_have_the_same_bits_in_two_runs(rng, dtype):
    gpu = jax.devices("gpu")[0]
    x, weight = (jax.device_put(draw(rng, s).astype(dtype), gpu) for s in ((4, 8, 4, 17, 17), (8, 8, 4, 3, 3)))
    gradients = jax.grad(lambda x, w: (ej.group_pool(ej.group_conv(x, w, C4)) ** 2).sum(), (0, 1))
    # Some convolutions of cuDNN add in an order that differs from run to run. The layers have nothing else like it.
    step = jax.jit(gradients, compiler_options={"xla_gpu_exclude_nondeterministic_ops": True})
    runs = [[np.asarray(gradient).tobytes() for gradient in step(x, weight)] for _ in range(2)]
    assert runs[0] == runs[1]


@needs_gpu
def test_the_mean_over_the_fiber_on_a_gpu_does_not_depend_on_its_order(rng):
    x = (draw(rng, (2, 3, 24, 5, 7)) * 10.0 ** rng.integers(-3, 4, (2, 3, 24, 5, 7))).astype(np.float32)
    pool = jax.jit(ej.group_pool)
    on_gpu = [jax.device_put(a, jax.devices("gpu")[0]) for a in (x, x[:, :, rng.permutation(24)])]
    assert np.array_equal(*(np.asarray(pool(array)) for array in on_gpu))
