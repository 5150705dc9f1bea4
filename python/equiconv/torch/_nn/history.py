# SPDX-License-Identifier: Apache-2.0
"""The history of a signal between two layers, which autograd records.

A tensor does not say which axis is that of H, or which group H is. PyTorch's modules for volumes treat that axis as
depth, and a layer for another group with as many elements reads the features without complaint. So in the first call of
a training a module looks at the operations between its signal and the layer that wrote it. If the signal came from
another group, or was resized, pooled, padded or convolved along H, that is an error. The record exists whenever
gradients do. Tensors are not changed, and later calls do not look.

The search follows operations that keep each number in its place (activations, sums, normalization) and PyTorch's
windows. It ends at all others, such as views, permutations, indices and reductions: what they do is up to the user.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._groups.point_group import PointGroup
from .._operators.layers import adjoint_of, writer_of


class Fiber(NamedTuple):
    """H/K, the points of a signal's axis 2."""

    group: PointGroup
    stabilizer: tuple[int, ...] = (0,)

    def __str__(self) -> str:
        return self.group.name if len(self.stabilizer) == 1 else f"{self.group.name}/{set(self.stabilizer)}"


# The key in a node's metadata under which modules write the axis of H.
_WRITES = "equiconv fiber"
# The key under which the node of the signal stands that another one has all numbers of, in their places.
_CONTINUES = "equiconv source"

_IN_PLACE = re.compile(
    "(Abs|Add(cdiv|cmul)?|Alias|Cat|Celu|Clamp\\w*|Clone|CudnnBatchNorm|Div|Elu|Erf|Exp|Expm1|Fused?Dropout|Gelu|Glu"
    "|Hardshrink|Hardsigmoid|Hardswish|Hardtanh|LeakyRelu|Lerp|LogSigmoid|Log|Log1P|Maximum|Minimum|MiopenBatchNorm|Mish"
    "|Mul|NativeBatchNorm|NativeDropout|NativeGroupNorm|Neg|Pow|PreluKernel|Reciprocal|Relu|RreluWithNoise|Rsqrt|Rsub"
    "|Sigmoid|Silu|Sin|Softplus|Softshrink|Sqrt|Sub|SyncBatchNorm|Tanh|Threshold|ToCopy|Where)Backward\\d*"
)
_WINDOWS = re.compile(
    "(Upsample\\w+?|\\w*MaxPool\\dD\\w*?|\\w*AvgPool\\dD|MaxUnpool\\dD|\\w*Convolution\\w*?|Slow\\w+|ReflectionPad\\dD"
    "|ReplicationPad\\dD|ConstantPadNd|GridSampler\\dD)Backward\\d*"
)


def writes(y: Tensor, group: PointGroup) -> Tensor:
    """`y`, on record as a signal on the group."""
    node: Any = y.grad_fn
    if node is not None:
        node.metadata[_WRITES] = Fiber(group)
    return y


def continues(y: Tensor, x: Tensor) -> Tensor:
    """`y`, on record as what became of each number of `x` in its place."""
    node: Any = y.grad_fn
    if node is not None and x.grad_fn is not None:
        node.metadata[_CONTINUES] = x.grad_fn
    return y


def check_history(user: str, x: Tensor, group: PointGroup | None) -> None:
    """Raises ValueError if `x` came from a layer of another group, or by an operation along its axis of H.

    Args:
        user: what reads `x`, for the message.
        x: a signal.
        group: H, if `user` wants a signal on it; None for any.
    """
    node = x.grad_fn
    if node is None or _is_elsewhere():
        return
    fiber = _fiber_of(node, user)
    if fiber is not None and group is not None and fiber != Fiber(group):
        raise ValueError(
            f"x is a signal on G for {fiber}, written by a layer of that group: {user} wants one on G for {group.name}"
        )


def _is_elsewhere() -> bool:
    """Whether a compiler or a transformation runs, under which autograd keeps no record."""
    return torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()


def _fiber_of(start: Any, user: str) -> Fiber | None:
    """What axis 2 of the first result of a node is, if known. Raises ValueError where a window went along it."""
    known: dict[Any, Fiber | None] = {}
    waiting = [start]
    while waiting:
        node = waiting[-1]
        sources, is_window = _sources(node)
        unknown = [source for source in sources if source not in known]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        known[node] = _written(node) or _common({known[source] for source in sources}, node, user)
        fiber = known[node]
        if is_window and fiber is not None:
            _check_window(node, fiber, user)
    return known[start]


def _sources(node: Any) -> tuple[list[Any], bool]:
    """The nodes to look at before this one, and whether it is a window."""
    name = node.name()
    if _written(node) is not None:
        return [], False
    if _CONTINUES in node.metadata:
        return [node.metadata[_CONTINUES]], False
    inputs = [source for source, _ in node.next_functions if source is not None]
    if _IN_PLACE.fullmatch(name):
        return inputs, False
    return (inputs[:1], True) if _WINDOWS.fullmatch(name) else ([], False)


def _written(node: Any) -> Fiber | None:
    """The points of axis 2 if a layer wrote the signal."""
    if _WRITES in node.metadata:
        fiber: Fiber = node.metadata[_WRITES]
        return fiber
    adjoint = adjoint_of(node)
    spec = writer_of(node) if adjoint is None else adjoint
    if spec is None:
        return None
    layer = spec.layer
    is_on_group = layer.writes_group if adjoint is None else layer.reads_group
    if not is_on_group:
        return None
    stabilizer = layer.output_stabilizer if adjoint is None else layer.input_stabilizer
    return Fiber(spec.group) if stabilizer is None else Fiber(spec.group, tuple(stabilizer.get_elements().tolist()))


def _common(fibers: set[Fiber | None], node: Any, user: str) -> Fiber | None:
    found = fibers - {None}
    if len(found) > 1:
        names = " and ".join(sorted(map(str, found)))
        raise ValueError(f"x comes from signals on G for {names}, which {_operation(node)} mixes, at {user}")
    return next(iter(found), None)


def _check_window(node: Any, fiber: Fiber, user: str) -> None:
    """Raises ValueError if a window reaches along the axis of H."""
    axis = -(fiber.group.dimension + 1)
    before, after = _shape(*node.next_functions[0]), _shape(node, 0)
    # Windows that keep the size of an axis pad it, but for those of one element.
    if before[axis] == after[axis] and not any(reaches(node, axis) for reaches in (_pads, _fills, _warps)):
        return
    raise ValueError(
        f"x comes from a signal on G for {fiber} by {_operation(node)}, which treats the axis of H as space "
        f"({before[axis]} elements to {after[axis]}), at {user}: use equiconv.torch.SpatialMaxPool, SpatialAvgPool, or "
        "windows of 1 on that axis"
    )


def _pads(node: Any, axis: int) -> bool:
    padding = getattr(node, "_saved_padding", ())
    return "Pad" not in node.name() and len(padding) >= -axis and padding[axis] != 0


def _fills(node: Any, axis: int) -> bool:
    # Pairs, of the last axis first.
    padding = getattr(node, "_saved_pad", ()) or ()
    return any(padding[-2 * axis - 2 : -2 * axis])


def _warps(node: Any, _axis: int) -> bool:
    return "GridSampler" in node.name()


def _shape(node: Any, result: int) -> tuple[int, ...]:
    return tuple(node._input_metadata[result].shape)


def _operation(node: Any) -> str:
    return re.sub("Backward\\d*$", "", node.name())
