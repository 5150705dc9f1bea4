# SPDX-License-Identifier: Apache-2.0
"""What one training of the experiment on mitoses does and finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equiconv.torch as et
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from ..common.exactness import bitwise_invariance
from ..common.networks import CELL_NETWORKS, GroupNetwork, exact_turns, parameter_count
from ..common.storage import Folder
from ..common.training import Example, Recipe, Run, fit, scores
from .patches import NORMALIZATION, Cells, as_signal
from .scores import Prediction, best_threshold, evaluate

__all__ = ["CellSetting", "make_network", "prediction"]


@dataclass(frozen=True)
class CellSetting:
    """The part of the configuration that is the same for all runs.

    Attributes:
        cells: the data.
        recipe: how to train.
        resamples: draws of the bootstrap.
        turned_count: test images of the test of orientations; also the most for the comparison of bits.
        angles: of that test, in degrees; 0 first.
    """

    cells: Cells
    recipe: Recipe
    resamples: int = 1000
    turned_count: int = 100
    angles: tuple[float, ...] = tuple(float(angle) for angle in range(0, 360, 15))

    @cached_property
    def turned(self) -> list[TensorDataset]:
        """The first test images at each angle; quarter turns are exact, others resampled by cubic splines."""
        images = [self.cells.test.image(index) for index in range(min(self.turned_count, len(self.cells.test)))]
        return [_turned(images, angle) for angle in self.angles]

    def epochs(self, run: Run) -> int:
        """The same for all runs."""
        return self.recipe.epochs

    def work(self, run: Run) -> float:
        """About how long a run takes: networks of as many parameters have work in proportion to |H|."""
        return float(CELL_NETWORKS[run.network].group.order)

    def perform(self, run: Run, folder: Folder, advance: Callable[[], object]) -> dict[str, Any]:
        """Trains from the last checkpoint on, and measures.

        Args:
            run: which.
            folder: where checkpoints are.
            advance: called for each epoch.

        Returns:
            The run's entry of the JSON file.
        """
        network, history = fit(
            run, lambda: make_network(run.network), self.cells.train, self.recipe, folder, self._watch, advance
        )
        _save(network, run, self.cells, folder)
        return {
            "network": run.network,
            "seed": run.seed,
            "parameters": parameter_count(network),
            "history": history,
            "results": _results(run, network, self),
        }

    def _watch(self, network: nn.Module) -> dict[str, float]:
        output = scores(network, self.cells.valid)
        labels = torch.from_numpy(self.cells.valid.labels)
        return {
            "valid_loss": float(nn.functional.cross_entropy(output, labels)),
            "valid_auc": float(roc_auc_score(labels, output[:, 1] - output[:, 0])),
        }


def _turned(images: Sequence[NDArray[np.uint8]], angle: float) -> TensorDataset:
    turned = []
    for image in images:
        if angle % 90 == 0:
            signal = as_signal(np.rot90(image, round(angle / 90)))
        else:
            # Mirrored at the border: corners from outside then look like tissue.
            resampled = ndimage.rotate(image.astype(np.float32), angle, reshape=False, order=3, mode="mirror")
            signal = as_signal(resampled.clip(0, 255))
        turned.append(signal)
    return TensorDataset(torch.stack(turned), torch.zeros(len(turned)))


def make_network(name: str) -> GroupNetwork:
    """A network with fresh weights."""
    return GroupNetwork(CELL_NETWORKS[name], in_channels=3, classes=2)


def _save(network: nn.Module, run: Run, cells: Cells, folder: Folder) -> None:
    """Keeps the network as one file, which reads colors from 0 to 255, with the first test image as its test."""
    colors = cells.test.image(0).astype(np.float32).transpose(2, 0, 1)
    label = CELL_NETWORKS[run.network].label
    # Not where the data of a user is.
    data = cells.description if cells.synthetic else "the user's"
    et.save_network(
        network,
        folder.network_file(run.name),
        torch.from_numpy(np.ascontiguousarray(colors))[None],
        name=f"cells ({label})",
        description=f"Patches of cells: {label}, trained on {run.train_size} patches. Data: {data}",
        classes=list(cells.classes),
        normalization=NORMALIZATION,
        input_name="image",
    )


def _probabilities(network: nn.Module, data: Dataset[Example]) -> NDArray[np.float64]:
    """Of the positive class."""
    return np.asarray(torch.softmax(scores(network, data).double(), 1)[:, 1])


def prediction(entry: dict[str, Any]) -> Prediction:
    """What the network of a run says of the test images."""
    return Prediction(probabilities=entry["results"]["probabilities"], threshold=entry["results"]["threshold"])


def _results(run: Run, network: nn.Module, setting: CellSetting) -> dict[str, Any]:
    cells = setting.cells
    threshold = best_threshold(cells.valid.labels, _probabilities(network, cells.valid))
    probabilities = _probabilities(network, cells.test).tolist()
    found = Prediction(probabilities=probabilities, threshold=threshold)
    return {
        **evaluate(cells.test.labels, found),
        "threshold": threshold,
        "probabilities": probabilities,
        "probabilities_by_angle": [_probabilities(network, data).tolist() for data in setting.turned],
        "bitwise": bitwise_invariance(network, setting.turned[0].tensors[0], exact_turns(CELL_NETWORKS[run.network])),
    }
