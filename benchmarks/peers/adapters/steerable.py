# SPDX-License-Identifier: Apache-2.0
"""escnn and e2cnn: R2Conv between regular representations, which is the same work.

In eval mode the layer holds its expanded filter, which is set to the bank of the inputs. In train mode it makes the
filter in each call from the weights of its own basis of kernels.
"""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from functools import partial
from typing import Any

import numpy as np
import torch

from adapters import Array, Inputs, Prepared

warnings.filterwarnings("ignore")

LAYOUTS = {"last": torch.channels_last, "first": torch.contiguous_format}


def _without_three_dimensions() -> None:
    """Replaces lie_learn if it cannot be imported: escnn uses one function of it, for SO(3) alone."""
    name = "lie_learn.representations.SO3.wigner_d"
    try:
        importlib.import_module(name)
    except ImportError:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            sys.modules[".".join(parts[:length])] = types.ModuleType(".".join(parts[:length]))
        sys.modules[name].wigner_D_matrix = None  # type: ignore[attr-defined]


def _with_new_numpy() -> None:
    """Parts of NumPy that e2cnn uses and NumPy 2 no longer has."""
    from e2cnn.kernels import irreps_basis, utils

    class OldNumpy:
        """The module, with the old meaning of copy=False."""

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

        def array(self, value: Any, copy: bool = True) -> Array:
            return np.array(value) if copy else np.asarray(value)

    def hash_of(basis: Any) -> int:
        parts = (basis.mu, basis.gamma)
        return hash((basis.in_irrep, basis.out_irrep, *(np.asarray(part).tobytes() for part in parts)))

    utils.np = OldNumpy()
    for kind in vars(irreps_basis).values():
        if isinstance(kind, type) and "__hash__" in vars(kind) and kind.__module__ == irreps_basis.__name__:
            kind.__hash__ = hash_of  # type: ignore[assignment]


def _layer(library: str, inputs: Inputs) -> tuple[Any, Any, Any]:
    """The layer, its type of input and the library's module `nn`."""
    torch.set_num_threads(inputs.threads)
    (_without_three_dimensions if library == "escnn" else _with_new_numpy)()
    spaces, nn = (importlib.import_module(f"{library}.{name}") for name in ("gspaces", "nn"))
    kind = "rot2dOnR2" if inputs.case.group == "C4" else "flipRot2dOnR2"
    space = getattr(spaces, kind if library == "escnn" else kind[0].upper() + kind[1:])(4)
    case = inputs.case
    field_of = space.trivial_repr if case.kind == "lifting" else space.regular_repr
    reads, writes = (
        nn.FieldType(space, case.inputs * [field_of]),
        nn.FieldType(space, case.outputs * [space.regular_repr]),
    )
    layer = nn.R2Conv(reads, writes, case.kernel, padding=case.kernel // 2, bias=False, initialize=False)
    with torch.no_grad():
        layer.weights.normal_(generator=torch.Generator().manual_seed(0))
    return layer, reads, nn


def _eval(library: str, inputs: Inputs) -> Prepared:
    """With the filter that the layer holds."""
    layer, reads, nn = _layer(library, inputs)
    layer.eval()
    layer.filter.copy_(torch.from_numpy(inputs.bank))
    filters = {name: layer.filter.contiguous(memory_format=layout) for name, layout in LAYOUTS.items()}

    def call(name: str, x: Any) -> torch.Tensor:
        layer.filter = filters[name]
        with torch.no_grad():
            return layer(x).tensor

    calls = {}
    for name, layout in LAYOUTS.items():
        x = nn.GeometricTensor(torch.from_numpy(inputs.x).contiguous(memory_format=layout), reads)
        calls[name] = partial(call, name, x)
    return Prepared(calls, lambda _, y: {"y": y.numpy()})


def _train(library: str, inputs: Inputs) -> Prepared:
    """The filter made from the weights, and the gradients of input and weights."""
    layer, reads, nn = _layer(library, inputs)
    layer.train()

    def call(x: torch.Tensor, grad: torch.Tensor) -> tuple[Any, ...]:
        y = layer(nn.GeometricTensor(x, reads)).tensor
        return y.detach(), *torch.autograd.grad(y, (x, layer.weights), grad)

    calls = {}
    for name, layout in LAYOUTS.items():
        x, grad = (torch.from_numpy(array).contiguous(memory_format=layout) for array in (inputs.x, inputs.grad))
        calls[name] = partial(call, x.requires_grad_(), grad)

    def read(_: str, found: Any) -> dict[str, Array]:
        with torch.no_grad():
            bank = layer.expand_parameters()[0].numpy()
        return {"y": found[0].numpy(), "grad_x": found[1].numpy(), "bank": bank}

    return Prepared(calls, read)


def escnn_eval(inputs: Inputs) -> Prepared:
    """escnn, forward."""
    return _eval("escnn", inputs)


def escnn_train(inputs: Inputs) -> Prepared:
    """escnn, forward and both gradients."""
    return _train("escnn", inputs)


def e2cnn_eval(inputs: Inputs) -> Prepared:
    """e2cnn, forward."""
    return _eval("e2cnn", inputs)


def e2cnn_train(inputs: Inputs) -> Prepared:
    """e2cnn, forward and both gradients."""
    return _train("e2cnn", inputs)
