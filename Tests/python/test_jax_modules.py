# SPDX-License-Identifier: Apache-2.0
"""Modules of Flax and Equinox: the layers, norms and pools of the other front ends, with the same numbers."""

from __future__ import annotations

import inspect
import math

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, ej, jax, quick_compiler, x64
from jax_modules import arguments_of, framework

__all__ = ["framework", "quick_compiler", "x64"]

C8, D2 = eq.cyclic(8), eq.dihedral(2)
LAYERS = ("IsotropicConv", "LiftingConv", "GroupConv", "ProjectionConv")
READS_GROUP = ("GroupConv", "ProjectionConv")
# Where others have a device, or a generator of numbers.
BATCH_NORM = [("num_features", inspect.Parameter.empty), ("eps", 1e-5), ("momentum", 0.1), ("affine", True)]
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


def signal(rng, name, group, size=7, batch=2, channels=3, dtype=np.float32):
    fiber = (group.order,) if name in READS_GROUP else ()
    return draw(rng, (batch, channels, *fiber, *(size,) * group.dimension), dtype)


def compiled(layer):
    return jax.jit(lambda x: layer(x))


# ---- Names ----


def test_names_are_those_of_torch(framework):
    extra = {"Sequential", "signature", "check_signature"}
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    assert torch is not None
    theirs = {name for name in et.__all__ if inspect.isclass(getattr(et, name))}
    assert set(framework.modules.__all__) >= theirs
    assert set(framework.modules.__all__) - theirs >= extra
    for name in theirs:
        mine, expected = (
            [(p.name, p.default) for p in arguments_of(getattr(modules, name)) if p.name not in OTHER]
            for modules in (framework.modules, et)
        )
        # Batch normalisation of torch has the arguments of its base class.
        assert mine == (BATCH_NORM if name == "BatchNorm" else expected)


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_of_layers_are_those_of_numpy(framework, name):
    found, expected = ([p.name for p in arguments_of(getattr(modules, name))] for modules in (framework.modules, eq))
    assert [key for key in found if key not in OTHER] == [key for key in expected if key not in OTHER]


# ---- Layers ----

OPTIONS = {
    "pixels": (3, C4, {"padding": "same"}),
    "strided, no bias": (3, D4, {"stride": 2, "padding": 1, "dilation": 2, "bias": False}),
    "basis": (eq.bspline_basis(5), C8, {"padding_mode": "circular", "padding": 2}),
    "group basis": (3, C8, {"group_basis": eq.localised([0, 1, 7]), "interpolation": "bicubic", "quadrature": True}),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("case", OPTIONS)
def test_layers_have_the_bits_of_numpy_modules_with_their_weights(rng, framework, name, case):
    kernel, group, keywords = OPTIONS[case]
    if "group_basis" in keywords and name not in READS_GROUP:
        pytest.skip("a basis on the group is for layers that read it")
    layer = framework.make(name, 3, 2, kernel, group, algorithm="direct", **keywords)
    weight, bias = framework.parameters(layer)
    bias = None if bias is None else draw(rng, bias.shape, np.float32)
    layer = framework.with_parameters(layer, weight, bias)
    expected = getattr(eq, name)(3, 2, kernel, group, algorithm="direct", **keywords)
    assert expected.weight.shape == weight.shape
    expected.load({"weight": weight} | ({} if bias is None else {"bias": bias}))
    x = signal(rng, name, group)
    assert_same_bits(layer(x), expected(x))
    assert layer.input_space == expected.input_space
    assert layer.output_space == expected.output_space


@pytest.mark.parametrize("name", LAYERS)
def test_weights_are_drawn_with_he_deviation(framework, name):
    """The sample deviation of n normal numbers is off by 1 / sqrt(2 n) of it, here 5 times that at most."""
    layer = framework.make(name, 24, 24, 5, D4, seed=1)
    weight, bias = framework.parameters(layer)
    reference = getattr(eq, name)(24, 24, 5, D4, rng=0)
    deviation = eq._initialisation.he_deviation(reference.layer_name, D4, 24, layer.options.made_of, (5, 5))
    assert np.std(np.asarray(weight)) == pytest.approx(deviation, rel=5 / math.sqrt(2 * weight.size))
    assert not np.any(bias)
    again, other = (framework.parameters(framework.make(name, 24, 24, 5, D4, seed=seed))[0] for seed in (1, 2))
    assert_same_bits(weight, again)
    assert not np.array_equal(weight, other)


@pytest.mark.parametrize("dtype", ["default", np.float32, np.float64])
def test_parameters_have_the_dtype_of_the_argument_and_float32_without_it(framework, x64, dtype):
    keywords = {} if dtype == "default" else {"dtype": dtype}
    expected = np.dtype(np.float32 if dtype == "default" else dtype)
    layer = framework.make("LiftingConv", 1, 2, 3, C4, **keywords)
    norm = framework.make("BatchNorm", 2, **keywords)
    _, running = framework.batch_norm(2, **keywords)
    arrays = [*framework.parameters(layer), *framework.parameters(norm), *running()]
    assert [array.dtype for array in arrays] == [expected] * 6


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
    "dtype .*float16": ("LiftingConv", (1, 2, 3, C4), {"dtype": np.float16}),
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


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("GroupConv", (2, 3, 7, 7), "GroupConv wants a signal on G for C4"),
        ("GroupConv", (2, 4, 4, 7, 7), "GroupConv wants 3 channels"),
        ("LiftingConv", (2, 3, 4, 7, 7), "LiftingConv wants a signal on the plane"),
    ],
)
def test_signals_on_another_space_are_refused(framework, name, shape, message):
    with pytest.raises(ValueError, match=message):
        framework.make(name, 3, 2, 3, C4)(np.zeros(shape, np.float32))


