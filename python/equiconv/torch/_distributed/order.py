# SPDX-License-Identifier: Apache-2.0
"""The order of an epoch, and the random numbers of a patch: functions of the seed, whatever reads them."""

from __future__ import annotations

import numpy as np

# What spawn keys begin with, so that no two streams are one.
_ORDER, _PATCH = 0, 1


def order_of(seed: int, epoch: int, count: int, is_shuffled: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers of the patches in the order of an epoch.

    Sorted by raw numbers of the generator, which are the same in all versions of NumPy; its permutations need not be.
    O(n log n) time, 16 n bytes.
    """
    if not is_shuffled:
        return np.arange(count, dtype=np.int64)
    sequence = np.random.SeedSequence(seed, spawn_key=(_ORDER, epoch))
    return np.argsort(np.random.PCG64(sequence).random_raw(count), kind="stable").astype(np.int64, copy=False)


def generator_of(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The random numbers of a patch in an epoch."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(_PATCH, epoch, index))))


def share_of(count: int, rank: int, processes: int) -> slice:
    """The part of a batch that a process has: parts lie one after the other, and differ by one patch at most."""
    return slice(rank * count // processes, (rank + 1) * count // processes)
