# SPDX-License-Identifier: Apache-2.0
"""Threads, forks and the interpreter's lock."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import equiconv as eq
import numpy as np
import pytest

C4 = eq.cyclic(4)
# Python 3.12 and later warn of every fork in a process with threads, and JAX where a test has imported it.
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")


def large_operands(seed=0, channels=16, size=48, batch=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, channels, 4, size, size)).astype(np.float32)
    return x, rng.normal(size=(channels, channels, 4, 3, 3)).astype(np.float32)


def test_set_num_threads(threads):
    for count in (1, 3, 2):
        threads(count)
        assert eq.get_num_threads() == count


def test_initial_number_of_threads_is_that_of_the_environment():
    code = "import equiconv; print(equiconv.get_num_threads())"
    environment = os.environ | {"EQUICONV_NUM_THREADS": "3"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "3"


def test_concurrent_calls_give_what_single_calls_give(threads):
    """Eight threads, different layers and sizes, each using the pool of two threads."""
    threads(2)
    jobs = []
    for i in range(24):
        x, weight = large_operands(seed=i, channels=4 + i % 3, size=20 + i % 5)
        keywords = {"padding": i % 3, "padding_mode": ("zeros", "circular")[i % 2]}
        jobs.append((x, weight, keywords, eq.group_conv(x, weight, C4, **keywords)))

    def run(job):
        x, weight, keywords, expected = job
        y = eq.group_conv(x, weight, C4, **keywords)
        eq.group_conv_vjp(y, x, weight, C4, **keywords)
        return np.array_equal(y, expected)

    with ThreadPoolExecutor(8) as executor:
        assert all(executor.map(run, jobs * 4))


def test_interpreter_lock_is_released_while_computing(threads):
    """While one thread is inside a call, this one goes on."""
    threads(1)
    x, weight = large_operands(channels=48, size=64, batch=4)
    times: list[tuple[float, float]] = []

    def compute():
        begin = time.perf_counter()
        eq.group_conv(x, weight, C4, padding=1)
        times.append((begin, time.perf_counter()))

    ticks = []
    worker = threading.Thread(target=compute)
    worker.start()
    while worker.is_alive():
        ticks.append(time.perf_counter())
        time.sleep(0.0005)
    begin, end = times[0]
    middle = [tick for tick in ticks if begin + 0.1 * (end - begin) < tick < end - 0.1 * (end - begin)]
    assert end - begin > 0.02, "the call is too short for this test"
    assert len(middle) >= 5


def child(queue, x, weight):
    y = eq.group_conv(x, weight, C4)
    queue.put((y, [g.sum() for g in eq.group_conv_vjp(y, x, weight, C4)]))


def run_children(context, count, x, weight):
    """The results of `count` processes that run at once."""
    queue = context.Queue()
    processes = [context.Process(target=child, args=(queue, x, weight)) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        return [queue.get(timeout=60) for _ in processes]
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()


@forks
@pytest.mark.parametrize("count", [1, 2])
def test_fork_after_use_works_in_parent_and_child(threads, count):
    threads(count)
    x, weight = large_operands()
    expected = eq.group_conv(x, weight, C4)
    for y, sums in run_children(multiprocessing.get_context("fork"), 3, x, weight):
        np.testing.assert_array_equal(y, expected)
        assert np.isfinite(sums).all()
    np.testing.assert_array_equal(eq.group_conv(x, weight, C4), expected)


@forks
def test_fork_during_a_call_works(threads):
    """A data loader forks while the network computes in another thread."""
    threads(2)
    x, weight = large_operands(channels=8, size=32)
    expected = eq.group_conv(x, weight, C4)
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            eq.group_conv(x, weight, C4)

    worker = threading.Thread(target=compute)
    worker.start()
    try:
        for _ in range(5):
            for y, _sums in run_children(multiprocessing.get_context("fork"), 2, x, weight):
                np.testing.assert_array_equal(y, expected)
    finally:
        stop.set()
        worker.join()


@forks
def test_child_of_a_child_works(threads):
    threads(2)
    x, weight = large_operands(channels=8, size=32)
    expected = eq.group_conv(x, weight, C4)

    def generation(depth):
        eq.group_conv(x, weight, C4)
        if depth == 0:
            os._exit(0 if np.array_equal(eq.group_conv(x, weight, C4), expected) else 1)
        pid = os.fork()
        if pid == 0:
            generation(depth - 1)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    pid = os.fork()
    if pid == 0:
        generation(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_spawned_process_works():
    x, weight = large_operands(channels=4, size=16)
    ((y, _),) = run_children(multiprocessing.get_context("spawn"), 1, x, weight)
    np.testing.assert_array_equal(y, eq.group_conv(x, weight, C4))


def test_no_thread_is_started_before_a_large_call():
    code = """
import os, numpy, equiconv
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
equiconv.set_num_threads(2)
equiconv.lifting_conv(numpy.ones((1, 1, 8, 8)), numpy.ones((1, 1, 3, 3)), equiconv.cyclic(4))
print(count() - before)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "0"
