# SPDX-License-Identifier: Apache-2.0
"""What is measured on a GPU, as ordinary data: layers and networks, number formats, contestants.

No framework is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from case import TIMES, Case, pretty
from networks import Conv, Network, Norm

CLASSES = 10


@dataclass(frozen=True)
class LayerWork:
    """One layer with padding "same"; with `spline`, of kernels that are combinations of B-splines."""

    case: Case
    spline: bool = False

    @property
    def name(self) -> str:
        """The layer in one line."""
        return self.case.name + " spline" * self.spline

    @property
    def pretty(self) -> str:
        """The name for a page."""
        return pretty(self.case.name) + ", B-splines" * self.spline

    @property
    def is_small(self) -> bool:
        """Networks alone are called small."""
        return False

    def to_json(self) -> dict[str, Any]:
        """What `work_from_json` takes."""
        return {"case": self.case.to_json(), "spline": self.spline}


@dataclass(frozen=True)
class NetworkWork:
    """A lifting layer from one channel and `layers` group layers, all of one width, with batch norm and ReLU.

    Attributes:
        group: as of a `Case`.
        width: channels of each layer.
        batch: images.
        size: of the images, on each axis.
        layers: group layers.
        kernel: taps on each axis.
    """

    group: str
    width: int
    batch: int
    size: int
    layers: int = 6
    kernel: int = 3

    @property
    def name(self) -> str:
        """The network in one line."""
        return f"{self.group} network width {self.width} {self.batch}x{self.size}^2"

    @property
    def pretty(self) -> str:
        """The name for a page."""
        return f"{self.group} network, width {self.width}, {self.batch} {TIMES} {self.size}²"

    @property
    def is_small(self) -> bool:
        """Whether starting the work takes longer than the work."""
        return self.width < 16

    @property
    def made(self) -> Network:
        """The network as those of benchmarks/peers are written."""
        step = (Conv(self.width, self.kernel), Norm())
        return Network(self.group, 1, self.size, self.batch, step * (1 + self.layers))

    @property
    def plain(self) -> Network:
        """The same of ordinary convolutions, as many channels as the other has channels times |H|."""
        order = next(self.made.layers()).order
        step = (Conv(self.width * order, self.kernel), Norm())
        return Network("C1", 1, self.size, self.batch, step * (1 + self.layers))

    def to_json(self) -> dict[str, Any]:
        """What `work_from_json` takes."""
        return asdict(self)


Work: TypeAlias = LayerWork | NetworkWork


def work_from_json(fields: dict[str, Any]) -> Work:
    """A layer or a network from its fields."""
    if "case" in fields:
        return LayerWork(Case.from_json(fields["case"]), fields["spline"])
    return NetworkWork(**fields)


LAYERS: tuple[Work, ...] = (
    LayerWork(Case("group", "C4", (32, 32), 64, 3, batch=64)),
    LayerWork(Case("group", "D4", (32, 32), 32, 3, batch=64)),
    LayerWork(Case("group", "D4", (16, 16), 32, 7, batch=64)),
    LayerWork(Case("group", "C4", (16, 16), 32, 3, batch=128)),
    LayerWork(Case("group", "octahedral", (8, 8), 16, 3, batch=8)),
    LayerWork(Case("group", "C8", (16, 16), 32, 5, batch=64), spline=True),
)
NETWORKS: tuple[Work, ...] = (NetworkWork("C4", 10, 128, 28), NetworkWork("D4", 32, 128, 28))
QUICK: tuple[Work, ...] = (
    LayerWork(Case("group", "D4", (2, 2), 8, 3, batch=2)),
    LayerWork(Case("group", "C8", (2, 2), 8, 5, batch=2), spline=True),
    NetworkWork("C4", 2, 2, 8, layers=1),
)

FP32, TF32, AUTOCAST, INPUT = MODES = ("fp32", "tf32", "bf16 autocast", "bf16 input")

PLAIN, EAGER, COMPILED, GRAPHS, DIRECT = "plain", "equiconv", "compiled", "graphs", "direct"
ESCNN, JAX = "escnn", "JAX"


@dataclass(frozen=True)
class Contestant:
    """A way to compute the works.

    Attributes:
        label: what tables call it.
        library: whose process it runs in.
        dimensions: of the works that it has.
        networks: whether it has networks.
        modes: the number formats that it has.
        memory: whether the peak of its memory can be measured.
    """

    label: str
    library: str = "torch"
    dimensions: tuple[int, ...] = (2, 3)
    networks: bool = True
    modes: tuple[str, ...] = MODES
    memory: bool = True

    def knows(self, work: Work, mode: str) -> bool:
        """Whether it can be asked for a work in a number format."""
        if mode not in self.modes:
            return False
        if isinstance(work, NetworkWork):
            return self.networks
        # escnn has other bases of kernels than B-splines.
        return work.case.dimension in self.dimensions and not (work.spline and self.library == "escnn")


CONTESTANTS = {
    each.label: each
    for each in (
        Contestant(PLAIN),
        Contestant(EAGER),
        Contestant(COMPILED),
        # What a recorded graph writes to was allocated when it was recorded.
        Contestant(GRAPHS, memory=False),
        Contestant(DIRECT),
        Contestant(ESCNN, "escnn", (2,)),
        Contestant(JAX, "jax", networks=False, modes=(FP32, TF32, INPUT), memory=False),
    )
}
LIBRARIES = tuple(dict.fromkeys(each.library for each in CONTESTANTS.values()))


@dataclass(frozen=True)
class Visit:
    """A work in a number format, with the contestants that are timed in turns."""

    stage: str
    work: Work
    mode: str
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """The visit in one line, which --only searches."""
        return f"{self.stage}: {self.work.name} {self.mode}"


@dataclass(frozen=True)
class Stage:
    """Visits of one kind: each work in each number format, of which `quick` ones have tiny works."""

    name: str
    works: tuple[Work, ...]
    labels: tuple[str, ...]
    modes: tuple[str, ...]
    quick: tuple[str, ...] = ()

    def visits(self, quick: bool) -> Iterator[Visit]:
        """In their order; only those with a contestant besides the plain convolution and the layer."""
        kinds = {type(work) for work in self.works}
        for mode in self.quick if quick else self.modes:
            for work in [work for work in QUICK if type(work) in kinds] if quick else self.works:
                known = tuple(label for label in self.labels if CONTESTANTS[label].knows(work, mode))
                if set(known) > {PLAIN, EAGER}:
                    yield Visit(self.name, work, mode, known)


_OF_NETWORKS, _OF_LAYERS = (PLAIN, EAGER, COMPILED, GRAPHS, ESCNN), (PLAIN, EAGER, COMPILED, GRAPHS)
# From the first to be measured to the first to be dropped. The plain convolution and the layer are timed in each visit,
# so that ratios are of numbers of one minute.
STAGES = (
    Stage(
        "eager", (*LAYERS, *NETWORKS), (PLAIN, EAGER, DIRECT, ESCNN), (TF32, AUTOCAST, FP32, INPUT), (AUTOCAST, FP32)
    ),
    Stage("JAX", LAYERS, (PLAIN, EAGER, JAX), (TF32, INPUT, FP32), (FP32,)),
    Stage("compiled", NETWORKS, _OF_NETWORKS, (TF32, AUTOCAST), (AUTOCAST,)),
    Stage("compiled", LAYERS, _OF_LAYERS, (TF32, AUTOCAST), (AUTOCAST,)),
    Stage("compiled", NETWORKS, _OF_NETWORKS, (FP32, INPUT)),
    Stage("compiled", LAYERS, _OF_LAYERS, (FP32, INPUT)),
)


def visits(quick: bool = False) -> Iterator[Visit]:
    """All visits in their order."""
    return (visit for stage in STAGES for visit in stage.visits(quick))


def selected(found: Iterator[Visit], only: str | None) -> list[Visit]:
    """Those in whose names a pattern is found."""
    return [visit for visit in found if only is None or re.search(only, visit.name)]
