# SPDX-License-Identifier: Apache-2.0
"""One training, and the nuclei that its network finds in the other image."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import equiconv as eq
import equiconv.torch as et
import numpy as np
import torch
from equiconv.slides import (
    Detections,
    detections,
    froc,
    open_source,
    precision_recall,
    precision_recall_curve,
    predict,
    write_geojson,
)
from equiconv.torch.models import UNet
from numpy.typing import NDArray
from torch import nn

from ..common.comparison import Scale
from ..common.networks import parameter_count
from ..common.storage import Folder, RefusedError
from ..common.training import Recipe, Run, fit
from .crops import Crops, Image

__all__ = ["DISTANCE", "NETWORKS", "RATES", "DenseNetwork", "NucleusSetting", "detections_file"]

NAME = "nucleus"
SCALE = Scale(0.65, 0.25)
"""Near the mean and deviation of the colors of such images; nothing is learned from the image that is searched."""
CROP, BATCH = 128, 8
STEP = 4
"""Of the network: extents that it reads are multiples."""
TILE = 512
APART = 10.0
"""The least distance of two detections, in pixels: the middles of nuclei that touch are rarely closer."""
DISTANCE = 10.0
"""The largest distance of a detection and its nucleus, in pixels: about the radius of a large one."""
FLOOR = -3.0
"""The least score of a detection in curves: log-odds, here of a probability of about 5 %."""
RATES = (10.0, 20.0, 40.0, 80.0)
"""False positives per million pixels, at which sensitivities are averaged."""
TURNED = 768


@dataclass(frozen=True)
class DenseNetwork:
    """A U-Net of the comparison.

    Attributes:
        label: what tables and figures call it.
        group: H.
    """

    label: str
    group: eq.PointGroup


NETWORKS = {
    "cnn": DenseNetwork("plain U-Net", eq.trivial(2)),
    "c4": DenseNetwork("C4 U-Net", eq.cyclic(4)),
    "d4": DenseNetwork("D4 U-Net", eq.dihedral(4)),
}
WIDTHS, KERNEL = (6, 12, 20), 5
"""Of the plain network; the others have about as many parameters. An output depends on 84 x 84 pixels."""


class _Trained(nn.Module):
    """A network of log-odds as one of two classes: what the cross-entropy is of.

    Log-odds are also what is written: probabilities of float32 are 1 for all log-odds from 17 on, and where scores are
    equal there is no maximum.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        group = NETWORKS[name].group
        self.network = UNet(group, 1, 3, widths=WIDTHS, kernel=KERNEL, up="nearest", padding_mode="reflect")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores (B, 2, rows, columns) of no nucleus and of one."""
        odds = self.network(images)
        return torch.cat([torch.zeros_like(odds), odds], 1)


class _Read(nn.Module):
    """Values from 0 to 255 as networks read them."""

    def forward(self, colors: torch.Tensor) -> torch.Tensor:
        return SCALE.apply(colors)


@dataclass(frozen=True)
class NucleusSetting:
    """The part of the configuration that is the same for all runs.

    Attributes:
        train: what networks learn from.
        valid: a part of the same image, for the threshold.
        slide: the path of the image in which nuclei are found.
        truth: (N, 2), y and x of its nuclei.
        recipe: how to train.
        crops: squares of an epoch.
    """

    train: Image
    valid: Image
    slide: Path
    truth: NDArray[np.float64]
    recipe: Recipe
    crops: int

    def epochs(self, run: Run) -> int:
        """The same for all runs."""
        return self.recipe.epochs

    def work(self, run: Run) -> float:
        """About how long a run takes: networks of as many parameters have work in proportion to |H|."""
        return float(NETWORKS[run.network].group.order)

    def perform(self, run: Run, folder: Folder, advance: Callable[[], object]) -> dict[str, Any]:
        """Trains from the last checkpoint on, finds the nuclei of the slide, and measures.

        Args:
            run: which.
            folder: where checkpoints, networks, maps and detections are.
            advance: called for each epoch.

        Returns:
            The run's entry of the JSON file.

        Raises:
            RefusedError: the slide is not one that the network reads.
        """
        data = Crops(self.train, CROP, self.crops, _Read())
        trained, history = fit(run, lambda: _Trained(run.network), data, self.recipe, folder, advance=advance)
        network = cast(_Trained, trained).network
        file = folder.network_file(run.name)
        _save(network, run, self.valid, file)
        threshold, valid_f1 = self._threshold(file)
        return {
            "network": run.network,
            "seed": run.seed,
            "parameters": parameter_count(network),
            "history": history,
            "results": {"threshold": threshold, "valid_f1": valid_f1, **self._found(run, folder, file, threshold)},
        }

    def _threshold(self, file: Path) -> tuple[float, float]:
        """The score of the largest F1 in the part for validation, and that F1."""
        scores = predict(file, self.valid.colors, tile=TILE, axes="CYX", progress=False).array
        curve = precision_recall_curve(_detections(scores), self.valid.centers, DISTANCE)
        if len(curve.thresholds) == 0:
            # A network that finds nothing, as after a few steps.
            return FLOOR, 0.0
        best = int(curve.f1.argmax())
        return float(curve.thresholds[best]), float(curve.f1[best])

    def _found(self, run: Run, folder: Folder, file: Path, threshold: float) -> dict[str, Any]:
        """What the slide's detections are worth; they are written for QuPath."""
        try:
            maps = predict(file, self.slide, folder.path / "maps" / f"{run.name}.zarr", tile=TILE, progress=False)
        except (ValueError, TypeError, OSError) as error:
            raise RefusedError(f"--slide is {self.slide}, which cannot be searched: {error}") from error
        if maps.failed:
            raise RefusedError(f"--slide is {self.slide}, of which parts cannot be read: {maps.failed[0]}")
        found = _detections(maps.path)
        place = detections_file(folder.path, run.name)
        place.parent.mkdir(exist_ok=True)
        write_geojson(found.above(threshold), place)
        with closing(open_source(self.slide)) as source:
            million = source.extents[0] * source.extents[1] / 1e6
            bitwise = _bitwise(file, source)
        return {**_measures(found, self.truth, threshold, million), "bitwise": bitwise}


