# SPDX-License-Identifier: Apache-2.0
"""Equiconv itself, on the weights of the layer, which it transforms itself."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import equiconv as eq

from adapters import Array, Inputs, Prepared


def _prepare(inputs: Inputs, algorithm: str) -> Prepared:
    """The layer's functions with one algorithm."""
    eq.set_num_threads(inputs.threads)
    case = inputs.case
    group = eq.cyclic(4) if case.group == "C4" else eq.dihedral(4)
    options: dict[str, Any] = {"padding": "same", "algorithm": algorithm}
    if case.kind == "lifting":
        return Prepared(
            {algorithm: lambda: eq.lifting_conv(inputs.x, inputs.weight, group, **options)},
            lambda _, y: {"y": _flat(y)},
        )
    x = inputs.x.reshape(case.batch, case.inputs, case.order, case.size, case.size)
    if case.kind == "group":
        return Prepared(
            {algorithm: lambda: eq.group_conv(x, inputs.weight, group, **options)}, lambda _, y: {"y": _flat(y)}
        )

    grad = inputs.grad.reshape(case.batch, case.outputs, case.order, case.size, case.size)

    # Training changes the weights from step to step, so transforms of the previous ones must not help.
    weights = cycle((inputs.weight, -inputs.weight))

    def train() -> tuple[Array, Array, Array]:
        weight = next(weights)
        y = eq.group_conv(x, weight, group, **options)
        grad_x, grad_weight, _ = eq.group_conv_vjp(grad, x, weight, group, **options, wanted=("x", "weight"))
        return y, grad_x, grad_weight

    return Prepared(
        {algorithm: train}, lambda _, found: {"y": _flat(found[0]), "grad_x": _flat(found[1]), "grad_weight": found[2]}
    )


def _flat(signal: Array) -> Array:
    """(B, C, |H|, S, S) as (B, C |H|, S, S)."""
    return signal.reshape(signal.shape[0], -1, *signal.shape[-2:])


def automatic(inputs: Inputs) -> Prepared:
    """The algorithm that the library chooses."""
    return _prepare(inputs, "auto")


def direct(inputs: Inputs) -> Prepared:
    """The algorithm that is equivariant to the last bit."""
    return _prepare(inputs, "direct")
