# SPDX-License-Identifier: Apache-2.0
"""JAX, compiled in both memory layouts."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adapters import Array, Inputs, Prepared

# For each layout: of bank, and how to permute signals and bank into it and signals and bank back.
LAYOUTS = {
    "NHWC": ("HWIO", (0, 2, 3, 1), (2, 3, 1, 0), (0, 3, 1, 2), (3, 2, 0, 1)),
    "NCHW": ("OIHW", (0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3)),
}


def _compiled(inputs: Inputs, layout: str) -> Any:
    """A call in one layout, compiled ahead."""
    bank_layout, permute, permute_bank, *_ = LAYOUTS[layout]

    def convolve(x: Any, bank: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, bank, (1, 1), "SAME", dimension_numbers=(layout, bank_layout, layout), precision="highest"
        )

    def train(x: Any, bank: Any, grad: Any) -> Any:
        y, gradients = jax.vjp(convolve, x, bank)
        return y, *gradients(grad)

    x, grad = (jnp.asarray(np.ascontiguousarray(array.transpose(permute))) for array in (inputs.x, inputs.grad))
    bank = jnp.asarray(np.ascontiguousarray(inputs.bank.transpose(permute_bank)))
    arguments = (x, bank, grad) if inputs.case.kind == "train" else (x, bank)
    function = jax.jit(train if inputs.case.kind == "train" else convolve).lower(*arguments).compile()
    return lambda: jax.block_until_ready(function(*arguments))


def _read(layout: str, found: Any) -> dict[str, Array]:
    """The arrays in the order of PyTorch."""
    *_, back, bank_back = LAYOUTS[layout]
    if not isinstance(found, tuple):
        return {"y": np.asarray(found).transpose(back)}
    y, grad_x, grad_bank = map(np.asarray, found)
    return {"y": y.transpose(back), "grad_x": grad_x.transpose(back), "grad_bank": grad_bank.transpose(bank_back)}


def jax_function(inputs: Inputs) -> Prepared:
    """The better of both layouts."""
    if jax.default_backend() != "cpu":
        raise RuntimeError(f"JAX runs on {jax.default_backend()}, not on the processor")
    return Prepared({layout: _compiled(inputs, layout) for layout in LAYOUTS}, _read)
