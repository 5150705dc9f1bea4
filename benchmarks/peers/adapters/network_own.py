# SPDX-License-Identifier: Apache-2.0
"""The networks as files of equiconv, which the engine runs without PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import equiconv as eq

from adapters import NetworkInputs, Prepared


def _with(mode: Any) -> Callable[[NetworkInputs], Prepared]:
    """A network in one of its modes."""

    def prepare(inputs: NetworkInputs) -> Prepared:
        network = eq.load_network(_saved(inputs), mode=mode)
        eq.set_num_threads(inputs.threads)
        return Prepared({"network": lambda: network(inputs.x)}, lambda found: {"scores": found}, [network])

    return prepare


def _saved(inputs: NetworkInputs) -> Path:
    """Writes the file. PyTorch stays on one thread: its others would spin while the engine runs."""
    import equiconv.torch as et
    import torch

    from adapters.network_torch import OwnLayers, network_of

    torch.set_num_threads(1)
    network = network_of(inputs.case.made, list(inputs.parameters), OwnLayers("auto")).eval()
    path = Path(inputs.folder) / "network.safetensors"
    et.save_network(network, path, torch.from_numpy(inputs.x[:1]))
    return path


fast, exact = _with("fast"), _with("exact")
