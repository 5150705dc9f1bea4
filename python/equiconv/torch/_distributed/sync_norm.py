# SPDX-License-Identifier: Apache-2.0
"""Batch norms with the statistics of all processes, on any device that they can add on: on the CPU by gloo."""

from __future__ import annotations

import copy
import sys
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .._nn.history import continues
from .._nn.norm import BatchNorm
from .._operators.sums import has_double
from .processes import Group, checked_group, process_count, rows_of_processes, sum_over_processes

_BatchNormOfTorch = nn.modules.batchnorm._BatchNorm
_HALF = (torch.float16, torch.bfloat16)


def sync_batch_norm(module: nn.Module, process_group: Group = None) -> nn.Module:
    """A copy of a network whose batch norms use the statistics of the batches of all processes.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias`` with the mean and the variance over all numbers that the
    processes have of a channel, as one process has them of the whole batch, to rounding; batches may have different
    sizes, down to none. Gradients, of all orders, are those of the sum of what the processes compute. In evaluation,
    and where there is one process, the modules are those they were, to the last bit. Parameters, buffers and their
    names in the `state_dict` stay, so that each loads the state of the other.

    `BatchNorm` and PyTorch's ``BatchNorm1d``, ``2d``, ``3d`` and ``SyncBatchNorm`` are replaced; the latter refuses
    tensors of the CPU. Those of this package, on the group, have one statistic for each field. Convert before
    ``DistributedDataParallel`` or ``fully_shard``, and before the optimizer is made.

    A call in training gathers 2 C + 1 numbers from each process, and its backward pass adds 2 C; all processes make
    the same calls in the same order.

    Args:
        module: a network, with batch norms anywhere in it; or a batch norm.
        process_group: of `torch.distributed`; all processes if None, also where they are made later.

    Returns:
        The copy, on the same devices, in the same mode.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: `process_group` is one that this process is not of; `module` is wrapped already; a batch norm of a
            class that is not known, with its place.

    In training, ValueError for fewer than two numbers of a channel in all processes.

    Example:
        >>> network = torch.nn.Sequential(LiftingConv(3, 8, 5, cyclic(4)), BatchNorm(8), torch.nn.ReLU())
        >>> synchronized = sync_batch_norm(network)
        >>> list(synchronized.state_dict()) == list(network.state_dict())
        True
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module is of type {type(module).__name__}, expected a torch.nn.Module")
    group = checked_group(process_group)
    for name, part in module.named_modules():
        _check(name, part)
    twin = copy.deepcopy(module)
    for part in twin.modules():
        kind = _KINDS.get(type(part))
        if kind is not None:
            part.__class__ = kind
        if isinstance(part, _Synchronized):
            part.group = _Held(group)
    return twin


def _check(name: str, part: nn.Module) -> None:
    """Raises ValueError for a module that cannot be part of a network with synchronized norms."""
    place = repr(name) if name else "module"
    # What was not imported has sharded nothing.
    sharded = getattr(sys.modules.get("torch.distributed.fsdp"), "FSDPModule", ())
    if isinstance(
        part, (nn.parallel.DistributedDataParallel, sharded) if sharded else nn.parallel.DistributedDataParallel
    ):
        raise ValueError(f"{place} is distributed already: convert the network before it is wrapped or sharded")
    if isinstance(part, _BatchNormOfTorch) and type(part) not in _KINDS and not isinstance(part, _Synchronized):
        raise ValueError(
            f"{place} is a {type(part).__name__}, expected equiconv.torch.BatchNorm, or BatchNorm1d, BatchNorm2d, "
            "BatchNorm3d or SyncBatchNorm of PyTorch"
        )


class _Held:
    """A group of processes as an attribute of a module, of which copies have the same one."""

    def __init__(self, group: Group) -> None:
        self.group = group

    def __deepcopy__(self, _memo: Any) -> _Held:
        return self


class _Synchronized(_BatchNormOfTorch):
    """What batch norms have in common that are synchronized: the statistics in training."""

    group: _Held

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name of the method it overrides)
        """The normalized signal."""
        if not self.training or process_count(self.group.group) == 1:
            return _BatchNormOfTorch.forward(self, input)
        self._check_input_dim(input)  # type: ignore[no-untyped-call]
        y, statistics = normalize(input, self.weight, self.bias, self.eps, self.group.group)
        self._follow(statistics)
        return continues(y, input)

    @torch.no_grad()
    def _follow(self, new: Statistics) -> None:
        """Moves the running numbers, if there are any, towards those of a batch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = new.variance * (new.total / (new.total - 1))
        for running, value in ((self.running_mean, new.mean), (self.running_var, unbiased)):
            running.lerp_(value.to(running), share)


class SyncBatchNorm(BatchNorm, _Synchronized):
    """`BatchNorm` with the statistics of all processes."""


