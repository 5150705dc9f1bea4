# SPDX-License-Identifier: Apache-2.0
"""The layers in JAX: those of `equiconv.jax`, compiled."""

from __future__ import annotations

import time
from typing import Any

import equiconv as eq
import equiconv.jax as ej
import jax
import jax.numpy as jnp
from calls import group_of
from subjects import Place, Subject, spline_of
from works import FP32, INPUT, LayerWork, Work


def build(label: str, work: Work, mode: str, place: Place) -> Subject:
    """The compiled forward pass and step of a layer."""
    if not isinstance(work, LayerWork):
        raise NotImplementedError("networks in JAX are not part of this")
    if place.device != "cpu" and jax.default_backend() == "cpu":
        raise RuntimeError("JAX has no GPU here")
    case, start = work.case, time.perf_counter()
    group, (inputs, outputs), space = group_of(case), case.channels, (case.size,) * case.dimension
    options: dict[str, Any] = {"basis": spline_of(case)} if work.spline else {}
    kernel: Any = spline_of(case) if work.spline else case.kernel
    weight = jnp.asarray(eq.GroupConv(inputs, outputs, kernel, group).weight, jnp.float32)
    seconds = time.perf_counter() - start
    dtype = jnp.bfloat16 if mode == INPUT else jnp.float32
    x, grad = (
        jax.random.normal(jax.random.key(number), (case.batch, channels, case.order, *space), dtype)
        for number, channels in enumerate((inputs, outputs))
    )

    def layer(x: Any, weight: Any) -> Any:
        return ej.group_conv(x, weight.astype(dtype), group, padding="same", **options)

    def step(x: Any, weight: Any, grad: Any) -> Any:
        y, vjp = jax.vjp(layer, x, weight)
        return y, vjp(grad)

    compiled_layer, compiled_step = jax.jit(layer), jax.jit(step)

    def forward() -> Any:
        with _precision(mode):
            return compiled_layer(x, weight)

    def gradients() -> Any:
        with _precision(mode):
            return compiled_step(x, weight, grad)

    return Subject(forward, gradients, seconds)


def _precision(mode: str) -> Any:
    """On a GPU the default of JAX for float32 is TF32."""
    return jax.default_matmul_precision("highest" if mode == FP32 else "default")
