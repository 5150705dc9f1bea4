# SPDX-License-Identifier: Apache-2.0
"""What the laws are tested on: groups, layers, and samplings (stride, padding, ...) with sizes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import equiconv as eq
import numpy as np
from reference import READS_GROUP, WRITES_GROUP

LAYERS = ("isotropic", "lifting", "group", "projection")
FORWARD = {name: getattr(eq, f"{name}_conv") for name in LAYERS}
VJP = {name: getattr(eq, f"{name}_conv_vjp") for name in LAYERS}
DTYPES = (np.float32, np.float64)

GROUPS = {
    "trivial1": eq.trivial(1),
    "reflection": eq.reflection(),
    "trivial2": eq.trivial(2),
    "C1": eq.cyclic(1),
    "C2": eq.cyclic(2),
    "C4": eq.cyclic(4),
    "D1": eq.dihedral(1),
    "D2": eq.dihedral(2),
    "D4": eq.dihedral(4),
    "trivial3": eq.trivial(3),
    "octahedral": eq.octahedral(),
    "full_octahedral": eq.full_octahedral(),
    "tetrahedral": eq.tetrahedral(),
    "pyritohedral": eq.pyritohedral(),
    "C4_about_x": eq.axial_cyclic(4, "x"),
    "D2_about_y": eq.axial_dihedral(2, "y"),
}
LARGE_GROUPS = {"full_octahedral", "pyritohedral"}
SMALL_GROUPS = [name for name in GROUPS if name not in LARGE_GROUPS]


@dataclass(frozen=True)
class Sampling:
    """Sizes of the signal, the kernel, and the keywords of the call. Strides fit the sizes."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    keywords: dict[str, Any] = field(hash=False)

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.sizes)) + "-k" + "x".join(map(str, self.kernel))
        return "-".join([sizes, *(f"{key[:4]}{value}" for key, value in self.keywords.items())]).replace(" ", "")


def _s(sizes, kernel, **keywords):
    return Sampling(sizes, kernel, keywords)


# Equal extents, strides, ... on all axes: for every group.
SAMPLINGS = {
    1: [
        _s((9,), (3,)),
        _s((8,), (4,), padding=2),
        _s((1,), (1,)),
        _s((2,), (5,), padding=3),
        _s((23,), (5,), stride=2, padding=1),
        _s((39,), (4,), stride=3, padding=2, dilation=2),
        _s((40,), (7,), padding="same", padding_mode="circular"),
        _s((5,), (3,), padding=9, padding_mode="circular", dilation=2),
        _s((8,), (4,), padding=3, padding_mode="reflect", stride=2),
        _s((5,), (5,), padding="same", padding_mode="replicate"),
    ],
    2: [
        _s((7, 7), (3, 3)),
        _s((5, 9), (2, 2), padding=1),
        _s((1, 1), (1, 1)),
        _s((6, 17), (1, 1), padding=1),
        _s((2, 3), (5, 5), padding=3),
        _s((11, 9), (3, 3), stride=2, padding=1),
        _s((9, 12), (3, 3), stride=3, padding=0),
        _s((10, 12), (4, 4), stride=2, padding=2, dilation=1),
        _s((13, 9), (3, 3), dilation=3, padding="same"),
        _s((8, 6), (5, 5), padding="same", padding_mode="circular"),
        _s((3, 5), (3, 3), padding=7, padding_mode="circular", stride=2, dilation=2),
        _s((8, 6), (5, 5), padding="same", padding_mode="reflect"),
        _s((3, 5), (3, 3), padding=7, padding_mode="reflect", stride=2, dilation=2),
        _s((7, 9), (3, 3), padding=3, padding_mode="replicate", stride=2),
        _s((4, 33), (2, 2), dilation=2, padding="valid"),
    ],
    3: [
        _s((3, 4, 5), (3, 3, 3)),
        _s((3, 3, 3), (2, 2, 2), padding=1),
        _s((2, 1, 3), (1, 1, 1)),
        _s((5, 3, 7), (3, 3, 3), stride=2, padding="same"),
        _s((3, 2, 4), (3, 3, 3), padding=2, dilation=2, padding_mode="circular"),
        _s((3, 4, 2), (3, 3, 3), padding=1, padding_mode="reflect"),
        _s((2, 3, 3), (2, 2, 2), padding=1, padding_mode="replicate"),
    ],
}

# Different numbers on each axis: for groups that exchange none.
UNEVEN_SAMPLINGS = {
    1: [],
    2: [
        _s((7, 12), (3, 4), stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
        _s((6, 9), (1, 5), padding=(0, 2), padding_mode="circular"),
        _s((6, 9), (3, 5), padding=(1, 3), padding_mode="reflect", stride=(1, 2)),
        _s((9, 10), (5, 1), stride=(1, 3), padding="same"),
    ],
    3: [_s((4, 5, 6), (2, 3, 1), stride=(1, 2, 1), padding=(1, 1, 0), dilation=(2, 1, 1))],
}
EXCHANGING = {"C4", "D4", "octahedral", "full_octahedral", "tetrahedral", "pyritohedral", "C4_about_x"}


def samplings(name: str) -> list[Sampling]:
    """The samplings of a group."""
    d = GROUPS[name].dimension
    if name in LARGE_GROUPS:
        return SAMPLINGS[3][1:3]
    return SAMPLINGS[d] + ([] if name in EXCHANGING else UNEVEN_SAMPLINGS[d])


def all_cases(groups=tuple(GROUPS)) -> list[tuple[str, str, Sampling]]:
    """(layer, group name, sampling) for every layer and group."""
    return [
        (layer, name, sampling) for layer, name in itertools.product(LAYERS, groups) for sampling in samplings(name)
    ]


def identify(value: object) -> str | None:
    """A readable test id."""
    return str(value) if isinstance(value, str | Sampling) else getattr(value, "__name__", None)


def operands(rng, layer, group, sampling, dtype, batch=2, channels=3, outputs=2, integers=False):
    """Random (x, weight, bias) of a case: normal, or small integers, for which sums are exact."""
    fiber = (group.order,) if READS_GROUP[layer] else ()

    def draw(shape):
        values = rng.integers(-4, 5, size=shape) if integers else rng.normal(size=shape)
        return values.astype(dtype)

    x = draw((batch, channels, *fiber, *sampling.sizes))
    weight = draw((outputs, channels, *fiber, *sampling.kernel))
    return x, weight, draw((outputs,))


def output_like(rng, layer, group, sampling, x, weight):
    """A random array of the shape of the output."""
    shape = FORWARD[layer](x, weight, group, **sampling.keywords).shape
    assert len(shape) == 2 + WRITES_GROUP[layer] + group.dimension
    return rng.normal(size=shape).astype(x.dtype)


def rounding_bound(x, weight, group):
    """A bound of the rounding error of one output: unit roundoff x number of terms x largest term."""
    terms = weight[0].size + group.order + 1
    return np.finfo(x.dtype).eps * terms * (np.abs(x).max() * np.abs(weight).max() + 1)
