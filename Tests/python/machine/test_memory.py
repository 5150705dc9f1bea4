# SPDX-License-Identifier: Apache-2.0
"""Nothing leaks, on any path; and a large call takes little beside its result."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest

C4 = eq.cyclic(4)
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 2**20


def resident():
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def operands(dtype=np.float32):
    return np.ones((1, 2, 8, 8), dtype), np.ones((3, 2, 3, 3), dtype)


def forward():
    eq.lifting_conv(*operands(), C4)


def forward_with_everything():
    x, weight = operands()
    eq.lifting_conv(np.asfortranarray(x), weight, C4, np.ones(3, np.float32), stride=(1, 1), padding="same")


def gradients():
    x, weight = operands()
    eq.lifting_conv_vjp(np.ones((1, 3, 4, 6, 6), np.float32), x, weight, C4)


def pool_and_act():
    x = np.ones((1, 2, 4, 6, 6), np.float32)
    eq.group_pool_vjp(eq.group_pool(x, "max"), x, "max")
    eq.act(x, C4, 1)


def expand():
    eq.expand(operands()[1], C4, "lifting")


def new_group():
    group = eq.PointGroup.from_matrices(C4.matrices)
    assert group.cayley[1, 1] == 2
    pickle.loads(pickle.dumps(group))
    group.cosets([0, 2])


def prepared_weight():
    x, weight = operands()
    weight = weight + np.float32(np.random.default_rng().normal())
    prepared = eq.prepare(weight)
    for algorithm in ("direct", "fourier"):
        eq.lifting_conv(x, prepared, C4, algorithm=algorithm)
        eq.lifting_conv(x, weight, C4, algorithm=algorithm)
    assert (prepared.shape, prepared.dtype, prepared.nbytes > 0) == (weight.shape, weight.dtype, True)


def explanation():
    eq.explain(eq.lifting_conv, *operands(), C4)
    with contextlib.suppress(ValueError):
        eq.explain(eq.lifting_conv, *operands(), C4, algorithm="fourier", stride=3)


def test_values_can_be_referenced_weakly():
    """Caches keyed by groups, bases and prepared weights let them end."""
    makers = (
        lambda: eq.PointGroup.from_matrices(C4.matrices),
        lambda: eq.bspline_basis(3),
        lambda: eq.localized([0, 1]),
        lambda: eq.prepare(np.ones((1, 1, 3, 3))),
        lambda: eq.LiftingConv(1, 1, 3, C4),
        lambda: eq.GroupPool(C4),
        lambda: eq.Sequential(np.tanh),
        lambda: eq.SignalSpace(2),
    )
    for make in makers:
        value, ended = make(), []
        reference = weakref.ref(value, ended.append)
        assert reference() is value
        assert weakref.WeakKeyDictionary([(value, 1)])[value] == 1
        del value
        gc.collect()
        assert reference() is None
        assert ended == [reference]


def refused_weights():
    with contextlib.suppress(TypeError):
        eq.lifting_conv_vjp(np.ones((1, 3, 4, 6, 6), np.float32), operands()[0], eq.prepare(operands()[1]), C4)
    with contextlib.suppress(ValueError):
        eq.lifting_conv(operands()[0][:, :1], eq.prepare(operands()[1]), C4)
    with contextlib.suppress(TypeError):
        eq.prepare([1])


def refused_by_python():
    with contextlib.suppress(TypeError):
        eq.lifting_conv(operands()[0], operands(np.float64)[1], C4)


def refused_by_the_engine():
    with contextlib.suppress(ValueError):
        eq.lifting_conv(*operands(), C4, algorithm="winograd", stride=2)
    with contextlib.suppress(ValueError):
        eq.lifting_conv(*operands(), C4, stride=(1, 2))
    with contextlib.suppress(ValueError):
        eq.lifting_conv_vjp(np.ones((1, 3, 4, 6, 6), np.float32), *operands(), C4, algorithm="winograd", stride=2)


def refused_sizes():
    with contextlib.suppress(ValueError):
        eq.lifting_conv(*operands(), C4, padding=2**31 - 1)
    with contextlib.suppress(ValueError):
        eq.expand(operands()[1], eq.cyclic(8), "lifting", basis=eq.bspline_basis(5))


def bases():
    basis = eq.bspline_basis(3, 3, [[0.0, 0.5]])
    basis.sample([[0.0, 1.0]])
    x, weight = np.ones((1, 1, 8, 5, 5), np.float32), np.ones((2, 1, 2, 1), np.float32)
    keywords = {"basis": basis, "group_basis": eq.localized([0, 1]), "quadrature": True}
    y = eq.group_conv(x, weight, eq.cyclic(8), **keywords)
    eq.group_conv_vjp(y, x, weight, eq.cyclic(8), **keywords)


def quotients():
    x = np.ones((1, 1, 2, 5, 5), np.float32)
    keywords = {"input_stabilizer": [0, 2], "output_stabilizer": [0]}
    y = eq.conv(eq.act(x, C4, 1, [0, 2]), np.ones((2, 1, 2, 3, 3), np.float32), C4, **keywords)
    eq.induce(eq.partial_projection(y, C4, [0, 2]), C4, [0, 2])
    eq.restrict(y, C4, [0, 2])


def refused_bases():
    with contextlib.suppress(ValueError):
        eq.circular_harmonics(7, radii=[1.0], frequencies=[9])
    with contextlib.suppress(ValueError):
        eq.group_bspline(3, 4).matrix(eq.dihedral(4))
    with contextlib.suppress(ValueError):
        eq.act(np.ones((1, 1, 5, 5), np.float32), eq.cyclic(8), 1)
    with contextlib.suppress(ValueError):
        eq.conv(*operands(), C4, input_stabilizer=range(4), output_stabilizer=[1])


def refused_group():
    with contextlib.suppress(ValueError):
        eq.PointGroup.from_matrices(C4.matrices[:2])
    with contextlib.suppress(ValueError):
        C4.cosets([1])
    with contextlib.suppress(TypeError):
        eq.PointGroup(3)


PATHS = [
    forward, forward_with_everything, gradients, pool_and_act, expand, new_group, refused_by_python,
    refused_by_the_engine, refused_sizes, refused_group,
    bases, quotients, refused_bases, prepared_weight, explanation, refused_weights,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_memory_does_not_grow(path):
    def growth():
        gc.collect()
        before = resident()
        for _ in range(3000):
            path()
        gc.collect()
        return resident() - before

    # A leak of one small object (64 bytes) per call would be 0.18 MiB in every round; of an array, more than 1 MiB.
    assert min(growth() for _ in range(3)) < 0.17 * MIB


def test_million_small_calls_do_not_grow_the_process():
    """A tenth of a million here, of 30 plans that keep the cache of plans busy."""
    calls = []
    for size in range(3, 33):
        calls.append((np.ones((1, 1, size, size), np.float32), np.ones((1, 1, 1, 1), np.float32)))
    for x, weight in calls * 10:
        eq.lifting_conv(x, weight, C4)
    before = resident()
    for i in range(100_000):
        eq.lifting_conv(*calls[(i >> 4) % 30], C4)
    assert resident() - before < MIB


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_references_are_balanced(path):
    objects = [C4, None, "zeros", np.dtype(np.float32), np.dtype(np.float64), type(C4)]
    # Until all recent layers, which are kept with their options, are of this path.
    for _ in range(64):
        path()
    gc.collect()
    before = [sys.getrefcount(item) for item in objects]
    for _ in range(50):
        path()
    gc.collect()
    after = [sys.getrefcount(item) for item in objects]
    assert all(abs(a - b) < 25 for a, b in zip(before, after, strict=True))


def test_arguments_are_released(rng):
    x, weight, bias = rng.normal(size=(1, 2, 8, 8)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
    out = np.empty((1, 3, 4, 6, 6))
    counts = [sys.getrefcount(array) for array in (x, weight, bias, out)]
    for keywords in ({}, {"stride": (1, 1)}, {"algorithm": "winograd", "dilation": 2}, {"stride": 0}, {"padding": 1}):
        with contextlib.suppress(ValueError):
            eq.lifting_conv(x, weight, C4, bias, out=out, **keywords)
        with contextlib.suppress(ValueError):
            eq.lifting_conv_vjp(out, x, weight, C4, **keywords)
    assert [sys.getrefcount(array) for array in (x, weight, bias, out)] == counts


PEAK = """
import numpy, equiconv as eq
from pathlib import Path
def kib(name):
    return next(int(l.split()[1]) for l in Path("/proc/self/status").read_text().splitlines() if l.startswith(name))
x = numpy.ones((8, 16, 4, 96, 96), numpy.float32)
weight = numpy.ones((16, 16, 4, 5, 5), numpy.float32)
eq.group_conv(x[:1, :, :, :8, :8].copy(), weight, eq.cyclic(4), padding=2)
before = kib("VmRSS")
y = eq.group_conv(x, weight, eq.cyclic(4), padding=2)
print((kib("VmHWM") - before) * 1024, y.nbytes, 8 * 16 * 4 * 100 * 100 * 4)
"""


def test_peak_of_a_large_call():
    """At most the result, 1.2 padded copies of the input, and 8 MiB."""
    result = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    peak, output, padded = map(int, result.stdout.split())
    assert output <= peak <= output + 1.2 * padded + 8 * MIB
