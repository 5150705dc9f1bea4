# SPDX-License-Identifier: Apache-2.0
"""What one training of the experiment on turned digits does and finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import equiconv.torch as et
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import TensorDataset

from ..common.exactness import bitwise_invariance
from ..common.networks import DIGIT_NETWORKS, GroupNetwork, exact_turns, parameter_count
from ..common.storage import Folder
from ..common.training import Recipe, Run, fit, scores
from .images import CLASSES, SIZE, Digits, load

__all__ = ["Setting", "make_network", "runs"]

ANGLE_SEED = 7


@dataclass(frozen=True)
class Setting:
    """The part of the configuration that is the same for all runs.

    Attributes:
        recipe: how to train on all images; fewer images are seen more often.
        turns: random angles for each test digit.
        angles: of the curve, in degrees.
        train_limit, test_limit: digits to use, None for all.
    """

    recipe: Recipe
    turns: int = 2
    angles: tuple[float, ...] = tuple(float(angle) for angle in range(0, 360, 15))
    train_limit: int | None = None
    test_limit: int | None = None

    @cached_property
    def parts(self) -> tuple[Digits, Digits]:
        """Training and test digits."""
        train, test = load()
        return _first(train, self.train_limit), _first(test, self.test_limit)

    @cached_property
    def upright(self) -> TensorDataset:
        """The test digits as they are."""
        return _dataset(self.parts[1], 0.0)

    @cached_property
    def turn_angles(self) -> NDArray[np.float64]:
        """The random angles, shape (turns, test digits)."""
        return np.random.default_rng(ANGLE_SEED).uniform(0, 360, (self.turns, len(self.parts[1])))

    @cached_property
    def turned(self) -> TensorDataset:
        """The test digits, each turned by its random angles."""
        test = self.parts[1]
        indices = np.tile(np.arange(len(test)), self.turns)
        return _dataset(test.subset(indices), self.turn_angles.ravel())

    @cached_property
    def curve(self) -> list[TensorDataset]:
        """All test digits at each angle of the curve."""
        return [_dataset(self.parts[1], angle) for angle in self.angles]

    def epochs(self, run: Run) -> int:
        """For fewer images they grow as the root of how many fewer there are."""
        more = np.sqrt(len(self.parts[0]) / run.train_size)
        return max(1, round(self.recipe.epochs * float(more)))

    def work(self, run: Run) -> float:
        """About how long a run takes: networks of as many parameters have work in proportion to |H|."""
        return float(DIGIT_NETWORKS[run.network].group.order * self.epochs(run) * run.train_size)

    def is_complete(self, run: Run) -> bool:
        """Whether a run has all training digits: more is measured then."""
        return run.train_size == len(self.parts[0])

    def perform(self, run: Run, folder: Folder, advance: Callable[[], object]) -> dict[str, Any]:
        """Trains from the last checkpoint on, and measures.

        Args:
            run: which.
            folder: where checkpoints are.
            advance: called for each epoch.

        Returns:
            The run's entry of the JSON file.
        """
        recipe = replace(self.recipe, epochs=self.epochs(run))
        data = _dataset(_training_part(self, run), 0.0)
        complete = self.is_complete(run)
        watch = self._watch if complete else None
        network, history = fit(run, lambda: make_network(run.network), data, recipe, folder, watch, advance)
        if complete:
            _save(network, run, self, folder)
        return {
            "network": run.network,
            "seed": run.seed,
            "train_size": run.train_size,
            "epochs": recipe.epochs,
            "parameters": parameter_count(network),
            "history": history,
            "results": _results(network, self) | (_more_results(run, network, self) if complete else {}),
        }

    def _watch(self, network: nn.Module) -> dict[str, float]:
        sets = {"upright_accuracy": self.upright, "turned_accuracy": self.turned}
        return {name: _accuracy(network, data) for name, data in sets.items()}


def _first(digits: Digits, limit: int | None) -> Digits:
    return digits.subset(np.arange(len(digits) if limit is None else limit))


def _dataset(digits: Digits, degrees: float | NDArray[np.float64]) -> TensorDataset:
    return TensorDataset(torch.from_numpy(digits.turned(degrees)), torch.from_numpy(digits.labels))


def runs(networks: Sequence[str], seeds: Sequence[int], sizes: Sequence[int]) -> list[Run]:
    """All trainings: the largest size first, which the main table is of."""
    return [Run(network, seed, size) for size in sorted(sizes, reverse=True) for seed in seeds for network in networks]


def _training_part(setting: Setting, run: Run) -> Digits:
    """All training digits, or as many as the run has, with equal shares of each digit; others for each seed."""
    train = setting.parts[0]
    if run.train_size == len(train):
        return train
    chosen, _ = train_test_split(
        np.arange(len(train)), train_size=run.train_size, random_state=run.seed, stratify=train.labels
    )
    return train.subset(chosen)


def make_network(name: str) -> GroupNetwork:
    """A network with fresh weights."""
    return GroupNetwork(DIGIT_NETWORKS[name], 1, CLASSES)


def _save(network: nn.Module, run: Run, setting: Setting, folder: Folder) -> None:
    """Keeps the network as one file, with the first test digit as its test."""
    label = DIGIT_NETWORKS[run.network].label
    et.save_network(
        network,
        folder.network_file(run.name),
        setting.upright.tensors[0][:1],
        name=f"digits ({label})",
        description=(
            f"Handwritten digits of scikit-learn, ink from 0 to 1, sampled at {SIZE} x {SIZE} points: {label}, "
            f"trained on {run.train_size} upright digits"
        ),
        classes=[str(digit) for digit in range(CLASSES)],
        input_name="image",
    )


def _predictions(network: nn.Module, data: TensorDataset) -> NDArray[np.int64]:
    return np.asarray(scores(network, data).argmax(1))


def _accuracy(network: nn.Module, data: TensorDataset) -> float:
    return float(accuracy_score(data.tensors[1], _predictions(network, data)))


def _results(network: nn.Module, setting: Setting) -> dict[str, Any]:
    """Accuracies and confusion matrices, rows the true digit, of upright and turned test digits."""
    result: dict[str, Any] = {}
    for name, data in (("upright", setting.upright), ("turned", setting.turned)):
        predicted, labels = _predictions(network, data), data.tensors[1]
        result[f"{name}_accuracy"] = float(accuracy_score(labels, predicted))
        result[f"{name}_confusion"] = confusion_matrix(labels, predicted, labels=range(CLASSES)).tolist()
    return result


def _more_results(run: Run, network: nn.Module, setting: Setting) -> dict[str, Any]:
    """The curve over angles, the first digits' predictions there, and the bits under quarter turns."""
    predictions = [_predictions(network, data) for data in setting.curve]
    labels = setting.parts[1].labels
    return {
        "accuracy_by_angle": [float(accuracy_score(labels, predicted)) for predicted in predictions],
        "predictions_by_angle": [predicted.tolist() for predicted in predictions],
        "bitwise": bitwise_invariance(network, setting.upright.tensors[0], exact_turns(DIGIT_NETWORKS[run.network])),
    }