class _SyncBatchNorm1d(_Synchronized, nn.BatchNorm1d):
    """``BatchNorm1d`` with the statistics of all processes."""


class _SyncBatchNorm2d(_Synchronized, nn.BatchNorm2d):
    """``BatchNorm2d`` with the statistics of all processes."""


class _SyncBatchNorm3d(_Synchronized, nn.BatchNorm3d):
    """``BatchNorm3d`` with the statistics of all processes."""


class _SyncBatchNormOfTorch(_Synchronized, nn.SyncBatchNorm):
    """``SyncBatchNorm`` on any device."""


_KINDS: dict[type, type] = {
    BatchNorm: SyncBatchNorm,
    nn.BatchNorm1d: _SyncBatchNorm1d,
    nn.BatchNorm2d: _SyncBatchNorm2d,
    nn.BatchNorm3d: _SyncBatchNorm3d,
    nn.SyncBatchNorm: _SyncBatchNormOfTorch,
}


class Statistics(NamedTuple):
    """Of the numbers that all processes have: of each channel the mean and the variance, and how many there are."""

    mean: Tensor
    variance: Tensor
    total: Tensor


# A compiler would have to know the processes; what it compiles ends here and begins again.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def normalize(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, group: Group
) -> tuple[Tensor, Statistics]:
    """A signal (B, C, ...) normalized by the statistics of all processes, and these. Raises ValueError without any."""
    y, *statistics = _Normalize.apply(x, weight, bias, eps, group)  # type: ignore[no-untyped-call]
    return y, Statistics(*statistics)


class _Normalize(torch.autograd.Function):
    """The normalization, whose gradient asks the processes for two sums."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, group: Group
    ) -> tuple[Tensor, ...]:
        statistics = _statistics(x, group)
        if statistics.total < 2:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, and all processes together {int(statistics.total)} numbers of a "
                "channel: expected at least 2 in training"
            )
        mean, variance = (value.to(_wide(x.dtype)) for value in statistics[:2])
        ctx.save_for_backward(x, weight, *statistics)
        ctx.eps, ctx.group, ctx.has_bias = eps, group, bias is not None
        ctx.mark_non_differentiable(*statistics)
        y = nn.functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps) if x.numel() else x + 0
        return y, *statistics

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> Any:
        x, weight, *statistics = ctx.saved_tensors
        # A gradient that is to be differentiated depends on x by the statistics too.
        known = _statistics(x, ctx.group) if torch.is_grad_enabled() else Statistics(*statistics)
        wide = _wide(x.dtype)
        axes, column = [0, *range(2, x.dim())], (-1, *(1,) * (x.dim() - 2))
        centered = x.to(wide) - known.mean.to(wide).reshape(column)
        slopes = g.to(wide)
        scale = (known.variance + ctx.eps).rsqrt()
        sums = torch.cat([slopes.sum(axes), (slopes * centered).sum(axes)])
        own_bias, own_product = sums.chunk(2)
        all_bias, all_product = sum_over_processes(sums.to(scale.dtype), ctx.group).div(known.total).chunk(2)
        factor = scale if weight is None else scale * weight
        grad = factor.to(wide).reshape(column) * (slopes - all_bias.to(wide).reshape(column))
        grad = grad - (factor * scale.square() * all_product).to(wide).reshape(column) * centered
        grad_weight = None if weight is None else (own_product * scale).to(weight.dtype)
        grad_bias = own_bias.to(wide if weight is None else weight.dtype) if ctx.has_bias else None
        return grad.to(x.dtype), grad_weight, grad_bias, None, None


def _wide(dtype: torch.dtype) -> torch.dtype:
    """What sums of numbers of a dtype are in: single precision for halves."""
    return torch.float32 if dtype in _HALF else dtype


def _statistics(x: Tensor, group: Group) -> Statistics:
    """Those of all processes, of the means and variances that each has, in double precision where there is any."""
    count = x.numel() // x.shape[1]
    axes = [0, *range(2, x.dim())]
    own = x.to(_wide(x.dtype))
    if count:
        variance, mean = torch.var_mean(own, axes, correction=0)
    else:
        mean = variance = own.sum(axes)
    exact = torch.float64 if has_double(x.device) else torch.float32
    row = torch.cat([mean.to(exact), variance.to(exact), torch.full((1,), count, dtype=exact, device=x.device)])
    rows = rows_of_processes(row, group)
    means, variances, counts = torch.split(rows, [x.shape[1], x.shape[1], 1], 1)
    total = counts.sum()
    # Where there are no numbers at all, no quotient is asked for.
    shares = counts / total.clamp(min=1)
    mean = (shares * means).sum(0)
    return Statistics(mean, (shares * (variances + (means - mean).square())).sum(0), total)
