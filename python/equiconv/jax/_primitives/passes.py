# SPDX-License-Identifier: Apache-2.0
"""What JAX differentiates, maps and compiles: a layer, its adjoints, and the rules between them.

A layer is K(x, w) + b, with K linear in each of the signal x and the weight w. Its two adjoints are bilinear too,

    forward(x, w) = K(x, w)       <g, K(x, w)> = <x, input_gradient(g, w)> = <w, weight_gradient(g, x)>

so that the derivatives of any one of the three, of any order, are the same three again. Every call may be one of many,
for `jax.vmap`: operands that are *mapped* then have a leading axis of calls, and the result has it if one of them has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

from .operands import JaxArray
from .program import Program
from .types import AxisNames, Rule, agree, reshard_like, result_type

# For each operand whether it has an axis of calls.
Mapped: TypeAlias = tuple[bool, ...]

# What operands and results are: their shapes follow from the program and the batch.
SIGNAL, WEIGHT, BIAS, OUTPUT = "signal", "weight", "bias", "output"
_HAVE_BATCH = (SIGNAL, OUTPUT)


def shape_of(role: str, program: Program, batch: int) -> tuple[int, ...]:
    """The shape of an array that is not mapped."""
    if role == SIGNAL:
        return (batch, *program.signal)
    if role == OUTPUT:
        return (batch, *program.output)
    return program.weight if role == WEIGHT else program.weight[:1]


def _axis_names(role: str, program: Program, is_mapped: bool) -> AxisNames:
    names = ["batch" if role in _HAVE_BATCH and axis == 0 else None for axis in range(len(shape_of(role, program, 1)))]
    return (*("calls",) * is_mapped, *names)


class Pass:
    """A primitive of JAX with operands of given roles."""

    def __init__(self, name: str, operands: Sequence[str], result: str) -> None:
        self.name = name
        self.operands = tuple(operands)
        self.result = result
        self.primitive = Primitive(f"equiconv_{name}")
        self.primitive.def_abstract_eval(self._abstract)
        # For calls that are not compiled; compiled once for each program.
        compiled = jax.jit(self.primitive.bind, static_argnames=("program", "mapped", "batch"))
        self.primitive.def_impl(compiled)
        batching.primitive_batchers[self.primitive] = self._vmap

    def __call__(self, *operands: JaxArray, program: Program, mapped: Mapped, batch: int) -> JaxArray:
        """The result for operands of this batch, mapped or not."""
        return self.primitive.bind(*agree(operands), program=program, mapped=mapped, batch=batch)

    def rule(self, program: Program, mapped: Mapped) -> Rule:
        """Which axes of the operands and the result belong together: those of calls and of the batch."""
        operands = [_axis_names(role, program, was) for role, was in zip(self.operands, mapped, strict=True)]
        return Rule(tuple(operands), _axis_names(self.result, program, any(mapped)))

    def batch_of(self, operands: Sequence[Any], mapped: Mapped, batch: int) -> int:
        """The batch of operands that may have been cut; `batch` if none of them has one."""
        sizes = [
            x.shape[int(was)]
            for x, role, was in zip(operands, self.operands, mapped, strict=True)
            if role in _HAVE_BATCH
        ]
        return sizes[0] if sizes else batch

    def _abstract(self, *operands: Any, program: Program, mapped: Mapped, batch: int) -> Any:
        calls = {operand.shape[0] for operand, is_mapped in zip(operands, mapped, strict=True) if is_mapped}
        for operand, role, is_mapped in zip(operands, self.operands, mapped, strict=True):
            assert operand.shape[int(is_mapped) :] == shape_of(role, program, batch), (self.name, role, operand.shape)
        assert len(calls) <= 1
        shape = (*calls, *shape_of(self.result, program, batch))
        return result_type(self.primitive.name, operands, self.rule(program, mapped), shape, program.dtype)

    def _vmap(
        self, operands: Sequence[JaxArray], axes: Sequence[int | None], *, program: Program, mapped: Mapped, batch: int
    ) -> tuple[JaxArray, int]:
        """One axis more: as images of the batch where only the signal has it, as calls of their own otherwise."""
        if [axis is not None for axis in axes] == [True] + [False] * (len(axes) - 1) and (
            self.operands[0] in _HAVE_BATCH and self.result in _HAVE_BATCH
        ):
            return self._vmap_batch(operands, axes[0], program, mapped, batch)
        return self._vmap_calls(operands, axes, program, mapped, batch)

    def _vmap_batch(
        self, operands: Sequence[JaxArray], axis: int | None, program: Program, mapped: Mapped, batch: int
    ) -> tuple[JaxArray, int]:
        first, after = int(mapped[0]), int(any(mapped))
        x = jnp.moveaxis(operands[0], axis, first)
        size = x.shape[first]
        x = x.reshape(*x.shape[:first], size * batch, *x.shape[first + 2 :])
        y = self(x, *operands[1:], program=program, mapped=mapped, batch=size * batch)
        return y.reshape(*y.shape[:after], size, batch, *y.shape[after + 1 :]), after

    def _vmap_calls(
        self, operands: Sequence[JaxArray], axes: Sequence[int | None], program: Program, mapped: Mapped, batch: int
    ) -> tuple[JaxArray, int]:
        size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)
        calls = [_size_of_calls(x, axis) for x, axis, was in zip(operands, axes, mapped, strict=True) if was]
        inner = calls[0] if calls else None
        arrays = [_with_calls(x, axis, was, size, inner) for x, axis, was in zip(operands, axes, mapped, strict=True)]
        now = tuple(was or axis is not None for was, axis in zip(mapped, axes, strict=True))
        y = self(*arrays, program=program, mapped=now, batch=batch)
        return (y if inner is None else y.reshape(size, inner, *y.shape[1:])), 0


def _size_of_calls(x: JaxArray, axis: int | None) -> int:
    """The size of the axis of calls of an operand that had one before `axis` was added."""
    return int(x.shape[1 if axis == 0 else 0])


def _with_calls(x: JaxArray, axis: int | None, was_mapped: bool, size: int, inner: int | None) -> JaxArray:
    """An operand with one axis of all calls in front, or none at all."""
    if axis is None and not was_mapped:
        return x
    x = jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
    if inner is None:
        return x
    if not was_mapped:
        x = jnp.broadcast_to(x[:, None], (size, inner, *x.shape[1:]))
    return x.reshape(size * inner, *x.shape[2:])


forward = Pass("forward", (SIGNAL, WEIGHT), OUTPUT)
biased = Pass("forward_biased", (SIGNAL, WEIGHT, BIAS), OUTPUT)
input_gradient = Pass("input_gradient", (OUTPUT, WEIGHT), SIGNAL)
weight_gradient = Pass("weight_gradient", (OUTPUT, SIGNAL), WEIGHT)
bias_gradient = Pass("bias_gradient", (OUTPUT,), BIAS)
# The adjoint of bias_gradient: each number at all places of its channel.
spread = Pass("spread", (BIAS,), OUTPUT)

ALL = (forward, biased, input_gradient, weight_gradient, bias_gradient, spread)


def spread_values(bias: JaxArray, *, program: Program, mapped: Mapped, batch: int) -> JaxArray:
    """What `spread` computes."""
    shape = shape_of(OUTPUT, program, batch)
    column = bias.reshape(*bias.shape[:-1], 1, bias.shape[-1], *(1,) * (len(shape) - 2))
    return jnp.broadcast_to(column, (*bias.shape[:-1], *shape))


# ---- Derivatives ----

# The adjoint in one operand takes the cotangent and the other operand, in this order or swapped.
_Adjoint: TypeAlias = tuple[Pass, bool]


def _check(work: Pass, program: Program, batch: int) -> None:
    """The engine's objections to a derivative, raised while it is traced."""
    if work is weight_gradient:
        program.check("weight_gradient", batch)
    elif work is input_gradient:
        program.check("input_gradient", batch)


