# SPDX-License-Identifier: Apache-2.0
"""Equiconv itself, on the weights of the layer, which it transforms itself."""

from __future__ import annotations

from collections.abc import Callable

import equiconv as eq
from calls import Operands, call_of, chosen

from adapters import Inputs, Prepared


def _with(algorithm: str) -> Callable[[Inputs], Prepared]:
    """The layer with one algorithm; the way's name is what is chosen in each pass."""

    def prepare(inputs: Inputs) -> Prepared:
        eq.set_num_threads(inputs.threads)
        arrays = Operands(inputs.x, inputs.weights, inputs.grad)
        name = chosen(inputs.case, arrays, algorithm) or algorithm
        return Prepared({name: call_of(inputs.case, arrays, algorithm)}, lambda found: found)

    return prepare


automatic, exact, group_fourier = _with("auto"), _with("exact"), _with("group-fourier")
direct, winograd, fourier = _with("direct"), _with("winograd"), _with("fourier")
