# SPDX-License-Identifier: Apache-2.0
"""What the laws of the layers in frameworks are tested on: small layers of every kind, over several groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import equiconv as eq
import numpy as np

HARMONICS = eq.circular_harmonics(3)
BSPLINES = eq.bspline_basis(3, degree=2)


@dataclass(frozen=True)
class Case:
    """A layer, its options, and the sizes of its signal and kernel."""

    layer: str
    name: str
    group: eq.PointGroup
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    keywords: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        options = [f"{key[:4]}{value}" for key, value in self.keywords.items()]
        return "-".join([self.layer, self.name, "x".join(map(str, self.sizes)), *options]).replace(" ", "")

    @property
    def function(self) -> str:
        """The name of the function of NumPy and of torch."""
        return "conv" if self.layer == "conv" else f"{self.layer}_conv"

    def operands(self, rng, dtype=np.float64, batch=2, channels=2, outputs=2):
        """Random (x, weight, bias), of at least one channel in each group."""
        groups = self.keywords.get("groups", 1)
        channels, outputs = max(channels, groups), max(outputs, groups)
        points = {"isotropic": (), "lifting": (), "conv": self._points()}.get(self.layer, (self.group.order,))
        basis, on_group = self.keywords.get("basis"), self.keywords.get("group_basis")
        functions = points if on_group is None else (on_group.count,)
        ends = self.kernel if basis is None else basis.shape
        inputs = channels // groups
        shapes = (batch, channels, *points, *self.sizes), (outputs, inputs, *functions, *ends), (outputs,)
        return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)

    def _points(self):
        if self.layer != "conv":
            return ()
        stabilizer = len(self.keywords["input_stabilizer"])
        return () if stabilizer == self.group.order else (self.group.order // stabilizer,)


def _cases():
    c4, d4, c8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
    for layer in ("isotropic", "lifting", "group", "projection"):
        yield Case(layer, "C4", c4, (4, 5), (3, 3))
        yield Case(layer, "C4", c4, (5, 5), (3, 3), {"stride": 2, "padding": 1})
        yield Case(layer, "D4", d4, (4, 4), (2, 2), {"dilation": 2, "padding": 2, "padding_mode": "circular"})
        yield Case(layer, "C4", c4, (4, 4), (3, 3), {"padding": 2, "padding_mode": "reflect", "groups": 2})
        yield Case(layer, "C4", c4, (3, 5), (3, 3), {"padding": 1, "padding_mode": "replicate", "stride": 2})
        yield Case(layer, "C8", c8, (4, 4), (3, 3), {"interpolation": "bicubic", "padding": "same"})
        yield Case(layer, "C8", c8, (4, 4), (3, 3), {"basis": HARMONICS, "padding": "same"})
        yield Case(layer, "reflection", eq.reflection(), (7,), (3,), {"stride": (2,), "padding": 1})
    for layer in ("lifting", "projection"):
        yield Case(layer, "octahedral", eq.octahedral(), (2, 3, 2), (2, 2, 2), {"padding": 1, "stride": 1})
    for layer in ("group", "projection"):
        yield Case(layer, "C8", c8, (4, 4), (3, 3), {"basis": BSPLINES, "group_basis": eq.localized([0, 1, 7])})
        yield Case(layer, "C8", c8, (3, 3), (3, 3), {"group_basis": eq.group_bspline(2, 4), "quadrature": True})
    similarity = eq.similarity(4, [1, 2])
    yield Case("lifting", "similarity", similarity, (5, 5), (3, 3), {"basis": BSPLINES, "padding": 1})
    quotient = {"input_stabilizer": (0, 4), "output_stabilizer": (0, 1, 2, 3)}
    yield Case("conv", "D4", d4, (4, 4), (3, 3), quotient | {"padding": 1})
    plane = {"input_stabilizer": range(4), "output_stabilizer": (0, 2), "groups": 2}
    yield Case("conv", "C4", c4, (4, 5), (3, 3), plane)
    yield Case("conv", "C4", c4, (5, 4), (3, 3), {"input_stabilizer": [0], "output_stabilizer": [0]})


CASES = list(_cases())