def _is_zero(tangent: Any) -> bool:
    return type(tangent) is ad.Zero


def _sum(terms: list[JaxArray], like: JaxArray) -> JaxArray:
    if not terms:
        return jnp.zeros_like(like)
    return sum(terms[1:], start=terms[0])


def _jvp(work: Pass, primals: Sequence[JaxArray], tangents: Sequence[Any], **params: Any) -> tuple[JaxArray, JaxArray]:
    """A pass that is linear in each operand: the sum of the pass with one operand replaced by its tangent."""
    terms = [
        work(*primals[:i], tangent, *primals[i + 1 :], **params)
        for i, tangent in enumerate(tangents)
        if not _is_zero(tangent)
    ]
    y = work(*primals, **params)
    return y, _sum(terms, y)


def _jvp_biased(
    primals: Sequence[JaxArray], tangents: Sequence[Any], *, program: Program, mapped: Mapped, batch: int
) -> tuple[JaxArray, JaxArray]:
    x, weight, _ = primals
    params: dict[str, Any] = {"program": program, "batch": batch}
    y = biased(*primals, mapped=mapped, **params)
    terms = []
    if not _is_zero(tangents[0]):
        terms.append((forward(tangents[0], weight, mapped=mapped[:2], **params), any(mapped[:2])))
    if not _is_zero(tangents[1]):
        terms.append((forward(x, tangents[1], mapped=mapped[:2], **params), any(mapped[:2])))
    if not _is_zero(tangents[2]):
        terms.append((spread(tangents[2], mapped=mapped[2:], **params), mapped[2]))
    whole = [term if is_mapped or not any(mapped) else jnp.broadcast_to(term, y.shape) for term, is_mapped in terms]
    return y, _sum(whole, y)


