# SPDX-License-Identifier: Apache-2.0
"""Calls of equiconv for a case: its arrays, and a function of no arguments for each algorithm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any, TypeAlias

import equiconv as eq
import numpy as np
from case import Case

Array: TypeAlias = np.ndarray[Any, Any]
Results: TypeAlias = dict[str, Array]
_NAMED = {
    "tetrahedral": eq.tetrahedral,
    "octahedral": eq.octahedral,
    "full octahedral": eq.full_octahedral,
}


def group_of(case: Case) -> eq.PointGroup:
    """The group's object."""
    if case.group in _NAMED:
        return _NAMED[case.group]()
    return {"C": eq.cyclic, "D": eq.dihedral}[case.group[0]](int(case.group[1:]))


@dataclass(frozen=True)
class Operands:
    """What a call reads.

    Attributes:
        x: (B, C, |X|, size...), without the axis |X| for signals on the plane.
        weights: one array, (O, C, |X|, kernel...), or (O, C, |X|) and (O, kernel...) for separable layers.
        grad: a gradient of the output, (B, O, |Y|, outputs...).
    """

    x: Array
    weights: tuple[Array, ...]
    grad: Array

    def astype(self, dtype: str) -> Operands:
        """The same numbers in another type."""
        weights = tuple(weight.astype(dtype) for weight in self.weights)
        return Operands(self.x.astype(dtype), weights, self.grad.astype(dtype))


def operands(case: Case) -> Operands:
    """Normal random numbers, always the same; of weights such that outputs have a deviation of about 1."""
    rng = np.random.default_rng([case.kernel, *case.channels, case.size])
    (inputs, outputs), d, points = case.channels, case.dimension, case.points
    fibers = [(order,) if order > 1 else () for order in points]

    def normal(*shape: int, fan: int = 1) -> Array:
        return (rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(fan))).astype(case.dtype)

    kernel = (case.kernel,) * d
    weights: tuple[Array, ...]
    if case.layer == "separable":
        over_h = normal(outputs, inputs, case.order, fan=inputs * case.order)
        weights = (over_h, normal(outputs, *kernel, fan=case.taps))
    else:
        channels = 1 if case.layer == "depthwise" else inputs
        fiber = fibers[0] if case.localized is None else (len(case.localized),)
        weights = (normal(outputs, channels, *fiber, *kernel, fan=channels * sum(fiber or (1,)) * case.taps),)
    x = normal(case.batch, inputs, *fibers[0], *(case.size,) * d)
    return Operands(x, weights, normal(case.batch, outputs, *fibers[1], *(case.output_size,) * d))


def options_of(case: Case, algorithm: str) -> dict[str, Any]:
    """The keywords of the layer's function."""
    options: dict[str, Any] = {"stride": case.stride, "padding": "same", "algorithm": algorithm}
    if case.layer == "depthwise":
        options |= {"input_stabilizer": [0], "output_stabilizer": [0], "groups": case.channels[0]}
    if case.localized is not None:
        options["group_basis"] = eq.localized(case.localized)
    return options


def functions_of(case: Case) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The layer and its vjp."""
    name = "conv" if case.layer == "depthwise" else f"{case.layer}_conv"
    return getattr(eq, name), getattr(eq, f"{name}_vjp")


def call_of(case: Case, arrays: Operands, algorithm: str) -> Callable[[], Results]:
    """A function that runs the case and gives its results by name.

    Weights differ from call to call in all runs but "forward", as they do in training, so that what was made of the
    previous ones is of no use.
    """
    group, options = group_of(case), options_of(case, algorithm)
    forward, vjp = functions_of(case)
    if case.run == "forward":
        return lambda: {"y": forward(arrays.x, *arrays.weights, group, **options)}
    in_turn = cycle((arrays.weights, tuple(-weight for weight in arrays.weights)))
    wanted = tuple(name.removeprefix("grad_") for name in case.results if name != "y")
    # Separable layers have all their gradients or none.
    choice = {} if case.layer == "separable" else {"wanted": wanted}

    def gradients() -> Results:
        weights = next(in_turn)
        found = {"y": forward(arrays.x, *weights, group, **options)} if "y" in case.results else {}
        grad_x, *grad_weights, _ = vjp(arrays.grad, arrays.x, *weights, group, **options, **choice)
        named = {"grad_x": grad_x, "grad_weight": grad_weights[0]}
        return found | {name: array for name, array in named.items() if name in case.results}

    return gradients


def chosen(case: Case, arrays: Operands, algorithm: str) -> str:
    """What `explain` says is used, pass by pass: "winograd", "direct, fourier"; nothing for separable layers."""
    if case.layer == "separable":
        return ""
    runs = {"y": "forward", "grad_x": "input_gradient", "grad_weight": "weight_gradient"}
    group, options = group_of(case), options_of(case, algorithm)
    found = []
    for name in case.results:
        run: Any = runs[name]
        answer = eq.explain(functions_of(case)[0], arrays.x, arrays.weights[0], group, run=run, **options)
        found.append(f"{answer.algorithm} {answer.tile}" if answer.tile else answer.algorithm)
    return ", ".join(found)
