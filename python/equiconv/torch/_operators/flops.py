# SPDX-License-Identifier: Apache-2.0
"""Operations of the layers for `torch.utils.flop_counter`: those of their definitions, two for a multiply-add."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch.utils.flop_counter import register_flop_formula

from ..._layer.explanation import Run
from .layers import spec_of
from .library import operators
from .tensors import Form

_Shape = Sequence[int]


def _count(run: Run, x: _Shape, weight: _Shape, layer: str) -> int:
    signal, kernel = (Form(tuple(map(int, shape)), len(shape), np.dtype(np.float32)) for shape in (x, weight))
    return int(spec_of(layer).explain(signal, kernel, run).definition_operations)


def _forward(x: _Shape, weight: _Shape, _bias: _Shape | None, layer: str, **_others: Any) -> int:
    return _count("forward", x, weight, layer)


def _input_gradient(_grad_out: _Shape, weight: _Shape, shape: _Shape, layer: str, **_others: Any) -> int:
    return _count("input_gradient", shape, weight, layer)


def _weight_gradient(_grad_out: _Shape, x: _Shape, shape: _Shape, layer: str, **_others: Any) -> int:
    return _count("weight_gradient", x, shape, layer)


def register() -> None:
    """Makes `FlopCounterMode` count layers and their gradients."""
    formulas: dict[str, Callable[..., int]] = {
        "forward": _forward,
        "input_gradient": _input_gradient,
        "weight_gradient": _weight_gradient,
    }
    for name, formula in formulas.items():
        for prefix in ("", "turned_"):
            register_flop_formula(getattr(operators, prefix + name))(formula)
