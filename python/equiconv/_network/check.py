# SPDX-License-Identifier: Apache-2.0
"""Whether a network file keeps its word: its own test, and how far the network is from commuting with its group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._checks.arrays import Array
from .file import digest
from .network import Network
from .values import common_group, turn, value_types

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
"""Of the outputs for the test input, as a share of the largest number of an output; also of ``fast`` under turns, ten
times, since both sides of that comparison are rounded."""


@dataclass(frozen=True)
class Finding:
    """What one of the checks came to; prints as a line.

    Attributes:
        what: the check.
        holds: whether it passed.
        text: what was found.
    """

    what: str
    holds: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.holds else 'FAIL'} {self.what}: {self.text}"


def check_network(fast: Network, exact: Network, x: Array | None = None) -> Iterator[Finding]:
    """Runs all checks of one file, opened in both modes.

    Args:
        fast, exact: the network.
        x: the signal that is turned; that of the file's test if not given, else random numbers.
    """
    yield from _own_test(fast, exact)
    group = common_group(fast.document, fast.tensors)
    if group is None:
        return
    signal = _signal(fast) if x is None else x
    for network in (exact, fast):
        limit = 0.0 if network.mode == "exact" else 10 * TOLERANCE[str(network.dtype)]
        errors = equivariance_errors(network, signal)
        for element, error in enumerate(errors):
            what = f"{network.mode}, element {element} of {group.order}"
            yield Finding(what, error <= limit, f"equivariance error {error:.3g}, at most {limit:.3g} expected")


def equivariance_errors(network: Network, x: Array) -> list[float]:
    """``max |f(L_g x) - L_g f(x)| / max |f(x)|`` of all outputs, for each element that the network's groups share.

    Infinity where the outputs differ in shape.
    """
    document = network.document
    group = common_group(document, network.tensors)
    if group is None:
        return []
    types = value_types(document, network.tensors)
    source = types[document["input"]["name"]]
    targets = [types[output["value"]] for output in document["outputs"]]
    straight = outputs_of(network, x)
    errors = []
    for matrix in group.matrices:
        turned = outputs_of(network, turn(x, source, matrix, group))
        expected = [turn(y, target, matrix, group) for target, y in zip(targets, straight, strict=True)]
        errors.append(max(relative_error(a, b) for a, b in zip(turned, expected, strict=True)))
    return errors


def outputs_of(network: Network, x: Array) -> list[Array]:
    """All outputs, also where there is one."""
    outputs = network(x)
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]


def relative_error(value: Array, expected: Array) -> float:
    """``max |value - expected| / max |expected|``; infinity where the shapes differ."""
    if value.shape != expected.shape:
        return np.inf
    if np.array_equal(value, expected, equal_nan=True):
        return 0.0
    scale = float(np.max(np.abs(expected), initial=0.0))
    error = float(np.max(np.abs(value - expected)))
    return error / scale if scale > 0 else np.inf


def _own_test(fast: Network, exact: Network) -> Iterator[Finding]:
    test = fast.document.get("test")
    if test is None:
        yield Finding("test", True, "the file has none")
        return
    stored = [fast.tensors[name] for name in (test["input"], *test["outputs"])]
    found = digest(stored)
    yield Finding("test, SHA-256", found == test["sha256"], f"{found}, {test['sha256']} in the document")
    x, *expected = stored
    limit = TOLERANCE[str(fast.dtype)]
    for network in (exact, fast):
        outputs = outputs_of(network, np.require(x, x.dtype.newbyteorder("="), requirements=["C", "A"]))
        for name, value, wanted in zip(network.output_names, outputs, expected, strict=True):
            error = relative_error(value, wanted)
            text = f"differs by {error:.3g} of the largest number, at most {limit:.3g} expected"
            yield Finding(f"test, {network.mode}, {name}", error <= limit, text)


def _signal(network: Network) -> Array:
    """The file's test input, or random numbers."""
    test = network.document.get("test")
    if test is not None:
        x = network.tensors[test["input"]]
        return np.require(x, x.dtype.newbyteorder("="), requirements=["C", "A"])
    return np.random.default_rng(0).standard_normal(network.example_shape()).astype(network.dtype)
