# SPDX-License-Identifier: Apache-2.0
"""Programs on four devices of the processor, with our layers and with equal ones of JAX's own convolution.

Run as a program, which `jax/test_sharding.py` does in a process with four devices, it prints as JSON what each case
gives with both; names of cases as arguments restrict it to these. A case is a function of a layer,
(x, weight, bias) -> y, on signals (8, 2, 5, 5).
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from functools import cache, partial

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import equiconv as eq
import equiconv.jax as ej
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

C4 = eq.cyclic(4)
READS_GROUP = ("group", "projection")


@cache
def line():
    return Mesh(np.array(jax.devices()), ("d",))


@cache
def square():
    return Mesh(np.array(jax.devices()).reshape(2, 2), ("d", "m"))


# ---- The two layers ----


def ours(name):
    """The layer, and the mean over H."""

    def layer(x, weight, bias=None):
        y = getattr(ej, f"{name}_conv")(x, weight, C4, bias, padding=1, algorithm="direct")
        return ej.group_pool(y) if y.ndim == 5 else y

    return layer


def bank_of_basis(name):
    """The filter banks (|Y|, |X|, 3, 3) of each number of a weight."""
    shape = (4, 3, 3) if name in READS_GROUP else (3, 3)
    count = int(np.prod(shape))
    bank = eq.expand(np.eye(count).reshape(count, 1, *shape), C4, name)
    planes = 4 if name in READS_GROUP else 1
    return bank.reshape(count, -1, planes, 3, 3)


def theirs(name):
    """The same by `jax.lax.conv_general_dilated` with the expanded bank."""
    basis = bank_of_basis(name)

    def layer(x, weight, bias=None):
        o, c = weight.shape[:2]
        bank = jnp.einsum("oce,eyxkl->oycxkl", weight.reshape(o, c, -1), jnp.asarray(basis))
        points = bank.shape[1]
        bank = bank.reshape(o * points, -1, 3, 3)
        x = x.reshape(x.shape[0], -1, *x.shape[-2:])
        y = jax.lax.conv_general_dilated(x, bank, (1, 1), [(1, 1)] * 2)
        y = y.reshape(y.shape[0], o, points, *y.shape[2:]).mean(2)
        return y if bias is None else y + bias[:, None, None]

    layer.is_reference = True
    return layer


def operands(name, batch=8):
    fiber = (4,) if name in READS_GROUP else ()
    shapes = (batch, 2, *fiber, 5, 5), (4, 2, *fiber, 3, 3), (4,)
    rng = np.random.default_rng(20200426)
    return tuple(jnp.asarray(rng.normal(size=shape)) for shape in shapes)


def bend(y):
    """Not linear, so that cotangents and second derivatives differ from place to place."""
    return jnp.sin(y) ** 2


# ---- shard_map ----


def shard_map(f, in_specs, out_specs, check=True, mesh=line, compiles=True, **keywords):
    mapped = jax.shard_map(f, mesh=mesh(), in_specs=in_specs, out_specs=out_specs, check_vma=check, **keywords)
    return jax.jit(mapped) if compiles else mapped


def cast(x):
    """`x` as one that varies over devices."""
    return jax.lax.pcast(x, "d", to="varying") if hasattr(jax.lax, "pcast") else jax.lax.pvary(x, "d")


DATA = (P("d"), P(), P())


def mean_loss(layer, check=True, **keywords):
    def local(x, w, b):
        return jax.lax.pmean(bend(layer(x, w, b)).mean(), "d")

    return shard_map(local, DATA, P(), check, **keywords)


def gradient_outside(layer, arrays, check=True, **keywords):
    return jax.grad(mean_loss(layer, check, **keywords), (0, 1, 2))(*arrays)


def gradient_inside(layer, arrays):
    """Types say that weights do not vary: the transposed casts sum their gradients over devices."""
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))
    return jax.jit(shard_map(local, DATA, DATA))(*arrays)


def gradient_inside_unchecked(layer, arrays):
    def local(x, w, b):
        gx, gw, gb = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))(x, w, b)
        return gx, jax.lax.psum(gw, "d"), jax.lax.psum(gb, "d")

    return jax.jit(shard_map(local, DATA, DATA, check=False))(*arrays)


def gradient_of_each_device(layer, arrays):
    """Weights cast to vary first: each device has the gradient of its part."""

    def local(x, w, b):
        w, b = (cast(a) for a in (w, b))
        gw, gb = jax.grad(lambda w, b: bend(layer(x, w, b)).sum(), (0, 1))(w, b)
        return gw[None], gb[None]

    return shard_map(local, DATA, P("d"))(*arrays)


def weights_of_each_device(layer, arrays, **keywords):
    x, w, b = arrays
    many = jnp.stack([w, 2 * w, -w, w + 1])
    specs = (P(), P("d"), P())

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w[0], b)).sum(), "d")

    return jax.grad(shard_map(local, specs, P(), **keywords), (0, 1, 2))(x, many, b)


def bias_of_each_device(layer, arrays):
    x, w, b = arrays
    many = jnp.stack([b, 2 * b, -b, b + 1])

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w, b[0])).sum(), "d")

    return jax.grad(shard_map(local, (P(), P(), P("d")), P()), (0, 1, 2))(x, w, many)


def jvp_outside(layer, arrays):
    return jax.jvp(mean_loss(layer), arrays, tuple(jnp.cos(a) for a in arrays))


def jvp_inside(layer, arrays):
    def local(x, w, b):
        return jax.jvp(lambda w: layer(x, w, b), (w,), (jnp.cos(w),))

    return shard_map(local, DATA, (P("d"), P("d")))(*arrays)


def second_order(layer, arrays, check=True):
    loss = mean_loss(layer, check)
    gradient = jax.grad(loss, (0, 1, 2))

    def inner(*a):
        return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

    return jax.jit(jax.grad(inner, (0, 1, 2)))(*arrays)


def second_order_inside(layer, arrays):
    def local(x, w, b):
        def loss(w):
            return bend(layer(x, w, b)).sum()

        return jax.jvp(jax.grad(loss), (w,), (jnp.cos(w),))

    return shard_map(local, DATA, P())(*arrays)


def rematerialized(layer, arrays):
    return gradient_outside(jax.checkpoint(layer), arrays)


def scanned(layer, arrays):
    """A loop over weights, whose carry has to keep its type."""
    x, w, b = arrays

    def local(x, ws, b):
        def step(carry, w):
            y = layer(x, w, b)
            return carry + bend(y).sum(), y.mean()

        start = cast(jnp.zeros((), x.dtype))
        total, means = jax.lax.scan(step, start, ws)
        return jax.lax.psum(total, "d") + jax.lax.pmean(means.sum(), "d")

    ws = jnp.stack([w, -2 * w, w + 1])
    return jax.jit(jax.grad(shard_map(local, DATA, P()), (0, 1, 2)))(x, ws, b)


def samples_inside(layer, arrays):
    """Gradients of single samples."""

    def local(x, w, b):
        return jax.vmap(jax.grad(lambda w, x: bend(layer(x[None], w, b)).sum()), (None, 0))(w, x)

    return shard_map(local, DATA, P("d"))(*arrays)


def no_casts(layer, arrays):
    """Without the automatic casts, operands that vary unequally do not go together."""
    jax.config.update("jax_auto_pcast", False)
    try:
        return shard_map(lambda x, w, b: layer(x, w, b), DATA, P("d"))(*arrays)
    finally:
        jax.config.update("jax_auto_pcast", True)


def missing_sum(layer, arrays):
    return shard_map(lambda x, w, b: bend(layer(x, w, b)).sum(), DATA, P())(*arrays)


def replicated_output(layer, arrays):
    return shard_map(layer, DATA, P())(*arrays)


def replicated_input_gradient(layer, arrays):
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum())
    return shard_map(local, DATA, P())(*arrays)


def replicated_weight_gradient_of_each_device(layer, arrays):
    def local(x, w, b):
        w = cast(w)
        return jax.grad(lambda w: bend(layer(x, w, b)).sum())(w)

    return shard_map(local, DATA, P())(*arrays)


# ---- Two axes ----


def both_axes(layer, arrays):
    """The batch over both, another weight for each place of one."""
    x, w, b = arrays
    many = jnp.stack([w, w + 1])

    def local(x, w, b):
        return jax.lax.psum(bend(layer(x, w[0], b)).sum(), ("d", "m"))

    loss = shard_map(local, (P(("d", "m")), P("m"), P()), P(), mesh=square)
    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, many, b)


def one_manual_axis(layer, arrays):
    """shard_map over one axis, and the batch cut along the other by the partitioner."""
    x, w, b = (
        jax.device_put(a, NamedSharding(square(), P(("d", "m")) if a.ndim > 3 and a.shape[0] == 8 else P()))
        for a in arrays
    )

    def local(x, w, b):
        return jax.lax.pmean(bend(layer(x, w, b)).mean(), "d")

    loss = shard_map(local, DATA, P(), mesh=square, axis_names={"d"})
    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def one_manual_axis_inside(layer, arrays):
    local = jax.grad(lambda x, w, b: bend(layer(x, w, b)).sum(), (0, 1, 2))
    return jax.jit(shard_map(local, DATA, DATA, mesh=square, axis_names={"d"}))(*arrays)


# ---- The partitioner ----


def put(arrays, *specs, mesh=line):
    return tuple(jax.device_put(a, NamedSharding(mesh(), spec)) for a, spec in zip(arrays, specs, strict=True))


def loss_of(layer):
    return lambda x, w, b: bend(layer(x, w, b)).mean()


def compiled(layer, arrays, specs, mesh=line, size=5):
    x, w, b = arrays
    x = jnp.resize(x, (*x.shape[:-2], size, size))
    return jax.jit(jax.value_and_grad(loss_of(layer), (0, 1, 2)))(*put((x, w, b), *specs, mesh=mesh))


def compiled_second_order(layer, arrays):
    gradient = jax.grad(loss_of(layer), (0, 1, 2))

    def inner(*a):
        return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

    return jax.jit(jax.grad(inner, (0, 1, 2)))(*put(arrays, *DATA))


def compiled_output(layer, arrays):
    """The output, and where its parts are."""
    y = jax.jit(layer)(*put(arrays, *DATA))
    return y, str(y.sharding.spec)


def some_images(layer, arrays, count):
    """A batch that is not a multiple of the devices."""

    def loss(x, w, b):
        return loss_of(layer)(x[:count], w, b)

    return jax.jit(jax.grad(loss, (0, 1, 2)))(*put(arrays, *DATA))


def mapped_weights(layer, arrays):
    x, w, b = arrays
    many = jnp.stack([w, 2 * w, -w, w + 1])
    x, many, b = put((x, many, b), P(), P("d"), P())

    def loss(x, ws, b):
        return bend(jax.vmap(layer, (None, 0, None))(x, ws, b)).mean()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, many, b)


def mapped_signals(layer, arrays):
    x, w, b = arrays
    x, w, b = put((x.reshape(4, 2, *x.shape[1:]), w, b), *DATA)

    def loss(xs, w, b):
        return bend(jax.vmap(layer, (0, None, None), spmd_axis_name="d")(xs, w, b)).mean()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def samples(layer, arrays):
    x, w, b = put(arrays, *DATA)
    gradient = jax.grad(lambda w, x: bend(layer(x[None], w, b)).sum())
    return jax.jit(jax.vmap(gradient, (None, 0), spmd_axis_name="d"))(w, x)


def mapped_shard_map(layer, arrays):
    x, w, b = arrays
    inner = shard_map(
        lambda x, w, b: jax.lax.psum(bend(layer(x, w, b)).sum(), "m"), (P("m"), P(), P()), P(), mesh=square
    )

    def loss(xs, w, b):
        return jax.vmap(inner, (0, None, None), spmd_axis_name="d")(xs, w, b).sum()

    return jax.jit(jax.grad(loss, (0, 1, 2)))(x.reshape(4, 2, *x.shape[1:]), w, b)


# ---- Meshes of explicit axes ----


@cache
def explicit_mesh():
    return jax.make_mesh((4,), ("d",), axis_types=(jax.sharding.AxisType.Explicit,))


def explicit(layer, arrays, specs, is_compiled=True):
    """Values and types."""
    with jax.set_mesh(explicit_mesh()):
        operands = [jax.device_put(a, spec) for a, spec in zip(arrays, specs, strict=True)]
        gradient = jax.grad(loss_of(layer), (0, 1, 2))
        results = [layer(*operands), *(jax.jit(gradient) if is_compiled else gradient)(*operands)]
        return results, [str(jax.typeof(result)) for result in results]


def explicit_second_order(layer, arrays):
    with jax.set_mesh(explicit_mesh()):
        gradient = jax.grad(loss_of(layer), (0, 1, 2))

        def inner(*a):
            return sum((g * jnp.cos(p)).sum() for g, p in zip(gradient(*a), a, strict=True))

        return jax.jit(jax.grad(inner, (0, 1, 2)))(*(jax.device_put(a, s) for a, s in zip(arrays, DATA, strict=True)))


def explicit_mapped(layer, arrays, axes=(0, None, None)):
    x, w, b = arrays
    x = x.reshape(4, 2, *x.shape[1:]) if axes[0] == 0 else x
    w = jnp.stack([w, 2 * w, -w, w + 1]) if axes[1] == 0 else w
    with jax.set_mesh(explicit_mesh()):
        # JAX does not reshape the bank of weights that are cut.
        axes_cut = (None,) * 3 if getattr(layer, "is_reference", False) else axes
        x, w, b = (
            jax.device_put(a, P() if axis is None else P("d")) for a, axis in zip((x, w, b), axes_cut, strict=True)
        )

        def loss(xs, w, b):
            return bend(jax.vmap(layer, axes)(xs, w, b)).mean()

        return jax.jit(jax.grad(loss, (0, 1, 2)))(x, w, b)


def explicit_shard_map(layer, arrays):
    with jax.set_mesh(explicit_mesh()):
        x, w, b = (jax.device_put(a, spec) for a, spec in zip(arrays, DATA, strict=True))
        return jax.grad(mean_loss(layer, mesh=explicit_mesh), (0, 1, 2))(x, w, b)


# ---- pmap ----


def pmapped(layer, arrays):
    x, w, b = arrays
    parts = x.reshape(4, 2, *x.shape[1:])
    step = jax.pmap(
        lambda x, w, b: jax.lax.pmean(jax.grad(loss_of(layer), (1, 2))(x, w, b), "d"),
        axis_name="d",
        in_axes=(0, None, None),
    )
    return step(parts, w, b), jax.pmap(layer, in_axes=(0, None, None))(parts, w, b)


def pmapped_outside(layer, arrays):
    x, w, b = arrays
    f = jax.pmap(lambda x, w, b: jax.lax.pmean(loss_of(layer)(x, w, b), "d"), axis_name="d", in_axes=(0, None, None))
    return jax.grad(lambda *a: f(*a).mean(), (0, 1, 2))(x.reshape(4, 2, *x.shape[1:]), w, b)


CUT_WEIGHTS = (P("d"), P("d"), P("d"))
CUT_CHANNELS = (P(None, "d"), P(), P())
CASES = {
    "gradient outside": gradient_outside,
    "gradient outside, not compiled": partial(gradient_outside, compiles=False),
    "gradient outside, unchecked": partial(gradient_outside, check=False),
    "gradient inside": gradient_inside,
    "gradient inside, unchecked": gradient_inside_unchecked,
    "gradient of each device": gradient_of_each_device,
    "weights of each device": weights_of_each_device,
    "weights of each device, unchecked": partial(weights_of_each_device, check=False),
    "bias of each device": bias_of_each_device,
    "jvp outside": jvp_outside,
    "jvp inside": jvp_inside,
    "second order": second_order,
    "second order, unchecked": partial(second_order, check=False),
    "second order inside": second_order_inside,
    "rematerialized": rematerialized,
    "scan": scanned,
    "samples inside": samples_inside,
    "two axes": both_axes,
    "one manual axis": one_manual_axis,
    "one manual axis, gradient inside": one_manual_axis_inside,
    "partitioned batch": partial(compiled, specs=DATA),
    "partitioned batch and weights": partial(compiled, specs=CUT_WEIGHTS),
    "partitioned weights": partial(compiled, specs=(P(), P("d"), P())),
    "partitioned over two axes": partial(compiled, specs=(P(("d", "m")), P("m"), P()), mesh=square),
    "partitioned space": partial(compiled, specs=(P("d", None, "m"), P(), P()), mesh=square, size=6),
    "partitioned second order": compiled_second_order,
    "partitioned output": compiled_output,
    "uneven parts": partial(some_images, count=6),
    "one image": partial(some_images, count=1),
    "mapped weights": mapped_weights,
    "mapped signals": mapped_signals,
    "samples": samples,
    "mapped shard_map": mapped_shard_map,
    "explicit batch": partial(explicit, specs=DATA),
    "explicit batch, not compiled": partial(explicit, specs=DATA, is_compiled=False),
    "explicit and whole": partial(explicit, specs=(P(), P(), P())),
    "explicit second order": explicit_second_order,
    "explicit mapped signals": explicit_mapped,
    "explicit mapped weights": partial(explicit_mapped, axes=(None, 0, None)),
    "explicit mapped both": partial(explicit_mapped, axes=(0, 0, None)),
    "explicit shard_map": explicit_shard_map,
    "pmap": pmapped,
    "pmap, gradient outside": pmapped_outside,
}
# Both refuse these.
REFUSED = {
    "no casts": no_casts,
    "missing sum": missing_sum,
    "replicated output": replicated_output,
    "replicated input gradient": replicated_input_gradient,
    "replicated weight gradient of each device": replicated_weight_gradient_of_each_device,
    "explicit cut weights": partial(explicit, specs=CUT_WEIGHTS),
    "explicit cut channels": partial(explicit, specs=CUT_CHANNELS),
}
# Layers other than the lifting convolution go through these.
OTHERS = {
    "group": ("gradient outside", "gradient inside", "second order", "partitioned batch", "explicit batch", "pmap"),
    "isotropic": ("gradient inside", "partitioned batch"),
    "projection": ("gradient inside", "partitioned batch"),
}


def names():
    """(case, layer) of every comparison."""
    return [*((case, "lifting") for case in CASES), *((case, layer) for layer in OTHERS for case in OTHERS[layer])]


def run(case, layer):
    arrays = operands(layer)
    results = []
    for make in (ours, theirs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaves = jax.tree.leaves(CASES[case](make(layer), arrays))
        results.append([leaf if isinstance(leaf, str) else np.asarray(leaf) for leaf in leaves])
    return compare(*results)


def compare(mine, other):
    """What differs, in words; nothing if all is equal up to rounding."""
    if len(mine) != len(other):
        return [f"{len(mine)} results, expected {len(other)}"]
    wrong = []
    for one, expected in zip(mine, other, strict=True):
        if isinstance(one, str):
            wrong += [] if one == expected else [f"{one}, expected {expected}"]
        elif one.shape != expected.shape or not np.any(expected):
            wrong.append(f"shape {one.shape}, expected {expected.shape}")
        elif not np.allclose(one, expected, rtol=1e-10, atol=1e-12):
            wrong.append(f"off by {np.max(np.abs(one - expected)):.3}, largest {np.max(np.abs(expected)):.3}")
    return wrong


def refuse(case):
    """The exceptions of ours and of theirs."""
    errors = []
    for make in (ours, theirs):
        try:
            jax.block_until_ready(REFUSED[case](make("lifting"), operands("lifting")))
        except Exception as error:
            errors.append(type(error).__name__)
        else:
            errors.append("accepted")
    return errors


def programs():
    """What the partitioner made of a training step: calls of handlers with the batch of each, and collectives."""
    found = {}
    for layer in ("isotropic", "lifting", "group", "projection"):
        arguments = put(operands(layer), *DATA)
        step = jax.jit(jax.value_and_grad(loss_of(ours(layer)), (0, 1, 2)))
        text = step.lower(*arguments).compile().as_text()
        calls = re.findall(r"= f64\[(\d+)[^\n]*custom_call_target=\"equiconv_(\w+)\"", text)
        collectives = re.findall(r" (all-gather|all-to-all|collective-permute|all-reduce)(?:-start)?\(", text)
        found[layer] = {"calls": {name: int(batch) for batch, name in calls}, "collectives": collectives}
    return found


def main():
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)
    results = {}
    chosen = sys.argv[1:]
    for case, layer in names():
        if chosen and case not in chosen:
            continue
        try:
            results[f"{case}, {layer}"] = run(case, layer)
        except Exception as error:
            results[f"{case}, {layer}"] = [f"{type(error).__name__}: {str(error)[:1000]}"]
    refused = {case: refuse(case) for case in REFUSED}
    print(json.dumps({"equal": results, "refused": refused, "programs": programs()}))


if __name__ == "__main__":
    main()
