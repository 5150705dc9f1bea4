# SPDX-License-Identifier: Apache-2.0
"""The networks in JAX, of ordinary convolutions with expanded filters, compiled in both memory layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import equiconv as eq
import jax
import jax.numpy as jnp
import numpy as np
from calls import group_of
from case import Case
from networks import RATE, Conv, MaxPool, Network, Norm, Residual, Step

from adapters import NetworkInputs, Prepared
from adapters.xla import Expansion, Layout

# Of batch norm, as PyTorch's.
EPSILON = 1e-5


class Program:
    """The scores of a network, as a function of images and parameters."""

    def __init__(self, made: Network, layout: Layout, training: bool) -> None:
        self._made, self._layout, self._training = made, layout, training
        self._cases, self._expansions = list(made.layers()), []
        for layer in self._cases:
            fiber = () if layer.layer == "lifting" else (layer.order,)
            shape = (layer.channels[1], layer.channels[0], *fiber, *(layer.kernel,) * layer.dimension)
            kind: Any = layer.layer
            numbers = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
            self._expansions.append(Expansion(eq.expand(numbers, group_of(layer), kind).astype(np.int64), layer.order))

    def banks(self, parameters: list[Any]) -> list[Any]:
        """The parameters with banks in place of the layers' weights, as evaluation keeps them."""
        found, number = list(parameters), 0
        for index, parameter in enumerate(parameters[:-2]):
            if parameter.ndim > 1:
                found[index] = self._layout.of_bank(self._expansions[number](parameter))
                number += 1
        return found

    def scores(self, banks: list[Any], x: Any) -> Any:
        """Of images in the layout."""
        arrays, cases = iter(banks), iter(self._cases)
        x, layer = self._steps(self._made.steps, x, self._cases[0], arrays, cases)
        # With channels first: XLA of JAX 0.10.2 has wrong gradients of a maximum over four numbers of the last axis.
        x = self._layout.first(x)
        y = x.reshape(x.shape[0], layer.channels[1], layer.order, -1).max(2).mean(2)
        return y @ next(arrays).T + next(arrays)

    def _steps(
        self, steps: tuple[Step, ...], x: Any, layer: Case, arrays: Iterator[Any], cases: Iterator[Case]
    ) -> tuple[Any, Case]:
        for step in steps:
            if isinstance(step, Conv):
                layer = next(cases)
                x = self._layout.convolve(x, next(arrays), layer.stride, layer.kernel // 2)
            elif isinstance(step, Norm):
                x = self._norm(x, next(arrays), next(arrays), layer.order)
                x = jax.nn.relu(x) if step.relu else x
            elif isinstance(step, MaxPool):
                x = self._pool(x, step.size)
            elif isinstance(step, Residual):
                main, after = self._steps(step.main, x, layer, arrays, cases)
                shortcut, layer = self._steps(step.shortcut, x, layer, arrays, cases)
                x, layer = jax.nn.relu(main + shortcut), after
        return x, layer

    def _norm(self, x: Any, scale: Any, shift: Any, order: int) -> Any:
        """Over batch, fiber and space; in evaluation with running statistics 0 and 1."""
        axes = self._layout.space(x.ndim)

        def spread(numbers: Any) -> Any:
            flat = jnp.repeat(numbers, order)
            return flat if self._layout.channels_last else flat.reshape(-1, *[1] * len(axes))

        if not self._training:
            return x * spread(scale / np.sqrt(1 + EPSILON)) + spread(shift)
        mean = x.mean((0, *axes)).reshape(-1, order).mean(1)
        centered = x - spread(mean)
        variance = jnp.square(centered).mean((0, *axes)).reshape(-1, order).mean(1)
        return centered * spread(scale * jax.lax.rsqrt(variance + EPSILON)) + spread(shift)

    def _pool(self, x: Any, size: int) -> Any:
        window = [1] * x.ndim
        for axis in self._layout.space(x.ndim):
            window[axis] = size
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")


def _step(program: Program, layout: Layout, inputs: NetworkInputs) -> Any:
    """A call that trains; the parameters are those of the step before."""
    labels = jnp.asarray(inputs.labels)

    def loss(parameters: list[Any], x: Any) -> tuple[Any, Any]:
        scores = program.scores(program.banks(parameters), x)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1)
        return -chosen.mean(), scores

    def update(parameters: list[Any], x: Any) -> Any:
        (_, scores), gradients = jax.value_and_grad(loss, has_aux=True)(parameters, x)
        after = [parameter - RATE * gradient for parameter, gradient in zip(parameters, gradients, strict=True)]
        return after, {"scores": scores, "grad_weight": gradients[0]}

    parameters, x = [jnp.asarray(array) for array in inputs.parameters], layout.into(inputs.x)
    compiled = jax.jit(update).lower(parameters, x).compile()

    def call() -> Any:
        nonlocal parameters
        parameters, found = jax.block_until_ready(compiled(parameters, x))
        return found

    return call


def _forward(program: Program, layout: Layout, inputs: NetworkInputs) -> Any:
    """A call with banks that were made before."""
    banks, x = program.banks([jnp.asarray(array) for array in inputs.parameters]), layout.into(inputs.x)
    compiled = jax.jit(lambda banks, x: {"scores": program.scores(banks, x)}).lower(banks, x).compile()
    return lambda: jax.block_until_ready(compiled(banks, x))


def jax_network(inputs: NetworkInputs) -> Prepared:
    """The better of both layouts."""
    made, training = inputs.case.made, inputs.case.run == "training"
    calls = {}
    for channels_last in (True, False):
        layout = Layout(inputs.x.ndim - 2, channels_last)
        program = Program(made, layout, training)
        calls[layout.name] = (_step if training else _forward)(program, layout, inputs)
    return Prepared(calls, lambda found: {name: np.asarray(part) for name, part in found.items()})
