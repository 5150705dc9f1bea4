# SPDX-License-Identifier: Apache-2.0
"""What a run was asked for: checked, and as texts that a later run is compared with."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from ..._checks.arrays import Array
from ..._checks.warnings import EquivarianceWarning
from ..._network.file import digest
from ..._network.network import Mode, Network, network_of
from ..._reach.methods import steady_network
from ..._reach.sources import as_network
from .._mask import TileMask
from .._sources.opening import open_source
from .._sources.source import Source
from .._tiles.plan import Tile, TilePlan


@contextmanager
def opened(source: Any, **options: Any) -> Iterator[Source]:
    """A source, open; closed in the end unless it was one already. Arguments and errors are those of `open_source`."""
    found = open_source(source, **options)
    try:
        yield found
    finally:
        if not isinstance(source, Source):
            found.close()


_EXAMPLE = 64
"""Pixels of the signal that a module is traced with."""


def prepared_network(network: Any, source: Source, mode: Mode) -> tuple[Network, str]:
    """The network in a mode, whose bits in ``"exact"`` depend neither on where a tile is nor on its size; its digest.

    Raises:
        TypeError, ValueError: no network, or one that does not read the source.
    """
    example = None
    if not isinstance(network, Network):
        example = np.zeros((1, source.channels, _EXAMPLE, _EXAMPLE), _dtype_of(network))
    with warnings.catch_warnings():
        # Of sizes that do not fit, which are those of the example.
        warnings.simplefilter("ignore", EquivarianceWarning)
        found = as_network(network, example)
    given = found.document["input"]
    if given["channels"] != source.channels:
        raise ValueError(f"network reads {given['channels']} channels, and {source.name} has {source.channels}")
    if not np.can_cast(source.dtype, found.dtype, "safe"):
        raise TypeError(
            f"{source.name} has dtype {source.dtype}, expected one whose numbers {found.dtype}, which the network "
            "reads, has exactly"
        )
    text = network_digest(found)
    return (steady_network(found, source.extents) if mode == "exact" else in_mode(found, mode)), text


def in_mode(network: Network, mode: Mode) -> Network:
    """A network in another mode."""
    return network if network.mode == mode else network_of(network.document, network.tensors, mode)


def _dtype_of(network: Any) -> Any:
    """That of the parameters of a module."""
    parameters = network.parameters() if callable(getattr(network, "parameters", None)) else ()
    first = next(iter(parameters.values() if isinstance(parameters, dict) else parameters), None)
    return np.float64 if str(getattr(first, "dtype", "")).endswith("float64") else np.float32


def network_digest(network: Network) -> str:
    """The SHA-256 of a network's document and of its tensors, by their names."""
    document = json.dumps(network.document, sort_keys=True, ensure_ascii=False).encode()
    tensors = network.tensors
    whole = document + "".join(f"{name} {tensors[name].dtype} {tensors[name].shape};" for name in tensors).encode()
    return hashlib.sha256(whole + digest(tensors.values()).encode()).hexdigest()


def chosen_tiles(plan: TilePlan, mask: Any, source: Source) -> tuple[list[Tile], str | None]:
    """The tiles that a mask has something in, and the digest of the mask.

    Args:
        plan: of all tiles.
        mask: an array of any resolution that covers the slide; ``"tissue"`` for `tissue_mask`; None for all tiles.
        source: of the slide.
    """
    if mask is None:
        return list(plan.tiles()), None
    if isinstance(mask, str):
        if mask != "tissue":
            raise ValueError(f"mask is {mask!r}, expected an array or 'tissue'")
        mask = import_module("equiconv.slides").tissue_mask(source)
    array: Array = np.asarray(mask)
    known = TileMask(array, source.extents)
    text = hashlib.sha256(f"{array.shape}".encode() + np.ascontiguousarray(array != 0).tobytes()).hexdigest()
    return [tile for tile in plan.tiles() if known.touches(*plan.area(tile))], text


def run_entry(
    network: Network, network_text: str, mode: Mode, source: Source, plan: TilePlan, mask: str | None
) -> dict[str, Any]:
    """What a run was asked for, as JSON has it; two runs with equal entries write equal bytes in mode ``"exact"``."""
    entry = {
        "network": network.name,
        "network_sha256": network_text,
        "mode": mode,
        "dtype": str(network.dtype),
        "source": source.name,
        "source_fingerprint": source.fingerprint,
        "mpp": source.mpp,
        "extents": plan.extents,
        "tile": plan.pixels,
        "outputs": [output.name for output in plan.outputs],
        "mask_sha256": mask,
    }
    found: dict[str, Any] = json.loads(json.dumps(entry))
    return found
