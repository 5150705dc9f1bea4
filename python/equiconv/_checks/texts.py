# SPDX-License-Identifier: Apache-2.0
"""Numbers and lists as the engine's texts spell them; see docs/LayerFormat.md."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def number_text(value: float) -> str:
    """The shortest decimal number that is read as `value`, which is finite; zero without a sign."""
    if value == 0:
        return "0.0"
    if 2.0**53 < abs(value) < 1e16:
        return np.format_float_scientific(value, trim="0", exp_digits=2)
    return repr(float(value))


def numbers_text(values: Iterable[float]) -> str:
    """A list of numbers, such as ``[1.0,0.5]``."""
    return f"[{','.join(map(number_text, values))}]"


def integers_text(values: Iterable[int]) -> str:
    """A list of integers, such as ``[1,2]``."""
    return f"[{','.join(map(str, values))}]"
