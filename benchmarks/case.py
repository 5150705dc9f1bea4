# SPDX-License-Identifier: Apache-2.0
"""What a benchmark measures, as ordinary data: one layer, run one way. No engine is imported here."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal

LayerKind = Literal["group", "lifting", "projection", "isotropic", "separable", "depthwise"]
Run = Literal["forward", "input gradient", "weight gradient", "gradients", "training"]
# What each run gives: "training" is the layer and both gradients, which a step of training needs.
RESULTS: dict[Run, tuple[str, ...]] = {
    "forward": ("y",),
    "input gradient": ("grad_x",),
    "weight gradient": ("grad_weight",),
    "gradients": ("grad_x", "grad_weight"),
    "training": ("y", "grad_x", "grad_weight"),
}
READS_GROUP = ("group", "projection", "separable", "depthwise")
WRITES_GROUP = ("group", "lifting", "separable", "depthwise")
TIMES = "\N{MULTIPLICATION SIGN}"
# The order and the dimension of the groups whose names are words.
_IN_SPACE = {"tetrahedral": (12, 3), "octahedral": (24, 3), "full octahedral": (48, 3)}


@dataclass(frozen=True)
class Case:
    """One layer with padding "same", run one way.

    Attributes:
        layer: which function: equiconv.group_conv and its like; "depthwise" is `conv` from G to G.
        group: "C4", "D8", "octahedral" and so on.
        channels: in and out.
        size: of the images, on each axis.
        kernel: taps on each axis.
        run: which passes.
        batch: images.
        stride: on each axis.
        dtype: of all arrays.
        localized: elements of H that weights are given for; None for all.
    """

    layer: LayerKind
    group: str
    channels: tuple[int, int]
    size: int
    kernel: int
    run: Run = "forward"
    batch: int = 8
    stride: int = 1
    dtype: str = "float32"
    localized: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The case in one line: "C4 group 16->32 k3 8x65^2 stride 2"."""
        extras = [f"stride {self.stride}"] * (self.stride > 1) + [self.dtype] * (self.dtype != "float32")
        if self.localized is not None:
            extras.append(f"{len(self.localized)} of {self.order}")
        extras += [self.run] * (self.run != "forward")
        sizes = f"{self.channels[0]}->{self.channels[1]} k{self.kernel} {self.batch}x{self.size}^{self.dimension}"
        return " ".join([f"{self.group} {self.layer} {sizes}", *extras])

    @property
    def order(self) -> int:
        """The number of elements of H."""
        if self.group in _IN_SPACE:
            return _IN_SPACE[self.group][0]
        return int(self.group[1:]) * {"C": 1, "D": 2}[self.group[0]]

    @property
    def dimension(self) -> int:
        """The number of spatial axes."""
        return _IN_SPACE[self.group][1] if self.group in _IN_SPACE else 2

    @property
    def is_lattice(self) -> bool:
        """Whether every element maps the grid to itself."""
        return self.group in _IN_SPACE or int(self.group[1:]) in (1, 2, 4)

    @property
    def points(self) -> tuple[int, int]:
        """Points of the fiber, |X| in and |Y| out."""
        return self.order if self.layer in READS_GROUP else 1, self.order if self.layer in WRITES_GROUP else 1

    @property
    def flat(self) -> tuple[int, int]:
        """Channels of the equal ordinary convolution, in and out."""
        return self.channels[0] * self.points[0], self.channels[1] * self.points[1]

    @property
    def output_size(self) -> int:
        """Of the outputs, on each axis."""
        return (self.size - 1) // self.stride + 1

    @property
    def results(self) -> tuple[str, ...]:
        """The names of what the run gives."""
        return RESULTS[self.run]

    @property
    def taps(self) -> int:
        """Taps of a kernel; for groups that are not lattice groups, those in the disc |u| <= k / 2."""
        k, d = self.kernel, self.dimension
        if self.is_lattice:
            return k**d
        squares = [(index - (k - 1) / 2) ** 2 for index in range(k)]
        return sum(math.fsum(point) <= k * k / 4 + 1e-9 for point in product(squares, repeat=d))

    @property
    def operations(self) -> float:
        """Those of the definition, two for each multiply-add, in all passes of the run.

        2 B O |Y| C |X| taps outputs; without C for depthwise layers; for separable ones C |X| + taps for C |X| taps.
        """
        reads = len(self.localized) if self.localized is not None else self.points[0]
        channels = 1 if self.layer == "depthwise" else self.channels[0]
        products = channels * reads + self.taps if self.layer == "separable" else channels * reads * self.taps
        outputs = self.batch * self.flat[1] * self.output_size**self.dimension
        return 2.0 * len(self.results) * products * outputs

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Case:
        """A case from its fields, whose tuples became lists."""
        localized = fields.get("localized")
        given = fields | {"channels": tuple(fields["channels"])}
        return cls(**given | {"localized": None if localized is None else tuple(localized)})


def pretty(name: str) -> str:
    """The name of a case for a page: "C4 group 16 → 32, k = 3, 8 × 65², stride 2"."""
    name = re.sub(r" k(\d+) ", r", k = \1 ", name.replace("->", " → "))
    name = re.sub(r" (\d+)x(\d+)\^", rf", \1 {TIMES} \2^", name).replace("^2", "²").replace("^3", "³")
    return re.sub(r" (stride \d|float64|gradients|training|step)", r", \1", name)
