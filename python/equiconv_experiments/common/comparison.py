# SPDX-License-Identifier: Apache-2.0
"""Networks compared on labeled images, for several numbers of training images: one training, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import equiconv.torch as et
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from .augmentation import TurnedExamples, is_augmented
from .exactness import bitwise_invariance
from .networks import Architecture, GroupNetwork, exact_turns, parameter_count
from .sampling import Indices, stratified
from .storage import Folder
from .training import Recipe, Run, fit, scores

__all__ = ["Comparison", "Pictures", "Scale", "measure"]

BITWISE_IMAGES = 60


@dataclass(frozen=True)
class Scale:
    """How values from 0 to 255 become those that networks read: ``(value / 255 - mean) / deviation``."""

    mean: float
    deviation: float

    def apply(self, images: Tensor) -> Tensor:
        """The values that networks read."""
        return (images / 255 - self.mean) / self.deviation

    @property
    def normalization(self) -> dict[str, float]:
        """The same, for files of networks."""
        return {"scale": 1 / 255, "mean": self.mean, "deviation": self.deviation}


@dataclass(frozen=True)
class Pictures:
    """Labeled images.

    Attributes:
        images: (N, C, size, size), values from 0 to 255, float32.
        labels: (N,), indices of classes.
        part: what these images are called; those of another part are others.
        subsets: names of parts that are measured on their own, with the mask (N,) of each.
    """

    images: Tensor
    labels: Indices
    part: str
    subsets: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Indices) -> Pictures:
        """The images with these indices, in this order."""
        masks = {name: mask[indices] for name, mask in self.subsets.items()}
        return Pictures(self.images[torch.from_numpy(indices)], self.labels[indices], self.part, masks)

    def sample(self, count: int, seed: int) -> Pictures:
        """So many of them, with the shares that classes have; others for each seed."""
        return self.subset(stratified(self.labels, count, seed))


@dataclass(frozen=True)
class Comparison:
    """The part of an experiment's configuration that is the same for all runs.

    Attributes:
        networks: those to choose from; the name of one that is trained on turned images ends in ``-augmented``.
        recipe: how to train on the most images; fewer are seen more often.
        sizes: numbers of training images, ascending.
        classes: their names.
        parts: training and test images of a seed.
        scale: of values.
        about: what the images are, for the files of networks.
        backend: what computes the layers in training, where that is faster; results are the engine's on the CPU.
    """

    networks: Mapping[str, Architecture]
    recipe: Recipe
    sizes: tuple[int, ...]
    classes: tuple[str, ...]
    parts: Callable[[int], tuple[Pictures, Pictures]]
    scale: Scale
    about: str
    backend: Literal["engine", "torch"] | None = None

    def epochs(self, run: Run) -> int:
        """For fewer images they grow as the root of how many fewer there are."""
        return max(1, round(self.recipe.epochs * float(np.sqrt(self.sizes[-1] / run.train_size))))

    def work(self, run: Run) -> float:
        """About how long a run takes: networks of as many parameters have work in proportion to |H|."""
        return float(self.networks[run.network].group.order * self.epochs(run) * run.train_size)

    def make_network(self, name: str, channels: int) -> GroupNetwork:
        """A network with fresh weights, to be trained."""
        network = GroupNetwork(self.networks[name], channels, len(self.classes))
        et.set_backend(network, self.backend)
        return network

    def perform(self, run: Run, folder: Folder, advance: Callable[[], object]) -> dict[str, Any]:
        """Trains from the last checkpoint on, and measures.

        Args:
            run: which.
            folder: where checkpoints are.
            advance: called for each epoch.

        Returns:
            The run's entry of the JSON file.
        """
        train, test = self.parts(run.seed)
        recipe = replace(self.recipe, epochs=self.epochs(run))
        examples: Any = self._examples(train.sample(run.train_size, run.seed))
        data = TurnedExamples(examples) if is_augmented(run.network) else examples
        channels = test.images.shape[1]
        network, history = fit(
            run, lambda: self.make_network(run.network, channels), data, recipe, folder, advance=advance
        )
        et.set_backend(network, None)
        if run.train_size == self.sizes[-1]:
            self._save(network, run, test, folder)
        return {
            "network": run.network,
            "seed": run.seed,
            "train_size": run.train_size,
            "epochs": recipe.epochs,
            "parameters": parameter_count(network),
            "history": history,
            "results": self._results(run, network, test),
        }

    def _examples(self, pictures: Pictures) -> TensorDataset:
        return TensorDataset(self.scale.apply(pictures.images), torch.from_numpy(pictures.labels))

    def _save(self, network: nn.Module, run: Run, test: Pictures, folder: Folder) -> None:
        """Keeps the network as one file, which reads values from 0 to 255, with the first test image as its test."""
        label = self.networks[run.network].label
        et.save_network(
            network,
            folder.network_file(run.name),
            test.images[:1],
            name=label,
            description=f"{self.about}: {label}, trained on {run.train_size}",
            classes=list(self.classes),
            normalization=self.scale.normalization,
            input_name="image",
        )

    def _results(self, run: Run, network: nn.Module, test: Pictures) -> dict[str, Any]:
        examples = self._examples(test)
        probabilities = np.asarray(torch.softmax(scores(network, examples).double(), 1))
        result = measure(test, probabilities)
        if run.train_size == self.sizes[-1]:
            turns = exact_turns(self.networks[run.network])
            result["bitwise"] = bitwise_invariance(network, examples.tensors[0][:BITWISE_IMAGES], turns)
        return result


def measure(test: Pictures, probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """What the class probabilities (N, classes) of test images are worth.

    Returns:
        ``accuracy``, ``balanced_accuracy`` (mean over classes), ``macro_f1``, ``confusion`` (rows the true class),
        ``accuracy_of`` each subset, and the ``part``, ``labels`` and ``probabilities`` that they are of.
    """
    labels, predicted = test.labels, probabilities.argmax(1)
    classes = range(probabilities.shape[1])
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(labels, predicted)),
        "macro_f1": float(f1_score(labels, predicted, average="macro", labels=classes, zero_division=0.0)),
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
        "accuracy_of": {name: float((labels == predicted)[mask].mean()) for name, mask in test.subsets.items()},
        "part": test.part,
        "labels": labels.tolist(),
        "probabilities": probabilities.tolist(),
    }
