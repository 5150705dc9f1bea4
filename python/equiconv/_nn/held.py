# SPDX-License-Identifier: Apache-2.0
"""What layers of NumPy beside the convolutions have in common: their parameters, and sums without an order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arrays import Array
from .parameters import load_parameters


class Held:
    """A layer whose parameters are its attributes of these names."""

    names: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Array]:
        """The arrays by their names; no copies."""
        arrays = {name: getattr(self, name) for name in self.names}
        return {name: array for name, array in arrays.items() if array is not None}

    def load(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Copies other numbers into the layer, as `LiftingConv.load`."""
        load_parameters(self.parameters(), parameters)


def sorted_mean(x: Array, count: Array | None = None) -> Array:
    """The mean over the last axis in double precision, of sorted numbers; of `count` of them if it is given."""
    total = np.sort(x.astype(np.float64), axis=-1).sum(-1)
    mean: Array = total / (x.shape[-1] if count is None else count)
    return mean
