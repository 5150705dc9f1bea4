# SPDX-License-Identifier: Apache-2.0
"""Runs one case on all peers in interleaved rounds, with the multiply-add peak measured between them."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import equiconv as eq
import numpy as np
from adapters import PEERS, Array
from cases import Case
from pool import PeerError, Process
from probes import Probes

Row: TypeAlias = dict[str, Any]
# Seconds of calls in a burst; of a long call.
BURST, LONG = 0.03, 0.25
# Rounds for long calls, and how many times slower than the fastest they may be. Others are not repeated.
LONG_ROUNDS = ((2, 1.3), (1, 2.0))


@dataclass
class Sample:
    """The results of one peer in one case."""

    process: Process
    times: list[float] = field(default_factory=list)
    first: float = 0.0
    way: str = ""
    errors: dict[str, tuple[float, float]] = field(default_factory=dict)
    failure: str | None = None


class Reference:
    """The inputs of a case, and its results in float64 by the direct algorithm, of the equal ordinary convolution."""

    def __init__(self, case: Case, folder: Path) -> None:
        rng = np.random.default_rng([case.kernel, case.inputs, case.size])
        (reads, writes), k = case.flat, (case.kernel, case.kernel)
        orders = () if case.kind == "lifting" else (case.order,)
        self.case, self.group = case, eq.cyclic(4) if case.group == "C4" else eq.dihedral(4)
        self.x = rng.standard_normal((case.batch, reads, case.size, case.size), dtype=np.float32)
        self.weight = rng.standard_normal((case.outputs, case.inputs, *orders, *k), dtype=np.float32)
        self.weight /= np.float32(np.sqrt(reads * case.kernel**2))
        self.bank = eq.expand(self.weight, self.group, "lifting" if case.kind == "lifting" else "group")
        shape = (case.batch, writes, case.size, case.size) if case.kind == "train" else (0, 0, 0, 0)
        self.grad = rng.standard_normal(shape, dtype=np.float32)
        for name in ("x", "weight", "bank", "grad"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        self.found = self._results(self.x, self.bank, self.grad)
        if case.kind == "train":
            self.found["grad_weight"] = self._grad_weight()

    def _results(self, x: Array, bank: Array, grad: Array) -> dict[str, Array]:
        """Output and gradients of the ordinary convolution with a bank."""
        plane, options = eq.trivial(2), {"padding": "same", "algorithm": "direct"}
        x, bank = x.astype(np.float64), bank.astype(np.float64)
        found = {"y": eq.isotropic_conv(x, bank, plane, **options)}
        if self.case.kind == "train":
            gradients = eq.isotropic_conv_vjp(grad.astype(np.float64), x, bank, plane, **options)
            found["grad_x"], found["grad_bank"], _ = gradients
        return found

    def _grad_weight(self) -> Array:
        """The gradient of the group layer's own weights."""
        case = self.case
        x, grad = (
            array.astype(np.float64).reshape(case.batch, -1, case.order, case.size, case.size)
            for array in (self.x, self.grad)
        )
        weight = self.weight.astype(np.float64)
        options: dict[str, Any] = {"padding": "same", "algorithm": "direct", "wanted": ("weight",)}
        found: Array = eq.group_conv_vjp(grad, x, weight, self.group, **options)[1]
        return found

    def errors(self, folder: Path, names: list[str]) -> dict[str, tuple[float, float]]:
        """For each result the largest and the RMS error, over the RMS of the result.

        A peer with a bank of its own is compared on the first image.
        """
        arrays = {name: np.load(folder / f"{name}.npy") for name in names}
        expected = self.found
        if "bank" in arrays:
            expected = self._results(self.x[:1], arrays.pop("bank"), self.grad[:1])
            arrays = {name: array[:1] for name, array in arrays.items()}
        return {name: _error(array, expected[name]) for name, array in arrays.items()}


