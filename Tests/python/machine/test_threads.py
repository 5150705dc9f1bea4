# SPDX-License-Identifier: Apache-2.0
"""Calls from many threads at once: the bits of one thread, with a global lock or without."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import threading

import equiconv as eq
import numpy as np
import pytest
from paths import environment

THREADS, ROUNDS = 8, 6
# More layers than are found at a glance, so that threads take their places from each other.
DILATIONS = range(8, 8 + 40)
GROUPS = (eq.cyclic(4), eq.dihedral(4))


def calls():
    """Functions without arguments, each of one result; some results are large enough that their memory is kept."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((1, 2, 9, 9), dtype=np.float32)
    wide = rng.standard_normal((1, 2, 160, 160), dtype=np.float32)
    weight = rng.standard_normal((3, 2, 3, 3), dtype=np.float32)
    prepared = eq.prepare(weight)
    found = [
        lambda group=group, size=size: eq.lifting_conv(image, weight, group, padding=size, dilation=size)
        for group in GROUPS
        for size in DILATIONS
    ]
    found += [lambda group=group: eq.lifting_conv(wide, weight, group, padding="same") for group in GROUPS] * 4
    found += [lambda: eq.lifting_conv(wide, prepared, GROUPS[0], padding="same")] * 4
    return found


def run_at_once(functions):
    """Runs them in threads that start together, each in an order of its own; the results of each thread."""
    start, results, errors = threading.Barrier(THREADS), [None] * THREADS, []

    def work(index):
        try:
            start.wait()
            order = np.random.default_rng(index).permutation(len(functions))
            found = {}
            for _ in range(ROUNDS):
                found |= {int(i): functions[i]() for i in order}
            results[index] = found
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return results


def test_threads_compute_the_bits_of_one():
    functions = calls()
    expected = [function() for function in functions]
    for results in run_at_once(functions):
        for i, result in results.items():
            assert np.array_equal(result, expected[i]), i


def test_results_of_threads_have_memory_of_their_own():
    """Memory of large results is kept for the next ones, never for two at a time."""
    function = calls()[-1]
    expected = function()
    held = [array for results in run_at_once([function] * 4) for array in results.values()]
    held[0].fill(np.nan)
    for array in held[1:]:
        assert np.array_equal(array, expected)


def test_importing_the_package_does_not_bring_back_the_lock():
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("this interpreter always has a global lock")
    code = "import sys, equiconv, equiconv._native, equiconv._jax; sys.exit(sys._is_gil_enabled())"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment(), check=False).returncode == 0
