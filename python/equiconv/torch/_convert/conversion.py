# SPDX-License-Identifier: Apache-2.0
"""Ordinary networks as equivariant ones with new weights."""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any, Literal

from torch import fx, nn

from ..._checks.arguments import choice, value_text
from ..._functional.pool import PoolMode
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from .._network.places import module_of
from .report import KEY, ConversionReport, count
from .rules.convolutions import MODULES as CONVOLUTIONS
from .rules.convolutions import TRANSPOSED
from .rules.norms import MODULES as NORMS
from .rules.pointwise import FUNCTIONS as POINTWISE_FUNCTIONS
from .rules.pointwise import METHODS as POINTWISE_METHODS
from .rules.pointwise import MODULES as POINTWISE_MODULES
from .rules.pools import FUNCTIONS as POOL_FUNCTIONS
from .rules.pools import METHODS as POOL_METHODS
from .rules.pools import MODULES as POOL_MODULES
from .rules.refused import refused
from .rules.shapes import FUNCTIONS as SHAPE_FUNCTIONS
from .rules.shapes import METHODS as SHAPE_METHODS
from .rules.shapes import MODULES as SHAPE_MODULES
from .tracing import traced
from .walk import Constant, Emit, Step, Walk

Keep = Literal["parameters", "width"]

_MODULES: dict[Any, Any] = {**CONVOLUTIONS, **NORMS, **POINTWISE_MODULES, **POOL_MODULES, **SHAPE_MODULES}
_TARGETS: dict[str, dict[Any, Any]] = {
    "call_function": {**POINTWISE_FUNCTIONS, **POOL_FUNCTIONS, **SHAPE_FUNCTIONS},
    "call_method": {**POINTWISE_METHODS, **POOL_METHODS, **SHAPE_METHODS},
}
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)


