# SPDX-License-Identifier: Apache-2.0
"""Networks that are computed in tiles, as files: strides, pools, dilation, skips, without PyTorch."""

from __future__ import annotations

import equiconv as eq
import numpy as np
from equiconv._network.about import About, Normalization
from equiconv._network.builder import NetworkBuilder
from equiconv._network.file import write_file
from equiconv._network.types import ValueType

LAYER = (
    "equiconv-layer/1 group={group} input={reads} output={writes} stride=[{stride},{stride}] "
    "padding=[{padding},{padding}] dilation=[{dilation},{dilation}] padding_mode={mode} algorithm=auto "
    "interpolation=bilinear basis=none group_basis=full quadrature=no channel_groups=1"
)
CLASSES = ("tissue", "nucleus", "übrig")


class Maker:
    """Steps of a network for images of 3 channels."""

    def __init__(self, group, channels=3, dtype="float32", seed=0):
        self.group, self.dtype = group, np.dtype(dtype)
        self.rng = np.random.default_rng(seed)
        self.builder = NetworkBuilder("image", ValueType(channels, 2), [None, None], dtype)
        self.channels = {"image": channels}

    def conv(self, value, outputs, kernel=3, writes="group", stride=1, dilation=1, padding=None, mode="zeros"):
        """A convolution from what `value` is on to the group or the plane."""
        reads = "plane" if self.builder.types[value].group is None else "group"
        text = LAYER.format(
            group=self.group.text.removeprefix("equiconv-group/1 "), reads=reads, writes=writes, stride=stride,
            padding=dilation * (kernel // 2) if padding is None else padding, dilation=dilation, mode=mode,
        )  # fmt: skip
        fiber = (self.group.order,) if reads == "group" else ()
        inputs = self.channels[value]
        bound = (inputs * kernel**2 * (fiber or (1,))[0]) ** -0.5
        name = f"conv{len(self.builder.operations)}"
        weight, bias = (
            self.builder.tensor(f"{name}.{key}", self.rng.uniform(-bound, bound, shape).astype(self.dtype))
            for key, shape in (("weight", (outputs, inputs, *fiber, kernel, kernel)), ("bias", (outputs,)))
        )
        return self._add(outputs, "convolution", [value], layer=text, weight=weight, bias=bias)

    def add(self, kind, *values, **keys):
        """Any other operation."""
        counts = [self.channels[value] for value in values]
        return self._add(sum(counts) if kind == "concatenate" else counts[0], kind, list(values), **keys)

    def _add(self, outputs, kind, values, **keys):
        name = self.builder.add(kind, f"{kind}{len(self.builder.operations)}", values, **keys)
        self.channels[name] = outputs
        return name

    def relu(self, value):
        """ReLU."""
        return self.add("pointwise", value, function="relu")

    def pool(self, value, size=2, stride=2, padding=0, kind="spatial_max_pool"):
        """Windows of space."""
        return self.add(kind, value, kernel=[size] * 2, stride=[stride] * 2, padding=[padding] * 2)

    def save(self, path, outputs, normalization=None, classes=CLASSES):
        """Writes the file; its path."""
        names = {name: classes for name, value in outputs if self.channels[value] == len(classes)}
        document = self.builder.document(About("slides", classes=names, normalization=normalization), outputs)
        write_file(document, self.builder.tensors, path)
        return str(path)


def strided(group, path, **options):
    """5 x 5, stride 2, dilation 2, overlapping pools; stride 4. Symmetric on images of 4 n + 1 pixels."""
    m = Maker(group, **options)
    x = m.relu(m.conv("image", 3, 5))
    x = m.relu(m.conv(x, 4, 3, stride=2))
    x = m.pool(x, 3, 2, 1)
    x = m.relu(m.conv(x, 4, 3, dilation=2))
    x = m.conv(x, 3, 1)
    x = m.add("softmax", m.add("group_pool", x, mode="max"))
    return m.save(path, [("scores", x)], Normalization(1 / 255, (0.7, 0.5, 0.6), (0.2, 0.3, 0.2)))


def unet(group, path, **options):
    """Two levels down and up with skips; stride 1 in all. Symmetric on images of 4 n pixels."""
    m = Maker(group, **options)
    first = m.relu(m.conv("image", 3))
    second = m.relu(m.conv(m.pool(first), 4))
    third = m.relu(m.conv(m.pool(second, kind="spatial_mean_pool"), 4))
    up = m.add("upsample", third, mode="nearest", factors=[2, 2])
    up = m.relu(m.conv(m.add("concatenate", up, second), 4))
    up = m.add("upsample", up, mode="linear", factors=[2, 2])
    up = m.relu(m.conv(m.add("concatenate", up, first), 3))
    return m.save(path, [("scores", m.conv(up, 3, 3, "plane"))])


def valid(group, path, **options):
    """Without padding, so that the output is smaller than the image; a residual sum; reflection before."""
    m = Maker(group, **options)
    x = m.relu(m.conv("image", 4, 3, mode="reflect"))
    x = m.add("add", x, m.relu(m.conv(x, 4, 3)))
    x = m.pool(m.relu(m.conv(x, 4, 3, padding=0)), 2, 2)
    return m.save(path, [("scores", m.add("group_pool", m.conv(x, 3, 3, padding=0), mode="mean"))])


def several(group, path, **options):
    """Outputs of different sizes, of a signal on the group among them, and one of a name that no folder has."""
    m = Maker(group, **options)
    x = m.relu(m.conv("image", 2))
    y = m.relu(m.conv(m.pool(x), 3))
    return m.save(path, [("fine/plane", m.add("group_pool", x, mode="max")), ("on group", y)])


NETWORKS = {"strided": strided, "unet": unet, "valid": valid}
GROUPS = {"C4": eq.cyclic(4), "D4": eq.dihedral(4)}
