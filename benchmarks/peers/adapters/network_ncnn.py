# SPDX-License-Identifier: Apache-2.0
"""The networks for ncnn, in 2-D: batch norm folded into the convolutions and ReLU joined to them, as its tools do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equiconv as eq
import numpy as np
from calls import group_of
from networks import CLASSES, Conv, MaxPool, Norm, Residual, Step

from adapters import Array, NetworkInputs, Prepared
from adapters.mobile import ncnn_calls, ncnn_net
from adapters.network_onnx import EPSILON


class Writer:
    """Layers of a network, and its weights in their order."""

    def __init__(self, inputs: NetworkInputs) -> None:
        self.lines: list[str] = []
        self.weights = bytearray()
        self.blobs = 0
        self._arrays, self._layers = iter(inputs.parameters), inputs.case.made.layers()
        self._last = next(inputs.case.made.layers())

    def layer(self, kind: str, reads: list[str], writes: int, parameters: str) -> list[str]:
        """Appends a layer; gives the names of what it writes."""
        names = [f"b{self.blobs + number}" for number in range(writes)]
        self.blobs += writes
        counts = f"{len(reads)} {writes} {' '.join([*reads, *names])}"
        self.lines.append(f"{kind} l{len(self.lines)} {counts} {parameters}".rstrip())
        return names

    def steps(self, steps: tuple[Step, ...], name: str) -> str:
        """Appends steps that read the signal `name`; gives the name of what they write."""
        for index, step in enumerate(steps):
            if isinstance(step, Conv):
                norm = next((later for later in steps[index:] if isinstance(later, Norm)), Norm(False))
                pooled = index + 1 < len(steps) and isinstance(steps[index + 1], MaxPool)
                # ReLU commutes with the pool between.
                name = self._convolution(name, norm.relu)
                assert not pooled or norm.relu
            elif isinstance(step, MaxPool):
                (name,) = self.layer("Pooling", [name], 1, f"0=0 1={step.size} 2={step.size} 5=1")
            elif isinstance(step, Residual):
                one, two = self.layer("Split", [name], 2, "")
                both = [self.steps(step.main, one), self.steps(step.shortcut, two)]
                (name,) = self.layer("ReLU", self.layer("BinaryOp", both, 1, "0=0"), 1, "")
        return name

    def head(self, name: str, size: int) -> None:
        """The maximum over H, the mean over space, the classifier."""
        channels, order = self._last.channels[1], self._last.order
        (name,) = self.layer("Reshape", [name], 1, f"0={size * size} 1={order} 2={channels}")
        (name,) = self.layer("Reduction", [name], 1, "0=4 1=0 -23303=1,1 4=0 5=1")
        (name,) = self.layer("Reduction", [name], 1, "0=3 1=0 -23303=1,1 4=0 5=1")
        weight, bias = (next(self._arrays) for _ in range(2))
        self._tagged(weight)
        self.weights += bias.astype("<f4").tobytes()
        self.lines.append(f"InnerProduct scores 1 1 {name} y 0={CLASSES} 1=1 2={weight.size}")

    def _convolution(self, name: str, relu: bool) -> str:
        layer = self._last = next(self._layers)
        if layer.dimension != 2:
            raise NotImplementedError("ncnn's networks here are in 2-D")
        kind: Any = layer.layer
        weight = next(self._arrays)
        scale, shift = (np.repeat(next(self._arrays), layer.order) for _ in range(2))
        bank = eq.expand(weight, group_of(layer), kind)
        # Running statistics are 0 and 1.
        folded = bank * (scale / np.sqrt(1 + EPSILON))[:, None, None, None]
        self._tagged(folded)
        self.weights += shift.astype("<f4").tobytes()
        sizes = f"0={bank.shape[0]} 1={layer.kernel} 3={layer.stride} 4={layer.kernel // 2} 5=1 6={bank.size}"
        return self.layer("Convolution", [name], 1, f"{sizes} 9={int(relu)}")[0]

    def _tagged(self, array: Array) -> None:
        """Appends weights after the tag that says float32."""
        self.weights += b"\0\0\0\0" + np.ascontiguousarray(array).astype("<f4").tobytes()


def ncnn_network(inputs: NetworkInputs) -> Prepared:
    """Image by image, as ncnn has no batches."""
    import ncnn

    writer, made = Writer(inputs), inputs.case.made
    sizes = [layer.output_size for layer in made.layers()]
    writer.head(writer.steps(made.steps, "x"), sizes[-1] if not _ends_pooled(made.steps) else sizes[-1] // 2)
    folder = Path(inputs.folder)
    lines = ["7767517", f"{len(writer.lines) + 1} {writer.blobs + 2}", "Input x 0 1 x", *writer.lines]
    (folder / "net.param").write_text("\n".join(lines) + "\n")
    (folder / "net.bin").write_bytes(bytes(writer.weights))
    net = ncnn_net(str(folder / "net.param"), str(folder / "net.bin"), inputs.threads, True)
    calls = ncnn_calls({"sgemm": net}, [ncnn.Mat(image) for image in inputs.x])
    return Prepared(calls, lambda found: {"scores": np.stack([np.array(output).ravel() for output in found])}, [net])


def _ends_pooled(steps: tuple[Step, ...]) -> bool:
    return isinstance(steps[-1], MaxPool)
