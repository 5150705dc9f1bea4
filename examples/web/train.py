# SPDX-License-Identifier: Apache-2.0
"""Trains the two small networks of the page, in some seconds, and writes them as network files.

    python examples/web/train.py [FOLDER]

A C4 network and a plain CNN of as many parameters learn upright digits of scikit-learn. Neither ever sees a turned one.
Prints the share of test digits that each has right, upright and turned by quarter turns.
"""

from __future__ import annotations

import sys
from pathlib import Path

import equiconv.torch as et
import numpy as np
import torch
from equiconv_experiments.common.networks import Architecture, GroupNetwork, family, parameter_count
from equiconv_experiments.digits.images import CLASSES, Digits, load
from torch import Tensor, nn

NETWORKS = family({"c4": (4, 6, 8), "cnn": (8, 12, 16)}, kernels=(5, 5, 5), paddings=(2, 0), pools=(1, 1))
EPOCHS, BATCH, RATE = 8, 32, 0.01
TURNS = range(4)
DRAWN_SIZE = 48


def tensors(digits: Digits) -> tuple[Tensor, Tensor]:
    """Upright images and their labels."""
    return torch.from_numpy(digits.turned()), torch.from_numpy(digits.labels)


def train(architecture: Architecture, images: Tensor, labels: Tensor) -> GroupNetwork:
    """A network that has seen every image `EPOCHS` times, the same on every run."""
    torch.manual_seed(0)
    network = GroupNetwork(architecture, 1, CLASSES)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    steps = EPOCHS * ((len(images) - 1) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def shares_right(network: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """The share of images whose class has the largest score, for each quarter turn of them."""
    with torch.no_grad():
        predicted = [network(torch.rot90(images, turn, (-2, -1))).argmax(1) for turn in TURNS]
    return [float((classes == labels).double().mean()) for classes in predicted]


def save(network: nn.Module, path: Path, label: str, image: Tensor) -> None:
    """Writes the file, with one test digit as its test."""
    description = f"Upright handwritten digits of scikit-learn, ink from 0 to 1, 16 x 16 points: {label}"
    classes = [str(digit) for digit in range(CLASSES)]
    et.save_network(
        network,
        path,
        image,
        name=f"digits of the page ({label})",
        description=description,
        classes=classes,
        input_name="image",
    )


def write_digits(test_set: Digits, path: Path) -> None:
    """Writes the first test digit of each class, as 48 x 48 shades from 0 to 255."""
    first = np.array([np.argmax(test_set.labels == digit) for digit in range(CLASSES)])
    images = test_set.subset(first).turned(size=DRAWN_SIZE)
    path.write_bytes(np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).tobytes())


def main(folder: Path) -> None:
    """Trains both networks and writes them, and digits to begin with."""
    train_set, test_set = load()
    write_digits(test_set, folder / "digits.u8")
    images, labels = tensors(train_set)
    test_images, test_labels = tensors(test_set)
    for name, architecture in NETWORKS.items():
        network = train(architecture, images, labels)
        path = folder / f"{name}.safetensors"
        save(network, path, architecture.label, test_images[:1])
        shares = np.array2string(np.array(shares_right(network, test_images, test_labels)), precision=3)
        print(
            f"{architecture.label}: {parameter_count(network)} parameters, {path.stat().st_size} bytes, right {shares}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "networks")
