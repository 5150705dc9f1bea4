# SPDX-License-Identifier: Apache-2.0
"""What a program computes from parameters alone: once, with the names of the `state_dict` where it is one of those."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import Node

from ..._checks.arrays import Array

_Key = tuple[int, torch.dtype, tuple[int, ...], tuple[int, ...]]


class Constant(NamedTuple):
    """A tensor that does not depend on the input."""

    node: Node
    tensor: Tensor


class Constants:
    """The constant steps of an exported program."""

    def __init__(self, program: torch.export.ExportedProgram, module: nn.Module) -> None:
        self._known: dict[Node, Tensor] = {}
        # Without them the ways through a network with many sums would be walked one by one.
        self._varying: set[Node] = set()
        self._arrays: dict[str, Array] = {}
        self._names: dict[_Key, str] = {}
        # Those that share memory have the first of their names.
        state = module.state_dict(keep_vars=True)
        for name, value in state.items():
            if isinstance(value, Tensor):
                self._names.setdefault(_key(value), name)
        held = {**program.constants, **program.state_dict}
        targets = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs if spec.target}
        for node in program.graph.nodes:
            target = targets.get(node.name) if node.op == "placeholder" else None
            if target is not None and isinstance(held.get(target), Tensor):
                # The module's own tensor shows what else shares its memory.
                own = state.get(target)
                self._known[node] = (own if isinstance(own, Tensor) else held[target]).detach()

    def find(self, node: Node) -> Constant | None:
        """The constant that a step computes; None if it depends on the input."""
        tensor = self._value(node)
        return Constant(node, tensor) if isinstance(tensor, Tensor) else None

    def name_of(self, tensor: Tensor) -> str | None:
        """The name in the `state_dict` of a tensor with these numbers in this memory."""
        return self._names.get(_key(tensor))

    def free_name(self, path: str, role: str) -> str:
        """A name for what a module uses, that the `state_dict` does not have."""
        first = f"{path}.{role}" if path else role
        names = set(self._names.values())
        return next(name for number in count(1) if (name := first if number == 1 else f"{first}_{number}") not in names)

    def array_of(self, name: str, tensor: Tensor) -> Array:
        """The numbers, one array for one name."""
        if self.name_of(tensor) != name:
            return tensor.detach().cpu().contiguous().numpy().copy()
        if name not in self._arrays:
            self._arrays[name] = tensor.detach().cpu().contiguous().numpy().copy()
        return self._arrays[name]

    def _value(self, node: Any) -> Any:
        if node in self._known:
            return self._known[node]
        if node in self._varying:
            return None
        known = None
        if node.op == "call_function" and _is_pure(node.target):
            known = {source: self._value(source) for source in node.all_input_nodes}
        if known is None or any(value is None for value in known.values()):
            self._varying.add(node)
            return None
        arguments = torch.fx.node.map_arg((node.args, node.kwargs), lambda source: known[source])
        with torch.no_grad():
            value = node.target(*arguments[0], **arguments[1])
        self._known[node] = value
        return value


def _is_pure(target: Any) -> bool:
    """Whether a step computes the same each time, and changes nothing."""
    schema = getattr(target, "_schema", None)
    if schema is None:
        return getattr(target, "__module__", "") == "_operator"
    return not schema.is_mutable and torch.Tag.nondeterministic_seeded not in target.tags


def _key(tensor: Tensor) -> _Key:
    return tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tuple(tensor.stride())
