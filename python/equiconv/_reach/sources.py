# SPDX-License-Identifier: Apache-2.0
"""Networks, given in any of their forms."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arguments import is_a, value_text
from .._checks.frameworks import is_torch_module, is_torch_tensor
from .._network.network import Network, load_network


def as_network(network: Any, example: ArrayLike | None = None) -> Network:
    """A network as a `Network`.

    Args:
        network: a `Network`; the path of a network file, or its bytes; a `Sequential`; a module of PyTorch, as of
            `equiconv.torch.save_network`.
        example: a signal (B, C, spatial...) that a `Sequential` or a module reads; others need none.

    Raises:
        TypeError: none of these; a module or a `Sequential` without an example.
        ValueError, OSError: as of `load_network`, `Sequential.save` and `save_network`.
    """
    if is_a(network, Network):
        return network
    if is_a(network, bytes, bytearray, memoryview):
        return load_network(bytes(network))
    if isinstance(network, str | os.PathLike):
        return load_network(network)
    is_module = is_torch_module(network)
    if not is_module and not (callable(network) and callable(getattr(network, "save", None))):
        raise TypeError(
            f"network is {value_text(network)} ({type(network).__name__}), expected an equiconv.Network, the path or "
            "the bytes of a network file, an equiconv.Sequential or a torch.nn.Module"
        )
    if example is None:
        raise TypeError(
            f"example is None, expected a signal that the network reads, (B, C, spatial...), as network is a "
            f"{type(network).__name__}"
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        if is_module:
            tensor = example if is_torch_tensor(example) else import_module("torch").as_tensor(np.asarray(example))
            import_module("equiconv.torch").save_network(network, path, tensor)
        else:
            network.save(path, example)
        return load_network(path.read_bytes())
