# SPDX-License-Identifier: Apache-2.0
"""Networks, images and recipe of the tutorial."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import equiconv as eq
import equiconv.torch as et
import numpy as np
import torch
from sklearn.metrics import accuracy_score
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..common.classification import Classification, Contestant, predictions
from ..common.sampling import stratified
from ..common.training import Recipe
from ..data.labeled import LabeledImages
from ..data.sources import load
from ..data.turns import turned

__all__ = ["LABELS", "NETWORKS", "NORMALIZATION", "TESTS", "Sizes", "TutorialNetwork", "make"]

ANGLE_SEED, SUBSET_SEED = 8, 0
TESTS = ("upright", "turned")
"""What results of the test images begin with."""
LABELS = {"cnn": "CNN", "c4": "C4 G-CNN"}
GROUPS = {"cnn": eq.trivial(2), "c4": eq.cyclic(4)}
WIDTHS = {"cnn": 32, "c4": 16}
KERNEL, LAYERS = 5, 5
NORMALIZATION = (0.1307, 0.3081)
"""Mean and deviation that the tutorial takes for MNIST."""


@dataclass(frozen=True)
class Sizes:
    """How many images.

    Attributes:
        train: numbers of images to train with; those of the data at most.
        test: images to test on, None for all.
        curve: how many of them are turned by each angle.
        angles: in degrees.
        compared: how many are compared with turned ones, to the last bit.
    """

    train: tuple[int, ...]
    test: int | None
    curve: int
    angles: tuple[float, ...]
    compared: int = 200


class TutorialNetwork(nn.Module):
    """Five convolutions of 5 x 5 pixels without padding; the mean over H and space; a linear classifier.

    ``[convolution - norm - ReLU] x 5 - mean over H and space - linear``. The norm standardizes all numbers of an image,
    without weights. Convolutions have biases on the trivial group alone. With 32 channels on the trivial group and 16
    on C4 these are the networks of the tutorial, with 103,690 and 102,970 parameters. Source: Knigge, "Regular group
    convolutions", tutorials of the course Deep Learning 2, University of Amsterdam.

    Args:
        group: H.
        width: channels of all convolutions.
        in_channels: channels of the images.
        classes: number of scores.

    Shape:
        (B, in_channels, rows, columns) -> (B, classes), of 21 rows and columns or more.

    Example:
        >>> TutorialNetwork(eq.cyclic(4), 16)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """

    def __init__(self, group: eq.PointGroup, width: int, in_channels: int = 1, classes: int = 10) -> None:
        super().__init__()
        bias = group.order == 1
        blocks: list[nn.Module] = [et.LiftingConv(in_channels, width, KERNEL, group, bias=bias)]
        for _ in range(LAYERS - 1):
            blocks += [et.GroupNorm(1, width, affine=False), nn.ReLU()]
            blocks.append(et.GroupConv(width, width, KERNEL, group, bias=bias))
        blocks += [et.GroupNorm(1, width, affine=False), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.project = nn.Sequential(et.GroupPool(group, "mean"), et.SpatialMean(group))
        self.classify = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B, classes) of images (B, in_channels, rows, columns)."""
        scores: Tensor = self.classify(self.project(self.features(images)))
        return scores


def contestants(in_channels: int, classes: int) -> dict[str, Contestant]:
    """The networks, for images with so many channels."""
    return {
        name: Contestant(LABELS[name], group, partial(TutorialNetwork, group, WIDTHS[name], in_channels, classes))
        for name, group in GROUPS.items()
    }


NETWORKS = contestants(1, 10)


def make(data: str, recipe: Recipe, sizes: Sizes) -> Classification:
    """The data of a name or a folder, upright to train and turned to test.

    Args:
        data: see `load`.
        recipe: how to train.
        sizes: how many images.

    Raises:
        RefusedError: the data is not there, broken, or has been turned already.
    """
    found = load(data, upright=True)
    train = _some(found.train, min(max(sizes.train), len(found.train)))
    test = _some(found.test, len(found.test) if sizes.test is None else min(sizes.test, len(found.test)))
    angles = np.random.default_rng(ANGLE_SEED).uniform(0, 360, len(test))
    sets = {"upright": _tensors(test.signals(), test), "turned": _tensors(turned(test.signals(), angles), test)}
    return Classification(
        recipe,
        contestants(train.images.shape[1], len(found.classes)),
        _tensors(train.signals(), train),
        sets,
        found.classes,
        found.name,
        f"{found.description}; used: {len(train)} and {len(test)}",
        found.identity(),
        compared=sizes.compared,
        more=partial(_by_angle, _curve(test, sizes)),
        # Files of networks have no such norm.
        kept=False,
    )


def _some(part: LabeledImages, count: int) -> LabeledImages:
    return part.subset(stratified(part.labels, count, SUBSET_SEED))


def _tensors(images: Any, part: LabeledImages) -> TensorDataset:
    mean, deviation = (np.float32(number) for number in NORMALIZATION)
    return TensorDataset(torch.from_numpy((images - mean) / deviation), torch.from_numpy(part.labels))


def _curve(test: LabeledImages, sizes: Sizes) -> list[TensorDataset]:
    """The first test images at each angle."""
    few = test.subset(np.arange(min(sizes.curve, len(test))))
    return [_tensors(turned(few.signals(), angle), few) for angle in sizes.angles]


def _by_angle(curve: list[TensorDataset], network: nn.Module) -> dict[str, Any]:
    """The accuracy at each angle, and predictions there."""
    found = [predictions(network, data) for data in curve]
    pairs = zip(curve, found, strict=True)
    return {
        "accuracy_by_angle": [float(accuracy_score(data.tensors[1], predicted)) for data, predicted in pairs],
        "predictions_by_angle": [predicted.tolist() for predicted in found],
    }
