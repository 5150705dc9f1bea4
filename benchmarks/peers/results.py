# SPDX-License-Identifier: Apache-2.0
"""What a run found, and the figures that follow from it: ratios within rounds, the best peer, targets reached."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from adapters import OTHERS, OWN
from grid import Row, Target
from records import run_text

Record: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Ratio:
    """How many times as fast a contestant is as another."""

    label: str
    value: float


class Measured:
    """What was measured of one row with one number of threads."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.results: dict[str, Result] = record["results"]

    def has(self, label: str) -> bool:
        """Whether a contestant was timed."""
        return "best" in self.results.get(label, {})

    def share(self, label: str) -> float | None:
        """Operations of the definition a second over the multiply-add peak, by the shortest call."""
        if not self.has(label):
            return None
        return float(self.record["operations"] / self.results[label]["best"] / self.record["peak"])

    def ratio(self, label: str, other: str) -> float:
        """How many times as fast `label` is as `other`: the median of the ratios of each round that both took part in.

        In a round both run within a second of each other, so that a slow minute of the machine hits both.
        """
        rounds = zip(self.results[other]["rounds"], self.results[label]["rounds"], strict=False)
        return statistics.median(theirs / ours for theirs, ours in rounds)

    def best_peer(self, label: str, no_larger_error: bool = False) -> Ratio | None:
        """The peer that comes off best beside a contestant, among all or among those whose RMS error is no larger.

        By up to a tenth, it is no larger either: errors of the same sums in another order differ by so much.
        """
        if not self.has(label):
            return None
        most = 1.1 * self.results[label]["rms"] if no_larger_error else float("inf")
        return self._nearest(label, (peer for peer in OTHERS if self.has(peer) and self.results[peer]["rms"] <= most))

    def reached(self, target: Target) -> float | None:
        """The ratio that a target is about; None if it was not measured."""
        if target.of == "peak":
            return self.share(target.who)
        if target.of in ("best peer", "equal peer"):
            found = self.best_peer(target.who, target.of == "equal peer")
            # No library computes this as accurately.
            if found is None and self.has(target.who) and self.best_peer(target.who):
                return float("inf")
            return None if found is None else found.value
        groups = {"direct": ["direct"], "PyTorch": ["PyTorch last", "PyTorch first"]}
        own = [label for label in OWN if label != target.who]
        others = groups.get(target.of, [target.of] if target.of in OTHERS else own)
        if not self.has(target.who):
            return None
        nearest = self._nearest(target.who, (label for label in others if self.has(label)))
        return None if nearest is None else nearest.value

    def _nearest(self, label: str, others: Iterable[str]) -> Ratio | None:
        """The fastest of others, and the ratio."""
        ratios = [Ratio(other, self.ratio(label, other)) for other in others]
        return min(ratios, key=lambda ratio: ratio.value, default=None)


class Run:
    """One run of the benchmark: the processor it ran on, and a record for each row."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self._records = {(record["name"], record["threads"]): record for record in data["records"]}

    @classmethod
    def all(cls, folder: Path) -> list[Run]:
        """Those of a folder, one a processor."""
        return [cls(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]

    @property
    def processor(self) -> str:
        """Its name."""
        return str(self.data["machine"]["processor"])

    @property
    def slug(self) -> str:
        """The processor's name in names of files."""
        return re.sub(r"[^a-z0-9]+", "-", self.processor.lower()).strip("-")

    @property
    def figure(self) -> str:
        """The path of its figure, from the page."""
        return f"peers/{self.slug}.png"

    def measured(self, row: Row, threads: int) -> Measured | None:
        """What was measured of a row."""
        record = self._records.get((row.name, threads))
        return None if record is None else Measured(record)

    def peak(self, threads: int) -> float:
        """The median of the multiply-add peaks in float32 beside the rows."""
        records = self.data["records"]
        return statistics.median(
            record["peak"] for record in records if (record["threads"], record["dtype"]) == (threads, "float32")
        )

    def save(self, folder: Path) -> Path:
        """Writes the run, a record a line, numbers with four digits. Another run on such a processor is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.slug}.json"
        about = {name: value for name, value in self.data.items() if name != "records"}
        path.write_text(run_text(about, self.data["records"]), encoding="utf-8")
        return path
