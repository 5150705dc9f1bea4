# SPDX-License-Identifier: Apache-2.0
"""Trains an equivariant network on any number of processes, which may be killed at any time.

    python patches.py patches.h5
    python train.py patches.h5 --output run
    torchrun --nproc-per-node 2 train.py patches.h5 --output run --way fsdp

All command lines give the same losses, to rounding. Repeated, they go on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import equiconv as eq
import equiconv.torch as et
import h5py
import numpy as np
import torch
from torch import Tensor, distributed, nn

GROUP = eq.dihedral(4)
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patches", help="an HDF5 file, as patches.py writes it")
    parser.add_argument("--output", type=Path, required=True, help="a folder for checkpoints, losses and the network")
    parser.add_argument("--way", choices=("ddp", "fsdp"), default="ddp", help="how processes share the network")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=64, help="of all processes together")
    parser.add_argument("--workers", type=int, default=0, help="of the data loader, for each process")
    parser.add_argument("--every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    return parser.parse_args()


def network(dtype: torch.dtype) -> nn.Module:
    """A classifier of patches, invariant under turns by 90 degrees and reflections."""
    return nn.Sequential(
        nn.Sequential(et.LiftingConv(1, 6, 5, GROUP, padding=2), et.BatchNorm(6), nn.ReLU()),
        nn.Sequential(et.SpatialAvgPool(GROUP, 2), et.GroupConv(6, 8, 3, GROUP, padding=1), et.BatchNorm(8), nn.ReLU()),
        nn.Sequential(et.SpatialAvgPool(GROUP, 2), et.GroupConv(8, 8, 3, GROUP, padding=1), et.BatchNorm(8), nn.ReLU()),
        nn.Sequential(et.GroupPool(GROUP, "max"), et.SpatialMean(GROUP), nn.Linear(8, 2)),
    ).to(dtype)


def spread(model: nn.Module, way: str) -> nn.Module:
    """The network as all processes train it."""
    if not distributed.is_initialized():
        return model
    if way == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    from torch.distributed.fsdp import fully_shard

    for block in model.children():
        fully_shard(block)
    return fully_shard(model)


def exposed(image: Tensor, label: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The patch brighter or darker: by as much wherever and whenever it is read in an epoch."""
    return image.double() / 255 * rng.uniform(0.9, 1.1), label


def summed(value: Tensor) -> float:
    """The sum over processes."""
    total = value.detach().clone()
    if distributed.is_initialized():
        distributed.all_reduce(total)
    return total.item()


class Losses(list[float]):
    """A history that is part of checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        return {"values": list(self)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self[:] = state["values"]


def train(model: nn.Module, arguments: argparse.Namespace) -> Losses:
    """Trains the network, from the last checkpoint on. The losses are those of whole batches."""
    processes = distributed.get_world_size() if distributed.is_initialized() else 1
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = et.PatchLoader(arguments.patches, arguments.batch_size, transform=exposed, num_workers=arguments.workers)
    losses = Losses()
    checkpoints = et.Checkpoints(arguments.output / "checkpoints", model, optimizer, loader=loader, losses=losses)
    checkpoints.load()
    dtype = DTYPES[arguments.dtype]
    while loader.epoch < arguments.epochs:
        for patches in loader:
            optimizer.zero_grad()
            scores = model(patches.images.to(dtype))
            loss = nn.functional.cross_entropy(scores, patches.labels, reduction="sum") / patches.total
            # The mean of gradients over processes, of a sum of losses.
            (processes * loss).backward()
            optimizer.step()
            losses.append(summed(loss))
            if len(losses) % arguments.every == 0:
                checkpoints.save(len(losses))
    return losses


def save(model: nn.Module, losses: Losses, arguments: argparse.Namespace) -> None:
    """Writes the losses and the network, and says how it classifies other patches."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    # All processes take part, where each has a part of the parameters.
    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if distributed.is_initialized() and distributed.get_rank() > 0:
        return
    whole = network(DTYPES[arguments.dtype])
    whole.load_state_dict(state)
    with h5py.File(arguments.patches) as file:
        images, labels = file["test_images"][()] / 255, file["test_labels"][()]
    images = images.astype(arguments.dtype)
    path = arguments.output / "network.safetensors"
    et.save_network(whole, path, torch.from_numpy(images[:2]), name="nuclei", classes=["one", "two"])
    accuracy = (eq.load_network(path)(images).argmax(1) == labels).mean()
    (arguments.output / "losses.json").write_text(json.dumps(list(losses)))
    print(f"{len(losses)} steps, loss {losses[-1]:.4f}, {accuracy:.1%} of other patches are right")


def main() -> None:
    arguments = parsed()
    # torchrun sets these.
    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        eq.set_num_threads(max(1, len(os.sched_getaffinity(0)) // local))
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = spread(et.sync_batch_norm(network(DTYPES[arguments.dtype])), arguments.way)
    save(model, train(model, arguments), arguments)
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
