# SPDX-License-Identifier: Apache-2.0
"""The passes in operations of XLA, for any platform: the filter bank, expanded, and an ordinary convolution.

Primitives have their own rules of derivatives and of maps, so these functions are only what programs are made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from . import passes
from .bank import bank_shape, bank_taps, contracted_bank, expanded_bank
from .operands import JaxArray
from .passes import Mapped, Pass
from .program import Program


def computed(work: Pass, operands: Sequence[JaxArray], program: Program, mapped: Mapped, batch: int) -> JaxArray:
    """What a pass computes."""
    if work is passes.spread:
        return passes.spread_values(*operands, program=program, mapped=mapped, batch=batch)

    def one(*arrays: JaxArray) -> JaxArray:
        return _COMPOSITES[work](program, batch, *arrays)

    if any(mapped):
        return jax.vmap(one, [0 if is_mapped else None for is_mapped in mapped])(*operands)
    return one(*operands)


def _forward(program: Program, batch: int, x: JaxArray, weight: JaxArray) -> JaxArray:
    return _convolved(program, x, _bank(program, weight))


def _biased(program: Program, batch: int, x: JaxArray, weight: JaxArray, bias: JaxArray) -> JaxArray:
    return _forward(program, batch, x, weight) + bias.reshape(-1, *(1,) * (len(program.output) - 1))


def _input_gradient(program: Program, batch: int, gradient: JaxArray, weight: JaxArray) -> JaxArray:
    bank = _bank(program, weight)
    x = jax.ShapeDtypeStruct((batch, *program.signal), program.dtype)
    return jax.linear_transpose(lambda x: _convolved(program, x, bank), x)(gradient)[0]


def _weight_gradient(program: Program, batch: int, gradient: JaxArray, x: JaxArray) -> JaxArray:
    form = program.spec, program.extents
    bank = jax.ShapeDtypeStruct(bank_shape(program.weight, *form), program.dtype)
    of_bank = jax.linear_transpose(lambda bank: _convolved(program, x, bank), bank)(gradient)[0]
    return contracted_bank(of_bank, program.weight, *form)


def _bias_gradient(program: Program, batch: int, gradient: JaxArray) -> JaxArray:
    return gradient.sum((0, *range(2, gradient.ndim)))


_COMPOSITES: dict[Pass, Callable[..., JaxArray]] = {
    passes.forward: _forward,
    passes.biased: _biased,
    passes.input_gradient: _input_gradient,
    passes.weight_gradient: _weight_gradient,
    passes.bias_gradient: _bias_gradient,
}


# What NumPy calls the ways in which signals continue.
_CONTINUED = {"circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def _bank(program: Program, weight: JaxArray) -> JaxArray:
    return expanded_bank(weight, program.spec, program.extents)


def _convolved(program: Program, x: JaxArray, bank: JaxArray) -> JaxArray:
    """The convolution of a signal (B, C, [|X|,] spatial...) with a bank (O |Y|, C |X|, taps...).

    Its precision is the default where the layer was called. Programs are lowered later, when another may hold.
    """
    sampling, d = program.spec.sampling, program.spec.group.dimension
    signal = x.reshape(x.shape[0], math.prod(program.signal[:-d]), *x.shape[-d:])
    padding = _padding(program)
    if sampling.padding_mode != "zeros":
        margins = ((0, 0), (0, 0), *((amount, amount) for amount in padding))
        signal = jnp.pad(signal, margins, mode=_CONTINUED[sampling.padding_mode])
        padding = (0,) * d
    y = jax.lax.conv_general_dilated(
        signal, bank, sampling.stride, [(amount, amount) for amount in padding],
        rhs_dilation=sampling.dilation, feature_group_count=program.spec.kernel.groups,
        precision=program.precision or jax.lax.Precision.DEFAULT,
    )  # fmt: skip
    return y.reshape(x.shape[0], *program.output)


def _padding(program: Program) -> tuple[int, ...]:
    spec, extents = program.spec, program.extents
    return spec.sampling.amounts_of_bank(extents, bank_taps(spec, extents))
