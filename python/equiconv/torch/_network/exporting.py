# SPDX-License-Identifier: Apache-2.0
"""Programs of modules, by `torch.export`."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from .views import fixed

# That of a network file.
_LARGEST_SIZE = 2**48


@contextmanager
def in_evaluation(module: nn.Module) -> Iterator[None]:
    """Inside, the module is in evaluation mode; afterwards all of its modules are in the modes that they were in."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


_HALF = (torch.bfloat16, torch.float16)


def for_engine(module: nn.Module, example: Tensor) -> tuple[nn.Module, Tensor]:
    """A module and its example on the CPU, in single precision where they are in half: what a file has.

    The module is a copy of its own if it has to be another, and the same otherwise.
    """
    tensors = (*module.parameters(), *module.buffers())
    is_half = any(tensor.dtype in _HALF for tensor in tensors)
    if is_half or not all(tensor.is_cpu or tensor.is_meta for tensor in tensors):
        module = copy.deepcopy(module).to("cpu", torch.float32 if is_half else None)
    return module, example.to("cpu", torch.float32 if example.dtype in _HALF else None)


def export(module: nn.Module, example: Tensor, dynamic: bool) -> ExportedProgram:
    """The program of a module for signals like the example, of any batch.

    Args:
        module: in evaluation mode.
        example: a signal.
        dynamic: whether the program should hold for all sizes of the axes of space.

    Raises:
        ValueError: torch cannot trace the module.
    """
    x = _sample(example)
    axes = [0, *range(2, x.dim())] if dynamic else [0]
    shapes: Any = (dict.fromkeys(axes, Dim.AUTO),)
    if any(item.kind is Parameter.VAR_POSITIONAL for item in list(signature(module.forward).parameters.values())[:1]):
        shapes = (shapes,)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(module, (x,), dynamic_shapes=shapes, strict=False)
    except Exception as error:
        raise ValueError(f"module cannot be traced by torch.export: {type(error).__name__}: {error}") from error


def _sample(example: Tensor) -> Tensor:
    """A signal of the form of the example, with a batch that is not taken for one of its sizes, or for a constant 1."""
    batch = next(size for size in (2, 3, 5, 7, 11, 13) if size not in example.shape[1:])
    return example[:1].detach().expand(batch, *example.shape[1:]).contiguous()


def input_of(program: ExportedProgram) -> Any:
    """The placeholder of the input. Raises ValueError unless there is one."""
    names = program.graph_signature.user_inputs
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    if len(names) != 1 or names[0] not in nodes:
        raise ValueError(f"module reads {len(names)} inputs, expected one signal")
    node = nodes[names[0]]
    if fixed(node.meta["val"].shape[0]) is not None:
        raise ValueError("module fixes the size of its batch, expected one that works for any: use x.shape[0]")
    return node


def has_largest_size(program: ExportedProgram) -> bool:
    """Whether the module decides by the size of its input, so that the program holds up to some size only."""
    sizes = input_of(program).meta["val"].shape
    names = {str(symbol) for size in sizes if isinstance(size, torch.SymInt) for symbol in size.node.expr.free_symbols}
    ranges = program.range_constraints
    return any(
        str(symbol) in names and bounds.upper.is_Integer and bounds.upper < _LARGEST_SIZE
        for symbol, bounds in ranges.items()
    )


def output_names(program: ExportedProgram) -> list[str]:
    """Names of the outputs: ``y``, ``y0`` and so on, or the keys of a dictionary."""
    spec = program.call_spec.out_spec
    paths, _ = torch.utils._pytree.tree_flatten_with_path(
        torch.utils._pytree.tree_unflatten(list(range(spec.num_leaves)), spec)
    )
    return [_joined(path) for path, _ in paths]


def _joined(path: Any) -> str:
    words = [str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in path]
    return ".".join(f"y{word}" if word.isdigit() else word for word in words) or "y"
