# SPDX-License-Identifier: Apache-2.0
"""Networks as PyTorch wraps them for several processes or for compilers, and those of which a process has a part."""

from __future__ import annotations

from torch import nn


def inside(module: nn.Module) -> nn.Module:
    """The module that ``torch.compile`` and ``DistributedDataParallel`` have wrapped, in any order."""
    while True:
        if isinstance(module, nn.parallel.DistributedDataParallel):
            module = module.module
        elif isinstance(wrapped := getattr(module, "_orig_mod", None), nn.Module):
            module = wrapped
        else:
            return module


def check_is_whole(name: str, module: nn.Module) -> None:
    """Raises ValueError for a module of whose parameters each process has a part, as FSDP shares them out."""
    for place, parameter in module.named_parameters():
        # A `torch.distributed.tensor.DTensor`, which only those who have imported it have.
        if hasattr(parameter, "full_tensor"):
            raise ValueError(
                f"parameter {place} of {name} is a DTensor, which several processes share: expected a network with all "
                "numbers. Give one that has loaded torch.distributed.checkpoint.state_dict.get_model_state_dict("
                f"{name}, options=StateDictOptions(full_state_dict=True))"
            )
