# SPDX-License-Identifier: Apache-2.0
"""Metadata of an output: OME-NGFF 0.5, and what else there is to know of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._network.network import Network
from ..._reach.field import receptive_field
from .._tiles.plan import PlannedOutput

NGFF = "0.5"
_COLORS = ("E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7", "FFFFFF")


@dataclass(frozen=True)
class Placement:
    """Where the places of an output lie on the slide, y before x.

    Attributes:
        spacing: pixels at full resolution from one place to the next.
        origin: the upper left edge of place (0, 0), in these pixels: place i is from origin + i spacing to origin +
            (i + 1) spacing.
        mpp: micrometers of a pixel at full resolution, or None.
    """

    spacing: tuple[float, float]
    origin: tuple[float, float]
    mpp: tuple[float, float] | None

    def scale(self, level: int) -> list[float]:
        """From places of a level to micrometers, or to pixels where these are not known."""
        return [space * 2**level * unit for space, unit in zip(self.spacing, self._units, strict=True)]

    def translation(self, level: int) -> list[float]:
        """The middle of the first place of a level."""
        edges = zip(self.origin, self.spacing, self._units, strict=True)
        return [(origin + space * 2**level / 2) * unit for origin, space, unit in edges]

    @property
    def _units(self) -> tuple[float, float]:
        return (1.0, 1.0) if self.mpp is None else self.mpp


def placement(
    network: Network, output: PlannedOutput, pixel: tuple[float, float], mpp: tuple[float, float] | None
) -> Placement:
    """Where an output lies: each place in the middle of the pixels that it reads.

    Args:
        network, output: of which.
        pixel: pixels at full resolution of one that the network reads.
        mpp: micrometers of a pixel that the network reads, or None.
    """
    reach = receptive_field(network, output.name)
    spacing, origin = [], []
    for axis in (0, 1):
        step = reach.period[axis] / reach.outputs_per_period[axis]
        # A block of places stands for one period of pixels, and reads `before` ahead and `after` behind it.
        middle = reach.period[axis] / 2 + (reach.after[axis] - reach.before[axis]) / 2
        spacing.append(step * pixel[axis])
        origin.append((middle - reach.outputs_per_period[axis] * step / 2) * pixel[axis])
    full = None if mpp is None else (mpp[0] / pixel[0], mpp[1] / pixel[1])
    return Placement((spacing[0], spacing[1]), (origin[0], origin[1]), full)


def ngff(
    output: PlannedOutput, place: Placement, levels: int, window: tuple[float, float] | None = None
) -> dict[str, Any]:
    """The attribute ``ome`` of an image (c, y, x) with so many levels, named "0", "1" and so on.

    Args:
        output, place: what it is, and where.
        levels: how many.
        window: the smallest and the largest number that a viewer should show.
    """
    axes: list[dict[str, str]] = [{"name": "c", "type": "channel"}]
    unit = {} if place.mpp is None else {"unit": "micrometer"}
    axes += [{"name": name, "type": "space", **unit} for name in ("y", "x")]
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, *place.scale(level)]},
                {"type": "translation", "translation": [0.0, *place.translation(level)]},
            ],
        }
        for level in range(levels)
    ]
    image = {"name": output.name, "axes": axes, "datasets": datasets, "type": "mean"}
    return {"version": NGFF, "multiscales": [image], "omero": {"channels": _channels(output, window or (0.0, 1.0))}}


def _channels(output: PlannedOutput, window: tuple[float, float]) -> list[dict[str, Any]]:
    low, high = window
    limits = {"min": low, "max": high, "start": low, "end": high}
    return [
        {"label": label, "color": _COLORS[number % len(_COLORS)], "active": number < len(_COLORS), "window": limits}
        for number, label in enumerate(labels_of(output))
    ]


def labels_of(output: PlannedOutput) -> Sequence[str]:
    """Names of the channels: those of the network, else their numbers."""
    return output.labels or [f"{output.name} {number}" for number in range(output.channels)]


def own_attributes(output: PlannedOutput, place: Placement, run: Mapping[str, Any], complete: bool) -> dict[str, Any]:
    """The attribute ``equiconv`` of an image.

    Args:
        output, place: what it is, and where.
        run: what was asked for.
        complete: whether all tiles and levels are there.
    """
    return {
        "output": output.name,
        "classes": None if output.labels is None else list(output.labels),
        "spacing": list(place.spacing),
        "origin": list(place.origin),
        "mpp": None if place.mpp is None else list(place.mpp),
        "complete": complete,
        "run": dict(run),
    }
