# SPDX-License-Identifier: Apache-2.0
"""How long calls take: averages over bursts of calls, by the events of the GPU or by the clock on the wall."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

Call: TypeAlias = Callable[[], Any]
WARM_UPS, LEAST_CALLS, MOST_CALLS = 3, 3, 200


class WallClock:
    """For work that is done, or can be waited for, when a call returns."""

    def __init__(self, wait: Callable[[Any], object] = lambda _: None) -> None:
        """`wait` gets what a call returned, and returns when it is there."""
        self._wait = wait

    def seconds(self, call: Call, count: int) -> float:
        """Of `count` calls one after the other."""
        start, found = time.perf_counter(), None
        for _ in range(count):
            found = call()
        self._wait(found)
        return time.perf_counter() - start

    def memory(self) -> int:
        """Bytes in use; unknown here."""
        return 0

    def peak_of(self, call: Call) -> int:
        """The most bytes in use during a call; unknown here."""
        call()
        return 0


class CudaClock(WallClock):
    """By two events in the queue of the GPU."""

    def __init__(self) -> None:
        import torch

        super().__init__()
        self._cuda = torch.cuda

    def seconds(self, call: Call, count: int) -> float:
        """Of `count` calls one after the other."""
        start, end = self._cuda.Event(enable_timing=True), self._cuda.Event(enable_timing=True)
        self._cuda.synchronize()
        start.record()
        for _ in range(count):
            call()
        end.record()
        self._cuda.synchronize()
        return float(start.elapsed_time(end)) / 1e3

    def memory(self) -> int:
        """Bytes in use."""
        self._cuda.synchronize()
        return int(self._cuda.memory_allocated())

    def peak_of(self, call: Call) -> int:
        """The most bytes in use during a call."""
        self._cuda.synchronize()
        self._cuda.reset_peak_memory_stats()
        call()
        self._cuda.synchronize()
        return int(self._cuda.max_memory_allocated())


class Timed:
    """A call that is warm, and how often it fits into a burst."""

    def __init__(self, call: Call, clock: WallClock, burst: float) -> None:
        """`burst` is in seconds. The first call is made here."""
        self._call, self._clock = call, clock
        self.first = clock.seconds(call, 1)
        clock.seconds(call, WARM_UPS)
        once = clock.seconds(call, LEAST_CALLS) / LEAST_CALLS
        self._count = max(LEAST_CALLS, min(MOST_CALLS, int(burst / max(once, 1e-9))))

    def average(self) -> float:
        """Milliseconds of a call, over a burst, before which what evaluation keeps is made again."""
        self._call()
        return 1e3 * self._clock.seconds(self._call, self._count) / self._count
