# SPDX-License-Identifier: Apache-2.0
"""Are the scores of a trained network the same bits for a turned image?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equiconv as eq
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from .training import scores

__all__ = ["bits_text", "bitwise_invariance", "sum_of_bits"]


def bitwise_invariance(network: nn.Module, images: Tensor, group: eq.PointGroup) -> dict[str, Any]:
    """Compares the class scores of images and of turned images, to the last bit, with ``algorithm="direct"``.

    Args:
        network: a trained network; it is as it was afterwards.
        images: shape (B, C, size, size).
        group: its elements turn and mirror the images: `cyclic(4)` or `dihedral(4)`.

    Returns:
        ``images``, ``elements`` other than the identity, ``scores_compared``, ``scores_that_differ``, and
        ``largest_difference`` of two scores, 0.0 where all are equal.
    """
    # `set_algorithm` changes the algorithm of convolutions, and whether norms have exact sums.
    before = [
        (module, name, getattr(module, name))
        for module in network.modules()
        for name in ("algorithm", "exact")
        if hasattr(module, name)
    ]
    if any(name == "algorithm" for _, name, _ in before):
        eq.set_algorithm(network, "direct")
    try:
        upright = _scores(network, images)
        turned = [
            _scores(network, torch.from_numpy(eq.act(images.numpy(), group, element)))
            for element in range(1, group.order)
        ]
    finally:
        for module, name, value in before:
            setattr(module, name, value)
    differences = np.abs(np.stack([score - upright for score in turned]).astype(np.float64))
    # Bits, not values: of equal values only the two zeros have different ones.
    differing = np.stack([score.view(np.int32) != upright.view(np.int32) for score in turned])
    return {
        "group": group.name,
        "images": len(images),
        "elements": group.order - 1,
        "scores_compared": int(differing.size),
        "scores_that_differ": int(differing.sum()),
        "largest_difference": float(differences.max()),
    }


def sum_of_bits(results: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Of several networks' results with an entry ``bitwise``, scores that differ and scores compared, for a summary."""
    names = ("scores_that_differ", "scores_compared")
    return {f"bitwise_{name}": sum(one["bitwise"][name] for one in results) for name in names}


def bits_text(row: dict[str, Any]) -> str:
    """What `sum_of_bits` put into a row of a summary, for a table."""
    differing, compared = row["bitwise_scores_that_differ"], row["bitwise_scores_compared"]
    return "all equal" if differing == 0 else f"{differing} of {compared} scores differ"


def _scores(network: nn.Module, images: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    result: np.ndarray[Any, np.dtype[np.float32]] = scores(
        network, TensorDataset(images, torch.zeros(len(images)))
    ).numpy()
    return result
