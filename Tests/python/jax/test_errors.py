# SPDX-License-Identifier: Apache-2.0
"""Wrong calls of equiconv.jax have the exceptions of equiconv; wrong programs are errors of XLA and crash nothing."""

from __future__ import annotations

import re
import warnings

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, ej, jax, layer, program_of, x64

__all__ = ["x64"]

X, W = np.ones((2, 3, 8, 9), np.float32), np.ones((5, 3, 3, 3), np.float32)
XG, WG = np.ones((2, 3, 4, 8, 9), np.float32), np.ones((5, 3, 4, 3, 3), np.float32)

# function, arguments, keywords
WRONG = [
    ("lifting_conv", (X, W, "C4"), {}),
    ("lifting_conv", (X[0], W, C4), {}),
    ("lifting_conv", (X, W[:, :2], C4), {}),
    ("lifting_conv", (X[:, :, :0], W, C4), {}),
    ("lifting_conv", (X, W, C4, np.ones(4, np.float32)), {}),
    ("lifting_conv", (X, W, C4), {"stride": 0}),
    ("lifting_conv", (X, W, C4), {"stride": (1, 2)}),
    ("lifting_conv", (X, W, C4), {"padding": "full"}),
    ("lifting_conv", (X, W[..., :2, :2], C4), {"padding": "same"}),
    ("lifting_conv", (X, W, C4), {"dilation": 9}),
    ("lifting_conv", (X, W, C4), {"padding_mode": "mirror"}),
    ("lifting_conv", (X, W, C4), {"algorithm": "fast"}),
    ("lifting_conv", (X, W, C4), {"algorithm": "fourier", "stride": 2, "padding": 1}),
    ("lifting_conv", (X, W[..., :2], C4), {}),
    ("lifting_conv", (X, W, C4), {"basis": 3}),
    ("lifting_conv", (X, W, C4), {"basis": eq.circular_harmonics(5)}),
    ("lifting_conv", (X, W, C4), {"group_basis": eq.localized([0, 1])}),
    ("lifting_conv", (X, W, C4), {"quadrature": 1}),
    ("lifting_conv", (X, W, C4), {"interpolation": "nearest"}),
    ("group_conv", (XG, WG, C8), {}),
    ("group_conv", (XG, WG, C4), {"group_basis": eq.localized([0, 9])}),
    ("projection_conv", (XG, W, C4), {}),
    ("isotropic_conv", (X.astype(">f4"), W, C4), {}),
    ("conv", (XG, WG, D4), {"input_stabilizer": [0, 4], "output_stabilizer": [0, 1]}),
    ("conv", (XG, WG, D4), {"input_stabilizer": [0, 4], "output_stabilizer": [0], "groups": 2}),
    ("group_pool", (X, "median"), {}),
    ("group_pool", (X[0], "mean"), {}),
    ("group_pool", (XG[:, :0], "mean"), {}),
    ("act", (X, C4, 4), {}),
    ("act", (X, C8, 1), {}),
    ("act", (XG, C8, 2), {}),
    ("act", (X, C4, 1.0), {}),
    # Integers beyond those of the processor.
    ("lifting_conv", (X, W, C4), {"stride": 2**100}),
    ("lifting_conv", (X, W, C4), {"padding": -(2**100)}),
    ("lifting_conv", (X, W, C4), {"dilation": (1, 2**63)}),
    ("conv", (XG, WG, D4), {"input_stabilizer": [0, 2**100], "output_stabilizer": [0]}),
    ("conv", (XG, WG, D4), {"input_stabilizer": 2**100, "output_stabilizer": [0]}),
    ("act", (X, C4, 2**100), {}),
    ("act", (X, C4, -(2**63) - 1), {}),
    ("act", (XG, D4, 1, [2**100]), {}),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), WRONG)
