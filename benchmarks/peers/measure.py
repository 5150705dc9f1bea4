# SPDX-License-Identifier: Apache-2.0
"""Runs one case on all contestants in interleaved rounds, with the multiply-add peak measured between them."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import equiconv as eq
from adapters import OTHERS, PEERS
from case import Case
from networks import NetworkCase
from pool import PeerError, Process
from probes import Probes
from reference import NetworkReference, Reference

Record: TypeAlias = dict[str, Any]
# Seconds of calls in a burst.
BURST = 0.03
# How many rounds a contestant gets that is so many times slower than the fastest, in calls longer than this.
LONG, FEWER = 0.1, ((2.0, 2), (4.0, 1))


@dataclass
class Sample:
    """What is known of one contestant in one case. `rounds` has the shortest call of each round it took part in."""

    process: Process
    times: list[float] = field(default_factory=list)
    rounds: dict[int, float] = field(default_factory=dict)
    first: float = 0.0
    way: str = ""
    errors: dict[str, tuple[float, float]] = field(default_factory=dict)
    failure: str | None = None


class Bench:
    """The processes for one number of threads."""

    def __init__(self, processes: list[Process], threads: int, rounds: int, probes: Probes, clock: str) -> None:
        self._processes, self._threads, self._rounds, self._probes = processes, threads, rounds, probes
        # The probes know time alone: where processor time counts, the peak is that of a moment without other programs.
        self._peak_of = statistics.median if clock == "wall" else max

    def measure(self, case: Case | NetworkCase, folder: Path) -> Record:
        """All contestants that know the case."""
        samples = [Sample(process) for process in self._processes if PEERS[process.label].knows(case)]
        reference = NetworkReference(case, folder) if isinstance(case, NetworkCase) else Reference(case, folder)
        self._build(samples, case, folder)
        for sample in samples:
            if sample.failure is None:
                self._first(sample, reference)
        peak = self._peak_of(self._rounds_of(samples, case.dtype))
        for sample in samples:
            with contextlib.suppress(PeerError):
                sample.process.ask("release")
        record: Record = {
            "name": case.name,
            "dtype": case.dtype,
            "threads": self._threads,
            "peak": peak,
            "operations": case.operations,
        }
        return record | {"results": {sample.process.label: self._result(sample) for sample in samples}}

    def _build(self, samples: list[Sample], case: Case | NetworkCase, folder: Path) -> None:
        """All at once: nothing is timed yet."""
        for sample in samples:
            sample.process.send("build", case=case.to_json(), shared=str(folder), folder=sample.process.folder.name)
        for sample in samples:
            try:
                sample.process.answer()
            except PeerError as failure:
                sample.failure = str(failure)

    def _first(self, sample: Sample, reference: Reference | NetworkReference) -> None:
        """The first calls, whose results are checked."""
        try:
            answer = sample.process.ask("first")
            sample.first, sample.way = answer["seconds"], answer["way"]
            sample.errors = reference.errors(Path(sample.process.folder.name), answer["arrays"])
        except PeerError as failure:
            sample.failure = str(failure)
        time.sleep(PEERS[sample.process.label].rest)

    def _rounds_of(self, samples: list[Sample], dtype: str) -> list[float]:
        """Bursts of each contestant in turn; every round starts with another. Returns the peaks measured between."""
        isa = eq.config()["instruction set"]
        going = [sample for sample in samples if sample.failure is None]
        best = min((sample.first for sample in going), default=0.0)
        peaks = [self._probes.peak(isa, dtype, self._threads, milliseconds=5) for _ in range(3)]
        for index in range(self._rounds):
            start = index * len(going) // self._rounds
            for sample in going[start:] + going[:start]:
                if index < self._rounds_for(sample, best):
                    peaks.append(self._probes.peak(isa, dtype, self._threads, milliseconds=4))
                    self._burst(sample, index)
        return peaks

    def _rounds_for(self, sample: Sample, best: float) -> int:
        """How many rounds: few for long calls that are not among the fastest; all for equiconv."""
        if sample.first < LONG or sample.process.label not in OTHERS:
            return self._rounds
        limits = [count for slower, count in FEWER if sample.first > slower * best]
        return min([self._rounds, *limits])

    @staticmethod
    def _burst(sample: Sample, index: int) -> None:
        """Some more calls of one contestant."""
        try:
            if sample.failure is None:
                times = sample.process.ask("time", seconds=BURST)["times"]
                sample.times += times
                sample.rounds[index] = min(times)
                time.sleep(PEERS[sample.process.label].rest)
        except PeerError as failure:
            sample.failure = str(failure)

    @staticmethod
    def _result(sample: Sample) -> Record:
        """The record of one contestant: seconds, the way, errors; or why there is none."""
        if sample.failure is not None or not sample.times:
            return {"unavailable": sample.failure or "not timed"}
        rounds = [sample.rounds[index] for index in sorted(sample.rounds)]
        worst = [max(error[part] for error in sample.errors.values()) for part in (0, 1)]
        return {
            "best": min(sample.times), "median": statistics.median(sample.times), "rounds": rounds,
            "way": sample.way, "largest": worst[0], "rms": worst[1],
        }  # fmt: skip
