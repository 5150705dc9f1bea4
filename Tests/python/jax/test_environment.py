# SPDX-License-Identifier: Apache-2.0
"""Results do not depend on the engine's caller: NumPy, JAX without compilation, compiled programs, several devices.

XLA's threads flush subnormal numbers to zero, those of Python do not; the engine computes in one environment on all.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from jax_cases import jax  # noqa: F401 (skips the module where JAX is not installed)

PROGRAM = """
import os, sys
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import equiconv as eq, equiconv.jax as ej, jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
jax.config.update("jax_enable_x64", True)
rng, C4 = np.random.default_rng(20200426), eq.cyclic(4)
dtype = np.dtype(sys.argv[1])
tiny = float(np.finfo(dtype).tiny)
# Numbers around the smallest normal one, whose products and sums are subnormal, among others of ordinary size.
x = rng.normal(size=(4, 3, 24, 25)) * 10.0 ** rng.integers(-3, 1, (4, 3, 24, 25))
x = np.where(rng.random(x.shape) < 0.5, x, x * tiny).astype(dtype)
w = rng.normal(size=(4, 3, 3, 3)).astype(dtype)
layer = lambda x, w: ej.lifting_conv(x, w, C4, padding="same", algorithm="direct")
y = eq.lifting_conv(x, w, C4, padding="same", algorithm="direct")
g = (rng.normal(size=y.shape) * np.where(rng.random(y.shape) < 0.5, 1, tiny)).astype(dtype)
keywords = {"padding": "same", "algorithm": "direct", "wanted": ("x", "weight")}
gradients = eq.lifting_conv_vjp(g, x, w, C4, **keywords)[:2]
vjp = lambda x, w: jax.vjp(layer, x, w)[1](jax.numpy.asarray(g))
mesh = Mesh(np.array(jax.devices()), ("d",))
put = lambda a, spec: jax.device_put(a, NamedSharding(mesh, spec))
cut = jax.jit(layer)(put(x, P("d")), put(w, P()))
assert cut.sharding.spec[0] == "d"
found = {
    "not compiled": layer(x, w),
    "compiled": jax.jit(layer)(x, w),
    "on two devices": cut,
    "shard_map": jax.shard_map(layer, mesh=mesh, in_specs=(P("d"), P()), out_specs=P("d"))(x, w),
    "pmap": jax.pmap(layer, in_axes=(0, None))(x.reshape(2, 2, *x.shape[1:]), w).reshape(y.shape),
    "vmap": jax.vmap(layer, (0, None))(x[:, None], w).reshape(y.shape),
}
wrong = [name for name, z in found.items() if np.asarray(z).tobytes() != y.tobytes()]
for name, function in {"vjp": vjp, "compiled vjp": jax.jit(vjp)}.items():
    pairs = zip(function(x, w), gradients, strict=True)
    wrong += [name for one, z in pairs if np.asarray(one).tobytes() != z.tobytes()]
print(wrong, bool(np.any((np.abs(x) < tiny) & (x != 0))))
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_do_not_depend_on_who_calls(dtype):
    result = subprocess.run([sys.executable, "-c", PROGRAM, dtype], capture_output=True, text=True, check=False)
    assert result.stdout == "[] True\n", result.stdout + result.stderr