def test_wrong_calls_have_the_exceptions_of_numpy(name, arguments, keywords):
    with pytest.raises((TypeError, ValueError)) as expected:
        getattr(eq, name)(*arguments, **keywords)
    with pytest.raises(expected.type) as found:
        getattr(ej, name)(*arguments, **keywords)
    assert str(found.value) == str(expected.value)


def test_the_exception_is_raised_while_jax_traces():
    with pytest.raises(ValueError, match="algorithm is fourier with stride"):
        jax.eval_shape(lambda x: ej.lifting_conv(x, W, C4, stride=2, padding=1, algorithm="fourier"), X)


def test_a_gradient_that_an_algorithm_cannot_do_is_an_error_while_jax_traces():
    x, weight = np.ones((1, 8, 20, 20), np.float32), np.ones((8, 8, 3, 3), np.float32)
    function = layer("lifting_conv", C4, algorithm="winograd")
    with pytest.raises(ValueError, match="winograd") as expected:
        eq.lifting_conv_vjp(eq.lifting_conv(x, weight, C4), x, weight, C4, algorithm="winograd")
    with pytest.raises(ValueError, match="winograd") as found:
        jax.eval_shape(jax.grad(lambda weight: function(x, weight).sum()), weight)
    assert str(found.value) == str(expected.value)
    assert jax.grad(lambda x: function(x, weight).sum())(x).shape == x.shape


def test_dtypes_are_named_with_those_expected():
    expected = r"expected float32, float64, bfloat16 or float16: use x.astype\(numpy.float32\)"
    for dtype in (int, bool, complex, jax.numpy.float8_e4m3fn):
        with pytest.raises(TypeError, match=f"x has dtype {np.dtype(dtype)}, {expected}"):
            ej.lifting_conv(X.astype(dtype), W, C4)
    with pytest.raises(TypeError, match="weight has dtype key"):
        ej.lifting_conv(X, jax.random.key(0), C4)
    with pytest.raises(TypeError, match="weight has dtype float32, expected bfloat16 as x has"):
        ej.lifting_conv(X.astype(jax.numpy.bfloat16), W, C4)


def test_operands_of_two_dtypes(x64):
    with pytest.raises(TypeError, match=r"weight has dtype float64, expected float32 as x has: use weight.astype"):
        ej.lifting_conv(X, W.astype(np.float64), C4)


def test_float64_of_numpy_is_not_rounded_silently():
    with pytest.raises(TypeError, match="x has dtype float64, which JAX would round"):
        ej.lifting_conv(X.astype(np.float64), W, C4)


@pytest.mark.parametrize("name", ["x", "weight", "group", "bias"])
def test_integers_in_place_of_arrays_and_groups_are_named(name):
    arguments = {"x": X, "weight": W, "group": C4, "bias": None, name: 2**100}
    with pytest.raises(TypeError, match=f"{name} is 1267650600228229401496703205376"):
        ej.lifting_conv(**arguments)


def test_operands_are_arrays():
    with pytest.raises(TypeError, match=r"x is \[1.0\] \(list\), expected a JAX or NumPy array"):
        ej.lifting_conv([1.0], W, C4)
    with pytest.raises(TypeError, match=r"weight is equiconv\.PreparedWeight"):
        ej.lifting_conv(X, eq.prepare(W), C4)
    with pytest.raises(TypeError, match="x is a masked array"):
        ej.lifting_conv(np.ma.masked_array(X), W, C4)


def test_symbolic_sizes_are_refused():
    export = pytest.importorskip("jax.export")
    (b,) = export.symbolic_shape("b")
    x = jax.ShapeDtypeStruct((b, *X.shape[1:]), np.float32)
    with pytest.raises(TypeError, match="symbolic sizes are not supported"):
        export.export(jax.jit(lambda x: ej.lifting_conv(x, W, C4)))(x)


