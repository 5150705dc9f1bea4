# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest


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
