"""Networks as documents with operations drawn at random, and blocks of their outputs."""

from __future__ import annotations

import pickle

import equiconv as eq
import numpy as np
from equiconv._layer.spec import layer_of
from equiconv._network.network import network_of
from equiconv._network.types import group_entry
from equiconv._reach.geometry import TileGeometry
from equiconv._reach.methods import steady_network

MODES = ("zeros", "reflect", "replicate")


class Drawn:
    """A document that grows by random operations on an image of some extents."""

    def __init__(self, rng, group, extents, channels=4, dtype="float32", borders=MODES):
        self.rng, self.group, self.channels, self.dtype, self.borders = rng, group, channels, dtype, borders
        self.sizes = tuple(extents)
        self.operations, self.tensors, self.value = [], {}, "x"
        self.append("convolution", weight=self.weight(channels, 2, 3, 3), layer=self.layer("lifting", 1, 1, 1, "zeros"))

    def append(self, kind, *more, **keys):
        """An operation on the last value and others, and the name of what it writes."""
        number = len(self.operations)
        operation = {"kind": kind, "name": f"step {number}", "inputs": [self.value, *more], "output": f"v{number}"}
        self.operations.append(operation | keys)
        self.value = f"v{number}"
        return self.value

    def weight(self, *shape):
        name = f"w{len(self.tensors)}"
        self.tensors[name] = (self.rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(self.dtype)
        return name

    def layer(self, name, stride, padding, dilation, mode):
        return layer_of(
            name, self.group, stride, padding, dilation, mode, "auto", None, "bilinear", None, False, 1
        ).text

    def draw(self, *choices):
        return choices[self.rng.integers(len(choices))]

    # ---- Operations, each of which returns the sizes after it

    def convolution(self):
        kernel, stride, dilation = self.draw(1, 2, 3, 4), self.draw(1, 1, 2, 3), self.draw(1, 1, 2)
        reach = dilation * (kernel - 1) + 1
        padding = int(self.rng.integers(0, reach // 2 + 2))
        sizes = [(n + 2 * padding - reach) // stride + 1 for n in self.sizes]
        layer = self.layer("group", stride, padding, dilation, self.draw(*self.borders))
        shape = (self.channels, self.channels, self.group.order, kernel, kernel)
        return sizes, lambda: self.append("convolution", weight=self.weight(*shape), layer=layer)

    def transposed(self):
        kernel, stride, dilation = self.draw(2, 3, 4), self.draw(1, 2, 3), self.draw(1, 1, 2)
        reach = dilation * (kernel - 1) + 1
        padding = int(self.rng.integers(0, reach // 2 + 1))
        more = int(self.rng.integers(0, stride))
        sizes = [(n - 1) * stride - 2 * padding + reach + more for n in self.sizes]
        layer = self.layer("group", stride, padding, dilation, self.draw(*self.borders))
        shape = (self.channels, self.channels, self.group.order, kernel, kernel)
        return sizes, lambda: self.append(
            "transposed_convolution", weight=self.weight(*shape), layer=layer, output_padding=[more, more]
        )

    def pool(self):
        kernel, stride = [self.draw(1, 2, 3, 5) for _ in range(2)], [self.draw(1, 2, 3) for _ in range(2)]
        padding = [int(self.rng.integers(0, k // 2 + 1)) for k in kernel]
        columns = zip(self.sizes, kernel, stride, padding, strict=True)
        sizes = [(n + 2 * p - k) // s + 1 if n + 2 * p >= k else 0 for n, k, s, p in columns]
        kind = self.draw("spatial_max_pool", "spatial_mean_pool")
        return sizes, lambda: self.append(kind, kernel=kernel, stride=stride, padding=padding)

    def upsample(self):
        factors, mode = [self.draw(1, 2, 3), self.draw(2, 3)], self.draw("nearest", "linear")
        sizes = [n * factor for n, factor in zip(self.sizes, factors, strict=True)]
        return sizes, lambda: self.append("upsample", factors=factors, mode=mode)

    def residual(self):
        kernel, before = self.draw(1, 3, 5), self.value

        def make():
            layer = self.layer("group", 1, "same", 1, self.draw(*self.borders))
            shape = (self.channels, self.channels, self.group.order, kernel, kernel)
            self.append("convolution", weight=self.weight(*shape), layer=layer)
            self.append("pointwise", function="gelu_tanh")
            self.append("add", before)

        return self.sizes, make

    def skip(self):
        """Down and up again, beside what was before: where the sizes fit."""
        factor, before = self.draw(2, 3), self.value
        fits = all(n % factor == 0 for n in self.sizes)

        def make():
            self.append("spatial_max_pool", kernel=[factor] * 2, stride=[factor] * 2, padding=[0, 0])
            layer = self.layer("group", 1, 1, 1, self.draw(*self.borders))
            shape = (self.channels, self.channels, self.group.order, 3, 3)
            self.append("convolution", weight=self.weight(*shape), layer=layer)
            self.append("upsample", factors=[factor] * 2, mode=self.draw("nearest", "linear"))
            self.append("concatenate", before)
            layer = self.layer("group", 1, 0, 1, "zeros")
            shape = (self.channels, 2 * self.channels, self.group.order, 1, 1)
            self.append("convolution", weight=self.weight(*shape), layer=layer)

        return self.sizes if fits else (0, 0), make

    def grow(self, steps, kinds):
        """Adds so many operations of these kinds that fit, where sizes stay between 1 and 150."""
        for _ in range(20 * steps):
            sizes, make = getattr(self, self.draw(*kinds))()
            if all(1 <= size <= 150 for size in sizes):
                make()
                self.sizes = tuple(sizes)
                steps -= 1
            if steps == 0:
                break

    def network(self, extents=(None, None)):
        document = {
            "format": "equiconv-network/1", "name": "drawn", "dtype": self.dtype,
            "groups": {"H": group_entry(self.group)},
            "input": {"name": "x", "dimension": 2, "space": "plane", "channels": 2, "extents": list(extents)},
            "operations": self.operations, "outputs": [{"name": "y", "value": self.value}],
        }  # fmt: skip
        return network_of(document, self.tensors, "exact")


KINDS = ("convolution", "transposed", "pool", "upsample", "residual", "skip")


def drawn(seed, group=None, extents=(47, 60), steps=4, kinds=KINDS, **options):
    """A network of random operations for images of these extents; two kinds of borders end it."""
    rng = np.random.default_rng(seed)
    made = Drawn(rng, eq.cyclic(4) if group is None else group, extents, **options)
    made.grow(steps, kinds)
    made.append("group_pool", mode="mean")
    return made.network()


def blocks(rng, extents, count):
    """Blocks of places: those at corners, single ones, all of an axis, and some at random."""
    ends = [(0, 1), (0, 5)]
    yield tuple(0 for _ in extents), tuple(extents)
    for number in range(count):
        begin, end = [], []
        for n in extents:
            kind = rng.integers(5) if number > 1 else number
            low, high = (
                ends[1], ((n - 5), n), (0, n), (int(rng.integers(n)),) * 2, sorted(map(int, rng.integers(n, size=2)))
            )[kind]  # fmt: skip
            low = max(0, int(low))
            begin.append(low)
            end.append(min(n, max(int(high), low + 1)))
        yield tuple(begin), tuple(end)


def image(seed, network, extents, batch=1):
    """A random image that a network on the plane reads."""
    rng = np.random.default_rng(seed)
    shape = (batch, network.document["input"]["channels"], *extents)
    return rng.standard_normal(shape).astype(network.dtype)


def assert_law(network, extents, seed, count=8, output=None):
    """Windows of one network have the bits of the whole image; the shares of the image that were read."""
    x = image(seed, network, extents)
    steady = steady_network(network, extents)
    whole = steady(x)
    geometry = pickle.loads(pickle.dumps(TileGeometry(network, extents, output)))
    assert geometry.output_extents == whole.shape[-len(extents) :]
    shares = []
    for begin, end in blocks(np.random.default_rng(seed), geometry.output_extents, count):
        window = geometry.window(begin, end)
        assert all(first % period == 0 for first, period in zip(window.read_begin, geometry.period, strict=True))
        part = steady(np.ascontiguousarray(x[(..., *window.read)]))[(..., *window.crop)]
        block = whole[(..., *map(slice, begin, end))]
        assert part.shape == block.shape
        assert part.tobytes() == block.tobytes(), (begin, end, window)
        shares.append(np.prod(np.subtract(window.read_end, window.read_begin)) / np.prod(extents))
    return shares
