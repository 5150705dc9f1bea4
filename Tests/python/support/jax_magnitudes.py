# SPDX-License-Identifier: Apache-2.0
"""Bounds of the rounding errors of layers that XLA computes: sums of magnitudes, times roundings on the way of a term.

A sum of products that each went through n roundings is off by at most n u times the sum of their magnitudes, to first
order. Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1. The sums of magnitudes are
the passes themselves, of magnitudes, with banks whose matrices are magnitudes too.
"""

from __future__ import annotations

import math
from dataclasses import replace

import jax
import numpy as np
from equiconv._layer.expansion import bank_tables, expansion_of
from equiconv.jax._primitives import bank, composite, passes

PASSES = (passes.biased, passes.input_gradient, passes.weight_gradient, passes.bias_gradient)


def magnitudes_of(program, x, weight, bias, gradient, monkeypatch):
    """The sums of magnitudes of an output, and of the gradients of x, weight and bias; in float64."""
    x, weight, bias, gradient = (np.abs(np.asarray(a, np.float64)) for a in (x, weight, bias, gradient))
    operands = ((x, weight, bias), (gradient, weight), (gradient, x), (gradient,))
    program = replace(program, dtype=np.dtype(np.float64))
    with monkeypatch.context() as patch, jax.default_device(jax.devices("cpu")[0]):
        patch.setattr(bank, "_tables", _tables_of_magnitudes)
        return [
            np.asarray(composite.computed(work, arrays, program, (False,) * len(arrays), len(x)))
            for work, arrays in zip(PASSES, operands, strict=True)
        ]


def _tables_of_magnitudes(spec, extents):
    expansion = expansion_of(spec, extents)
    factors = {
        name: replace(factor, matrix=None if factor.matrix is None else np.abs(factor.matrix))
        for name, factor in (("fiber", expansion.fiber), ("space", expansion.space))
    }
    expansion = replace(expansion, **factors)
    return expansion, bank_tables(expansion, 1)


def roundings_of(program, batch):
    """How many roundings a product goes through at most, in the same four passes.

    Those of a bank are sums over functions on H, over coefficients and over the elements of a point; its adjoint has
    sums over the places of each number, over elements and points, and over elements and taps.
    """
    expansion = expansion_of(program.spec, program.extents)
    tables = bank_tables(expansion, 1)
    points, elements, _, sources, taps = tables.shape
    of_bank = expansion.fiber.inputs + expansion.space.inputs + elements + 2
    adjoint = len(tables.adjoint) + expansion.order * (sources + taps) + 2
    outputs, inputs = program.weight[0] * points * taps, program.weight[1] * sources * taps
    places = batch * math.prod(program.output[1:])
    return [inputs + of_bank + 1, outputs + of_bank, places + adjoint, places]
