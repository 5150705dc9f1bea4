# SPDX-License-Identifier: Apache-2.0
"""A text for checkpoints that says what the weights of a network are for: C4 and D2 have weights of one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..._checks.arguments import value_text


def check_signatures(own: Mapping[str, str], given: object) -> None:
    """Raises ValueError, naming both, where a checkpoint is of other layers; TypeError for another value."""
    if not isinstance(given, Mapping):
        raise TypeError(f"signature is {value_text(given)} ({type(given).__name__}), expected what signature() gave")
    for name in sorted({*own, *map(str, given)}):
        mine, other = own.get(name, "no such layer"), given.get(name, "no such layer")
        if mine != other:
            raise ValueError(f"layer {name} is {mine}, the checkpoint has {other}")


def named(layers: Iterable[tuple[tuple[object, ...], str]]) -> dict[str, str]:
    """The signatures of layers, by the paths to them."""
    return {".".join(map(str, path)) or "(the model)": text for path, text in layers}
