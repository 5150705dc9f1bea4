# SPDX-License-Identifier: Apache-2.0
"""JAX, compiled in both memory layouts."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adapters import Array, Inputs, Prepared


class Expansion:
    """The bank of a layer from its weight, as for PyTorch: a gather, whose gradient is a gather too and a sum."""

    def __init__(self, index: Array, copies: int) -> None:
        inverse = np.argsort(index, axis=None, kind="stable").reshape(-1, copies)
        self._index, self._inverse = index.astype(np.int32), inverse.astype(np.int32)

    def __call__(self, weight: Any) -> Any:
        """The bank, with a gradient."""

        @jax.custom_vjp
        def bank(weight: Any) -> Any:
            return weight.reshape(-1)[self._index]

        def forward(weight: Any) -> Any:
            return bank(weight), None

        def backward(_: Any, grad: Any) -> Any:
            return (grad.reshape(-1)[self._inverse].sum(1).reshape(weight.shape),)

        bank.defvjp(forward, backward)
        return bank(weight)


class Layout:
    """An order of axes for signals, with channels last or first."""

    def __init__(self, dimension: int, channels_last: bool) -> None:
        letters, self.channels_last = "DHW"[-dimension:], channels_last
        self.name = f"N{letters}C" if channels_last else f"NC{letters}"
        self.bank = f"{letters}IO" if channels_last else f"OI{letters}"
        axes = tuple(range(2, dimension + 2))
        self._into = (0, *axes, 1) if channels_last else (0, 1, *axes)
        self._back = tuple(int(axis) for axis in np.argsort(self._into))
        self._bank = (*axes, 1, 0) if channels_last else (0, 1, *axes)

    def into(self, signal: Array) -> Any:
        """A signal (B, channels, size...) in this order."""
        return jnp.asarray(np.ascontiguousarray(signal.transpose(self._into)))

    def first(self, signal: Any) -> Any:
        """A signal in this order with channels first."""
        return signal.transpose(self._back)

    def back(self, signal: Any) -> Array:
        """As an array of NumPy, channels first."""
        return np.ascontiguousarray(self.first(np.asarray(signal)))

    def space(self, axes: int) -> tuple[int, ...]:
        """The axes of space of a signal with so many axes."""
        return tuple(range(1, axes - 1)) if self.channels_last else tuple(range(2, axes))

    def of_bank(self, bank: Any) -> Any:
        """A bank (out channels, channels, taps...) in the order that goes with it."""
        return bank.transpose(self._bank)

    def convolve(self, x: Any, bank: Any, stride: int, padding: int, groups: int = 1) -> Any:
        """The ordinary convolution; the bank in the layout's order."""
        d = x.ndim - 2
        return jax.lax.conv_general_dilated(
            x, bank, (stride,) * d, ((padding, padding),) * d, dimension_numbers=(self.name, self.bank, self.name),
            feature_group_count=groups, precision="highest",
        )  # fmt: skip


def _compiled(inputs: Inputs, layout: Layout) -> Any:
    """A call in one layout, compiled ahead."""
    case, stages = inputs.case, inputs.stages

    def forward(x: Any, *banks: Any) -> Any:
        for bank, stage in zip(banks, stages, strict=True):
            x = layout.convolve(x, bank, stage.stride, stage.padding, stage.groups)
        return {"y": x}

    def gradients(x: Any, weight: Any, grad: Any) -> Any:
        assert inputs.index is not None
        expand = Expansion(inputs.index, case.order)
        y, vjp = jax.vjp(lambda x, weight: forward(x, layout.of_bank(expand(weight)))["y"], x, weight)
        found = dict(zip(("grad_x", "grad_weight"), vjp(grad), strict=True)) | {"y": y}
        return {name: found[name] for name in case.results}

    arguments: tuple[Any, ...]
    if case.run == "forward":
        banks = [jnp.asarray(np.ascontiguousarray(layout.of_bank(stage.bank))) for stage in stages]
        arguments, function = (layout.into(inputs.flat_x), *banks), forward
    else:
        arguments = (layout.into(inputs.flat_x), jnp.asarray(inputs.weights[0]), layout.into(inputs.flat_grad))
        function = gradients
    compiled = jax.jit(function).lower(*arguments).compile()

    def call() -> Any:
        return layout, jax.block_until_ready(compiled(*arguments))

    return call


def _read(found: Any) -> dict[str, Array]:
    """The arrays in the order of PyTorch."""
    layout, results = found
    return {name: np.asarray(part) if name == "grad_weight" else layout.back(part) for name, part in results.items()}


def jax_function(inputs: Inputs) -> Prepared:
    """The better of both layouts."""
    if jax.default_backend() != "cpu":
        raise RuntimeError(f"JAX runs on {jax.default_backend()}, not on the processor")
    jax.config.update("jax_enable_x64", inputs.case.dtype == "float64")
    layouts = [Layout(inputs.case.dimension, channels_last) for channels_last in (True, False)]
    return Prepared({layout.name: _compiled(inputs, layout) for layout in layouts}, _read)
