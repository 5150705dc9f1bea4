# SPDX-License-Identifier: Apache-2.0
"""Which detections are right: pairs of found and true points.

At each threshold the number of true positives is the largest number of pairs of a detection and a true point that are
at most a distance apart, each in one pair. Detections are added in the order of their scores, each with an augmenting
path (Berge, 1957) where there is one. What was paired stays paired, if perhaps with another partner, so that one pass
gives the largest number for every threshold. Taking the nearest free point instead, as is often done, can find fewer
pairs, and how many depends on the order of equal scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._checks.arguments import items, real, value_text
from .points import Detections, Floats, Indices, points_of
from .suppression import tree_of

__all__ = ["Matches", "distance_of", "match", "slides_of"]


@dataclass(frozen=True)
class Matches:
    """The detections of one slide against its true points.

    Attributes:
        scores: (N,), descending.
        is_true: (N,), whether a detection is in a pair, if all with a smaller score are left out.
        pairs: (K, 2), index of a detection and of its true point, by the index of the detection.
        truths: how many true points there are.
    """

    scores: Floats
    is_true: NDArray[np.bool_]
    pairs: Indices
    truths: int


def slides_of(found: object, truth: object) -> list[tuple[Detections, Floats]]:
    """Detections and true points of each slide: of one, or of sequences of as many. Raises TypeError or ValueError."""
    if isinstance(found, Detections):
        return [(found, points_of("truth", truth))]
    several = items("found", found, "Detections, or a sequence of them")
    for one in several:
        if not isinstance(one, Detections):
            raise TypeError(f"found has {value_text(one)} ({type(one).__name__}), expected Detections")
    truths = items("truth", truth, "points for each of several slides")
    if not several or len(truths) != len(several):
        raise ValueError(f"truth has points of {len(truths)} slides, expected {len(several)}, as many as found has")
    pairs = zip(several, truths, strict=True)
    return [(one, points_of(f"truth[{slide}]", points)) for slide, (one, points) in enumerate(pairs)]


def distance_of(value: object) -> float:
    """The largest distance of a pair. Raises TypeError or ValueError."""
    distance = real("distance", value)
    if not 0 <= distance < np.inf:
        raise ValueError(f"distance is {distance}, expected a finite number of 0 or more")
    return distance


def match(found: Detections, truth: Floats, distance: float) -> Matches:
    """Pairs the detections of one slide, at most `distance` from their true points."""
    unit = found.mpp if found.mpp is not None else (1.0, 1.0)
    order = np.argsort(-found.scores, kind="stable")
    points, targets = found.positions[order] * unit, truth * unit
    taken = _augmented(_neighbors(points, targets, distance), len(targets))
    is_true = taken >= 0
    pairs = np.stack([order[is_true], taken[is_true]], 1)
    return Matches(found.scores[order], is_true, pairs[np.argsort(pairs[:, 0])], len(targets))


def _neighbors(points: Floats, targets: Floats, distance: float) -> list[list[int]]:
    """For each point the targets at most `distance` away, the nearest first."""
    if len(points) == 0 or len(targets) == 0:
        return [[] for _ in points]
    found = []
    for point, near in zip(points, tree_of(targets).query_ball_point(points, distance), strict=True):
        ones = np.array(near, np.int64)
        found.append(ones[np.lexsort((ones, ((targets[ones] - point) ** 2).sum(1)))].tolist())
    return found


def _augmented(neighbors: Sequence[Sequence[int]], targets: int) -> Indices:
    """The target of each point, or -1: as many as can be of the first points, for each number of first points."""
    taken = np.full(len(neighbors), -1, np.int64)
    owner = np.full(targets, -1, np.int64)
    # From where no free target was reached, none will ever be: those targets need not be visited again.
    closed = np.zeros(targets, bool)
    for point in range(len(neighbors)):
        parents: dict[int, int] = {}
        free = _free_target(point, neighbors, owner, closed, parents)
        if free is None:
            closed[list(parents)] = True
            continue
        target = free
        while target >= 0:
            giver = parents[target]
            owner[target] = giver
            taken[giver], target = target, int(taken[giver])
    return taken


def _free_target(
    point: int, neighbors: Sequence[Sequence[int]], owner: Indices, closed: NDArray[np.bool_], parents: dict[int, int]
) -> int | None:
    """A target without a point that an alternating path leads to, breadth first; fills `parents` of targets."""
    queue = [point]
    for reached in queue:
        for target in neighbors[reached]:
            if target in parents or closed[target]:
                continue
            parents[target] = reached
            if owner[target] < 0:
                return target
            queue.append(int(owner[target]))
    return None
