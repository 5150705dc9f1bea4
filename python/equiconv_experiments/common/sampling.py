# SPDX-License-Identifier: Apache-2.0
"""Some of the images, with the shares that classes have."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Indices", "stratified"]

Indices: TypeAlias = NDArray[np.int64]


def stratified(strata: Indices, count: int, seed: int) -> Indices:
    """Indices of `count` images at random, as many of each stratum as its share, up to one; ascending.

    Images are sorted by stratum, in random order within each, and taken at even steps. Unlike scikit-learn's splits it
    takes any strata: of one with a single image that image or none.

    Args:
        strata: (N,), the stratum of each image.
        count: how many, at most N.
        seed: others for each.

    Raises:
        ValueError: `count` is negative or more than there are images.

    Example:
        >>> chosen = stratified(np.repeat([0, 1], [60, 30]), 9, seed=0)
        >>> int((chosen < 60).sum())
        6
    """
    total = len(strata)
    if not 0 <= count <= total:
        raise ValueError(f"count is {count}, expected 0 to {total}, the number of images")
    order = np.random.default_rng(seed).permutation(total)
    order = order[np.argsort(strata[order], kind="stable")]
    # The middles of `count` equal parts.
    steps = (2 * np.arange(count) + 1) * total // (2 * max(count, 1))
    return np.sort(order[steps]).astype(np.int64)
