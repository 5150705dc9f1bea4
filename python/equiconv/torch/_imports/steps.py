# SPDX-License-Identifier: Apache-2.0
"""A sequential model as its modules, in the order in which they run, and errors that say where one stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from torch import nn

from ..._checks.arguments import value_text


class Step(NamedTuple):
    """A module, and where it stands, such as ``model.block[2]``."""

    place: str
    module: Any

    @property
    def kind(self) -> str:
        """The name of its class; of a function its own."""
        return getattr(self.module, "__name__", None) or type(self.module).__name__


def steps(place: str, model: Any) -> Iterator[Step]:
    """The modules of a sequential model, without the containers that they are in.

    Args:
        place: what errors call the model.
        model: a module; ``torch.nn.Sequential`` and ``ModuleList``, escnn's ``SequentialModule``, lists and tuples are
            containers, at any depth.
    """
    if isinstance(model, list | tuple):
        for index, module in enumerate(model):
            yield from steps(f"{place}[{index}]", module)
    elif _is_container(model):
        for name, module in model.named_children():
            yield from steps(f"{place}[{name}]" if name.isdigit() else f"{place}.{name}", module)
    else:
        yield Step(place, model)


def _is_container(model: Any) -> bool:
    """Whether a module only runs its children, one after the other."""
    if isinstance(model, nn.ModuleList):
        return True
    forward = getattr(type(model), "forward", None)
    sequences = [base for base in type(model).__mro__ if base.__name__ in ("Sequential", "SequentialModule")]
    return isinstance(model, nn.Module) and any(vars(base).get("forward") is forward for base in sequences)


def refuse(step: Step, expected: Iterable[str]) -> NoReturn:
    """Raises the error for a module that has no counterpart.

    Args:
        step: the module.
        expected: kinds of modules that have one.

    Raises:
        TypeError: it is not a module at all, or one whose way through its children is its own.
        ValueError: it is another module.
    """
    place, module = step
    if not isinstance(module, nn.Module):
        raise TypeError(f"{place} is {value_text(module)}, expected a module such as {', '.join(expected)}")
    if any(True for _ in module.children()):
        raise TypeError(
            f"{place} is a {step.kind}, whose forward is its own, expected a sequential model: pass its modules in a "
            f"list, in the order in which they run, such as [{place}.first, {place}.second]"
        )
    raise ValueError(f"{place} is a {step.kind}, which has no counterpart, expected one of {', '.join(expected)}")