def test_warnings_of_strides_name_the_caller(framework):
    layer = framework.make("LiftingConv", 1, 2, 3, C4, stride=2)
    pool = framework.make("SpatialMaxPool", C4, 2)
    for call in (layer, pool):
        with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit") as caught:
            call(np.zeros((1, 1, 8 if call is layer else 7, 9 if call is layer else 8), np.float32))
        assert {warning.filename for warning in caught} == {__file__}


# ---- Norms ----


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_is_that_of_torch(rng, framework, affine):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    reference = et.BatchNorm(3, 1e-3, 0.2, affine)
    parameters = None
    if affine:
        parameters = [draw(rng, (3,), np.float32) for _ in range(2)]
        reference.load_state_dict(
            dict(zip(("weight", "bias"), map(torch.tensor, parameters), strict=True)), strict=False
        )
    assert (framework.make("BatchNorm", 3, affine=affine).weight is None) is not affine
    call, running = framework.batch_norm(3, 1e-3, 0.2, affine, parameters=parameters)
    for step in range(3):
        x = signal(rng, "GroupConv", C4) + step
        expected = reference(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(call(x, True), expected, rtol=0, atol=3e-6)
    for mine, theirs in zip(running(), (reference.running_mean, reference.running_var), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=2e-6, atol=1e-7)
    reference.eval()
    before = running()
    np.testing.assert_allclose(call(x, False), reference(torch.tensor(x)).detach().numpy(), rtol=0, atol=3e-6)
    for mine, theirs in zip(running(), before, strict=True):
        assert_same_bits(mine, theirs)


def test_gradients_of_batch_norm_are_those_of_torch_and_pass_no_running_number(rng, framework):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    x = signal(rng, "GroupConv", C4)

    def output_and_running(x):
        call, running = framework.batch_norm(3)
        return call(x, True), running()

    (y, running), vjp = jax.vjp(output_and_running, x)
    cotangent = draw(rng, y.shape, np.float32)
    nothing = jax.tree.map(np.zeros_like, running)
    tensor = torch.tensor(x, requires_grad=True)
    et.BatchNorm(3)(tensor).backward(torch.tensor(cotangent))
    np.testing.assert_allclose(vjp((cotangent, nothing))[0], tensor.grad.numpy(), rtol=0, atol=3e-6)
    assert not np.any(vjp((np.zeros_like(cotangent), jax.tree.map(np.ones_like, running)))[0])


def test_modules_may_start_in_evaluation(rng, framework):
    x = signal(rng, "GroupConv", C4)
    assert_same_bits(framework.make("FieldDropout", 0.5, **framework.in_evaluation("FieldDropout"))(x), x)
    call, running = framework.batch_norm(3, **framework.in_evaluation("BatchNorm"))
    np.testing.assert_allclose(call(x, None), x / np.sqrt(np.float32(1 + 1e-5)), rtol=1e-6)
    assert [array.tolist() for array in running()] == [[0, 0, 0], [1, 1, 1]]


def test_batch_norm_in_evaluation_commutes_to_the_last_bit(rng, framework):
    call, _ = framework.batch_norm(3)
    x = signal(rng, "GroupConv", D4)
    call(x, True)
    for element in range(8):
        assert_same_bits(call(ej.act(x, D4, element), False), ej.act(call(x, False), D4, element))


def test_batch_norm_refuses_other_signals(framework):
    call, _ = framework.batch_norm(3)
    with pytest.raises(ValueError, match=r"x has shape \(2, 4, 5, 5\), expected \(B, 3, "):
        call(np.zeros((2, 4, 5, 5), np.float32), True)
    with pytest.raises(ValueError, match="more than one number for each channel"):
        call(np.zeros((1, 3, 1), np.float32), True)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("own", "given"), [("float32", "float64"), ("float64", "float32")])
