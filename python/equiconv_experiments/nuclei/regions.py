# SPDX-License-Identifier: Apache-2.0
"""Patches of tissue in parts that have no pixel in common.

The image is cut into square tiles, and tiles are dealt to folds in turn, row by row shifted by one. A patch is one to
test where all of its pixels lie in tiles of a fold, and one to train for that fold where none does; others are left
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from ..common.comparison import Pictures
from ..common.sampling import Indices, stratified
from ..data.tissue import TYPES, Tissue

__all__ = ["FOLDS", "TASKS", "TILE", "Regions", "fold_of"]

TILE, FOLDS = 300, 3
TASKS = {"types": TYPES, "background": ("background", "nucleus")}
"""Classes of each task."""
# Pixels between the middle of a background patch and the next outline: about the radius of a large nucleus.
DISTANCE = 14
POINT_SEED = 0


def fold_of(rows: Indices, columns: Indices) -> Indices:
    """The fold of pixels: of each tile, that of the one before it in its row plus one, and so on from row to row."""
    return (rows // TILE + columns // TILE) % FOLDS


@dataclass(frozen=True)
class Regions:
    """The patches of a task.

    Attributes:
        tissue: the image with nuclei.
        task: of `TASKS`.
        size: rows of a patch, at most `TILE`.
        limit: the most patches; None for all.
    """

    tissue: Tissue
    task: str
    size: int
    limit: int | None = None

    @cached_property
    def places(self) -> tuple[Indices, Indices]:
        """Upper left corners (N, 2) of all patches that lie inside the image, and their labels (N,)."""
        centers, labels = self.tissue.centers, self.tissue.types
        if self.task == "background":
            points = _background_points(self.tissue.outlines, len(centers))
            labels = np.repeat([0, 1], [len(points), len(centers)])
            centers = np.concatenate([points, centers])
        corners = centers - self.size // 2
        inside = np.all((corners >= 0) & (corners + self.size <= self.tissue.image.shape[:2]), axis=1)
        corners, labels = corners[inside], labels[inside]
        if self.limit is not None:
            chosen = stratified(labels, min(self.limit, len(labels)), POINT_SEED)
            corners, labels = corners[chosen], labels[chosen]
        return corners, labels

    def split(self, fold: int) -> tuple[Indices, Indices]:
        """Indices among `places` of the patches to train and to test for a fold."""
        corners, _ = self.places
        # A patch no larger than a tile has pixels in no other tiles than its corners are in.
        ends = corners + self.size - 1
        folds = np.stack(
            [fold_of(rows[:, 0], columns[:, 1]) for rows in (corners, ends) for columns in (corners, ends)]
        )
        return np.flatnonzero((folds != fold).all(0)), np.flatnonzero((folds == fold).all(0))

    def parts(self, seed: int) -> tuple[Pictures, Pictures]:
        """Patches to train and to test; seeds have the folds in turn, so that three seeds test all tiles."""
        fold = seed % FOLDS
        corners, labels = self.places
        train, test = (
            Pictures(self._cut(corners[chosen]), labels[chosen], f"fold {fold}") for chosen in self.split(fold)
        )
        return train, test

    def train_size(self) -> int:
        """The patches that every fold has to train."""
        return min(len(self.split(fold)[0]) for fold in range(FOLDS))

    def _cut(self, corners: Indices) -> torch.Tensor:
        windows = np.lib.stride_tricks.sliding_window_view(self.tissue.image, (self.size, self.size), (0, 1))
        patches = windows[corners[:, 0], corners[:, 1]]
        return torch.from_numpy(patches.astype(np.float32))


def _background_points(outlines: NDArray[np.int32], count: int) -> Indices:
    """So many random pixels (N, 2) at least `DISTANCE` from all nuclei, always the same; fewer where there are not."""
    far = np.argwhere(ndimage.distance_transform_edt(outlines == 0) >= DISTANCE)
    chosen = np.random.default_rng(POINT_SEED).permutation(len(far))[:count]
    return far[np.sort(chosen)]
