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
    x, weight = large_operands(channels=48, size=64, batch=16)
    times: list[tuple[float, float]] = []

    def compute():
        begin = time.perf_counter()
        eq.group_conv(x, weight, C4, padding=1, algorithm="direct")
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


FIRST_CALLS = """
import os, random, signal, sys, threading, time
import numpy as np
import equiconv as eq

random.seed(7)
x = np.ones((1, 2, 9, 9), np.float32)


def calls(number):
    group = (eq.cyclic, eq.dihedral)[number % 2](4 + 4 * (number // 2 % 2))
    dtype = (np.float32, np.float64)[number // 4 % 2]
    basis = eq.bspline_basis(3) if number % 3 == 0 else None
    weight = np.ones((2, 2, basis.count) if basis else (2, 2, 3, 3), dtype)
    y = eq.lifting_conv(x.astype(dtype), weight, group, basis=basis, algorithm=("direct", "fourier")[number // 8 % 2])
    eq.group_pool(eq.act(y, group, 0), ("mean", "max")[number % 2])
    eq.lifting_conv_vjp(y, x.astype(dtype), weight, group, basis=basis)


def child(body, *arguments):
    # What `body` comes to in a process of its own; -SIGALRM for one that hangs.
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        body(*arguments)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_in_the_first_call(number):
    thread = threading.Thread(target=calls, args=(number,))
    thread.start()
    time.sleep(random.Random(number).uniform(0, 0.001))
    code = child(lambda: [calls(other) for other in range(16)])
    thread.join()
    calls(number)
    if code != 0:
        os._exit(1)


print([number for number in range(int(sys.argv[1])) if child(fork_in_the_first_call, number) != 0])
"""


def test_fork_during_the_very_first_call_of_another_thread_works():
    """The child would wait for what the other thread had begun in the library and nobody there ends."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIRST_CALLS, "40"], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


BOUND = """
import os, sys
{imports}
import numpy as np
print(eq.get_num_threads())
x = np.ones((4, 16, 48, 48), np.float32)
eq.lifting_conv(x, np.ones((16, 16, 5, 5), np.float32), eq.cyclic(4), algorithm="direct")
print(max(len(os.sched_getaffinity(int(task))) for task in os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one processor")
@pytest.mark.parametrize(
    ("imports", "name", "value"),
    [
        ("import equiconv as eq, torch", "OMP_PROC_BIND", "true"),
        ("import torch, equiconv as eq", "OMP_PROC_BIND", "true"),
        ("import torch, equiconv as eq", "GOMP_CPU_AFFINITY", "{all}"),
    ],
)
def test_threads_bound_by_openmp_leave_all_processors_to_workers(imports, name, value):
    pytest.importorskip("torch")
    processors = os.sched_getaffinity(0)
    environment = os.environ | {name: value.format(all=" ".join(map(str, sorted(processors))))}
    environment.pop("EQUICONV_NUM_THREADS", None)
    program = [sys.executable, "-c", BOUND.format(imports=imports)]
    result = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split() == [str(len(processors)), str(len(processors))]


def test_floating_point_modes_of_the_caller_change_no_bit(threads):
    """What `torch.set_flush_denormal` sets holds for its own thread, and not for workers."""
    torch = pytest.importorskip("torch")
    threads(2)
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(1, 8, 4, 48, 48)) * 10.0 ** rng.integers(-44, 0, size=(1, 8, 4, 48, 48))).astype(np.float32)
    weight = rng.normal(size=(8, 8, 4, 5, 5)).astype(np.float32)
    results = []
    for flushes in (False, True):
        assert torch.set_flush_denormal(flushes)
        try:
            for algorithm in ("direct", "fourier"):
                y = eq.group_conv(x, weight, C4, algorithm=algorithm)
                results.append([y, *eq.group_conv_vjp(y, x, weight, C4, algorithm=algorithm)])
            pooled = eq.group_pool(x, "max")
            results.append([pooled, eq.act(x, C4, 1)])
        finally:
            torch.set_flush_denormal(False)
    for ordinary, flushing in zip(results[:3], results[3:], strict=True):
        for a, b in zip(ordinary, flushing, strict=True):
            assert a.tobytes() == b.tobytes()
