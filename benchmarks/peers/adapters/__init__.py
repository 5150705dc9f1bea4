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
from networks import NetworkCase

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


@dataclass
class NetworkInputs:
    """What every contestant gets of a network: images, labels, parameters in the order of `networks.data_of`."""

    case: NetworkCase
    threads: int
    x: Array
    labels: Array
    parameters: tuple[Array, ...]
    folder: str

    def write(self) -> None:
        """Writes the arrays to the folder."""
        arrays = {f"parameter{number:03}": array for number, array in enumerate(self.parameters)}
        for name, array in {"x": self.x, "labels": self.labels, **arrays}.items():
            np.save(Path(self.folder) / f"{name}.npy", array)

    @classmethod
    def read(cls, case: NetworkCase, threads: int, shared: Path, folder: str) -> NetworkInputs:
        """What was written to `shared`; models go to `folder`."""
        parameters = tuple(np.load(path) for path in sorted(shared.glob("parameter*.npy")))
        return cls(case, threads, np.load(shared / "x.npy"), np.load(shared / "labels.npy"), parameters, folder)


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
    layers: Callable[[Case], bool] = _anything
    # Of networks, and whether it trains them.
    network: str = ""
    trains: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    # JAX has no option for its number of threads: it counts the processors it may run on.
    restrict_processors: bool = False
    # Seconds after a call until its threads stop spinning.
    rest: float = 0.01

    def knows(self, case: Case | NetworkCase) -> bool:
        """Whether it can do a case."""
        if isinstance(case, NetworkCase):
            return bool(self.network) and (case.run == "forward" or self.trains)
        return bool(self.function) and self.layers(case)

    def prepare(self, inputs: Inputs | NetworkInputs) -> Prepared:
        """Imports the peer, and makes a case ready."""
        given = self.network if isinstance(inputs, NetworkInputs) else self.function
        module, _, name = given.partition(":")
        prepared: Prepared = getattr(importlib.import_module(f"adapters.{module}"), name)(inputs)
        return prepared


def _equiconv(label: str, name: str, network: bool = True) -> Peer:
    """equiconv with its own choice of algorithm, or with one; networks by its layers for PyTorch.

    PyTorch's threads sleep after a loop, as docs/PyTorch.md advises: else they spin on the processors that the next
    layer needs.
    """
    made = f"network_torch:{name}" if network else ""
    passive = (("OMP_WAIT_POLICY", "PASSIVE"),)
    return Peer(label, f"own:{name}", "equiconv", network=made, trains=True, environment=passive)


# Winograd and Fourier tiles run if they are asked for. "network" is a file that the engine runs, in its fast mode.
OWN = {
    peer.label: peer
    for peer in (
        _equiconv("equiconv", "automatic"),
        Peer("network", "", "equiconv", network="network_own:fast"),
        Peer("network exact", "", "equiconv", network="network_own:exact"),
        _equiconv("exact", "exact"),
        _equiconv("group-fourier", "group_fourier", network=False),
        _equiconv("direct", "direct"),
        _equiconv("winograd", "winograd", network=False),
        _equiconv("fourier", "fourier", network=False),
    )
}
# equiconv in networks where PyTorch's threads spin, as they do unless told otherwise.
SPINNING = Peer("equiconv, spinning", "", "equiconv", network="network_torch:automatic", trains=True)
OTHERS = {
    peer.label: peer
    for peer in (
        Peer(
            "PyTorch last",
            "pytorch:channels_last",
            "torch",
            _with_gradients,
            "network_torch:channels_last",
            trains=True,
        ),
        Peer(
            "PyTorch first",
            "pytorch:channels_first",
            "torch",
            _with_gradients,
            "network_torch:channels_first",
            trains=True,
        ),
        Peer("PyTorch jit", "", "torch", network="network_torch:frozen"),
        Peer("NNPACK", "pytorch:nnpack", "torch", _dense_plane),
        Peer(
            "ONNX Runtime", "runtimes:onnx_runtime", "onnxruntime", _forward, "runtimes:onnx_runtime_network", rest=0.05
        ),
        Peer("OpenVINO", "runtimes:open_vino", "openvino", _forward, "runtimes:open_vino_network"),
        Peer("ncnn", "mobile:ncnn_network", "ncnn", _one_plane, "network_ncnn:ncnn_network"),
        Peer("MNN", "mobile:mnn_module", "MNN", _forward_plane, "mobile:mnn_network"),
        Peer(
            "JAX",
            "xla:jax_function",
            "jax",
            _with_gradients,
            "network_xla:jax_network",
            trains=True,
            restrict_processors=True,
        ),
        Peer("escnn eval", "steerable:escnn_eval", "escnn", _steerable("forward")),
        Peer("escnn train", "steerable:escnn_train", "escnn", _steerable("training")),
    )
}
# Another build of equiconv, with its own choice: `--before`.
BEFORE = _equiconv("before", "automatic")
PEERS = OWN | {SPINNING.label: SPINNING} | OTHERS | {BEFORE.label: BEFORE}
USUAL = [label for label in PEERS if label not in ("winograd", "fourier", BEFORE.label)]
