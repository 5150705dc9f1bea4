# SPDX-License-Identifier: Apache-2.0
"""equiconv.jax in several threads and processes, and programs from JAX's compilation cache."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import equiconv as eq
import numpy as np
from equiconv import _jax
from jax_cases import C4, assert_same_bits, draw, ej, jax, layer, numpy_layer, operands, program_of


def test_threads_call_compiled_functions_at_once(rng):
    cases = [operands(rng, "group_conv", C4, (16 + i, 16), (3, 3), np.float32, channels=4) for i in range(4)]
    function = jax.jit(layer("group_conv", C4))
    gradient = jax.jit(jax.grad(lambda x, weight: (layer("group_conv", C4)(x, weight) ** 2).sum(), 1))
    expected = [numpy_layer("group_conv", C4)(x, weight) for x, weight, _ in cases]
    gradients = [gradient(x, weight) for x, weight, _ in cases]
    barrier = threading.Barrier(4)

    def work(i):
        barrier.wait()
        for round_ in range(20):
            k = (i + round_) % len(cases)
            assert_same_bits(function(*cases[k][:2]), expected[k])
            assert_same_bits(gradient(*cases[k][:2]), gradients[k])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_the_table_of_layers_is_bounded_and_layers_come_back(rng):
    """Two threads ask for more layers than the table has places; the first layers are then made again."""
    weight = draw(rng, (1, 1, 3), np.float32)
    group = eq.reflection()
    signals = [draw(rng, (1, 1, 4 + i), np.float32) for i in range(_jax.LAYER_LIMIT + 24)]
    size = len(signals) // 7

    @jax.jit
    def layers(*some):
        return [ej.lifting_conv(x, weight, group) for x in some]

    def check(first):
        some = signals[first : first + size]
        for x, y in zip(some, layers(*some), strict=True):
            assert_same_bits(y, eq.lifting_conv(x, weight, group))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check, [*range(0, len(signals), size), 0, size]))
    assert _jax.layer_count() == _jax.LAYER_LIMIT


PROGRAM = """
import sys
import numpy as np, equiconv as eq, jax, equiconv.jax as ej
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event) if event.endswith("/cache_hits") else None)
rng = np.random.default_rng(0)
group = eq.PointGroup.from_matrices(eq.dihedral(4).matrices)
basis = eq.circular_harmonics(5)
x = rng.normal(size=(1, 2, 12, 12)).astype("f")
weight = rng.normal(size=(3, 2, basis.count)).astype("f")
def loss(weight):
    y = ej.lifting_conv(x, weight, group, basis=basis, algorithm="direct")
    return (y ** 2).sum()
gradient = np.asarray(jax.jit(jax.grad(loss))(weight))
y = eq.lifting_conv(x, weight, group, basis=basis, algorithm="direct")
keywords = {"basis": basis, "algorithm": "direct", "wanted": ("weight",)}
expected = eq.lifting_conv_vjp(2 * y, x, weight, group, **keywords)[1]
assert np.array_equal(gradient, expected)
print(len(hits))
"""


def test_a_program_from_the_compilation_cache_is_right_in_another_process(tmp_path: Path):
    def run():
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        assert result.returncode == 0, result.stderr
        return int(result.stdout)

    assert run() == 0
    assert list(tmp_path.iterdir())
    assert run() > 0


PARTITIONED = """
import os, sys
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import numpy as np, equiconv as eq, jax, equiconv.jax as ej
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
# Otherwise addresses of this process are part of the keys of programs, and no other process finds them.
jax.config.update("jax_remove_custom_partitioning_ptr_from_cache_key", True)
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event) if event.endswith("/cache_hits") else None)
rng = np.random.default_rng(0)
x, w = rng.normal(size=(4, 2, 7, 7)).astype("f"), rng.normal(size=(3, 2, 3, 3)).astype("f")
cut = jax.device_put(x, NamedSharding(Mesh(np.array(jax.devices()), ("d",)), P("d")))
for mode in ("zeros", "circular"):
    keywords = {"padding": "same", "padding_mode": mode, "algorithm": "direct"}
    y = jax.jit(lambda x: ej.lifting_conv(x, w, eq.cyclic(4), **keywords))(cut)
    assert np.array_equal(y, eq.lifting_conv(x, w, eq.cyclic(4), **keywords)), mode
    assert y.sharding.spec[0] == "d"
print(len(hits))
"""


def test_partitioned_programs_of_equal_shapes_have_keys_of_their_own_in_the_compilation_cache(tmp_path: Path):
    def run():
        command = [sys.executable, "-c", PARTITIONED, str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        assert result.returncode == 0, result.stderr
        return int(result.stdout)

    run()
    assert run() > 0


def test_equal_layers_share_one_compiled_program():
    """Programs are equal by what they describe: a group that is made again does not compile again."""
    traces = []

    @jax.jit
    def function(x, weight):
        traces.append(None)
        return ej.lifting_conv(x, weight, eq.PointGroup.from_matrices(eq.cyclic(4).matrices))

    x, weight = np.ones((1, 2, 6, 6), np.float32), np.ones((2, 2, 3, 3), np.float32)
    for _ in range(3):
        function(x, weight)
    assert len(traces) == 1
    programs = [program_of(lambda x: ej.lifting_conv(x, weight, eq.cyclic(100)), x) for _ in range(2)]
    assert programs[0] == programs[1]
    assert hash(programs[0]) == hash(programs[1])