def convert(
    module: nn.Module, group: PointGroup, keep: Keep = "parameters", *, pool: PoolMode = "max"
) -> fx.GraphModule:
    """An ordinary convolutional network as an equivariant one of the same form, with new weights.

    The first convolution lifts, all others are group convolutions (transposed ones `TransposedConv`), and H is pooled
    by a `GroupPool` where the plane is needed: before ``Flatten``, which stands behind a pool over all of space, and
    before what leaves the network. A convolution behind which nothing stands but functions of each number is a
    projection. The network is read by `torch.fx`, and refused with the place and the remedy where a step does not
    commute with the group.

    Modules keep their names, so that parameters have the names they had; layers add an entry ``_extra_state`` to the
    `state_dict`, with their group. Weights are drawn anew, He's for layers: those of an ordinary network have another
    shape. Inputs and outputs have the shapes they had, and linear maps the outputs they had. Where a signal meets one
    on the plane, as in a sum with the image, that one is repeated for all of H. `conversion_report` tells all this
    layer by layer. ``Dropout2d`` becomes `FieldDropout`; dropout as a function becomes a module, which follows `train`.

    Args:
        module: an ordinary network, of the modules and functions that docs/PyTorch.md lists, in 1-D, 2-D or 3-D.
        group: H, any group with as many axes. Convolutions with kernels of different extents on axes that it exchanges
            are refused.
        keep: ``"parameters"``: channels are divided by sqrt(|H|), so that group convolutions have as many weights as
            the convolutions they replace; ``"width"``: by |H|, so that signals have as many numbers. Rounded, at least
            1. The segments of concatenated channels are rounded one by one. The first convolution, the last one and
            those in groups of channels have another number of weights.
        pool: what `GroupPool` takes over H, ``"max"`` or ``"mean"``.

    Returns:
        A module on the same device, of the same dtype and in the same mode. It is a `torch.fx.GraphModule`, whose code
        is printed by ``network.print_readable()``.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: a step that cannot be converted, with its module, the line of the code, and what to use instead;
            a module that `torch.fx` cannot read; a network without convolutions; another option.

    Strides that do not fit the size of an image warn with an EquivarianceWarning when the network is called.

    Example:
        >>> plain = torch.nn.Sequential(
        ...     torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(),
        ...     torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 10),
        ... )
        >>> network = convert(plain, cyclic(4))
        >>> network(torch.zeros(2, 3, 9, 9)).shape
        torch.Size([2, 10])
        >>> network.get_submodule("0").out_channels
        8
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module is {value_text(module)} ({type(module).__name__}), expected a torch.nn.Module")
    checked_group = point_group(group)
    kept, mode = choice("keep", keep, ("parameters", "width")), choice("pool", pool, ("mean", "max"))
    order = checked_group.order
    walk = Walk(module, checked_group, math.sqrt(order) if kept == "parameters" else order, mode)  # type: ignore[arg-type]
    graph = traced(module)
    if not any(isinstance(_module(module, node), _CONVOLUTIONS) for node in graph.nodes):
        raise ValueError(f"module ({type(module).__name__}) calls no convolution of PyTorch, expected at least one")
    walk.projections = _last(module, graph)
    walk.run(graph, _rule)
    network = fx.GraphModule(_root(walk), walk.graph, type(module).__name__)
    network.graph.eliminate_dead_code()
    for node in network.graph.nodes:
        node.meta.pop("stack_trace", None)
        node.stack_trace = None
    network.recompile()
    network.train(module.training)
    title = f'{checked_group.name}, keep="{kept}"'
    network.meta[KEY] = ConversionReport(title, tuple(walk.report), count([module]), count([network]))
    return network


def _rule(step: Step) -> tuple[Any, Emit]:
    """What a step writes and becomes."""
    node = step.node
    if node.op == "get_attr":
        return Constant(_attribute(step.walk.root, str(node.target))), lambda: _constant(step)
    rule = _MODULES.get(type(step.module)) if step.module is not None else _TARGETS[node.op].get(node.target)
    if rule is None:
        refused(step)
    if not node.users and _is_in_place(step):
        step.refuse("changes a signal in place and its result is not used: use the result, as in y = y.add_(x)")
    result: tuple[Any, Emit] = rule(step)
    return result


def _is_in_place(step: Step) -> bool:
    name = step.node.target if isinstance(step.node.target, str) else getattr(step.node.target, "__name__", "")
    has_option = bool(step.node.kwargs.get("inplace") or getattr(step.module, "inplace", False))
    return has_option or (step.module is None and name.endswith("_") and not name.endswith("__"))


def _attribute(root: nn.Module, path: str) -> Any:
    value: Any = root
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _constant(step: Step) -> Any:
    """A parameter or buffer of one number, in its place."""
    path = str(step.node.target)
    step.walk.constants[path] = _attribute(step.walk.root, path)
    return step.walk.graph.get_attr(path)


def _module(root: nn.Module, node: fx.Node) -> nn.Module | None:
    return module_of(root, str(node.target)) if node.op == "call_module" else None


def _last(root: nn.Module, graph: fx.Graph) -> set[fx.Node]:
    """The convolutions behind which nothing stands but functions of single signals."""
    calls = Counter(node.target for node in graph.nodes)
    found = set()
    output = next(node for node in graph.nodes if node.op == "output")
    for end in output.all_input_nodes:
        node = end
        while len(node.users) == 1 and len(_signals(node)) == 1:
            module = _module(root, node)
            if isinstance(module, _CONVOLUTIONS):
                if module.groups == 1 and calls[node.target] == 1:
                    found.add(node)
                break
            if module is not None and any(True for _ in module.parameters()):
                break
            node = _signals(node)[0]
    return found


def _signals(node: fx.Node) -> list[fx.Node]:
    """What a step reads beside parameters."""
    return [source for source in node.all_input_nodes if source.op != "get_attr"]


def _root(walk: Walk) -> nn.Module:
    """A module that has those of a converted network at their names."""
    root = nn.Module()
    for path, module in walk.modules.items():
        _parent(root, path).add_module(path.rpartition(".")[2], module)
    for path, tensor in walk.constants.items():
        parent, name = _parent(root, path), path.rpartition(".")[2]
        if isinstance(tensor, nn.Parameter):
            parent.register_parameter(name, copy.deepcopy(tensor))
        else:
            parent.register_buffer(name, tensor.detach().clone())
    return root


def _parent(root: nn.Module, path: str) -> nn.Module:
    for name in path.split(".")[:-1]:
        if not hasattr(root, name):
            root.add_module(name, nn.Module())
        root = getattr(root, name)
    return root
