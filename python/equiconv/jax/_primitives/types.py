# SPDX-License-Identifier: Apache-2.0
"""The part of JAX's types of arrays that is about meshes: which axes an array varies over, and which it is cut along.

Inside `jax.shard_map` the type of an array says over which axes of the mesh its numbers differ. JAX differentiates by
it: what enters an operation with more of them is cast to vary, and the adjoint of the cast is the sum over devices. On
a mesh of explicit axes the type also says which axes of the array are cut. Primitives that do not say so have wrong
gradients. The rules here are those of `jax.lax.conv_general_dilated`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
from jax.sharding import NamedSharding, PartitionSpec

from .operands import JaxArray

# The name of each axis of an array, such as "batch". Axes of one name are cut together; those without one are whole.
AxisNames: TypeAlias = tuple[str | None, ...]


class Rule(NamedTuple):
    """Which axes of operands and of the result belong together.

    A name of operands that the result does not have is summed over. Axes without a name are needed whole.
    """

    operands: tuple[AxisNames, ...]
    result: AxisNames

    @property
    def summed(self) -> frozenset[str]:
        """The names of the axes that are summed over."""
        names = frozenset(name for axes in self.operands for name in axes if name is not None)
        return names - frozenset(self.result)


def varying(aval: Any) -> frozenset[Any]:
    """The mesh axes over which an array of this type differs; JAX 0.10 has another name for them."""
    manual = getattr(aval, "manual_axis_type", None)
    return frozenset(getattr(aval, "vma", ()) if manual is None else manual.varying)


def agree(operands: Sequence[JaxArray]) -> list[JaxArray]:
    """The operands, each varying over what any of them varies over."""
    if not getattr(jax.config, "jax_auto_pcast", True):
        return list(operands)
    own = [varying(jax.typeof(x)) for x in operands]
    union = frozenset().union(*own)
    return [
        _cast_to_vary(x, tuple(sorted(union - axes, key=str))) if union - axes else x
        for x, axes in zip(operands, own, strict=True)
    ]


def _cast_to_vary(x: JaxArray, axes: tuple[Any, ...]) -> JaxArray:
    # JAX 0.8.0 has it by another name only.
    return jax.lax.pcast(x, axes, to="varying") if hasattr(jax.lax, "pcast") else jax.lax.pvary(x, axes)


def result_type(name: str, operands: Sequence[Any], rule: Rule, shape: tuple[int, ...], dtype: Any) -> Any:
    """The type of a primitive's result from those of its operands.

    Raises:
        ValueError: operands vary over different mesh axes; on a mesh of explicit axes, an axis is cut that is needed
            whole.
    """
    sets = [varying(operand) for operand in operands]
    if any(axes != sets[0] for axes in sets):
        raise ValueError(
            f"{name} has operands that vary over the mesh axes {[sorted(map(str, axes)) for axes in sets]}, expected "
            'the same for all: use jax.lax.pcast(x, axes, to="varying")'
        )
    mesh = _mesh(operands)
    sharding = NamedSharding(mesh, placed(rule.result, _explicit_cuts(name, operands, rule)))
    return operands[0].update(shape=shape, dtype=dtype, weak_type=False, sharding=sharding)


def _mesh(operands: Sequence[Any]) -> Any:
    """The mesh of the operands; of several, the first that is one."""
    meshes = [operand.sharding.mesh for operand in operands]
    context = jax.sharding.get_abstract_mesh()
    return next((mesh for mesh in meshes if not mesh.empty), meshes[0] if context.empty else context)


def _explicit_cuts(name: str, operands: Sequence[Any], rule: Rule) -> dict[str, Any]:
    """The mesh axes on which axes of each name lie, where the types of operands say so."""
    for number, operand in enumerate(operands):
        spec = operand.sharding.spec
        if getattr(spec, "unreduced", None) or getattr(spec, "reduced", None):
            raise NotImplementedError(f"{name} has operand {number} of type {operand}: reduced and unreduced axes")
    found: dict[str, Any] = {}
    for number, axis, label, entry in cut_axes(operands, rule.operands):
        if label is None or found.setdefault(label, entry) != entry:
            expected = "an axis that is whole" if label is None else f"the mesh axis {found[label]!r}"
            raise ValueError(
                f"{name} has operand {number} of type {operands[number]}, whose axis {axis} is cut along {entry!r}, "
                f"expected {expected}: use jax.sharding.reshard"
            )
    return found


def cut_axes(arrays: Sequence[Any], names: Sequence[AxisNames]) -> Iterator[tuple[int, int, str | None, Any]]:
    """The axes that are cut: the number of the array, that of its axis, the name of this axis, and the mesh axes."""
    for number, (array, labels) in enumerate(zip(arrays, names, strict=True)):
        for axis, entry in enumerate(array.sharding.spec):
            if entry is not None and entry is not PartitionSpec.UNCONSTRAINED:
                yield number, axis, labels[axis], entry


def placed(axes: AxisNames, cuts: Mapping[str, Any]) -> PartitionSpec:
    """An array whose axes of these names are cut so."""
    return PartitionSpec(*(None if name is None else cuts.get(name) for name in axes))


def reshard_like(y: JaxArray, aval: Any) -> JaxArray:
    """`y`, cut as the type says, where it says so."""
    is_like = jax.typeof(y).sharding.spec == aval.sharding.spec
    return y if is_like else jax.sharding.reshard(y, aval.sharding)
