# SPDX-License-Identifier: Apache-2.0
"""Training images turned and mirrored at random: what a plain network learns symmetry from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.data import Dataset

from .networks import Architecture
from .training import Example

__all__ = ["TurnedExamples", "is_augmented", "square_element", "with_augmentation"]

_SUFFIX = "-augmented"
ELEMENTS = 8
"""Quarter turns and mirrors of a square."""


def with_augmentation(networks: Mapping[str, Architecture]) -> dict[str, Architecture]:
    """The networks and, after the plain one, ``"cnn-augmented"``: the same, trained on turned and mirrored images."""
    result = {}
    for name, architecture in networks.items():
        result[name] = architecture
        if name == "cnn":
            result[name + _SUFFIX] = replace(architecture, label=f"{architecture.label}, augmented")
    return result


def is_augmented(name: str) -> bool:
    """Whether a network of this name is trained on `TurnedExamples`."""
    return name.endswith(_SUFFIX)


def square_element(image: Tensor, element: int) -> Tensor:
    """An image (C, size, size) turned by a quarter `element % 4` times, and then mirrored if `element` is 4 or more.

    Only moves pixels: values are the same bits.
    """
    turned = torch.rot90(image, element % 4, (1, 2))
    return (turned.flip(2) if element >= 4 else turned).contiguous()


class TurnedExamples(Dataset[Example]):
    """Examples whose square images are turned by a random quarter and mirrored or not, anew each time.

    The 8 elements of D4 are equally likely. They are drawn from PyTorch's generator, whose state checkpoints keep, so a
    run that was killed resumes to the same bits.

    Args:
        data: examples of an image (C, size, size) and a label; it has a length.
    """

    def __init__(self, data: Dataset[Example]) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Example:
        image, label = self._data[index]
        return square_element(image, int(torch.randint(ELEMENTS, ()))), label