def detections_file(folder: Path, run: str) -> Path:
    """Where the detections of a run are."""
    return folder / "detections" / f"{run}.geojson"


def _save(network: nn.Module, run: Run, valid: Image, file: Path) -> None:
    """Keeps the network as one file, which reads colors from 0 to 255 and writes log-odds."""
    example = torch.from_numpy(valid.colors[None, :, :64, :64].astype(np.float32))
    label = NETWORKS[run.network].label
    et.save_network(
        network,
        file,
        example,
        name=f"nuclei ({label})",
        description=f"Log-odds of the middle of a nucleus, in tissue stained with hematoxylin and eosin: {label}",
        classes=[NAME],
        normalization=SCALE.normalization,
        input_name="image",
    )


def _detections(scores: Any) -> Detections:
    return detections(scores, FLOOR, APART, names=[NAME])


def _measures(found: Detections, truth: NDArray[np.float64], threshold: float, million: float) -> dict[str, Any]:
    """The numbers of a slide: at the threshold, and over all of them."""
    at_threshold = precision_recall(found, truth, DISTANCE, threshold=threshold)
    curve, free = precision_recall_curve(found, truth, DISTANCE), froc(found, truth, DISTANCE, areas=million)
    return {
        "found": len(found.above(threshold)),
        "true_positives": at_threshold.true_positives,
        "truths": len(truth),
        # Of nothing found, 0 here: JSON has no NaN.
        "precision": float(np.nan_to_num(at_threshold.precision)),
        "recall": at_threshold.recall,
        "f1": at_threshold.f1,
        "average_precision": curve.average_precision,
        "froc": free.score(RATES),
        "sensitivities": [free.sensitivity_at(rate) for rate in RATES],
        "curves": {
            "precision": curve.precision.tolist(),
            "sensitivity": free.sensitivity.tolist(),
            "false_positives": free.false_positives.tolist(),
        },
    }


def _bitwise(file: Path, source: Any) -> dict[str, Any]:
    """The map of a square in the middle of a slide, beside the maps of the turned square, turned back."""
    size = min(TURNED, *source.extents) // STEP * STEP
    top, left = ((extent - size) // 2 for extent in source.extents)
    colors = source.read((top, left), (top + size, left + size))[None].astype(np.float32)
    network = eq.load_network(file, "exact")
    # The last one is upright.
    inputs = [np.ascontiguousarray(np.rot90(colors, turns, (2, 3))) for turns in (1, 2, 3, 4)]
    outputs = [np.rot90(np.asarray(network(one)), -turns, (2, 3)) for turns, one in enumerate(inputs, 1)]
    *turned, upright = (np.ascontiguousarray(one) for one in outputs)
    differing = [one.view(np.int32) != upright.view(np.int32) for one in turned]
    return {
        "elements": 3,
        "size": size,
        "scores_compared": sum(one.size for one in differing),
        "scores_that_differ": sum(int(one.sum()) for one in differing),
        "largest_difference": max(float(np.abs(one - upright).max()) for one in turned),
    }
