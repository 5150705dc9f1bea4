# SPDX-License-Identifier: Apache-2.0
"""The walk along an exported program: each step becomes an operation of a document, or another view of a value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.fx import Node

from ..._network.about import Normalization
from ..._network.builder import NetworkBuilder
from ..._network.types import ValueType
from .constants import Constant, Constants
from .places import calls_of, module_of, name_of, path_of, refuse
from .views import Cell, Tracked, fixed, natural_axes

Rule: TypeAlias = Callable[["Step"], Any]
LeafRule: TypeAlias = Callable[["Step", Any, list[Tracked]], Tracked]


class NeedsFixedSizesError(Exception):
    """The program cannot be written for all sizes of its input, perhaps for one."""


@dataclass
class Step:
    """A step of the program with its arguments: values that are `Tracked`, a `Constant`, or plain.

    Attributes:
        walk: what it is part of.
        node: the step.
        arguments: by the names of its schema.
        inside: the steps of a module that is an operation of its own, of which the step is the last.
    """

    walk: Walk
    node: Node
    arguments: Mapping[str, Any]
    inside: Sequence[Node] = ()

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def shape(self) -> tuple[Any, ...]:
        """Of the result."""
        return tuple(self.node.meta["val"].shape)

    def refuse(self, reason: str, supported: bool = False) -> Any:
        """Raises ValueError."""
        refuse(self.walk.module, self.node, reason, supported)

    def tracked(self, value: Any) -> Tracked:
        """A value that depends on the input."""
        if not isinstance(value, Tracked):
            self.refuse("computes with constants, expected a signal")
        tracked: Tracked = value
        return tracked

    def signal(self, value: Any, may_be_wide: bool = False) -> Tracked:
        """A value that may have been reshaped, with the numbers of the network."""
        tracked = self.tracked(value)
        if tracked.padding is not None:
            self.refuse("reads a padded signal, which convolutions alone do")
        if tracked.dtype != self.walk.dtype and not may_be_wide:
            self.refuse(f"computes in {tracked.dtype}, expected {self.walk.dtype} as the network reads")
        return tracked

    def natural(self, value: Any) -> Tracked:
        """A signal that has not been reshaped, but perhaps by axes of size 1 behind a mean."""
        tracked = self.signal(value)
        if tracked.cell.type.dimension == 0:
            tracked = tracked.without_ones()
        if not tracked.is_natural:
            self.refuse(f"reads {tracked.cell.type} that was reshaped to {self._form(tracked)}")
        return tracked

    def vector(self, value: Any) -> Tracked:
        """A vector (B, F), flattened if need be."""
        tracked = self.signal(value)
        if tracked.cell.type.dimension == 0:
            tracked = tracked.without_ones()
        if tracked.is_natural and tracked.cell.type.is_vector:
            return tracked
        if not tracked.is_flat:
            self.refuse(f"reads {tracked.cell.type} as {self._form(tracked)}, expected a vector (B, F)")
        return self.walk.flattened(tracked, self.node)

    def tensor(self, value: Any, role: str) -> str | None:
        """The name of the tensor of a constant argument; None for None."""
        if value is None:
            return None
        if not isinstance(value, Constant):
            self.refuse(f"has a {role} that depends on the input, expected a parameter")
        return self.walk.tensor(value, role, self.node)

    def emit(self, kind: str, inputs: Sequence[Tracked], **keys: Any) -> Tracked:
        """An operation, whose result is a value as it stands."""
        cell = self.walk.add(kind, self.node, inputs, **keys)
        axes = natural_axes(cell.type)
        cell.sizes = dict(zip((name for axis in axes for name in axis), self.shape, strict=True))
        return Tracked(cell, axes, self.node.meta["val"].dtype)

    def emit_on_views(self, kind: str, inputs: Sequence[Tracked], **keys: Any) -> Tracked:
        """An operation, whose result has the axes of what it reads."""
        cell = self.walk.add(kind, self.node, inputs, **keys)
        cell.sizes = inputs[0].cell.sizes
        return replace(inputs[0], cell=cell, dtype=self.node.meta["val"].dtype)

    @staticmethod
    def _form(tracked: Tracked) -> str:
        names = {"X": "|X|"}
        return "(" + ", ".join(" ".join(names.get(name, name) for name in axis) or "1" for axis in tracked.axes) + ")"


class Walk:
    """A program, and the document that it becomes."""

    def __init__(
        self,
        module: nn.Module,
        program: torch.export.ExportedProgram,
        constants: Constants,
        rules: Mapping[str, Rule],
        leaves: Mapping[type, LeafRule],
    ) -> None:
        self.module = module
        self.program = program
        self.wide = torch.float64
        self._constants = constants
        self._rules, self._leaves = rules, leaves

    def run(self, x: Node, value: ValueType, input_name: str) -> list[Any]:
        """Makes the document, and returns what the outputs are.

        Args:
            x: the placeholder of the input.
            value: its type.
            input_name: the name of its value.
        """
        shape = x.meta["val"].shape
        self.dtype = x.meta["val"].dtype
        extents = [fixed(size) for size in shape[len(shape) - value.dimension :]]
        self.builder = NetworkBuilder(input_name, value, extents, str(self.dtype).removeprefix("torch."))
        axes = natural_axes(value)
        sizes = dict(zip((axis[0] for axis in axes), shape, strict=True))
        self.done = 0
        self._states: dict[Node, Any] = {x: Tracked(Cell(input_name, value, sizes), axes, self.dtype)}
        self.normalization: Normalization | None = None
        nodes = list(self.program.graph.nodes)
        needed = _needed(nodes)
        for number, node in enumerate(nodes):
            self.done = number
            if node in needed and node not in self._states and node.op == "call_function":
                self._visit(node)
        return [self._states.get(item, item) for item in nodes[-1].args[0]]

    # ---- For rules

    def add(self, kind: str, node: Node, inputs: Sequence[Tracked], **keys: Any) -> Cell:
        """An operation of the document."""
        names = [tracked.cell.name for tracked in inputs]
        try:
            value = self.builder.add(kind, name_of(self.module, node, kind), names, **keys)
        except ValueError as error:
            refuse(self.module, node, f"does not fit: {error}")
        return Cell(value, self.builder.types[value], {})

    def flattened(self, tracked: Tracked, user: Node) -> Tracked:
        """The flattening of a signal, which stands where it was reshaped."""
        node = tracked.node or user
        size = fixed(node.meta["val"].shape[1])
        sizes = tracked.cell.sizes
        if size is None or None in [fixed(sizes[axis]) for axis in tracked.cell.space]:
            raise NeedsFixedSizesError
        cell = self.add("flatten", node, [tracked])
        cell.type = self.builder.types[cell.name] = replace(cell.type, channels=size)
        cell.sizes = {"B": tracked.cell.sizes["B"], "C": size}
        return Tracked(cell, natural_axes(cell.type), tracked.dtype)

    def tensor(self, constant: Constant, role: str, user: Node) -> str:
        """The name in the file of a constant that a step uses: that of the `state_dict` if it is there."""
        name = self._constants.name_of(constant.tensor) or self._constants.free_name(path_of(user), role)
        try:
            return self.builder.tensor(name, self._constants.array_of(name, constant.tensor))
        except TypeError as error:
            raise TypeError(f"{error}: use module.to({self.dtype})") from None

    def constant(self, node: Any) -> Constant | None:
        """The constant that a step computes."""
        return self._constants.find(node)

    # ---- The steps

    def _visit(self, node: Node) -> None:
        leaf = self._leaf(node)
        if leaf is not None:
            self._visit_leaf(node, *leaf)
            return
        if self._constants.find(node) is not None:
            return
        if node.target is operator.getitem:
            before: Any = node.args[0]
            number: Any = node.args[1]
            source = self._states.get(before)
            state = source[number] if isinstance(source, tuple) else None
            if state is None:
                refuse(self.module, before, "has more results than one", supported=True)
            self._states[node] = state
            return
        if _is_no_tensor(node):
            return
        schema = getattr(node.target, "_schema", None)
        name = str(schema.name) if schema is not None else str(node.target)
        in_place = schema is not None and schema.is_mutable
        rule = self._rules.get(name.removeprefix("aten::").removesuffix("_" if in_place else "\0"))
        if rule is None or schema is None:
            refuse(self.module, node, "is no operation of a network file", supported=True)
        result = rule(Step(self, node, self._arguments(node, schema)))
        self._states[node] = self._replaced(node, result) if in_place else result

    def _replaced(self, node: Node, result: Tracked) -> Tracked:
        """The result of an operation in place: all that shares the memory is the new value from now on."""
        first: Any = node.args[0]
        changed = self._states.get(first)
        if not isinstance(changed, Tracked) or changed.axes != result.axes:
            refuse(self.module, node, "changes a tensor in place, expected one that it only reads")
        changed.cell.name, changed.cell.type = result.cell.name, result.cell.type
        return changed

    def _arguments(self, node: Node, schema: Any) -> dict[str, Any]:
        values = {
            argument.name: argument.default_value for argument in schema.arguments if argument.has_default_value()
        }
        values |= {argument.name: value for argument, value in zip(schema.arguments, node.args, strict=False)}
        return {name: self._resolved(value) for name, value in (values | node.kwargs).items()}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._resolved(item) for item in value]
        if not isinstance(value, Node):
            return value
        if value in self._states:
            return self._states[value]
        return self._constants.find(value) or value.meta.get("val")

    def _leaf(self, node: Node) -> tuple[str, nn.Module] | None:
        """The outermost module that is an operation of its own, with the key of its call."""
        for key, path in calls_of(node):
            module = module_of(self.module, path.partition("@")[0])
            if type(module) in self._leaves and module is not None:
                return key, module
        return None

    def _visit_leaf(self, first: Node, call: str, module: nn.Module) -> None:
        inside = [node for node in self.program.graph.nodes if call in dict(calls_of(node))]
        last = [node for node in inside if any(user not in inside for user in node.users)]
        last = [node for node in last if isinstance(node.meta.get("val"), Tensor)]
        sources = self._sources(inside)
        if not sources or len(last) != 1:
            refuse(self.module, first, "does not read signals and write one")
        step = Step(self, last[0], {}, inside)
        signals = [step.signal(self._states[source]) for source in sources]
        self._states |= dict.fromkeys(node for node in inside if node not in self._states)
        self._states[last[0]] = self._leaves[type(module)](step, module, signals)

    def _sources(self, inside: Sequence[Node]) -> list[Node]:
        """The values from outside, in the order in which the steps read them, as often as they do."""
        return [
            source
            for node in inside
            for source in _read(node)
            if isinstance(self._states.get(source), Tracked) and source not in inside
        ]


def _needed(nodes: Sequence[Node]) -> set[Node]:
    """The steps that the outputs depend on, and those that change tensors in place."""
    needed = {nodes[-1]}
    for node in reversed(nodes):
        schema = getattr(node.target, "_schema", None)
        if node in needed or (schema is not None and schema.is_mutable):
            needed |= {node, *node.all_input_nodes}
    return needed


def _read(node: Node) -> list[Node]:
    """The nodes that a step reads, as often as it does."""
    found: list[Node] = []
    torch.fx.node.map_arg((node.args, node.kwargs), found.append)
    return found


def _is_no_tensor(node: Node) -> bool:
    """Whether a step computes a size, or checks something."""
    value = node.meta.get("val")
    schema = getattr(node.target, "_schema", None)
    has_name = schema is not None or getattr(node.target, "__module__", "") in (
        "_operator",
        "math",
        "torch",
        "torch._C",
    )
    return has_name and (
        value is None or isinstance(value, int | float | bool | torch.SymInt | torch.SymFloat | torch.SymBool)
    )
