# SPDX-License-Identifier: Apache-2.0
"""The rows of the benchmark: cases in sections, and what equiconv aims at in each.

No peer and no engine is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from case import Case
from networks import NETWORKS, NetworkCase

Against: TypeAlias = Literal["peak", "best peer", "equal peer", "PyTorch", "ONNX Runtime", "direct", "fastest"]


@dataclass(frozen=True)
class Target:
    """A contestant of equiconv's is at least `least` times as fast as something.

    Attributes:
        least: the least ratio.
        of: "peak"; "best peer", the fastest of all peers; "equal peer", the fastest whose RMS error is no larger, which
            is reached where there is none; "PyTorch", in the better of its layouts; "ONNX Runtime"; "direct",
            equiconv's direct algorithm; "fastest", the fastest of equiconv's algorithms.
        who: the contestant.
    """

    least: float
    of: Against
    who: str = "equiconv"


@dataclass(frozen=True)
class Row:
    """A case of a section of the page, with its targets."""

    section: str
    case: Case | NetworkCase
    targets: tuple[Target, ...] = (Target(1.0, "equal peer"),)

    @property
    def name(self) -> str:
        """The case in one line, which --only searches."""
        return self.case.name


def _peak(least: float, exact: float = 0.0) -> tuple[Target, ...]:
    """At least a multiple of the peak, of the algorithm that is chosen and of the exact one."""
    found = (Target(least, "peak"), Target(1.0, "equal peer"))
    return found + ((Target(exact, "peak", "exact"),) if exact else ())


def _exact(direct: float, *others: Target) -> tuple[Target, ...]:
    """The exact algorithm against the direct one, and against the fastest of all."""
    return (*others, Target(1.0, "equal peer"), Target(direct, "direct", "exact"), Target(0.7, "fastest", "exact"))


_PLANE_DIRECT = {"C4": {3: 1.8, 5: 2.0, 7: 4.0}, "D4": {3: 3.3, 5: 3.5}}
_PLANE_PEAK = {("D4", 16, 3): (Target(2.8, "peak"),), ("D4", 32, 3): (Target(3.4, "peak"),)}


def _plane() -> Iterator[Row]:
    """Group layers on planes, stride 1."""
    section = "Group layers, stride 1"
    for group, limits in _PLANE_DIRECT.items():
        for channels in (16, 32):
            for kernel in (3, 5, 7, 9):
                case = Case("group", group, (channels, channels), 64, kernel)
                if case.operations > 1.5e11:
                    continue
                peak = _PLANE_PEAK.get((group, channels, kernel), ())
                targets = _exact(limits[kernel], *peak) if kernel in limits else Row.targets
                yield Row(section, case, targets)
    for group, channels, kernel in (("C4", 16, 3), ("C4", 32, 5), ("D4", 32, 3), ("D4", 16, 5)):
        yield Row(section, Case("group", group, (channels, channels), 32, kernel))
    yield Row(section, Case("group", "C4", (16, 16), 128, 3, batch=2))
    for group, kernel in (("C4", 3), ("D4", 5)):
        yield Row(section, Case("group", group, (16, 16), 256, kernel, batch=1))
    yield Row(section, Case("group", "C8", (16, 16), 64, 5))


def _strided() -> Iterator[Row]:
    """Group layers on planes, stride 2."""
    section = "Group layers, stride 2"
    least = {("C4", 32, 3): 1.5, ("D4", 16, 3): 2.3, ("D4", 32, 3): 2.3, ("D4", 16, 5): 2.8, ("D4", 32, 5): 2.8}
    for group in ("C4", "D4"):
        for channels in (16, 32):
            for kernel in (3, 5):
                case = Case("group", group, (channels, channels), 65, kernel, stride=2)
                found = least.get((group, channels, kernel))
                yield Row(section, case, Row.targets if found is None else _peak(found))
    for group in ("C4", "D4"):
        yield Row(section, Case("group", group, (8, 16), 17, 3, batch=16, stride=2))
        yield Row(section, Case("group", group, (16, 32), 9, 3, batch=16, stride=2))
        yield Row(section, Case("group", group, (16, 32), 33, 1, batch=16, stride=2))


def _small() -> Iterator[Row]:
    """Small planes, and kernels of one tap."""
    section = "Small planes and kernels of one tap"
    for group in ("C4", "D4"):
        yield Row(section, Case("group", group, (16, 16), 16, 3, batch=16))
        yield Row(section, Case("group", group, (32, 32), 9, 3, batch=16))
    for group, least in (("C4", 1.0), ("D4", 1.5)):
        yield Row(section, Case("group", group, (16, 16), 64, 1))
        yield Row(section, Case("group", group, (32, 32), 64, 1), _peak(least))


def _mixed() -> Iterator[Row]:
    """Lifting, projection, isotropic, depthwise and separable layers."""
    section = "Lifting layers"
    ahead = (Target(1.2, "best peer"),)
    for group in ("C4", "D4"):
        for kernel in (3, 5):
            yield Row(section, Case("lifting", group, (3, 16), 64, kernel), ahead)
        yield Row(section, Case("lifting", group, (3, 16), 64, 7))
    yield Row(section, Case("lifting", "C4", (3, 16), 256, 3, batch=1))
    yield Row(section, Case("lifting", "D4", (3, 8), 65, 5, batch=16, stride=2))
    section = "Projection, isotropic, depthwise and separable layers"
    yield Row(section, Case("projection", "D4", (16, 32), 64, 3))
    yield Row(section, Case("isotropic", "D4", (64, 64), 64, 3))
    yield Row(section, Case("depthwise", "C4", (32, 32), 64, 5))
    yield Row(section, Case("depthwise", "D4", (32, 32), 65, 3, stride=2))
    yield Row(section, Case("separable", "C8", (16, 16), 64, 5))
    yield Row(section, Case("separable", "D4", (32, 32), 64, 7))


def _space() -> Iterator[Row]:
    """Layers in 3-D."""
    section = "Layers in 3-D"
    eight = Case("group", "octahedral", (8, 8), 24, 3, batch=1)
    yield Row(section, eight, _peak(4, exact=2.5))
    yield Row(section, Case("group", "octahedral", (4, 4), 24, 3, batch=2))
    yield Row(section, Case("group", "octahedral", (4, 4), 24, 5, batch=1))
    yield Row(section, replace(eight, size=25, stride=2, batch=2), _peak(2.5))
    yield Row(section, Case("group", "full octahedral", (4, 4), 24, 3, batch=1))
    yield Row(section, Case("group", "full octahedral", (8, 8), 24, 3, batch=1), _peak(7, exact=5))
    yield Row(section, Case("group", "tetrahedral", (8, 8), 24, 3, batch=2))
    yield Row(section, Case("group", "octahedral", (16, 16), 12, 1, batch=4))
    yield Row(section, Case("lifting", "octahedral", (1, 8), 24, 3, batch=4))
    yield Row(section, Case("projection", "octahedral", (8, 8), 24, 3, batch=2))
    yield Row(section, replace(eight, run="gradients"), _peak(3))
    yield Row(section, Case("group", "octahedral", (4, 4), 25, 3, batch=1, stride=2, run="training"))
    yield Row(section, Case("group", "full octahedral", (4, 4), 16, 3, batch=1, run="training"))


def _double() -> Iterator[Row]:
    """Layers in float64."""
    section = "Layers in float64"
    for group, kernel in (("C4", 3), ("C4", 5), ("D4", 3)):
        yield Row(section, Case("group", group, (16, 16), 64, kernel, batch=4, dtype="float64"))
    yield Row(section, Case("group", "D4", (16, 16), 65, 3, batch=4, stride=2, dtype="float64"))
    yield Row(section, Case("group", "octahedral", (4, 4), 24, 3, batch=1, dtype="float64"))


def _training() -> Iterator[Row]:
    """Layers with both gradients."""
    section = "Layers, forward and both gradients"
    for group in ("C4", "D4"):
        for channels, size, kernel in ((16, 64, 3), (16, 64, 5), (32, 32, 3), (32, 32, 5)):
            yield Row(section, Case("group", group, (channels, channels), size, kernel, run="training"))
        yield Row(section, Case("group", group, (16, 16), 65, 3, stride=2, run="training"))
        yield Row(section, Case("group", group, (16, 16), 65, 5, stride=2, run="training"))
        yield Row(section, Case("group", group, (8, 16), 17, 3, batch=16, stride=2, run="training"))
        yield Row(section, Case("group", group, (32, 32), 64, 1, run="training"))
    yield Row(section, Case("lifting", "C4", (3, 16), 64, 5, run="training"))


def _networks() -> Iterator[Row]:
    """Whole networks: as files that the engine runs, of one image and of several, and steps of training."""
    for name in NETWORKS:
        least = 1.7 if "k3" in name else 3.0 if "k5" in name else 1.0
        beside_onnx = (Target(2.5, "ONNX Runtime", "network"),) if "k3" in name else ()
        yield Row("Networks, forward", NetworkCase(name), (*beside_onnx, Target(least, "best peer", "network")))
    for name in ("C4 plain k3", "D4 plain k3", "C8 plain k3", "C4 ResNet with strides"):
        yield Row("Networks, one image", NetworkCase(name, batch=1), (Target(2.0, "ONNX Runtime", "network"),))
    for name in NETWORKS:
        if "plain" in name:
            continue
        beside_torch = (Target(1.5, "PyTorch"),) if "strides" in name else ()
        targets = (*beside_torch, Target(1.0, "best peer"))
        yield Row("Networks, steps of training", NetworkCase(name, "training"), targets)


def rows() -> list[Row]:
    """All of them, in the order of the page."""
    return [row for part in (_plane, _strided, _small, _mixed, _space, _double, _training, _networks) for row in part()]


def quick_rows() -> list[Row]:
    """A few small cases, to see that every peer works."""
    small = Case("group", "C4", (4, 4), 16, 3, batch=2)
    cases = (
        small,
        replace(small, stride=2, size=17),
        replace(small, run="training"),
        replace(small, dtype="float64"),
        replace(small, layer="lifting"),
        replace(small, layer="separable"),
        replace(small, group="octahedral", size=8),
    )
    return [Row("Small cases", case, ()) for case in cases]


def selected(found: list[Row], pattern: str | None) -> list[Row]:
    """The rows in whose names the regular expression is found."""
    return [row for row in found if pattern is None or re.search(pattern, row.name)]
