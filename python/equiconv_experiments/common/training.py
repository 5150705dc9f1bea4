# SPDX-License-Identifier: Apache-2.0
"""Training that may be killed anywhere and resumed to the same bits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .storage import Folder

__all__ = ["Clock", "Example", "Recipe", "Run", "fit", "scores"]

Example: TypeAlias = tuple[Tensor, ...]
"""An image (C, rows, columns) and its label (), or those of its pixels (rows, columns)."""
Epoch: TypeAlias = dict[str, float]
EVALUATION_BATCH = 150


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW, by default with one cycle of the learning rate (Smith and Topin, 2018).

    Attributes:
        epochs: how often each image is seen.
        batch_size: images of a step.
        learning_rate: the largest of the cycle, or that of all steps.
        weight_decay: of AdamW.
        device: of PyTorch, where the network is trained. Weights are drawn on the CPU, the same for all devices.
        schedule: what becomes of the learning rate.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 0.01
    weight_decay: float = 0.01
    device: str = "cpu"
    schedule: Literal["one cycle", "constant"] = "one cycle"


@dataclass(frozen=True)
class Run:
    """One training: which network, which seed, on how many images."""

    network: str
    seed: int
    train_size: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.network}-{self.train_size}-images-seed-{self.seed}"


class _State:
    """All that the rest of a run depends on."""

    def __init__(self, make: Callable[[], nn.Module], data: Dataset[Example], count: int, recipe: Recipe, seed: int):
        torch.manual_seed(seed)
        self.device = torch.device(recipe.device)
        self.network = make().to(self.device)
        self.recipe = recipe
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.order = torch.Generator().manual_seed(seed)
        # A last batch of one image has no variance to normalize by; leave what does not fill a batch to the next epoch.
        batch = min(recipe.batch_size, count)
        self.loader = DataLoader(data, batch_size=batch, shuffle=True, drop_last=True, generator=self.order)
        self.schedule = _schedule(self.optimizer, recipe, recipe.epochs * len(self.loader))
        self.history: list[Epoch] = []

    def saved(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "order": self.order.get_state(),
            "random": torch.get_rng_state(),
            "device_random": self._on_device.get_rng_state() if self._on_device else None,
            "history": self.history,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.order.set_state(saved["order"])
        torch.set_rng_state(saved["random"])
        if self._on_device:
            self._on_device.set_rng_state(saved["device_random"])
        self.history = saved["history"]

    @property
    def _on_device(self) -> Any:
        """PyTorch's module for the device, if that has random numbers of its own."""
        return None if self.device.type == "cpu" else torch.get_device_module(self.device)

    def train_epoch(self) -> Epoch:
        """One pass over the images; the mean loss and accuracy of its steps."""
        self.network.train()
        seen, labeled, loss_sum, hits = 0, 0, 0.0, 0
        for images, labels in self.loader:
            self.optimizer.zero_grad()
            labels = labels.to(self.device)
            output = self.network(images.to(self.device))
            loss = nn.functional.cross_entropy(output, labels)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            seen += len(labels)
            labeled += labels.numel()
            loss_sum += loss.item() * len(labels)
            hits += int((output.argmax(1) == labels).sum())
        return {"epoch": len(self.history) + 1, "train_loss": loss_sum / seen, "train_accuracy": hits / labeled}


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)


def fit(
    run: Run,
    make: Callable[[], nn.Module],
    data: Dataset[Example],
    recipe: Recipe,
    folder: Folder,
    evaluate: Callable[[nn.Module], Epoch] | None = None,
    advance: Callable[[], object] = lambda: None,
) -> tuple[nn.Module, list[Epoch]]:
    """Trains a network, from the last checkpoint of the run if there is one.

    After each epoch the checkpoint is replaced by one that has weights, optimizer, schedule, the generators of random
    numbers and of the order of images, and the curves. A run that is killed, however late in an epoch, begins that
    epoch again and ends with the numbers of a run that was not.

    Args:
        run: which; its seed decides weights and order.
        make: makes the network with fresh weights.
        data: the `run.train_size` images.
        recipe: how to train.
        folder: where checkpoints are.
        evaluate: more numbers for the curves, from the network in evaluation mode.
        advance: called after each epoch, also for each that is not repeated.

    Returns:
        The network in evaluation mode, and for each epoch what it found.

    Raises:
        RefusedError: the checkpoint cannot be read or belongs to another configuration.
    """
    state = _State(make, data, run.train_size, recipe, run.seed)
    saved = folder.load_checkpoint(run.name)
    if saved is not None:
        state.restore(saved)
    for _ in state.history:
        advance()
    while len(state.history) < recipe.epochs:
        epoch = state.train_epoch()
        state.network.eval()
        if evaluate is not None:
            epoch.update(evaluate(state.network))
        state.history.append(epoch)
        folder.save_checkpoint(run.name, state.saved())
        advance()
    return state.network.eval(), state.history


def scores(network: nn.Module, data: Dataset[Example]) -> Tensor:
    """Class scores (images, classes) of a network, in evaluation mode, in the order of the data; on the CPU."""
    network.eval()
    device = next(network.parameters()).device
    batches = DataLoader(data, batch_size=EVALUATION_BATCH)
    with torch.no_grad():
        return torch.cat([network(images.to(device)).cpu() for images, _ in batches])


class Clock:
    """Seconds of wall clock and of processor since it was made; also those of other processes that this one ended."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), _processor_seconds()

    def read(self) -> dict[str, float]:
        """Both, so far."""
        return {
            "wall_seconds": round(time.perf_counter() - self._wall, 2),
            "processor_seconds": round(_processor_seconds() - self._processor, 2),
        }


def _processor_seconds() -> float:
    """Of this process and of its children that have ended; on Windows without the children."""
    return sum(os.times()[:4])
