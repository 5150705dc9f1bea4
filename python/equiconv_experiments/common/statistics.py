# SPDX-License-Identifier: Apache-2.0
"""Numbers over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

__all__ = ["Spread", "spread", "spread_text"]


class Spread(TypedDict):
    """A mean over seeds, and how far seeds are from it."""

    mean: float
    deviation: float | None
    count: int


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
