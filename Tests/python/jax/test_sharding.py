# SPDX-License-Identifier: Apache-2.0
"""On several devices the layers of equiconv.jax behave like JAX's own convolution: `jax_sharding` has the cases.

Of both backends: the engine has a rule for the partitioner, operations of XLA need none.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from jax_cases import jax  # noqa: F401 (skips the module where JAX is not installed)
from jax_sharding.cases import REFUSED, names
from paths import environment


@pytest.fixture(scope="module", params=["engine", "xla"])
def backend(request):
    return request.param


@pytest.fixture(scope="module")
def found(backend):
    """What a process with four devices found."""
    command = [sys.executable, "-m", "jax_sharding", backend]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(("case", "layer"), names())
def test_results_gradients_and_types_are_those_of_an_equal_convolution(found, case, layer):
    assert found["equal"][f"{case}, {layer}"] == []


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_convolution_refuses_is_refused(found, case):
    mine, others = found["refused"][case]
    assert others != "accepted"
    assert mine in ("ValueError", others)


@pytest.mark.parametrize("layer", ["isotropic", "lifting", "group", "projection"])
def test_each_device_computes_its_part_of_the_batch_and_nothing_is_gathered(found, layer, backend):
    """Of 8 images on 4 devices each call has 2; only sums over devices are sent."""
    program = found["programs"][layer]
    calls = program["calls"]
    passes = {"forward", "input_gradient", "weight_gradient"}
    assert {name.removesuffix("_biased") for name in calls} >= (passes if backend == "engine" else set())
    assert program["batches"] == ([] if backend == "engine" else [2])
    for name in ("forward", "input_gradient", "pool_mean", "pool_mean_adjoint"):
        assert calls.get(name, 2) == 2
    assert set(program["collectives"]) == {"all-reduce"}


EXAMPLE = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import equiconv as eq, equiconv.jax as ej, jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, PartitionSpec as P
mesh = Mesh(np.array(jax.devices()), ("d",))
loss = lambda w, x: jax.lax.pmean((ej.lifting_conv(x, w, eq.cyclic(4)) ** 2).mean(), "d")
f = jax.shard_map(loss, mesh=mesh, in_specs=(P(), P("d")), out_specs=P())
x = jnp.arange(50.0).reshape(2, 1, 5, 5)
print(float(jax.grad(f)(jnp.ones((1, 1, 3, 3)), x).sum()))
"""


def test_a_gradient_through_shard_map_is_the_sum_over_devices():
    """26136 without the types of what varies over devices."""
    result = subprocess.run([sys.executable, "-c", EXAMPLE], capture_output=True, text=True, check=True)
    assert float(result.stdout) == 125361


WITHOUT_DEVICES = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import jax, jax.numpy as jnp, numpy as np
import jax.experimental.custom_partitioning
from jax._src import dispatch
taken = dispatch.prim_requires_devices_during_lowering
del dispatch.prim_requires_devices_during_lowering
import equiconv as eq, equiconv.jax as ej
dispatch.prim_requires_devices_during_lowering = taken  # JAX itself goes on.
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
rng = np.random.default_rng(20200426)
x, w, b = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 1, 5, 5), (2, 1, 3, 3), (2,)))
layer = lambda x, w, b: ej.group_pool(ej.lifting_conv(x, w, eq.cyclic(4), b, algorithm="direct"))
mesh = Mesh(np.array(jax.devices()), ("d",))
put = lambda a, spec: jax.device_put(a, NamedSharding(mesh, spec))
cut = put(x, P("d")), put(w, P()), put(b, P())
same = lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes()
expected = eq.group_pool(eq.lifting_conv(x, w, eq.cyclic(4), b, algorithm="direct"))
loss = lambda x, w, b: (layer(x, w, b) ** 2).sum()
gradients = jax.jit(jax.grad(loss, (0, 1, 2)))
program = jax.jit(layer).lower(*cut).compile().as_text()
one_device = [jax.device_put(a, jax.devices()[0]) for a in (x, w, b)]
print(same(jax.jit(layer)(*cut), expected), all(map(same, gradients(*cut), gradients(*one_device))))
print("f32[4,1,5,5]" in program, "all-gather" in program)
inside = jax.shard_map(layer, mesh=mesh, in_specs=(P("d"), P(), P()), out_specs=P("d"))
print(same(jax.jit(inside)(*cut), expected))
"""


def test_where_jax_does_not_tell_devices_calls_are_gathered_and_right():
    """As in a JAX that no longer has its private set of primitives."""
    result = subprocess.run([sys.executable, "-c", WITHOUT_DEVICES], capture_output=True, text=True, check=False)
    assert result.stdout == "True True\nTrue True\nTrue\n", result.stdout + result.stderr
