# SPDX-License-Identifier: Apache-2.0
"""escnn: R2Conv between regular representations, which is the same work.

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

import torch

from adapters import Array, Inputs, Prepared
from adapters.pytorch import layouts

warnings.filterwarnings("ignore")


def without_three_dimensions() -> None:
    """Replaces lie_learn if it cannot be imported: escnn uses one function of it, for SO(3) alone."""
    name = "lie_learn.representations.SO3.wigner_d"
    try:
        importlib.import_module(name)
    except ImportError:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            sys.modules[".".join(parts[:length])] = types.ModuleType(".".join(parts[:length]))
        sys.modules[name].wigner_D_matrix = None  # type: ignore[attr-defined]


def _layer(inputs: Inputs) -> tuple[Any, Any, Any]:
    """The layer, its type of input and the library's module `nn`."""
    torch.set_num_threads(inputs.threads)
    without_three_dimensions()
    spaces, nn = (importlib.import_module(f"escnn.{name}") for name in ("gspaces", "nn"))
    case = inputs.case
    space = space_of(spaces, case.group)
    field_of = space.trivial_repr if case.layer == "lifting" else space.regular_repr
    reads, writes = (
        nn.FieldType(space, case.channels[0] * [field_of]),
        nn.FieldType(space, case.channels[1] * [space.regular_repr]),
    )
    layer = nn.R2Conv(
        reads, writes, case.kernel, padding=case.kernel // 2, stride=case.stride, bias=False, initialize=False
    )
    with torch.no_grad():
        layer.weights.normal_(generator=torch.Generator().manual_seed(0))
    return layer, reads, nn


def space_of(spaces: Any, group: str) -> Any:
    """The plane with C_N or D_N acting on it."""
    return getattr(spaces, "rot2dOnR2" if group[0] == "C" else "flipRot2dOnR2")(int(group[1:]))


def escnn_eval(inputs: Inputs) -> Prepared:
    """With the filter that the layer holds."""
    layer, reads, nn = _layer(inputs)
    layer.eval()
    layer.filter.copy_(torch.from_numpy(inputs.banks[0]))
    filters = {name: layer.filter.contiguous(memory_format=layout) for name, layout in layouts(2).items()}

    def call(name: str, x: Any) -> torch.Tensor:
        layer.filter = filters[name]
        with torch.no_grad():
            y: torch.Tensor = layer(x).tensor
            return y

    calls = {}
    for name, layout in layouts(2).items():
        x = nn.GeometricTensor(torch.from_numpy(inputs.flat_x).contiguous(memory_format=layout), reads)
        calls[name] = partial(call, name, x)
    return Prepared(calls, lambda y: {"y": y.contiguous().numpy()})


def escnn_train(inputs: Inputs) -> Prepared:
    """The filter made from the weights in each call, and the gradients of input and weights."""
    layer, reads, nn = _layer(inputs)
    layer.train()

    def call(x: torch.Tensor, grad: torch.Tensor) -> tuple[Any, ...]:
        y = layer(nn.GeometricTensor(x, reads)).tensor
        return y.detach(), *torch.autograd.grad(y, (x, layer.weights), grad)

    calls = {}
    for name, layout in layouts(2).items():
        x, grad = (
            torch.from_numpy(array).contiguous(memory_format=layout) for array in (inputs.flat_x, inputs.flat_grad)
        )
        calls[name] = partial(call, x.requires_grad_(), grad)

    def read(found: Any) -> dict[str, Array]:
        with torch.no_grad():
            bank = layer.expand_parameters()[0].numpy()
        return {"y": found[0].contiguous().numpy(), "grad_x": found[1].contiguous().numpy(), "bank": bank}

    return Prepared(calls, read)
