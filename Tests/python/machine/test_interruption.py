# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends a long call, and leaves everything as if it had not been made."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import os, signal, sys, threading
import equiconv as eq, numpy as np

c4 = eq.cyclic(4)
rng = np.random.default_rng(3)
x = rng.standard_normal((16, 64, 4, 64, 64), dtype=np.float32)
weight = rng.standard_normal((64, 64, 4, 21, 21), dtype=np.float32)
small = dict(x=x[:1, :, :, :24, :24], weight=weight[:8, :, :, :3, :3])
options = dict(padding="same", algorithm="direct")
expected = eq.group_conv(small["x"], small["weight"], c4, **options)

def begin():
    print("begun", flush=True)

def finish():
    again = eq.group_conv(small["x"], small["weight"], c4, **options)
    print("same" if np.array_equal(again, expected) else "other", flush=True)
"""
# Each takes some ten seconds on one fast core.
CALLS = {
    "forward": "eq.group_conv(x, weight, c4, **options)",
    "vjp": "eq.group_conv_vjp(x, x, weight, c4, **options)",
    "torch": "et.group_conv(torch.from_numpy(x), torch.from_numpy(weight), c4, **options)",
}
TORCH = "import equiconv.torch as et, torch\n"


def interrupted(code: str, number: signal.Signals = signal.SIGINT) -> str:
    """What a program prints that gets a signal half a second after it says that it begins."""
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        line = program.stdout.readline()
        assert line == "begun\n", line
        try:
            program.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            program.send_signal(number)
        output, _ = program.communicate(timeout=60)
    finally:
        program.kill()
        program.wait()
    return output


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["forward", "vjp", "torch"])
def test_interrupt_ends_a_call_and_the_next_gives_the_same_bits(name, threads):
    if name == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("without torch")
    code = PRELUDE + (TORCH if name == "torch" else "")
    code += textwrap.dedent(f"""
        eq.set_num_threads({threads})
        begin()
        try:
            {CALLS[name]}
            print("came to its end")
        except KeyboardInterrupt:
            print("interrupted")
        finish()
    """)
    assert interrupted(code).split() == ["interrupted", "same"]


def test_interrupt_ends_a_backward_pass_of_torch():
    pytest.importorskip("torch")
    code = PRELUDE + TORCH
    code += textwrap.dedent("""
        eq.set_num_threads(1)
        xt, wt = torch.from_numpy(x[:1]).requires_grad_(), torch.from_numpy(weight).requires_grad_()
        y = et.group_conv(xt, wt, c4, **options)
        begin()
        try:
            y.backward(y.detach())
            print("came to its end")
        except KeyboardInterrupt:
            print("interrupted")
        finish()
    """)
    assert interrupted(code).split() == ["interrupted", "same"]


def test_what_a_handler_raises_comes_out_of_the_call():
    code = PRELUDE + textwrap.dedent("""
        class Stop(Exception):
            pass
        def stop(number, frame):
            raise Stop(number)
        signal.signal(signal.SIGUSR1, stop)
        begin()
        try:
            eq.group_conv(x, weight, c4, **options)
        except Stop as error:
            print(error.args[0] == signal.SIGUSR1)
        finish()
    """)
    assert interrupted(code, signal.SIGUSR1).split() == ["True", "same"]


def test_a_handler_that_returns_lets_the_call_go_on():
    """And it may call equiconv itself."""
    code = PRELUDE + textwrap.dedent("""
        calls = []
        def handler(number, frame):
            calls.append(np.array_equal(eq.group_conv(small["x"], small["weight"], c4, **options), expected))
        signal.signal(signal.SIGUSR1, handler)
        eq.set_num_threads(1)
        part, kernel = x[:8, :32], weight[:32, :32, :, :13, :13]
        begin()
        y = eq.group_conv(part, kernel, c4, **options)
        print(calls == [True], np.array_equal(y, eq.group_conv(part, kernel, c4, **options)))
    """)
    assert interrupted(code, signal.SIGUSR1).split() == ["True", "True"]


def test_calls_of_other_threads_go_on():
    """Python handles signals in its main thread: that one is interrupted where it waits."""
    code = PRELUDE + textwrap.dedent("""
        eq.set_num_threads(1)
        results = []
        part, kernel = x[:8, :32], weight[:32, :32, :, :13, :13]
        done = threading.Event()
        def compute():
            results.append(eq.group_conv(part, kernel, c4, **options))
            done.set()
        threading.Thread(target=compute).start()
        begin()
        try:
            done.wait()
            print("came to its end")
        except KeyboardInterrupt:
            print("interrupted")
        done.wait()
        print(np.array_equal(results[0], eq.group_conv(part, kernel, c4, **options)))
    """)
    assert interrupted(code).split() == ["interrupted", "True"]


def test_interrupt_ends_a_call_of_a_forked_child():
    code = PRELUDE + textwrap.dedent("""
        def fork():
            if os.fork() != 0:
                os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
            signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            try:
                eq.group_conv(x, weight, c4, **options)
            except KeyboardInterrupt:
                print("interrupted")
            finish()
            os._exit(0)
        # In a thread, which becomes the main thread of the child.
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
    """)
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.split() == ["interrupted", "same"], result.stderr


def test_finishing_leaves_no_exception_behind():
    """Polls of a call that no signal interrupts leave nothing pending."""
    code = PRELUDE + textwrap.dedent("""
        for _ in range(3):
            eq.group_conv(x[:4, :32], weight[:32, :32, :, :13, :13], c4, **options)
        finish()
    """)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert result.stdout.split() == ["same"], result.stderr
