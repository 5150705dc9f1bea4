# SPDX-License-Identifier: Apache-2.0
"""Memory of large results that are gone serves the next ones, and nothing of it can be seen."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import equiconv as eq
import numpy as np

C4 = eq.cyclic(4)
MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")
WEIGHT = np.ones((1, 1, 1, 1), np.float32)


def signal(mebibytes):
    """An input whose lifting has a result of so many MiB."""
    return np.ones((mebibytes, 1, 256, 256), np.float32)


def address(array):
    return array.__array_interface__["data"][0]


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def test_a_large_result_takes_the_memory_of_one_that_is_gone():
    x = signal(5)
    y = eq.lifting_conv(x, WEIGHT, C4)
    place = address(y)
    view = y[2:]
    del y
    # A view keeps it alive.
    assert address(eq.lifting_conv(x, WEIGHT, C4)) != place
    del view
    gc.collect()
    held = [eq.lifting_conv(x, WEIGHT, C4) for _ in range(2)]
    assert place in [address(y) for y in held]


def test_results_that_live_share_no_memory():
    x = signal(2)
    held = []
    for value in range(6):
        held.append(eq.lifting_conv(x, np.full_like(WEIGHT, value), C4))
        eq.lifting_conv(x, np.full_like(WEIGHT, -1), C4)  # and gone
    assert [float(y.min()) for y in held] == [float(y.max()) for y in held] == list(range(6))


def test_a_large_result_is_an_ordinary_array():
    y = eq.lifting_conv(signal(3), WEIGHT, C4)
    assert y.flags.owndata
    assert y.base is None
    assert address(y) % 64 == 0
    count = y.size
    y.resize(2 * count, refcheck=False)
    assert (y[:count] == 1).all()
    assert (y[count:] == 0).all()
    y.resize(7, refcheck=False)
    assert y.tolist() == [1] * 7


def test_gradients_take_it_too():
    x = signal(4)
    grad = eq.lifting_conv(x, WEIGHT, C4)
    places = set()
    for _ in range(3):
        grad_x, _, _ = eq.lifting_conv_vjp(grad, x, WEIGHT, C4)
        places.add(address(grad_x))
        del grad_x
    assert len(places) == 1


def test_what_is_kept_has_a_bound():
    """256 MiB, whatever was held at once."""
    x = signal(40)
    eq.lifting_conv(x, WEIGHT, C4)
    gc.collect()
    before = resident()
    held = [eq.lifting_conv(x, WEIGHT, C4) for _ in range(12)]
    assert resident() - before > 400 * MIB
    del held
    gc.collect()
    assert resident() - before < 260 * MIB


def test_threads_get_results_of_their_own():
    x = signal(2)

    def call(value):
        y = eq.lifting_conv(x, np.full_like(WEIGHT, value), C4)
        return float(y.min()) == float(y.max()) == value

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(60)))
