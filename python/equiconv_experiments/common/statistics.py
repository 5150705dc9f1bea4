# SPDX-License-Identifier: Apache-2.0
"""Numbers over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["CONFIDENCE", "Interval", "Spread", "interval_of_mean", "spread", "spread_text"]

CONFIDENCE = 0.95


class Spread(TypedDict):
    """A mean over seeds, and how far seeds are from it."""

    mean: float
    deviation: float | None
    count: int


class Interval(TypedDict):
    """A number and its confidence interval."""

    value: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample deviation, which is None for one value.

    Example:
        >>> spread([0.5, 0.75, 1.0])["mean"]
        0.75
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "deviation": deviation, "count": len(values)}


def spread_text(value: Spread, scale: float = 100, digits: int = 1) -> str:
    """`mean ± deviation`, in percent by default."""
    mean = f"{scale * value['mean']:.{digits}f}"
    return mean if value["deviation"] is None else f"{mean} ± {scale * value['deviation']:.{digits}f}"


def interval_of_mean(values: NDArray[np.float64], resamples: int = 2000) -> Interval:
    """The mean of numbers, with a 95 % interval by percentiles of the bootstrap (Efron, 1979); its seed is fixed.

    Example:
        >>> interval_of_mean(np.array([0.25, 0.25, 0.25]))
        {'value': 0.25, 'low': 0.25, 'high': 0.25}
    """
    mean = float(values.mean())
    if np.ptp(values) == 0:
        return {"value": mean, "low": mean, "high": mean}
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return {"value": mean, "low": float(low), "high": float(high)}