def _transpose_bilinear(
    adjoints: tuple[_Adjoint, _Adjoint],
    cotangent: Any,
    *operands: Any,
    program: Program,
    mapped: Mapped,
    batch: int,
) -> list[Any]:
    unknown = 0 if ad.is_undefined_primal(operands[0]) else 1
    result: list[Any] = [None, None]
    if _is_zero(cotangent):
        return result
    work, swapped = adjoints[unknown]
    _check(work, program, batch)
    arrays = [cotangent, operands[1 - unknown]]
    flags = [any(mapped), mapped[1 - unknown]]
    if swapped:
        arrays.reverse()
        flags.reverse()
    gradient = work(*arrays, program=program, mapped=tuple(flags), batch=batch)
    result[unknown] = gradient.sum(0) if any(flags) and not mapped[unknown] else gradient
    return result


def _transpose_linear(
    adjoint: Pass, cotangent: Any, operand: Any, *, program: Program, mapped: Mapped, batch: int
) -> list[Any]:
    if _is_zero(cotangent):
        return [None]
    # A batch that was summed over comes back whole.
    return [reshard_like(adjoint(cotangent, program=program, mapped=mapped, batch=batch), operand.aval)]


def _define(work: Pass, transpose: Callable[..., list[Any]]) -> None:
    ad.primitive_jvps[work.primitive] = partial(_jvp, work)
    ad.primitive_transposes[work.primitive] = transpose


# <g, K(x, w)>, differentiated in any two of the three, is one of the three passes.
_define(forward, partial(_transpose_bilinear, ((input_gradient, False), (weight_gradient, False))))
_define(input_gradient, partial(_transpose_bilinear, ((forward, False), (weight_gradient, True))))
_define(weight_gradient, partial(_transpose_bilinear, ((forward, True), (input_gradient, True))))
_define(bias_gradient, partial(_transpose_linear, spread))
_define(spread, partial(_transpose_linear, bias_gradient))
ad.primitive_jvps[biased.primitive] = _jvp_biased
