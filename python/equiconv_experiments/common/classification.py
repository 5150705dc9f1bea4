# SPDX-License-Identifier: Apache-2.0
"""Classifiers of images: what one training does and finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import equiconv as eq
import equiconv.torch as et
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from .exactness import bits_text, bitwise_invariance, sum_of_bits
from .networks import exact_turns, parameter_count
from .sampling import stratified
from .statistics import spread, spread_text
from .storage import Folder
from .training import Example, Recipe, Run, fit, scores

__all__ = ["Classification", "Contestant", "accuracy_table", "predictions", "runs", "summary"]


@dataclass(frozen=True)
class Contestant:
    """A network of an experiment.

    Attributes:
        label: what tables and figures call it.
        group: H.
        make: makes it with fresh weights.
        longer: how many times as many epochs it is trained as the recipe says.
    """

    label: str
    group: eq.PointGroup
    make: Callable[[], nn.Module]
    longer: int = 1


@dataclass(frozen=True)
class Classification:
    """The part of the configuration that is the same for all runs.

    Attributes:
        recipe: how to train on all images; fewer images are seen more often.
        contestants: the networks, by their short names.
        train: images and labels.
        tests: the same to test on, by the name that results begin with; the first one is that of the bits.
        classes: what labels mean.
        name: of the data, in a word.
        description: of the data, for people.
        identity: what distinguishes the data from others, as JSON.
        watched: how many images of each test are scored after each epoch.
        compared: how many images are compared with turned ones, to the last bit.
        augment: makes the data that is trained on from that of a run; None to train on it as it is.
        more: further results of a network that was trained on all images.
        kept: whether trained networks are kept as files; not all layers are in these.
    """

    recipe: Recipe
    contestants: Mapping[str, Contestant]
    train: TensorDataset
    tests: Mapping[str, TensorDataset]
    classes: tuple[str, ...]
    name: str
    description: str
    identity: dict[str, Any]
    watched: int = 500
    compared: int = 200
    augment: Callable[[TensorDataset], Dataset[Example]] | None = None
    more: Callable[[nn.Module], dict[str, Any]] | None = None
    kept: bool = True

    def epochs(self, run: Run) -> int:
        """For fewer images they grow as the root of how many fewer there are."""
        more = np.sqrt(len(self.train) / run.train_size)
        return max(1, round(self.recipe.epochs * self.contestants[run.network].longer * float(more)))

    def work(self, run: Run) -> float:
        """About how long a run takes: networks of as many parameters have work in proportion to |H|."""
        return float(self.contestants[run.network].group.order * self.epochs(run) * run.train_size)

    def is_complete(self, run: Run) -> bool:
        """Whether a run has all training images: more is measured then."""
        return run.train_size == len(self.train)

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
        contestant, complete = self.contestants[run.network], self.is_complete(run)
        part = _first(self.train, stratified(self.train.tensors[1].numpy(), run.train_size, run.seed))
        data = part if self.augment is None else self.augment(part)
        watch = self._watch if complete else None
        network, history = fit(run, contestant.make, data, recipe, folder, watch, advance)
        if complete and self.kept:
            self._keep(network, run, folder)
        return {
            "network": run.network,
            "seed": run.seed,
            "train_size": run.train_size,
            "epochs": recipe.epochs,
            "parameters": parameter_count(network),
            "history": history,
            "results": self._results(network) | (self._more_results(run, network) if complete else {}),
        }

    def _watch(self, network: nn.Module) -> dict[str, float]:
        few = np.arange(self.watched)
        return {f"{name}_accuracy": _accuracy(network, _first(data, few)) for name, data in self.tests.items()}

    def _results(self, network: nn.Module) -> dict[str, Any]:
        """Accuracies and confusion matrices, rows the true class."""
        result: dict[str, Any] = {}
        for name, data in self.tests.items():
            predicted, labels = predictions(network, data), data.tensors[1]
            result[f"{name}_accuracy"] = float(accuracy_score(labels, predicted))
            result[f"{name}_confusion"] = confusion_matrix(labels, predicted, labels=range(len(self.classes))).tolist()
        return result

    def _more_results(self, run: Run, network: nn.Module) -> dict[str, Any]:
        """The bits under quarter turns, and what the experiment adds."""
        images = next(iter(self.tests.values())).tensors[0][: self.compared]
        bits = bitwise_invariance(network, images, exact_turns(self.contestants[run.network]))
        return {"bitwise": bits} | (self.more(network) if self.more is not None else {})

    def _keep(self, network: nn.Module, run: Run, folder: Folder) -> None:
        """Keeps the network as one file, with the first test image as its test."""
        label = self.contestants[run.network].label
        et.save_network(
            network,
            folder.network_file(run.name),
            next(iter(self.tests.values())).tensors[0][:1],
            name=f"{self.name} ({label})",
            description=f"{self.description}. {label}, trained on {run.train_size} images",
            classes=list(self.classes),
            input_name="image",
        )


def runs(networks: Sequence[str], seeds: Sequence[int], sizes: Sequence[int]) -> list[Run]:
    """All trainings: the largest size first, which the main table is of."""
    return [Run(network, seed, size) for size in sorted(sizes, reverse=True) for seed in seeds for network in networks]


def summary(entries: Sequence[dict[str, Any]], config: dict[str, Any], tests: Sequence[str]) -> list[dict[str, Any]]:
    """Means and deviations over seeds of the accuracies, for each network and number of training images."""
    rows = []
    for size in config["train_sizes"]:
        for network in config["networks"]:
            group = [entry for entry in entries if (entry["network"], entry["train_size"]) == (network, size)]
            found = [entry["results"] for entry in group]
            row = {"network": network, "train_size": size, "parameters": group[0]["parameters"]}
            row |= {f"{test}_accuracy": spread([one[f"{test}_accuracy"] for one in found]) for test in tests}
            if "bitwise" in found[0]:
                row |= sum_of_bits(found)
            rows.append(row)
    return rows


def accuracy_table(
    metrics: Mapping[str, Any], contestants: Mapping[str, Contestant], tests: Sequence[str]
) -> list[str]:
    """The accuracies in percent as lines of text: of all training images, then of fewer."""
    titles = "".join(f"{f'{test}, %':>15}" for test in tests)
    lines = [f"{'network':12}{'parameters':>11}{'images':>8}{titles}   bits under quarter turns"]
    for row in sorted(metrics["summary"], key=lambda row: -row["train_size"]):
        accuracies = "".join(f"{spread_text(row[f'{test}_accuracy']):>15}" for test in tests)
        bits = bits_text(row) if "bitwise_scores_compared" in row else "-"
        label = contestants[row["network"]].label
        lines.append(f"{label:12}{row['parameters']:11}{row['train_size']:8}{accuracies}   {bits}")
    return [
        *lines,
        "mean ± sample deviation over seeds; bits: of class scores, under quarter turns, of D4 also mirrors",
    ]


def predictions(network: nn.Module, data: TensorDataset) -> NDArray[np.int64]:
    """The class of the largest score, for each image."""
    return np.asarray(scores(network, data).argmax(1))


def _first(data: TensorDataset, indices: NDArray[np.int64]) -> TensorDataset:
    chosen = torch.from_numpy(indices[indices < len(data)])
    return TensorDataset(*(tensor[chosen] for tensor in data.tensors))


def _accuracy(network: nn.Module, data: TensorDataset) -> float:
    return float(accuracy_score(data.tensors[1], predictions(network, data)))
