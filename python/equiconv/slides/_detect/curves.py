# SPDX-License-Identifier: Apache-2.0
"""How good detections are: precision and recall, average precision, and the free-response curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..._checks.arguments import items, real
from .matching import Matches, distance_of, match, slides_of
from .points import Detections, Floats, Indices

__all__ = [
    "FrocCurve",
    "PrecisionRecall",
    "PrecisionRecallCurve",
    "average_precision",
    "froc",
    "precision_recall",
    "precision_recall_curve",
]

Points: TypeAlias = Detections | NDArray[Any] | Sequence[Any]
RATES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives at which `FrocCurve.score` takes sensitivities, unless others are given."""


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Counts of one set of detections.

    Attributes:
        true_positives: pairs of a detection and a true point.
        false_positives: detections without a pair.
        false_negatives: true points without a pair.
        pairs: (K, 3): slide, index of the detection, index of the true point.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    pairs: Indices

    @property
    def precision(self) -> float:
        """True positives of all detections; NaN for none."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """True positives of all true points; NaN for none."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Twice the true positives of all detections and true points; NaN for none."""
        both = 2 * self.true_positives
        return _ratio(both, both + self.false_positives + self.false_negatives)

    def __repr__(self) -> str:
        return (
            f"<PrecisionRecall: precision {self.precision:.4f}, recall {self.recall:.4f}, F1 {self.f1:.4f}; "
            f"{self.true_positives} true, {self.false_positives} false, {self.false_negatives} missed>"
        )


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Precision and recall for every threshold that makes a difference.

    Attributes:
        thresholds: (T,), the scores that occur, descending.
        precision: (T,), of the detections of at least this score.
        recall: (T,), of them.
    """

    thresholds: Floats
    precision: Floats
    recall: Floats

    @property
    def f1(self) -> Floats:
        """(T,), the harmonic mean of both."""
        sums = self.precision + self.recall
        return np.divide(2 * self.precision * self.recall, sums, out=np.zeros_like(sums), where=sums > 0)

    @property
    def average_precision(self) -> float:
        """The sum over thresholds of precision times the step of recall: not interpolated."""
        return float(np.sum(self.precision * np.diff(self.recall, prepend=0.0)))


@dataclass(frozen=True, eq=False)
class FrocCurve:
    """The free-response curve: how many true points are found for how many false positives.

    Attributes:
        thresholds: (T,), the scores that occur, descending.
        sensitivity: (T,), the share of true points that are found with at least this score.
        false_positives: (T,), per slide, or per unit of area.
    """

    thresholds: Floats
    sensitivity: Floats
    false_positives: Floats

    def sensitivity_at(self, rate: float) -> float:
        """The largest sensitivity with at most so many false positives: a step function; 0 where no score has fewer."""
        allowed = self.false_positives <= real("rate", rate)
        return float(self.sensitivity[allowed].max(initial=0.0))

    def score(self, rates: Sequence[float] = RATES) -> float:
        """The mean sensitivity at these rates."""
        found = [self.sensitivity_at(rate) for rate in items("rates", rates, "numbers of false positives")]
        if not found:
            raise ValueError("rates is empty, expected one or more numbers of false positives")
        return float(np.mean(found))


def precision_recall(
    found: Points, truth: Points, distance: float, *, threshold: float | None = None
) -> PrecisionRecall:
    """How many detections are right, and how many true points are found.

    True positives are the most pairs of a detection and a true point that can be made: each in one pair, at most
    `distance` apart. A second detection of the same point is a false positive.

    Args:
        found: the detections of a slide, or a sequence of those of several.
        truth: the true points (N, 2), as y and x or as `Detections`; or a sequence of them. Classes are not compared:
            for one class use `Detections.of_class`.
        distance: the largest of a pair, in micrometers where the detections have `mpp`, otherwise in pixels.
        threshold: the least score; None for all detections.

    Raises:
        TypeError, ValueError: arguments that are not as said.

    Complexity: N log M for the neighbors, then at most E steps for each true positive, with E pairs of neighbors that
    are connected by others.

    Example:
        >>> found = Detections([[5, 5], [5, 7], [20, 20]], [0.9, 0.8, 0.7])
        >>> precision_recall(found, [[5, 6], [40, 40]], distance=3)
        <PrecisionRecall: precision 0.3333, recall 0.5000, F1 0.4000; 1 true, 2 false, 1 missed>
    """
    slides = slides_of(found, truth)
    if threshold is not None:
        slides = [(one.above(threshold), points) for one, points in slides]
    most = distance_of(distance)
    matches = [match(one, points, most) for one, points in slides]
    pairs = [np.insert(one.pairs, 0, slide, 1) for slide, one in enumerate(matches)]
    true = sum(int(one.is_true.sum()) for one in matches)
    detections = sum(len(one.scores) for one in matches)
    truths = sum(one.truths for one in matches)
    return PrecisionRecall(true, detections - true, truths - true, np.concatenate(pairs))


def precision_recall_curve(found: Points, truth: Points, distance: float) -> PrecisionRecallCurve:
    """Precision and recall of the detections of at least a score, for each score: `precision_recall` at all thresholds.

    Args:
        found, truth, distance: as for `precision_recall`.

    Raises:
        TypeError, ValueError: arguments that are not as said, or no true points.
    """  # fmt: skip
    counts = _counts(found, truth, distance)
    detections = counts.true + counts.false
    return PrecisionRecallCurve(counts.thresholds, counts.true / detections, counts.true / counts.truths)


def average_precision(found: Points, truth: Points, distance: float) -> float:
    """The area under precision against recall, Σ P(t) (R(t) − R(t′)) over thresholds t and t′ before it.

    Args:
        found, truth, distance: as for `precision_recall`.

    Returns:
        From 0 to 1; true points that no detection finds count as found with precision 0.

    Raises:
        TypeError, ValueError: arguments that are not as said, or no true points.
    """  # fmt: skip
    return precision_recall_curve(found, truth, distance).average_precision


def froc(found: Points, truth: Points, distance: float, *, areas: float | Sequence[float] | None = None) -> FrocCurve:
    """The free-response curve: sensitivity against false positives, over all slides together.

    Args:
        found, truth, distance: as for `precision_recall`.
        areas: of each slide that was searched, in the unit for whose false positives are counted, such as mm²; None
            counts them per slide.

    Raises:
        TypeError, ValueError: arguments that are not as said, or no true points.
    """
    counts = _counts(found, truth, distance)
    total = counts.slides if areas is None else _total_area(areas, counts.slides)
    return FrocCurve(counts.thresholds, counts.true / counts.truths, counts.false / total)


@dataclass(frozen=True)
class _Counts:
    """True and false positives (T,) of at least each threshold (T,)."""

    thresholds: Floats
    true: Floats
    false: Floats
    truths: int
    slides: int


def _counts(found: object, truth: object, distance: object) -> _Counts:
    most = distance_of(distance)
    matches = [match(one, points, most) for one, points in slides_of(found, truth)]
    truths = sum(one.truths for one in matches)
    if truths == 0:
        raise ValueError("truth has no points, expected one or more: there is nothing to find")
    scores, is_true = _joined(matches)
    # The last detection of each score: those of equal scores are found by the same thresholds.
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, np.int64)
    true, all_ones = np.cumsum(is_true)[last], last + 1
    return _Counts(scores[last], true.astype(np.float64), (all_ones - true).astype(np.float64), truths, len(matches))


def _joined(matches: Sequence[Matches]) -> tuple[Floats, NDArray[np.bool_]]:
    scores = np.concatenate([one.scores for one in matches])
    order = np.argsort(-scores, kind="stable")
    return scores[order], np.concatenate([one.is_true for one in matches])[order]


def _total_area(value: object, slides: int) -> float:
    many = isinstance(value, Sequence | np.ndarray)
    areas = [real("areas", area) for area in (items("areas", value, "an area for each slide") if many else [value])]
    if len(areas) != slides or not all(0 < area < math.inf for area in areas):
        raise ValueError(f"areas is {value!r}, expected a positive, finite number for each of {slides} slides")
    return sum(areas)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