def test_batch_norm_refuses_a_signal_of_another_dtype(framework, x64, own, given, affine, is_training):
    call, running = framework.batch_norm(3, affine=affine, dtype=own)
    x = np.ones((2, 3, 4, 5, 5), given)
    with pytest.raises(TypeError, match=f"x has dtype {given}, expected {own} as running_mean has"):
        call(x, is_training)
    y = call(x.astype(own), is_training)
    assert {array.dtype for array in (y, *running())} == {np.dtype(own)}


def test_dropout_drops_whole_fields_and_keeps_the_mean(framework):
    call = framework.dropout(0.25)
    x = np.ones((64, 64, 4, 3, 3), np.float32)
    y = np.asarray(call(x, 7))
    fields = y.reshape(64, 64, -1)
    assert np.all(fields == fields[:, :, :1])
    assert np.any(fields[0] != fields[1])
    assert set(np.unique(fields)) == {0, np.float32(1 / 0.75)}
    # A share of 4096 draws: within 5 deviations.
    assert abs(np.mean(fields == 0) - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4096)
    assert_same_bits(call(x, None), x)
    assert not np.array_equal(call(x, 8), y)
    assert not np.any(framework.dropout(1)(x, 1))
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\), expected \(B, C, "):
        call(np.ones((2, 3), np.float32), 7)


def test_dropout_of_flax_draws_anew_at_each_call_from_the_stream_that_it_is_given():
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    x = np.ones((8, 8, 4, 3, 3), np.float32)
    layers = [enn.FieldDropout(0.5, rngs=nnx.Rngs(dropout=seed)) for seed in (1, 1, 2)]
    first, again, other = (layer(x) for layer in layers)
    assert_same_bits(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, layers[0](x))


def test_dropout_of_equinox_wants_a_key_in_training():
    pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    with pytest.raises(TypeError, match=r"key is None, expected one of jax\.random"):
        ee.FieldDropout(0.5)(np.ones((1, 1, 2), np.float32))


# ---- Pools ----


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pools_over_h_are_those_of_numpy_and_refuse_other_signals(rng, framework, mode):
    x = signal(rng, "GroupConv", D4)
    pool, expected = framework.make("GroupPool", D4, mode), eq.GroupPool(D4, mode)
    assert_same_bits(pool(x), expected(x))
    assert (pool.input_space, pool.output_space) == (expected.input_space, expected.output_space)
    with pytest.raises(ValueError, match="GroupPool wants a signal on G for D4"):
        pool(x[:, :, :4])


@pytest.mark.parametrize("arguments", [(2,), (3, 2, 1), ((2, 3), (1, 2), (1, 0))], ids=str)
@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_pools_are_those_of_torch(rng, framework, name, arguments):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    x = draw(rng, (2, 3, 4, 7, 8), np.float32)
    tensor = torch.tensor(x, requires_grad=True)
    expected = getattr(et, name)(C4, *arguments)(tensor)
    y, vjp = jax.vjp(framework.make(name, C4, *arguments), x)
    cotangent = draw(rng, y.shape, np.float32)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0 if name == "SpatialMaxPool" else 3e-7, atol=1e-7)
    np.testing.assert_allclose(vjp(cotangent)[0], tensor.grad.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
@pytest.mark.parametrize("group", [eq.reflection(), D4, eq.octahedral()], ids=lambda group: group.name)
def test_pools_commute_with_the_action_to_the_last_bit(rng, framework, name, group):
    x = draw(rng, (1, 2, group.order, *(7,) * group.dimension), np.float32)
    pool = compiled(framework.make(name, group, 3, 2))
    for element in range(0, group.order, max(1, group.order // 8)):
        assert_same_bits(pool(ej.act(x, group, element)), ej.act(pool(x), group, element))


@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
def test_windows_that_do_not_fit_are_refused(framework, name):
    with pytest.raises(ValueError, match="kernel is 5, expected at most 4: x has size 4 on axis 2"):
        framework.make(name, C4, 5)(np.zeros((1, 1, 4, 6), np.float32))


MEANS = {
    "normal": lambda rng, dtype: rng.normal(size=(2, 3, 33, 31)),
    "cancelling": lambda rng, dtype: rng.normal(size=(2, 3, 9, 9)) * 10.0 ** rng.integers(-6, 6, (2, 3, 9, 9)),
    "large": lambda rng, dtype: rng.uniform(-1, 1, (1, 2, 5, 5)) * (np.finfo(dtype).max / 32),
    "small": lambda rng, dtype: rng.normal(size=(1, 2, 5, 5)) * np.finfo(dtype).tiny * 64,
    "one pixel": lambda rng, dtype: rng.normal(size=(2, 3, 1, 1)),
    "zero": lambda rng, dtype: np.zeros((1, 2, 3, 3)),
}


@pytest.mark.parametrize("case", MEANS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_do_not_depend_on_the_order_of_pixels_and_are_exact_up_to_rounding(rng, x64, framework, case, dtype):
    x = MEANS[case](rng, dtype).astype(dtype)
    mean = compiled(framework.make("SpatialMean", C4))
    y = np.asarray(mean(x))
    flat = x.reshape(*x.shape[:2], -1)
    for _ in range(4):
        assert_same_bits(mean(rng.permuted(flat, axis=2).reshape(x.shape)), y)
    expected = np.array([[math.fsum(plane) / len(plane) for plane in image] for image in flat.tolist()])
    # Half a unit for the sum, one for the division, and what is dropped below the largest.
    bound = 1.5 * np.finfo(dtype).eps * np.abs(expected) + np.abs(flat).max(2) * 2.0 ** (
        -55 if dtype == np.float32 else -105
    )
    assert np.all(np.abs(y.astype(np.float64) - expected) <= bound + np.finfo(dtype).tiny)


def test_means_of_planes_with_nan_and_infinity_are_those_of_addition(framework):
    x = np.ones((1, 4, 3, 3), np.float32)
    x[0, 1, 1, 2], x[0, 2, 0, 0], x[0, 3, 0, 1], x[0, 3, 2, 2] = np.nan, np.inf, np.inf, -np.inf
    y = framework.make("SpatialMean", C4)(x)
    np.testing.assert_array_equal(y, [[1, np.nan, np.inf, np.nan]])


def test_the_gradient_of_a_mean_spreads_evenly(rng, x64, framework):
    x = draw(rng, (2, 3, 4, 5, 6))
    mean = framework.make("SpatialMean", C4)
    y, vjp = jax.vjp(mean, x)
    assert y.shape == (2, 3, 4)
    cotangent = draw(rng, y.shape)
    np.testing.assert_allclose(vjp(cotangent)[0], np.broadcast_to(cotangent[..., None, None] / 30, x.shape), rtol=1e-15)
    mapped = jax.vmap(jax.grad(lambda x: mean(x[None]).sum()))(x)
    np.testing.assert_allclose(mapped, np.full(x.shape, 1 / 30), rtol=1e-15)


# ---- Networks ----


def network_of(framework, group):
    layers = [
        framework.make("LiftingConv", 1, 4, 3, group, algorithm="direct", padding=1),
        jax.nn.relu,
        framework.make("SpatialMaxPool", group, 3, 2),
        framework.make("GroupConv", 4, 3, 3, group, algorithm="direct", seed=1),
        jax.numpy.tanh,
        framework.make("SpatialAvgPool", group, 3, 1, 1),
        framework.make("GroupPool", group, "max"),
        framework.make("SpatialMean", group),
    ]
    return framework.make("Sequential", *layers)


@pytest.mark.parametrize("group", [C4, D4, eq.octahedral()], ids=lambda group: group.name)
def test_a_network_is_invariant_to_the_last_bit(rng, framework, group):
    network = compiled(network_of(framework, group))
    x = draw(rng, (2, 1, *(11,) * group.dimension), np.float32)
    y = network(x)
    assert y.shape == (2, 3)
    for element in range(0, group.order, max(1, group.order // 8)):
        assert_same_bits(network(ej.act(x, group, element)), y)


MIXED = {
    "layer 1, GroupConv, wants a signal on G for D2, got one on G for C4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("GroupConv", 4, 4, 3, D2),
    ],
    "layer 2, GroupPool, wants a signal on G for D2, got one on G for C4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("BatchNorm", 4), ("GroupPool", D2),
    ],
    "layer 1, GroupConv, wants 5 channels, got 4 from layer 0, LiftingConv": [
        ("LiftingConv", 1, 4, 3, C4), ("GroupConv", 5, 4, 3, C4),
    ],
}  # fmt: skip


@pytest.mark.parametrize("message", MIXED)
def test_layers_that_do_not_fit_are_refused_by_sequential(framework, message):
    layers = [framework.make(*layer) for layer in MIXED[message]]
    with pytest.raises(ValueError, match=message):
        framework.make("Sequential", *layers)


def test_a_signature_names_the_layers_and_another_is_refused(framework):
    one, other = (network_of(framework, group) for group in (C4, D2))
    saved = framework.modules.signature(one)
    assert list(saved.values()) == ["lifting_conv on C4, kernel 3 x 3", "group_conv on C4, kernel 3 x 3"]
    framework.modules.check_signature(one, saved)
    message = "is lifting_conv on D2, kernel 3 x 3, the checkpoint has lifting_conv on C4, kernel 3 x 3"
    with pytest.raises(ValueError, match=message):
        framework.modules.check_signature(other, saved)
    with pytest.raises(ValueError, match="no such layer"):
        framework.modules.check_signature(one, {})
    with pytest.raises(ValueError, match="layer 9 is no such layer, the checkpoint has another"):
        framework.modules.check_signature(one, saved | {"9": "another"})
    one, other = (
        framework.make("GroupConv", 1, 1, 3, C8, group_basis=eq.localised(elements)) for elements in ([0, 1], [0, 7])
    )
    with pytest.raises(ValueError, match="the checkpoint has group_conv on C8"):
        framework.modules.check_signature(one, framework.modules.signature(other))
    with pytest.raises(TypeError, match="signature is 3"):
        framework.modules.check_signature(one, 3)


def test_the_state_of_another_group_is_refused_at_the_next_call():
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    one, other = (enn.LiftingConv(1, 2, 3, group, rngs=nnx.Rngs(0)) for group in (C4, D2))
    nnx.update(other, nnx.state(one))
    with pytest.raises(ValueError, match=r"weight is of lifting_conv on C4, .* expected one of lifting_conv on D2"):
        other(np.zeros((1, 1, 5, 5), np.float32))


# ---- Algorithms ----


def test_set_algorithm_reaches_every_layer_of_a_flax_module_or_none(rng):
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    rngs = nnx.Rngs(0)
    layers = [enn.LiftingConv(1, 4, 5, C4, rngs=rngs), enn.GroupConv(4, 4, 5, C4, rngs=rngs)]
    made_direct = enn.LiftingConv(1, 4, 5, C4, algorithm="direct", rngs=nnx.Rngs(0))
    # A list of modules cannot be called.
    network = nnx.List([layers[0], nnx.Dict(inner=layers[1]), enn.GroupPool(C4)])
    run = nnx.jit(lambda network, x: network[1]["inner"](network[0](x)))
    x = signal(rng, "LiftingConv", C4, 16, channels=1)
    weights = [np.asarray(layer.weight[...]) for layer in layers]
    outputs = {}
    for algorithm in ("direct", "fourier", "direct"):
        assert eq.set_algorithm(network, algorithm) is None
        assert [layer.algorithm for layer in layers] == [algorithm, algorithm]
        y = x
        for name, weight in zip(("lifting_conv", "group_conv"), weights, strict=True):
            y = getattr(eq, name)(y, weight, C4, np.zeros(4, np.float32), algorithm=algorithm)
        assert_same_bits(run(network, x), y)
        outputs[algorithm] = y
    assert not np.array_equal(outputs["direct"], outputs["fourier"])
    # To Flax the layer is the one that was made so: states and compiled programs of either fit the other.
    assert nnx.graphdef(layers[0]) == nnx.graphdef(made_direct)
    for wrong, error in (("quick", ValueError), (0, TypeError)):
        with pytest.raises(error, match="algorithm is"):
            eq.set_algorithm(network, wrong)
    assert [layer.algorithm for layer in layers] == ["direct", "direct"]
    with pytest.raises(ValueError, match=r"network is .*, expected one with a convolution"):
        eq.set_algorithm(nnx.Linear(1, 1, rngs=rngs), "direct")


def test_with_algorithm_gives_another_model_of_equinox(rng):
    eqx = pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    first, second = jax.random.split(jax.random.key(0))
    layers = [ee.LiftingConv(1, 4, 5, C4, key=first), ee.GroupConv(4, 4, 5, C4, key=second)]
    model = {"first": layers[0], "rest": ee.Sequential(jax.nn.relu, layers[1], ee.GroupPool(C4))}
    run = eqx.filter_jit(lambda model, x: model["rest"](model["first"](x)))
    x = signal(rng, "LiftingConv", C4, 16, channels=1)
    outputs = {}
    for algorithm in ("direct", "fourier", "direct"):
        changed = ee.with_algorithm(model, algorithm)
        y = eq.lifting_conv(x, np.asarray(layers[0].weight), C4, algorithm=algorithm)
        y = eq.group_conv(np.maximum(y, 0), np.asarray(layers[1].weight), C4, algorithm=algorithm)
        outputs[algorithm] = run(changed, x)
        assert_same_bits(outputs[algorithm], eq.group_pool(y))
        assert changed["first"].weight is layers[0].weight
    assert [layer.algorithm for layer in layers] == ["auto", "auto"]
    assert not np.array_equal(outputs["direct"], outputs["fourier"])
    made_direct = ee.LiftingConv(1, 4, 5, C4, algorithm="direct", key=first)
    assert jax.tree.structure(changed["first"]) == jax.tree.structure(made_direct)
    for wrong, error in (("quick", ValueError), (0, TypeError)):
        with pytest.raises(error, match="algorithm is"):
            ee.with_algorithm(model, wrong)
    with pytest.raises(ValueError, match=r"model is GroupPool.*, expected one with a convolution"):
        ee.with_algorithm(ee.GroupPool(C4), "direct")


def test_set_algorithm_refuses_equinox_and_names_what_does_it():
    pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    layer = ee.LiftingConv(1, 1, 3, C4, key=jax.random.key(0))
    plain = eq.LiftingConv(1, 1, 3, C4)
    message = r"of Equinox, which does not change: use equiconv\.jax\.equinox\.with_algorithm\(network, algorithm\)"
    for network in (layer, eq.Sequential(plain, eq.GroupPool(C4), layer)):
        with pytest.raises(TypeError, match=message):
            eq.set_algorithm(network, "direct")
    assert [plain.algorithm, layer.algorithm] == ["auto", "auto"]


def test_flax_tells_parameters_from_statistics():
    """So that an optimiser with ``wrt=nnx.Param`` trains the ones and leaves the others."""
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    rngs = nnx.Rngs(0)
    for layer in (enn.LiftingConv(1, 2, 3, C4, rngs=rngs), enn.BatchNorm(2)):
        assert set(nnx.to_pure_dict(nnx.state(layer, nnx.Param))) == {"weight", "bias"}
    assert set(nnx.to_pure_dict(nnx.state(layer, nnx.BatchStat))) == {"running_mean", "running_var"}
