# SPDX-License-Identifier: Apache-2.0
"""The walk along the program of an ordinary network: what each step reads and writes, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

from torch import Tensor, fx, nn

from ..._functional.pool import PoolMode
from ..._groups.geometry import exchanges
from ..._groups.point_group import PointGroup
from .._network.places import module_of, place_of
from .._nn.fibers import Induce
from .._nn.group_pool import GroupPool
from .channels import Channels, Rows
from .report import Row, row_of

Places: TypeAlias = Literal["many", "one", "none"]
Emit: TypeAlias = Callable[[], Any]


@dataclass(frozen=True)
class Signal:
    """What a step writes.

    Attributes:
        channels: of the ordinary network, with what they become.
        on_group: whether the converted network has an axis of H here.
        places: whether it has axes of space: as they are, of a single place behind a mean, or none.
    """

    channels: Channels
    on_group: bool
    places: Places


@dataclass(frozen=True)
class Sizes:
    """Sizes of a signal, which forwards pass to `view`: all of them, or that of the batch, or another."""

    kind: Literal["all", "batch", "other"]


@dataclass(frozen=True)
class Constant:
    """A parameter or buffer that the code of a module uses."""

    tensor: Tensor


@dataclass
class Step:
    """A step of the program.

    Attributes:
        walk: what it is part of.
        node: the step.
        module: that it calls, if it calls one.
    """

    walk: Walk
    node: fx.Node
    module: Any

    @property
    def group(self) -> PointGroup:
        """H."""
        return self.walk.group

    def refuse(self, reason: str) -> NoReturn:
        """Raises ValueError: what cannot be converted, where it stands, why, and what there is instead."""
        target = self.node.target
        title = type(self.module).__name__ if self.module is not None else getattr(target, "__name__", str(target))
        raise ValueError(f"{title} at {place_of(self.walk.root, self.node)} {reason}")

    def options(self, **defaults: Any) -> dict[str, Any]:
        """The options of a module, or of a function with these parameters behind its input."""
        if self.module is not None:
            return {name: getattr(self.module, name, default) for name, default in defaults.items()}
        given = dict(zip(defaults, self.node.args[1:], strict=False)) | dict(self.node.kwargs)
        return defaults | {name: given[name] for name in defaults if name in given}

    def value(self, node: Any) -> Any:
        """What another step writes; a plain value as it is."""
        return self.walk.values.get(node) if isinstance(node, fx.Node) else node

    @property
    def source(self) -> fx.Node:
        """The step whose signal it reads."""
        node = self.node.args[0] if self.node.args else self.node.kwargs.get("input")
        if not isinstance(node, fx.Node):
            self.refuse("reads no signal as its first argument, expected one")
        return node

    @property
    def signal(self) -> Signal:
        """The signal it reads."""
        value = self.value(self.source)
        if not isinstance(value, Signal):
            self.refuse("reads what is no signal (a constant, sizes or a tuple), expected a signal")
        return value

    def spatial(self) -> Signal:
        """The signal it reads, which has axes of space."""
        value = self.signal
        if value.places == "none":
            self.refuse("acts on space behind the flattening, expected a signal with axes of space")
        return value

    def shared(self, value: Signal, result: Signal) -> Signal:
        """The result of a module with weights, which has the channels of its other calls."""
        before = self.walk.uses.setdefault(str(self.node.target), (value, result))
        if before[0] is value:
            return result
        if before[0].on_group != value.on_group:
            self.refuse(
                "is called for the image and again for features, which are signals on different spaces: use two modules"
            )
        fits = before[0].channels.merge(value.channels) and before[1].channels.merge(result.channels)
        assert fits  # as many as the module has
        return result

    def expect_alike(self, **options: Any) -> None:
        """Raises ValueError unless options have one value for all axes that the group exchanges."""
        axes = range(self.group.dimension)
        pairs = [(one, other) for one in axes for other in range(one) if exchanges(self.group, one, other)]
        for name, value in options.items():
            is_row = isinstance(value, tuple | list) and len(value) == len(axes)
            if is_row and any(value[one] != value[other] for one, other in pairs):
                self.refuse(
                    f"has {name}={tuple(value)}, expected one value for the axes that {self.group.name} exchanges: use "
                    "the same for all, or a group that exchanges none"
                )

    def expect_channels(self, value: Signal, size: int, name: str) -> None:
        """Raises ValueError unless a signal has so many channels."""
        if not value.channels.expect(size):
            self.refuse(f"has {name}={size} for a signal of {value.channels.root().size} channels")


class Walk:
    """A program, what its values are, and the program that it becomes.

    Attributes:
        root: the ordinary network.
        group, divisor, pool: H, what channels are divided by, and how H is pooled.
        values: what each step writes.
        rows: the concatenations.
        graph, modules, constants: the converted network, with what is at each of its names.
    """

    def __init__(self, root: nn.Module, group: PointGroup, divisor: float, pool: PoolMode) -> None:
        self.root, self.group, self.divisor, self.pool = root, group, divisor, pool
        self.values: dict[fx.Node, Any] = {}
        self.rows = Rows()
        self.uses: dict[str, tuple[Signal, Signal]] = {}
        self.projections: set[fx.Node] = set()
        self.graph = fx.Graph()
        self.modules: dict[str, nn.Module] = {}
        self.constants: dict[str, Tensor] = {}
        self.report: list[Row] = []
        self._emits: dict[fx.Node, Emit] = {}
        self._new: dict[fx.Node, Any] = {}
        self._all: list[Channels] = []

    def channels(self, size: int | None, is_whole: bool = False, is_free: bool = False) -> Channels:
        """New channels."""
        made = Channels(size, is_whole, is_free)
        self._all.append(made)
        return made

    def run(self, graph: fx.Graph, rules: Callable[[Step], tuple[Any, Emit]]) -> None:
        """Works out all values, then writes the converted program."""
        for node in graph.nodes:
            if node.op == "output":
                self._output(node)
            elif node.op == "placeholder":
                self.values[node] = Signal(self.channels(None, True), False, "many")
                self._emits[node] = lambda node=node: self.graph.node_copy(node)  # type: ignore[misc]
            else:
                module = module_of(self.root, str(node.target)) if node.op == "call_module" else None
                self.values[node], self._emits[node] = rules(Step(self, node, module))
        self.rows.settle(self._all)
        for node in graph.nodes:
            self._new[node] = self._emits[node]()

    def _output(self, node: fx.Node) -> None:
        """Signals that leave the network keep the number of their channels, and lose the axis of H."""
        for source in node.all_input_nodes:
            value = self.values[source]
            if isinstance(value, Signal):
                value.channels.root().is_whole = True
            else:
                Step(self, node, None).refuse("returns what is no signal (a constant or sizes), expected signals")
        self._emits[node] = lambda: self.graph.output(fx.node.map_arg(node.args[0], self.on_plane))

    # ---- For rules, when the numbers of channels are known

    def new(self, node: fx.Node) -> fx.Node:
        """The step that another one has become."""
        made: fx.Node = self._new[node]
        return made

    def count(self, value: Signal) -> int:
        """The channels that a signal has become."""
        return value.channels.count(self.divisor)

    def copy(self, node: fx.Node) -> fx.Node:
        """The same step."""
        return self.graph.node_copy(node, self.new)

    def call(self, node: fx.Node, module: nn.Module, source: fx.Node | None = None) -> fx.Node:
        """A step that calls a module, by the name of the module that it stands for, if there is one."""
        before = module_of(self.root, str(node.target)) if node.op == "call_module" else None
        name = str(node.target) if before is not None else self._free_name(node.name)
        if name not in self.modules:
            self.modules[name] = module.train(before.training if before is not None else self.root.training)
            self.report.append(row_of(name, before if before is not None else str(node.name), module))
        source = self.new(node.all_input_nodes[0]) if source is None else source
        return self.graph.call_module(name, (source,))

    def added(self, name: str, module: nn.Module, source: fx.Node) -> fx.Node:
        """A step that the ordinary network does not have."""
        free = self._free_name(name)
        self.modules[free] = module.train(self.root.training)
        self.report.append(row_of(free, None, module))
        return self.graph.call_module(free, (source,))

    def on_plane(self, node: fx.Node) -> fx.Node:
        """What a step has become, with H pooled if its signal has an axis of it."""
        return self.pooled(self.new(node), self.values[node])

    def pooled(self, made: fx.Node, value: Signal) -> fx.Node:
        """A new step for a signal, with H pooled if the signal has an axis of it."""
        return self.added("group_pool", GroupPool(self.group, self.pool), made) if value.on_group else made

    def on_group(self, node: fx.Node) -> fx.Node:
        """What a step has become, the same for all of H if its signal has no axis of it."""
        made = self.new(node)
        if self.values[node].on_group:
            return made
        return self.added("induce", Induce(self.group, range(self.group.order)), made)

    def _free_name(self, name: str) -> str:
        free, number = name, 0
        while free in self.modules or hasattr(self.root, free):
            number += 1
            free = f"{name}_{number}"
        return free
