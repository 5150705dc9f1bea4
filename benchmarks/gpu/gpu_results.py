# SPDX-License-Identifier: Apache-2.0
"""What a run on a GPU found, and which targets it met."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from records import rounded, run_text
from works import COMPILED, DIRECT, EAGER, ESCNN, FP32, GRAPHS, PLAIN, Visit, visits

Record: TypeAlias = dict[str, Any]
# Milliseconds of the plain convolution's step from which on the nearer limit holds.
LONG = 0.4
NEAR, FAR = 1.10, 1.25
MEMORY, TURNED, BUILD = 1.05, 2.5, 2.0
AHEAD, FAR_AHEAD = 1.5, 3.0


@dataclass(frozen=True)
class Verdict:
    """A target at one row.

    Attributes:
        target: in words.
        row: the name of the visit.
        value: a ratio or seconds.
        limit: what it is held against.
        at_least: whether the limit is the least, not the most.
    """

    target: str
    row: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the value keeps to the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def margin(self) -> float:
        """Above 1 if the target is met, and the larger the better."""
        return self.value / self.limit if self.at_least else self.limit / max(self.value, 1e-9)


class GpuRun:
    """One run: the GPU, and a record for each visit."""

    def __init__(self, data: Record) -> None:
        self.data = data
        self.records: list[Record] = data["records"]

    @classmethod
    def all(cls, folder: Path) -> list[GpuRun]:
        """Those of a folder, one a kind of GPU."""
        return [cls(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]

    @property
    def device(self) -> str:
        """The name of the GPU."""
        return str(self.data["machine"]["device"])

    def result(self, work: str, mode: str, label: str) -> Record | None:
        """What was found of a contestant, in the first visit that it took part in."""
        found = (record["results"].get(label) for record in self.records if is_of(record, work, mode))
        return next((result for result in found if result is not None), None)

    def verdicts(self) -> Iterator[Verdict]:
        """Every target at every row that it is about."""
        known = {visit.name: visit for quick in (False, True) for visit in visits(quick)}
        wide = self.data["checks"].get("wide_network", {}).get("found")
        if wide is not None:
            yield Verdict("seconds to build a network as large as WRN-28-10", "D4", wide["seconds"], BUILD)
        for record in self.records:
            if record["name"] in known:
                yield from verdicts_of(record, known[record["name"]])


def is_of(record: Record, work: str, mode: str) -> bool:
    """Whether a record is of a work in a number format."""
    return (record["work"], record["mode"]) == (work, mode)


def verdicts_of(record: Record, visit: Visit) -> Iterator[Verdict]:
    """The targets at one visit."""
    results: dict[str, Record] = record["results"]

    def ratio(label: str, other: str, what: str) -> float | None:
        one, two = results.get(label, {}).get(what), results.get(other, {}).get(what)
        return one / two if one and two else None

    def verdict(target: str, value: float | None, limit: float, at_least: bool = False) -> Iterator[Verdict]:
        if value is not None:
            yield Verdict(target, record["name"], value, limit, at_least)

    if visit.mode != FP32:
        limit = NEAR if results.get(PLAIN, {}).get("step", 0.0) >= LONG else FAR
        for label in (EAGER, COMPILED, GRAPHS):
            yield from verdict(f"step of {label} over that of plain", ratio(label, PLAIN, "step"), limit)
    yield from verdict("peak memory of a step over that of plain", ratio(EAGER, PLAIN, "memory"), MEMORY)
    yield from verdict("forward of direct over that of equiconv", ratio(DIRECT, EAGER, "forward"), TURNED)
    yield from verdict("step of escnn over that of equiconv", ratio(ESCNN, EAGER, "step"), AHEAD, at_least=True)
    quicker = [found for label in (COMPILED, GRAPHS) if (found := ratio(ESCNN, label, "step"))]
    if visit.work.is_small:
        best = max(quicker, default=None)
        target = "step of escnn over the faster of compiled and graphs, small networks"
        yield from verdict(target, best, FAR_AHEAD, at_least=True)


def slug_of(device: str) -> str:
    """A device's name in names of files."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def save_run(run: Record, folder: Path) -> Path:
    """Writes a run, a record a line, numbers with four digits. The file is the old one or the new one, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{slug_of(run['machine']['device'])}.json"
    about = {name: rounded(value) for name, value in run.items() if name != "records"}
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(run_text(about, run["records"]), encoding="utf-8")
    os.replace(unfinished, path)
    return path
