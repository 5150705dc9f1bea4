# SPDX-License-Identifier: Apache-2.0
"""What the results of a case are compared with, before anything is timed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import equiconv as eq
import numpy as np
from adapters import Array, Inputs, NetworkInputs
from calls import Operands, Results, call_of, group_of, operands, options_of
from case import Case
from networks import NetworkCase, data_of
from pool import PeerError

# RMS errors over the RMS of the result from which on a result is not the same.
WRONG = {"float32": 1e-3, "float64": 1e-10}
WRONG_NETWORK = 1e-2
# Outputs of a case in float64 that are compared: places in the first image, with all channels.
PLACES = 64


class Reference:
    """The inputs of a case, and its results by the direct algorithm in float64.

    Of forward runs it has the first image alone; for float64 some of its places, summed in extended precision.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.arrays, self.group = case, operands(case), group_of(case)
        self.inputs = Inputs(
            case, 0, self.arrays.x, self.arrays.grad, self.arrays.weights, self._banks(), self._index(), str(folder)
        )
        self.inputs.write()
        self.places = self._places() if (case.run, case.dtype) == ("forward", "float64") else None
        if self.places is not None:
            self.found = {"y": self._extended(self.places)}
        else:
            arrays = self.arrays if case.run != "forward" else replace(self.arrays, x=self.arrays.x[:1])
            self.found = call_of(replace(case, dtype="float64"), arrays.astype("float64"), "direct")()

    def _banks(self) -> tuple[Array, ...]:
        """Of the equal ordinary convolutions."""
        case, first = self.case, self.arrays.weights[0]
        if case.layer == "separable":
            d = case.dimension
            over_h = eq.expand(first.reshape(*first.shape, *[1] * d), self.group, "group")
            # A kernel for each channel and element of H, which is a lifting layer's.
            return over_h, eq.expand(self.arrays.weights[1][:, None], self.group, "lifting")
        options = options_of(case, "direct")
        basis = {"group_basis": options["group_basis"]} if "group_basis" in options else {}
        name: Any = "group" if case.layer == "depthwise" else case.layer
        return (eq.expand(first, self.group, name, **basis),)

    def _index(self) -> Array | None:
        """Where each number of the bank is among the weights, by the bank of the numbers 0, 1, 2, ..."""
        case, first = self.case, self.arrays.weights[0]
        if case.run == "forward" or case.layer not in ("group", "lifting") or not case.is_lattice:
            return None
        numbers = np.arange(first.size, dtype=np.float64).reshape(first.shape)
        index: Array = eq.expand(numbers, self.group, case.layer).astype(np.int64)
        return index

    def _places(self) -> Array:
        """Some places of the output, (PLACES, axes)."""
        case = self.case
        return np.random.default_rng(0).integers(0, case.output_size, (PLACES, case.dimension))

    def _extended(self, places: Array) -> Array:
        """The outputs at these places of the first image, (out channels, PLACES)."""
        case, stage = self.case, self.inputs.stages[-1]
        assert len(self.inputs.banks) == stage.groups == 1
        k, d = case.kernel, case.dimension
        x = np.pad(self.inputs.flat_x[0], [(0, 0), *[(stage.padding,) * 2] * d]).astype(np.longdouble)
        bank = stage.bank.astype(np.longdouble).reshape(stage.bank.shape[0], -1)
        windows = np.lib.stride_tricks.sliding_window_view(x, (k,) * d, axis=tuple(range(1, d + 1)))
        columns = [windows[(slice(None), *(place * case.stride))].ravel() for place in places]
        result: Array = bank @ np.stack(columns, 1)
        return result

    def errors(self, folder: Path, names: list[str]) -> dict[str, tuple[float, float]]:
        """For each result the largest and the RMS error, over the RMS of the result. Raises PeerError for others."""
        arrays = {name: np.load(folder / f"{name}.npy") for name in names}
        expected = self.found if "bank" not in arrays else self._with_bank(arrays.pop("bank"))
        if self.places is not None:
            arrays["y"] = self._at_places(arrays["y"], self.places)
        return _errors(arrays, expected, WRONG[self.case.dtype])

    def _at_places(self, y: Array, places: Array) -> Array:
        """The numbers of the first image of a result at some places."""
        d = self.case.dimension
        first = y[0].reshape(-1, *y.shape[-d:])
        return np.asarray(first[(slice(None), *places.T)])

    def _with_bank(self, bank: Array) -> Results:
        """Output and gradient of the input for a bank of the peer's own."""
        case = self.case
        x, grad = (array.astype(np.float64) for array in (self.inputs.flat_x, self.inputs.flat_grad))
        ordinary = replace(case, layer="isotropic", group="C1", channels=case.flat, dtype="float64")
        found = call_of(ordinary, Operands(x, (bank.astype(np.float64),), grad), "direct")()
        del found["grad_weight"]
        return found


class NetworkReference:
    """The data of a network, and its results with equiconv's direct algorithm in float64."""

    def __init__(self, case: NetworkCase, folder: Path) -> None:
        import torch
        from adapters.network_torch import OwnLayers, network_of, scores_and_gradient

        x, labels, parameters = data_of(case)
        NetworkInputs(case, 0, x, labels, tuple(parameters), str(folder)).write()
        network = network_of(case.made, [array.astype(np.float64) for array in parameters], OwnLayers("direct"))
        is_step = case.run == "training"
        network.double().train(is_step)
        given = torch.from_numpy(labels) if is_step else None
        found = scores_and_gradient(network, torch.from_numpy(x).double(), given)
        self._expected = {name: part.numpy() for name, part in found.items()}

    def errors(self, folder: Path, names: list[str]) -> dict[str, tuple[float, float]]:
        """As of `Reference`. Where rounding turns the sign of a number before a ReLU, gradients jump."""
        return _errors({name: np.load(folder / f"{name}.npy") for name in names}, self._expected, WRONG_NETWORK)


def _errors(arrays: Results, expected: Results, wrong: float) -> dict[str, tuple[float, float]]:
    """The errors of each result. Raises PeerError for RMS errors above `wrong`."""
    if set(arrays) != set(expected):
        raise PeerError(f"results {sorted(arrays)}, expected {sorted(expected)}")
    found = {name: _error(array, expected[name]) for name, array in arrays.items()}
    for name, (_, rms) in found.items():
        if not rms <= wrong:
            raise PeerError(f"{name} is another, with an RMS error of {rms:.1e}")
    return found


def _error(found: Array, expected: Array) -> tuple[float, float]:
    """The largest and the RMS error, over the RMS of what is expected: all of it, or the first image."""
    if found.size != expected.size:
        found = found[: expected.shape[0]]
    if found.size != expected.size:
        raise PeerError(f"a result of shape {found.shape} in place of {expected.shape}")
    difference = found.reshape(expected.shape) - expected
    scale = float(np.sqrt(np.mean(np.square(expected))))
    return float(np.abs(difference).max()) / scale, float(np.sqrt(np.mean(np.square(difference)))) / scale