@pytest.mark.parametrize("name", ["lifting_conv", "group_pool"])
def test_the_engine_on_other_platforms_is_refused_where_it_is_asked_for(name):
    arguments = (W, C4) if name == "lifting_conv" else ()
    x = X if arguments else XG
    lowered = jax.jit(lambda x: getattr(ej, name)(x, *arguments, backend="engine")).trace(x)
    with pytest.raises(NotImplementedError, match="backend is 'engine', which runs on the CPU only, not on cuda: "):
        lowered.lower(lowering_platforms=("cuda",))
    assert "equiconv_" in lowered.lower(lowering_platforms=("cpu",)).as_text()


def test_backends_are_checked():
    with pytest.raises(ValueError, match="backend is 'gpu', expected 'engine' or 'xla'"):
        ej.lifting_conv(X, W, C4, backend="gpu")
    with pytest.raises(TypeError, match="backend is 1"):
        ej.group_pool(XG, backend=1)


@pytest.mark.parametrize("dtype", [jax.numpy.bfloat16, np.float16])
def test_the_engine_has_no_half_precision(dtype):
    message = f"x has dtype {np.dtype(dtype)}, expected float32 or float64 for backend 'engine': use backend 'xla'"
    with pytest.raises(TypeError, match=message):
        ej.lifting_conv(X.astype(dtype), W.astype(dtype), C4, backend="engine")
    with pytest.raises(TypeError, match=message):
        ej.group_pool(XG.astype(dtype), backend="engine")


def test_algorithms_of_the_engine_are_not_those_of_xla():
    message = "algorithm is 'exact', expected 'auto' where XLA computes the layer"
    with pytest.raises(ValueError, match=message):
        ej.lifting_conv(X, W, C4, algorithm="exact", backend="xla")
    half = jax.numpy.bfloat16
    with pytest.raises(ValueError, match=message):
        ej.lifting_conv(X.astype(half), W.astype(half), C4, algorithm="exact")
    program = jax.jit(lambda x: ej.lifting_conv(x, W, C4, algorithm="exact")).trace(X)
    with pytest.raises(ValueError, match=message):
        program.lower(lowering_platforms=("cuda",))


def test_warnings_of_strides_come_while_jax_traces_and_name_the_caller():
    function = jax.jit(lambda x: ej.lifting_conv(x, W, C4, stride=2))
    with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit size 8") as caught:
        function(X)
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(X)


# ---- Programs that were not made by equiconv ----

Y = jax.ShapeDtypeStruct((2, 5, 4, 6, 7), np.float32)


@pytest.fixture
def text():
    """That of the layer lifting_conv(X, W, C4)."""
    return program_of(lambda x: ej.lifting_conv(x, W, C4), X).spec.text


def call(operands=(X, W), result=Y, name="forward", **attributes):
    return np.asarray(jax.ffi.ffi_call(f"equiconv_{name}", result)(*operands, **attributes))


def test_such_a_program_computes(text):
    y = call(layer=text, mapped=np.int64(0))
    assert np.array_equal(y, eq.lifting_conv(X, W, C4))


ZERO = np.int64(0)
SHAPES = {
    "another batch": ((X[:1], W), Y),
    "another channel": ((X[:, :2], W), Y),
    "another size": ((X[..., :8], W), Y),
    "too few axes": ((X[0], W), Y),
    "no axes": ((X, np.float32(1)), Y),
    "another kernel": ((X, W[..., :2]), Y),
    "another output": ((X, W), jax.ShapeDtypeStruct((2, 5, 4, 6, 6), np.float32)),
    "another bias": ((X, W, np.ones(4, np.float32)), Y),
    "another type": ((X.astype(np.int32), W), Y),
    "another type of the result": ((X, W), jax.ShapeDtypeStruct(Y.shape, np.int32)),
    "no weight": ((X,), Y),
    "too many operands": ((X, W, W[:, 0, 0, 0], W), Y),
    "two results": ((X, W), (Y, Y)),
}


