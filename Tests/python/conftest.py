# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests."""

from __future__ import annotations

import signal

import equiconv as eq
import numpy as np
import pytest

# What a shell runs in the background ignores Ctrl-C, and so do the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng():
    """Random numbers from a fixed seed."""
    return np.random.default_rng(20200426)


@pytest.fixture
def threads():
    """Sets the number of threads, and restores it after the test."""
    before = eq.get_num_threads()
    yield eq.set_num_threads
    eq.set_num_threads(before)


def pytest_runtest_setup(item):
    """Skips what needs a GPU where PyTorch finds none."""
    if item.get_closest_marker("cuda") is not None:
        torch = pytest.importorskip("torch", reason='needs PyTorch with a GPU: pip install "equiconv[torch]"')
        if not torch.cuda.is_available():
            pytest.skip("needs a GPU, and PyTorch finds none")
