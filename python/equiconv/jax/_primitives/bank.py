# SPDX-License-Identifier: Apache-2.0
"""The filter bank of a layer as a function of its weights, and its adjoint, in operations of XLA.

Both are gathers and small products. The adjoint is no scatter, which adds in an order that differs from run to run on
a GPU. Products are in full precision whatever the default is: they are small beside the convolution, and an error of
the bank would be one of every output.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..._layer.expansion import BankTables, Expansion, bank_tables, expansion_of
from ..._layer.spec import LayerSpec
from .operands import JaxArray, is_half

_HIGHEST = jax.lax.Precision.HIGHEST


@lru_cache(maxsize=256)
def _tables(spec: LayerSpec, extents: tuple[int, ...]) -> tuple[Expansion, BankTables]:
    """The expansion, and its tables for one channel: XLA lays the bank out for all."""
    expansion = expansion_of(spec, extents)
    return expansion, bank_tables(expansion, 1)


def expanded_bank(weight: JaxArray, spec: LayerSpec, extents: tuple[int, ...]) -> JaxArray:
    """The bank (O |Y|, C |X|, taps...) of a weight (O, C, ...)."""
    expansion, tables = _tables(spec, extents)
    points, elements, _, sources, taps = tables.shape
    outputs, channels = weight.shape[:2]
    fiber, space = _matrices(tables, weight.dtype)
    has_arithmetic = fiber is not None or space is not None or elements > 1
    values = weight.reshape(outputs, channels, expansion.fiber.inputs, expansion.space.inputs)
    values = values.astype(_wide(weight.dtype)) if has_arithmetic else values
    if space is not None:
        values = jnp.matmul(values, space, precision=_HIGHEST)
    if fiber is not None and space is None:
        values = jnp.einsum("hqi,ocij->ochqj", fiber, values, precision=_HIGHEST)
    elif fiber is not None:
        values = values.reshape(*values.shape[:3], expansion.order, -1)
        values = jnp.einsum("hqi,ocihu->ochqu", fiber, values, precision=_HIGHEST)
    bank = _taken(values.reshape(outputs, channels, -1), tables.index, tables.has_zero)
    bank = bank.reshape(outputs, channels, points, elements, sources, taps)
    bank = bank.mean(3) if elements > 1 else bank[:, :, :, 0]
    # (O, |Y|, C, |X|, taps)
    return bank.transpose(0, 2, 1, 3, 4).reshape(outputs * points, -1, *expansion.taps).astype(weight.dtype)


def contracted_bank(bank: JaxArray, weight: tuple[int, ...], spec: LayerSpec, extents: tuple[int, ...]) -> JaxArray:
    """The adjoint of `expanded_bank`: from the gradient of a bank to that of a weight of this shape."""
    expansion, tables = _tables(spec, extents)
    points, elements, _, sources, taps = tables.shape
    outputs, channels = weight[:2]
    fiber, space = _matrices(tables, bank.dtype)
    flat = bank.reshape(outputs, points, channels, sources, taps).transpose(0, 2, 1, 3, 4)
    flat = flat.astype(_wide(bank.dtype))[:, :, :, None] / elements
    flat = jnp.broadcast_to(flat, (outputs, channels, points, elements, sources, taps)).reshape(outputs, channels, -1)
    values = _taken(flat, tables.adjoint, tables.adjoint_has_zero).sum(2)
    if fiber is not None:
        values = values.reshape(outputs, channels, expansion.order, fiber.shape[1], -1)
        subscripts = "hqi,ochqj->ocij" if space is None else "hqi,ochqu->ocihu"
        values = jnp.einsum(subscripts, fiber, values, precision=_HIGHEST)
    if space is not None:
        values = values.reshape(outputs, channels, expansion.fiber.inputs, -1)
        values = jnp.matmul(values, space.T, precision=_HIGHEST)
    return values.reshape(weight).astype(bank.dtype)


def bank_taps(spec: LayerSpec, extents: tuple[int, ...]) -> tuple[int, ...]:
    """The extents of the bank: at least those of the kernel."""
    return _tables(spec, extents)[0].taps


def bank_shape(weight: tuple[int, ...], spec: LayerSpec, extents: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the bank of a weight of this shape."""
    expansion, tables = _tables(spec, extents)
    points, _, _, sources, _ = tables.shape
    return (weight[0] * points, weight[1] * sources, *expansion.taps)


def _wide(dtype: Any) -> Any:
    """The dtype in which numbers of a dtype are added."""
    return np.dtype(np.float32) if is_half(dtype) else dtype


def _matrices(tables: BankTables, dtype: Any) -> tuple[Any, Any]:
    fiber, space = (None if a is None else a.astype(_wide(dtype)) for a in (tables.fiber, tables.space))
    return fiber, space


def _taken(values: JaxArray, places: Any, has_zero: bool) -> JaxArray:
    """``values[..., places]``, with a zero behind the last one."""
    padded = jnp.pad(values, ((0, 0), (0, 0), (0, 1))) if has_zero else values
    return jnp.take(padded, places, axis=-1, mode="clip")
