# SPDX-License-Identifier: Apache-2.0
"""The names of the algorithms: the one place in Python that lists them."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

# What a call is computed by.
ChosenAlgorithm: TypeAlias = Literal["direct", "winograd", "fourier", "group-fourier"]
# What can be asked for: one of these, or a rule that chooses one.
Algorithm: TypeAlias = Literal["auto", ChosenAlgorithm, "exact"]

# In the order of their numbers in C.
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
