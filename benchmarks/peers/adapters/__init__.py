# SPDX-License-Identifier: Apache-2.0
"""The peers: the name of each, where its code is, and what it can do. Each is imported in a process of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from cases import Case

Array: TypeAlias = np.ndarray[Any, Any]
Call: TypeAlias = Callable[[], Any]


@dataclass
class Inputs:
    """What every peer of a case gets; arrays are contiguous float32."""

    case: Case
    threads: int
    x: Array  # (B, C |X|, S, S)
    weight: Array  # (O, C, |X|, k, k), (O, C, k, k) for lifting
    bank: Array  # (O |H|, C |X|, k, k)
    grad: Array  # the gradient of the output, (B, O |H|, S, S)
    folder: str  # for models on disk


@dataclass
class Prepared:
    """A case ready to run: ways to run it, the best known first, and how to read the result of each.

    `read` returns "y", for "train" also "grad_x" and one of "grad_bank" and "grad_weight", all flat, (B, channels, S,
    S); and "bank", if the convolution was not one with the bank of the inputs.
    """

    calls: dict[str, Call]
    read: Callable[[str, Any], dict[str, Array]]
    # Kept alive while the calls are.
    holds: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Peer:
    """A row of the table below."""

    label: str
    module: str
    function: str
    distribution: str
    kinds: tuple[str, ...]
    # JAX has no option for its number of threads: it counts the processors it may run on.
    restrict_processors: bool = False
    # Seconds after a call until its threads stop spinning.
    rest: float = 0.01

    def load(self) -> Callable[[Inputs], Prepared]:
        """Imports the peer."""
        function: Callable[[Inputs], Prepared] = getattr(importlib.import_module(self.module), self.function)
        return function


FORWARD, TRAIN = ("group", "lifting"), ("train",)
PEERS = {
    peer.label: peer
    for peer in (
        Peer("equiconv", "adapters.own", "automatic", "equiconv", FORWARD + TRAIN),
        Peer("equiconv direct", "adapters.own", "direct", "equiconv", FORWARD + TRAIN),
        Peer("PyTorch last", "adapters.pytorch", "channels_last", "torch", FORWARD + TRAIN),
        Peer("PyTorch first", "adapters.pytorch", "channels_first", "torch", FORWARD + TRAIN),
        Peer("NNPACK", "adapters.pytorch", "nnpack", "torch", FORWARD),
        Peer("ONNX Runtime", "adapters.runtimes", "onnx_runtime", "onnxruntime", FORWARD, rest=0.05),
        Peer("OpenVINO", "adapters.runtimes", "open_vino", "openvino", FORWARD),
        Peer("ncnn", "adapters.mobile", "ncnn_network", "ncnn", FORWARD),
        Peer("MNN", "adapters.mobile", "mnn_module", "MNN", FORWARD),
        Peer("JAX", "adapters.xla", "jax_function", "jax", FORWARD + TRAIN, restrict_processors=True),
        Peer("escnn eval", "adapters.steerable", "escnn_eval", "escnn", FORWARD),
        Peer("escnn train", "adapters.steerable", "escnn_train", "escnn", TRAIN),
        Peer("e2cnn eval", "adapters.steerable", "e2cnn_eval", "e2cnn", FORWARD),
        Peer("e2cnn train", "adapters.steerable", "e2cnn_train", "e2cnn", TRAIN),
    )
}
OWN = ("equiconv", "equiconv direct")
