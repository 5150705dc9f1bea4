# SPDX-License-Identifier: Apache-2.0
"""Networks, images and recipe of the experiment on images that are turned once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equiconv as eq
import numpy as np
import torch
from equiconv.torch import models
from torch.utils.data import Dataset, TensorDataset

from ..common.classification import Classification, Contestant, predictions
from ..common.sampling import stratified
from ..common.training import Example, Recipe
from ..data.labeled import LabeledImages
from ..data.sources import load
from ..data.turns import turned

__all__ = ["EXAMPLES", "LABELS", "NETWORKS", "TEST", "Sizes", "make"]

ANGLE_SEEDS = {"train": 7, "test": 8}
SUBSET_SEED = 0
EXAMPLES = 24
"""Test images whose predictions are kept, for the figure."""
TEST = "turned"
"""What results of the test images begin with."""
LABELS = {"cnn": "Z2CNN", "c4": "P4CNN", "c8": "C8 CNN", "d4": "D4 CNN"}
GROUPS = {"cnn": eq.trivial(2), "c4": eq.cyclic(4), "c8": eq.cyclic(8), "d4": eq.dihedral(4)}
# P4CNN has its published widths. Those of the others make them differ from it by less than 2 % in parameters.
WIDTHS: Mapping[str, tuple[int, ...]] = {
    "cnn": (21, 21, 21, 22, 22, 22), "c4": (10,) * 6, "c8": (7, 7, 7, 7, 7, 6), "d4": (7, 7, 7, 7, 7, 6),
}  # fmt: skip
# The published Z2CNN is smaller, has dropout, and was trained three times as long.
PUBLISHED_WIDTH, PUBLISHED_DROPOUT, PUBLISHED_EPOCHS = 20, 0.3, 3


@dataclass(frozen=True)
class Sizes:
    """How many images.

    Attributes:
        train: numbers of images to train with; those of the data at most.
        test: images to test on, None for all.
        compared: how many are compared with turned ones, to the last bit.
    """

    train: tuple[int, ...]
    test: int | None
    compared: int = 200


def contestants(in_channels: int, classes: int, is_published: bool) -> dict[str, Contestant]:
    """The networks, for images with so many channels; Z2CNN as it was published, or with the parameters of P4CNN."""
    found = {}
    for name, group in GROUPS.items():
        options: dict[str, Any] = {"in_channels": in_channels, "num_classes": classes, "widths": WIDTHS[name]}
        longer = 1
        if is_published and name == "cnn":
            options |= {"widths": PUBLISHED_WIDTH, "dropout": PUBLISHED_DROPOUT}
            longer = PUBLISHED_EPOCHS
        found[name] = Contestant(LABELS[name], group, partial(models.p4cnn, group, **options), longer)
    return found


NETWORKS = contestants(1, 10, is_published=False)


class Turning(Dataset[Example]):
    """Images, each turned by another random angle whenever it is read."""

    def __init__(self, data: TensorDataset) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Example:
        image, label = self._data[index]
        degrees = 360 * float(torch.rand(()))
        return torch.from_numpy(turned(image.numpy()[None], degrees)[0]), label


def make(data: str, recipe: Recipe, sizes: Sizes, is_published: bool) -> Classification:
    """The data of a name or a folder, turned once unless it has been, and how networks are trained on it.

    Args:
        data: see `load`.
        recipe: how to train.
        sizes: how many images.
        is_published: whether to train as it was published: longer, and with images turned again in each epoch.

    Raises:
        RefusedError: the data is not there, or broken.
    """
    found = load(data)
    train = _some(found.train, min(max(sizes.train), len(found.train)))
    test = _some(found.test, len(found.test) if sizes.test is None else min(sizes.test, len(found.test)))
    parts = {"train": train, "test": test}
    if found.is_turned:
        sets = {name: _tensors(part.signals(), part) for name, part in parts.items()}
    else:
        sets = {name: _tensors(_turned_once(part, ANGLE_SEEDS[name]), part) for name, part in parts.items()}
    return Classification(
        recipe,
        contestants(train.images.shape[1], len(found.classes), is_published),
        sets["train"],
        {TEST: sets["test"]},
        found.classes,
        f"turned {found.name}",
        f"{found.description}; used: {len(train)} and {len(test)}, each turned once by a random angle",
        found.identity(),
        compared=sizes.compared,
        augment=Turning if is_published else None,
        more=partial(_first_answers, sets["test"]),
    )


def _some(part: LabeledImages, count: int) -> LabeledImages:
    return part.subset(stratified(part.labels, count, SUBSET_SEED))


def _turned_once(part: LabeledImages, seed: int) -> Any:
    return turned(part.signals(), np.random.default_rng(seed).uniform(0, 360, len(part)))


def _tensors(images: Any, part: LabeledImages) -> TensorDataset:
    return TensorDataset(torch.from_numpy(images), torch.from_numpy(part.labels))


def _first_answers(test: TensorDataset, network: torch.nn.Module) -> dict[str, Any]:
    """Predictions for the figure of examples."""
    few = TensorDataset(*(tensor[:EXAMPLES] for tensor in test.tensors))
    return {"first_predictions": predictions(network, few).tolist()}
