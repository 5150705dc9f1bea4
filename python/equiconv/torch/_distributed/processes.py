# SPDX-License-Identifier: Apache-2.0
"""The processes of a training, of which there may be one; sums over them that autograd knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor, distributed

# A `torch.distributed.ProcessGroup`, of which builds of PyTorch without `torch.distributed` have no name.
Group: TypeAlias = Any
_Result = TypeVar("_Result")


def process_count(group: Group = None) -> int:
    """The processes of a group, by default of all: 1 where none was made. -1 in a process that is not of the group."""
    return distributed.get_world_size(group) if is_distributed() else 1


def process_rank(group: Group = None) -> int:
    """The number of this process in a group."""
    return distributed.get_rank(group) if is_distributed() else 0


def is_distributed() -> bool:
    """Whether there is a group of processes."""
    return distributed.is_available() and bool(distributed.is_initialized())


def checked_group(group: Group) -> Group:
    """`group`. Raises TypeError or ValueError unless it is None, or a group that this process is of."""
    if group is None:
        return None
    if group is getattr(getattr(distributed, "GroupMember", None), "NON_GROUP_MEMBER", ...):
        raise ValueError("process_group is one that this process is not of, expected one of its own")
    kind = getattr(distributed, "ProcessGroup", None)
    if kind is None or not isinstance(group, kind):
        raise TypeError(f"process_group is of type {type(group).__name__}, expected a torch.distributed.ProcessGroup")
    return group


class _Sum(torch.autograd.Function):
    """The sum over processes. Its adjoint is itself: each process reads the sum, so each has a share in the gradient.

    That of `torch.distributed.nn` is deprecated, and what it refers to instead is private.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Group) -> Tensor:
        ctx.group = group
        total = values.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return _Sum.apply(g, ctx.group), None  # type: ignore[no-untyped-call]


def sum_over_processes(values: Tensor, group: Group = None) -> Tensor:
    """The sum of the tensors that the processes of a group give, all of one shape: the same bits for each of them.

    Its gradient, of all orders, is that of the sum of what the processes compute of it.
    """
    if process_count(group) == 1:
        return values
    total: Tensor = _Sum.apply(values, group)  # type: ignore[no-untyped-call]
    return total


def rows_of_processes(row: Tensor, group: Group = None) -> Tensor:
    """One row for each process, in their order: a sum of rows that are 0 but for one, which no addition rounds."""
    count, rank = process_count(group), process_rank(group)
    rows = torch.nn.functional.pad(row[None], (0, 0, rank, count - 1 - rank))
    return sum_over_processes(rows, group)


def by_the_first(work: Callable[[], _Result], group: Group = None) -> _Result:
    """What the first process of a group finds, for all of them. An error there is raised by each.

    Args:
        work: called in the first process alone; what it returns can be pickled.
        group: all of its processes make this call.
    """
    if process_count(group) == 1:
        return work()
    outcome: list[Any] = [None]
    if process_rank(group) == 0:
        try:
            outcome = [(work(), None)]
        except Exception as raised:  # Whatever it is, the others wait for an answer.
            outcome = [(None, raised)]
    first = distributed.get_global_rank(group, 0) if group is not None else 0
    distributed.broadcast_object_list(outcome, src=first, group=group)
    result, error = outcome[0]
    if error is not None:
        raise error
    found: _Result = result
    return found
