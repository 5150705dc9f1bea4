# SPDX-License-Identifier: Apache-2.0
"""The contestants: the name of each, where its code is, and what it can do. Each has a process of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from case import Case

Array: TypeAlias = np.ndarray[Any, Any]
Call: TypeAlias = Callable[[], Any]


@dataclass
class Inputs:
    """What every contestant gets of a case; arrays are contiguous.

    Attributes:
        case: the case.
        threads: how many to use.
        x, grad, weights: of equiconv's layer, as `Operands` of benchmarks/calls.py.
        banks: of the equal ordinary convolutions, one after the other, (out channels, channels read, taps...); the
            stride is that of the last.
        index: the bank of a layer with one weight is `weight.ravel()[index]`; not for sampled groups, and not for
            isotropic and projection layers. Training makes the bank in each call.
        folder: for models on disk.
    """

    case: Case
    threads: int
    x: Array
    grad: Array
    weights: tuple[Array, ...]
    banks: tuple[Array, ...]
    index: Array | None
    folder: str

    def write(self) -> None:
        """Writes the arrays to the folder."""
        arrays = {"x": self.x, "grad": self.grad} | ({} if self.index is None else {"index": self.index})
        arrays |= {f"weight{number}": weight for number, weight in enumerate(self.weights)}
        arrays |= {f"bank{number}": bank for number, bank in enumerate(self.banks)}
        for name, array in arrays.items():
            np.save(Path(self.folder) / f"{name}.npy", array)

    @classmethod
    def read(cls, case: Case, threads: int, shared: Path, folder: str) -> Inputs:
        """What was written to `shared`; models go to `folder`."""
        arrays = {path.stem: np.load(path) for path in sorted(shared.glob("*.npy"))}
        weights, banks = (
            tuple(array for name, array in arrays.items() if name.startswith(kind)) for kind in ("weight", "bank")
        )
        return cls(case, threads, arrays["x"], arrays["grad"], weights, banks, arrays.get("index"), folder)

    @property
    def flat_x(self) -> Array:
        """(B, C |X|, size...)."""
        return self.x.reshape(self.case.batch, -1, *self.x.shape[-self.case.dimension :])

    @property
    def flat_grad(self) -> Array:
        """(B, O |Y|, outputs...)."""
        return self.grad.reshape(self.case.batch, -1, *self.grad.shape[-self.case.dimension :])

    @property
    def stages(self) -> list[Stage]:
        """The ordinary convolutions, one after the other."""
        found, channels = [], self.flat_x.shape[1]
        for number, bank in enumerate(self.banks):
            stride = self.case.stride if number == len(self.banks) - 1 else 1
            found.append(Stage(bank, channels // bank.shape[1], stride, bank.shape[2] // 2))
            channels = bank.shape[0]
        return found


@dataclass(frozen=True)
class Stage:
    """An ordinary convolution: its bank, the number of groups of channels, stride and padding on each axis."""

    bank: Array
    groups: int
    stride: int
    padding: int


@dataclass
class Prepared:
    """A case ready to run: ways to run it, the best known first, and how to read what a call gave.

    `read` returns the results of the case by name, in any shape of the same order of numbers; and "bank", if the
    convolution was not one with the bank of the inputs.
    """

    calls: dict[str, Call]
    read: Callable[[Any], dict[str, Array]]
    # Kept alive while the calls are.
    holds: list[Any] = field(default_factory=list)


def _anything(_: Case) -> bool:
    return True


def _forward(case: Case) -> bool:
    """Runtimes of trained networks, which have no float64 either."""
    return case.run == "forward" and case.dtype == "float32"


def _forward_plane(case: Case) -> bool:
    return _forward(case) and case.dimension == 2


def _one_plane(case: Case) -> bool:
    return _forward_plane(case) and case.layer != "separable"


def _dense_plane(case: Case) -> bool:
    """NNPACK: no strides, no groups of channels."""
    return _forward_plane(case) and case.stride == 1 and case.layer not in ("separable", "depthwise")


def _steerable(run: str) -> Callable[[Case], bool]:
    """Layers that escnn has, in 2-D."""
    return lambda case: (
        (case.run, case.dimension, case.dtype) == (run, 2, "float32") and case.layer in ("group", "lifting")
    )


def _with_gradients(case: Case) -> bool:
    """torch and JAX: forward all; gradients of layers whose bank is an ordering of their weights."""
    return case.run == "forward" or (case.layer in ("group", "lifting") and case.is_lattice)


@dataclass(frozen=True)
class Peer:
    """A row of the table below."""

    label: str
    function: str
    distribution: str
    knows: Callable[[Case], bool] = _anything
    # JAX has no option for its number of threads: it counts the processors it may run on.
    restrict_processors: bool = False
    # Seconds after a call until its threads stop spinning.
    rest: float = 0.01

    def load(self) -> Callable[[Inputs], Prepared]:
        """Imports the peer."""
        module, _, name = self.function.partition(":")
        function: Callable[[Inputs], Prepared] = getattr(importlib.import_module(f"adapters.{module}"), name)
        return function


# equiconv with its own choice of algorithm, and with each of them. The last two run if they are asked for.
OWN = {
    "equiconv": Peer("equiconv", "own:automatic", "equiconv"),
    "exact": Peer("exact", "own:exact", "equiconv"),
    "group-fourier": Peer("group-fourier", "own:group_fourier", "equiconv"),
    "direct": Peer("direct", "own:direct", "equiconv"),
    "winograd": Peer("winograd", "own:winograd", "equiconv"),
    "fourier": Peer("fourier", "own:fourier", "equiconv"),
}
OTHERS = {
    peer.label: peer
    for peer in (
        Peer("PyTorch last", "pytorch:channels_last", "torch", _with_gradients),
        Peer("PyTorch first", "pytorch:channels_first", "torch", _with_gradients),
        Peer("NNPACK", "pytorch:nnpack", "torch", _dense_plane),
        Peer("ONNX Runtime", "runtimes:onnx_runtime", "onnxruntime", _forward, rest=0.05),
        Peer("OpenVINO", "runtimes:open_vino", "openvino", _forward),
        Peer("ncnn", "mobile:ncnn_network", "ncnn", _one_plane),
        Peer("MNN", "mobile:mnn_module", "MNN", _forward_plane),
        Peer("JAX", "xla:jax_function", "jax", _with_gradients, restrict_processors=True),
        Peer("escnn eval", "steerable:escnn_eval", "escnn", _steerable("forward")),
        Peer("escnn train", "steerable:escnn_train", "escnn", _steerable("training")),
    )
}
# Another build of equiconv, with its own choice: `--before`.
BEFORE = Peer("before", "own:automatic", "equiconv")
PEERS = OWN | OTHERS | {BEFORE.label: BEFORE}
USUAL = [label for label in (*OWN, *OTHERS) if label not in ("winograd", "fourier")]