def _error(found: Array, expected: Array) -> tuple[float, float]:
    """The largest and the RMS error, over the RMS of what is expected."""
    if found.shape != expected.shape:
        raise PeerError(f"a result of shape {found.shape} in place of {expected.shape}")
    difference = found - expected
    scale = float(np.sqrt(np.mean(np.square(expected))))
    return float(np.abs(difference).max()) / scale, float(np.sqrt(np.mean(np.square(difference)))) / scale


class Bench:
    """The peers' processes for one number of threads."""

    def __init__(self, processes: list[Process], threads: int, rounds: int, probes: Probes) -> None:
        self._processes, self._threads, self._rounds, self._probes = processes, threads, rounds, probes

    def measure(self, case: Case, folder: Path) -> list[Row]:
        """All peers that know the kind of case."""
        reference = Reference(case, folder)
        samples = [Sample(process) for process in self._processes if case.kind in PEERS[process.label].kinds]
        self._build(samples, case, folder)
        for sample in samples:
            if sample.failure is None:
                self._first(sample, reference)
        peaks = self._rounds_of(samples)
        rows = [self._row(case, sample, statistics.median(peaks)) for sample in samples]
        for sample in samples:
            with contextlib.suppress(PeerError):
                sample.process.ask("release")
        return rows

    def _build(self, samples: list[Sample], case: Case, folder: Path) -> None:
        """All at once: nothing is timed yet."""
        for sample in samples:
            sample.process.send("build", case=case.to_json(), shared=str(folder), folder=sample.process.folder.name)
        for sample in samples:
            try:
                sample.process.answer()
            except PeerError as failure:
                sample.failure = str(failure)

    def _first(self, sample: Sample, reference: Reference) -> None:
        """The first calls, whose results are checked."""
        try:
            answer = sample.process.ask("first")
            sample.first, sample.way = answer["seconds"], answer["way"]
            sample.errors = reference.errors(Path(sample.process.folder.name), answer["arrays"])
        except PeerError as failure:
            sample.failure = str(failure)

    def _rounds_of(self, samples: list[Sample]) -> list[float]:
        """Bursts of each peer in turn; every round starts with another. Returns the peaks measured between."""
        isa = eq.config()["instruction set"]
        going = [sample for sample in samples if sample.failure is None]
        best = min((sample.first for sample in going), default=0.0)
        peaks = [self._probes.peak(isa, "float32", self._threads, milliseconds=5) for _ in range(3)]
        for index in range(self._rounds):
            start = index * len(going) // self._rounds
            for sample in going[start:] + going[:start]:
                if index >= self._rounds_for(sample, best):
                    continue
                peaks.append(self._probes.peak(isa, "float32", self._threads, milliseconds=4))
                self._burst(sample)
        for sample in going:
            sample.times = sample.times or [sample.first]
        return peaks

    def _rounds_for(self, sample: Sample, best: float) -> int:
        """How many long calls a peer gets: few if it is not among the fastest."""
        if sample.first < LONG:
            return self._rounds
        return next((count for count, slower in LONG_ROUNDS if sample.first <= slower * best), 0)

    @staticmethod
    def _burst(sample: Sample) -> None:
        """Some more calls of one peer."""
        try:
            if sample.failure is None:
                sample.times += sample.process.ask("time", seconds=BURST)["times"]
                time.sleep(PEERS[sample.process.label].rest)
        except PeerError as failure:
            sample.failure = str(failure)

    def _row(self, case: Case, sample: Sample, peak: float) -> Row:
        """The record of one peer in one case."""
        row: Row = {"case": case.to_json(), "name": case.name, "threads": self._threads, "peer": sample.process.label}
        row |= {"operations": case.operations, "peak": peak, "errors": sample.errors}
        if sample.failure is not None or not sample.times:
            return row | {"unavailable": sample.failure or "not timed"}
        best, median = min(sample.times), statistics.median(sample.times)
        row |= {"way": sample.way, "calls": len(sample.times), "best": best, "median": median}
        return row | {"share": case.operations / best / peak, "share_median": case.operations / median / peak}
