# SPDX-License-Identifier: Apache-2.0
"""F1 and area under the curve, with confidence intervals by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score

from ..common.statistics import CONFIDENCE, Interval

__all__ = ["Prediction", "best_threshold", "evaluate", "intervals"]

Values: TypeAlias = NDArray[np.float64]


class Prediction(TypedDict):
    """What a trained network says of the test images: probabilities of the positive class, and its threshold."""

    probabilities: list[float]
    threshold: float


def best_threshold(labels: NDArray[np.int64], probabilities: Values) -> float:
    """The probability from which on to say positive, of the largest F1 on these images: those of validation."""
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    sums = np.maximum(precision + recall, np.finfo(float).tiny)
    return float(thresholds[np.argmax((2 * precision * recall / sums)[:-1])])


def evaluate(
    labels: NDArray[np.int64], prediction: Prediction, chosen: NDArray[np.int64] | None = None
) -> dict[str, float]:
    """``"f1"`` at the network's threshold and ``"auc"``, the area under the ROC curve.

    Args:
        labels: of the test images, 0 or 1.
        prediction: of a network.
        chosen: indices of the images to use, with repetitions; None for each once.
    """
    probabilities = np.asarray(prediction["probabilities"])
    if chosen is not None:
        labels, probabilities = labels[chosen], probabilities[chosen]
    return {
        "f1": float(f1_score(labels, probabilities >= prediction["threshold"], zero_division=0.0)),
        "auc": float(roc_auc_score(labels, probabilities)),
    }


def intervals(
    labels: NDArray[np.int64], predictions: Mapping[str, Sequence[Prediction]], resamples: int
) -> dict[str, dict[str, Any]]:
    """F1 and area under the ROC curve with 95 % intervals over test images.

    The bootstrap draws positive and negative images each from their own (stratified), the same for all networks, and
    takes percentiles (Efron, 1979). Its seed is fixed. Differences of networks are those on the same images: paired.

    Args:
        labels: of the test images, 0 or 1, both present.
        predictions: for each network, those of its seeds.
        resamples: draws of the bootstrap.

    Returns:
        For each network ``"over_images"``, of the mean over its seeds, ``"of_runs"``, of each seed, and
        ``"minus_first"``, of the mean minus that of the first network: each with ``"f1"`` and ``"auc"``.
    """
    names = [(network, kind) for network, ones in predictions.items() for kind in _kinds(len(ones))]

    def statistic(negative: Any, positive: Any) -> NDArray[np.float64]:
        chosen = np.concatenate([negative, positive]).astype(np.int64)
        values: list[list[float]] = []
        first: Any = None
        for ones in predictions.values():
            runs = np.array([list(evaluate(labels, one, chosen).values()) for one in ones])
            mean = runs.mean(0)
            first = mean if first is None else first
            values += [mean, mean - first, *runs]
        return np.ravel(values)

    groups = tuple(np.flatnonzero(labels == label) for label in (0, 1))
    result = stats.bootstrap(
        groups,
        statistic,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    table = np.stack([statistic(*groups), low, high]).reshape(3, len(names), 2)
    found: dict[str, dict[str, Any]] = {network: {"of_runs": []} for network in predictions}
    for index, (network, kind) in enumerate(names):
        f1, auc = (_interval(table[:, index, column]) for column in (0, 1))
        if kind == "of_runs":
            found[network][kind].append({"f1": f1, "auc": auc})
        else:
            found[network][kind] = {"f1": f1, "auc": auc}
    return found


def _kinds(count: int) -> list[str]:
    """What the rows of the statistic of a network with so many seeds are."""
    return ["over_images", "minus_first", *["of_runs"] * count]


def _interval(values: Values) -> Interval:
    value, low, high = values.tolist()
    return Interval(value=value, low=low, high=high)