@pytest.mark.parametrize("case", SHAPES)
def test_wrong_arrays_are_errors_of_xla(text, case):
    operands, result = SHAPES[case]
    with pytest.raises(Exception, match="equiconv: "):
        jax.block_until_ready(jax.ffi.ffi_call("equiconv_forward", result)(*operands, layer=text, mapped=ZERO))


@pytest.mark.parametrize("mapped", [1, 2, 3, 4, -1])
def test_wrong_axes_of_calls_are_errors_of_xla(text, mapped):
    with pytest.raises(Exception, match="equiconv: "):
        call(layer=text, mapped=np.int64(mapped))


def test_missing_and_mistyped_attributes_are_errors_of_xla(text):
    for attributes in (
        {"layer": text},
        {"mapped": ZERO},
        # A number that is equal to no other of these tests: JAX finds compiled calls by the values of attributes.
        {"layer": text, "mapped": np.float32(0.5)},
        {"layer": np.arange(7), "mapped": ZERO},
    ):
        with pytest.raises(Exception, match="equiconv: attribute"):
            call(**attributes)


def test_texts_that_are_of_no_layer_are_errors_of_xla(text):
    for count in range(len(text)):
        with pytest.raises(Exception, match="equiconv: "):
            call(layer=text[:count], mapped=ZERO)
    for wrong in (text + " ", text + "\0", text.upper(), text.replace("cyclic(4)", "cyclic(04)"), "\0" + text):
        with pytest.raises(Exception, match="equiconv: text"):
            call(layer=wrong, mapped=ZERO)


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2, 7, 2**31 - 1, 2**40, 2**63 - 1, 2**64, "x", "[1]"])
def test_no_number_in_a_text_crashes_the_process(text, number):
    """Each number is replaced; the layer is then another one, or none, and the arrays do not fit or are computed."""
    for place in re.finditer(r"\d+", text):
        wrong = text[: place.start()] + str(number) + text[place.end() :]
        try:
            y = call(layer=wrong, mapped=ZERO)
        except Exception as error:
            assert "equiconv: " in str(error)  # noqa: PT017
        else:
            assert y.shape == Y.shape


def test_a_text_of_another_version_says_so(text):
    with pytest.raises(Exception, match=r"equiconv: text .*expected version 1 of equiconv-layer"):
        call(layer=text.replace("/1 ", "/2 "), mapped=ZERO)


@pytest.mark.parametrize(
    ("shape", "result"),
    [((2, 5, 4, 6, 7), (4,)), ((2, 5, 4, 6, 7), (5, 1)), ((5, 4), (4,)), ((2, 5, 0, 6, 7), (5,)), ((2,), (2,))],
)
def test_wrong_gradients_of_biases_are_errors_of_xla(shape, result):
    wanted = jax.ShapeDtypeStruct(result, np.float32)
    with pytest.raises(Exception, match="equiconv: "):
        call((np.ones(shape, np.float32),), wanted, "bias_gradient", mapped=ZERO)


@pytest.mark.parametrize("name", ["pool_mean", "pool_mean_adjoint"])
def test_wrong_arrays_of_pools_are_errors_of_xla(x64, name):
    signal, pooled = jax.ShapeDtypeStruct(XG.shape, np.float32), jax.ShapeDtypeStruct((2, 3, 8, 9), np.float32)
    right = (XG, pooled) if name == "pool_mean" else (np.ones(pooled.shape, np.float32), signal)
    call((right[0],), right[1], name)
    wrong_results = [
        jax.ShapeDtypeStruct(right[1].shape, np.float64),
        jax.ShapeDtypeStruct(right[1].shape[1:], np.float32),
        jax.ShapeDtypeStruct((*right[1].shape[:-1], 5), np.float32),
    ]
    for result in wrong_results:
        with pytest.raises(Exception, match="equiconv: the operand and the result are not signals"):
            call((right[0],), result, name)
    with pytest.raises(Exception, match="equiconv: the call has 2 operands"):
        call((right[0], right[0]), right[1], name)
