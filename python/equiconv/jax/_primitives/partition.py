# SPDX-License-Identifier: Apache-2.0
"""How the partitioner of XLA cuts a primitive: along the batch and other named axes, each device for its part.

To the partitioner a call of a handler is opaque, and without a rule it gathers all operands on every device. With one,
the operands stay cut, each device calls the handler on its part, and what is summed over is then summed over devices.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.interpreters import mlir
from jax.sharding import Mesh, NamedSharding

from .operands import JaxArray
from .types import AxisNames, Rule, cut_axes, placed

# The part of a primitive on one device, from parts of the operands.
Part = Callable[..., JaxArray]
Entry = tuple[Any, ...]


def needs_devices(primitive: Any) -> None:
    """Makes JAX pass to the lowering of the primitive the devices that it will run on, which partitioning needs.

    The way to ask for that is not public. In a JAX without it calls have no rule: results are the same, and all
    operands are gathered on every device.
    """
    try:
        from jax._src.dispatch import prim_requires_devices_during_lowering as primitives
    except ImportError:
        return
    primitives.add(primitive)


def is_partitioned(ctx: Any) -> bool:
    """Whether what is lowered will be cut by the partitioner: not on one device, nor inside `shard_map`.

    Inside a `shard_map` over some axes of a mesh the partitioner works along the others. It does not tell rules which
    devices those are, so that there operands are gathered along them.
    """
    context = ctx.module_context.axis_context
    devices = getattr(context, "device_assignment", None)
    if devices is not None:
        return len(devices) > 1
    mesh = getattr(context, "mesh", None)
    return mesh is not None and mesh.size > 1 and not context.manual_axes


def lower_partitioned(ctx: Any, operands: Sequence[Any], rule: Rule, part: Part, identity: str) -> Any:
    """The lowering of a primitive that will be cut.

    Args:
        ctx, operands: what JAX gives to lowerings.
        rule: which axes are cut together.
        part: binds the primitive to parts of its operands.
        identity: equal for equal primitives. The compilation cache sees nothing else of `part`.
    """
    whole = custom_partitioning(lambda *arrays: part(*arrays))

    def partition(mesh: Mesh, arguments: Sequence[Any], result: Any) -> Any:
        cut = _cut(rule, arguments, result)
        sums = tuple(axis for name in sorted(rule.summed) for axis in cut.get(name, ()))

        def on_one_device(*arrays: JaxArray) -> JaxArray:
            y = part(*arrays)
            return jax.lax.psum(y, sums) if sums else y

        shardings = [NamedSharding(mesh, placed(axes, cut)) for axes in rule.operands]
        return mesh, on_one_device, NamedSharding(mesh, placed(rule.result, cut)), tuple(shardings)

    def infer(mesh: Mesh, arguments: Sequence[Any], result: Any) -> Any:
        return NamedSharding(mesh, placed(rule.result, _cut(rule, arguments, None)))

    text, whole_axes = _rule_text(rule)
    whole.def_partition(
        partition,
        infer_sharding_from_operands=infer,
        sharding_rule=text,
        reduction_factors=tuple(sorted(rule.summed)),
        need_replication_factors=whole_axes,
    )
    results = mlir.lower_fun(whole, multiple_results=False)(ctx, *operands)
    _mark(results[0], identity)
    return results


def _mark(value: Any, identity: str) -> None:
    """Writes the identity beside the call: XLA knows its callbacks by an address, which another call may have later."""
    operation = mlir.ir.OpResult(value[0] if isinstance(value, Sequence) else value).owner
    digest = mlir.ir.StringAttr.get(hashlib.sha256(identity.encode()).hexdigest())
    operation.attributes["mhlo.frontend_attributes"] = mlir.ir.DictAttr.get({"equiconv": digest})


def _cut(rule: Rule, arguments: Sequence[Any], result: Any) -> dict[str, Entry]:
    """The mesh axes of each name, from the first array that has it cut, into equal parts and along axes still free."""
    arrays = [*arguments] if result is None else [*arguments, result]
    names = rule.operands if result is None else (*rule.operands, rule.result)
    found: dict[str, Entry] = {}
    for number, axis, name, entry in cut_axes(arrays, names):
        if name is None or name in found:
            continue
        mesh_axes = entry if isinstance(entry, tuple) else (entry,)
        parts = math.prod(arrays[number].sharding.mesh.shape[mesh_axis] for mesh_axis in mesh_axes)
        is_free = all(mesh_axis not in used for used in found.values() for mesh_axis in mesh_axes)
        if is_free and arrays[number].shape[axis] % parts == 0:
            found[name] = mesh_axes
    return found


def _rule_text(rule: Rule) -> tuple[str, tuple[str, ...]]:
    """The rule in the notation of Shardy, and the names that it gives to axes that are needed whole."""
    whole_axes: list[str] = []

    def names(axes: AxisNames) -> str:
        text = []
        for name in axes:
            if name is None:
                whole_axes.append(name := f"whole{len(whole_axes)}")
            text.append(name)
        return " ".join(text)

    text = f"{', '.join(map(names, rule.operands))} -> {names(rule.result)}"
    return text, tuple(whole_axes)
