# SPDX-License-Identifier: Apache-2.0
"""Parameters and operations of a model, layer by layer, beside those of its ordinary counterpart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..._checks.arguments import LARGEST, integer, items, value_text
from ..._checks.warnings import EquivarianceWarning
from .._network.exporting import in_evaluation
from .model import Model, parameters_of


@dataclass(frozen=True)
class Row:
    """A layer with parameters.

    Attributes:
        name: of the module.
        kind: its class, and its channels.
        parameters, operations: their numbers.
        ordinary_parameters, ordinary_operations: those of the layer of this name in the counterpart; None without one.
    """

    name: str
    kind: str
    parameters: int
    operations: int
    ordinary_parameters: int | None
    ordinary_operations: int | None


@dataclass(frozen=True, repr=False)
class Summary:
    """What a model costs, made by `summary`. Prints as a table.

    Attributes:
        title: the model and the shape of its signal.
        rows: one for each layer that has parameters.
        parameters, operations: of the model. Operations are those of the definitions of the layers, two for each
            multiply-add; algorithms may need fewer.
        ordinary_parameters, ordinary_operations: of its counterpart; None for a module that is no `Model`.
    """

    title: str
    rows: tuple[Row, ...]
    parameters: int
    operations: int
    ordinary_parameters: int | None
    ordinary_operations: int | None

    @property
    def residual(self) -> float | None:
        """How many more parameters the model has than its counterpart, as a share of the counterpart's."""
        return None if self.ordinary_parameters is None else self.parameters / self.ordinary_parameters - 1

    def __repr__(self) -> str:
        cells: list[tuple[str, ...]] = [("layer", "", "parameters", "MFLOP", "ordinary", "MFLOP")]
        for row in self.rows:
            numbers = (row.parameters, row.operations, row.ordinary_parameters, row.ordinary_operations)
            cells.append((row.name, row.kind, *_texts(*numbers)))
        numbers = (self.parameters, self.operations, self.ordinary_parameters, self.ordinary_operations)
        cells.append(("all", "" if self.residual is None else f"{100 * self.residual:+.2f} %", *_texts(*numbers)))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                text.ljust(width) if place < 2 else text.rjust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join([self.title, *lines])


def _texts(parameters: int, operations: int, others: int | None, more: int | None) -> tuple[str, ...]:
    return (
        f"{parameters:,}", f"{operations / 1e6:,.1f}",
        "" if others is None else f"{others:,}", "" if more is None else f"{more / 1e6:,.1f}",
    )  # fmt: skip


def summary(model: nn.Module, shape: Sequence[int]) -> Summary:
    """The parameters and operations of each layer of a model, and of its ordinary counterpart. Nothing is computed.

    Args:
        model: one of `equiconv.torch.models`; of any other module there is no counterpart.
        shape: of a signal, (B, C, spatial...).

    Returns:
        A summary, which prints as a table.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; a signal that the model does not read.

    Example:
        >>> print(summary(models.se2cnn(), (1, 1, 32, 32)))
        SE2CNN on C12 for (1, 1, 32, 32)
        layer                           parameters  MFLOP  ordinary  MFLOP
        layer1.conv  LiftingConv(1, 4)         104    1.6       286    0.4
        layer2.conv  GroupConv(4, 8)         9,608   19.4     6,072    1.2
        layer3.conv  GroupConv(8, 16)       38,416    0.8    24,795    0.0
        head.hidden  Linear(16, 128)         2,176    0.0    16,560    0.0
        head.fc      Linear(128, 10)         1,290    0.0     3,610    0.0
        all          +0.53 %                51,594   21.7    51,323    1.7
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {value_text(model)} ({type(model).__name__}), expected a module")
    sizes = [
        integer(f"shape[{axis}]", size, 1, LARGEST)
        for axis, size in enumerate(items("shape", shape, "the sizes of a signal"))
    ]
    own = _operations(model, sizes)
    other, others = None, {}
    if isinstance(model, Model):
        other = model.counterpart(device="meta")
        others = _operations(other, sizes)
    layers = {} if other is None else dict(other.named_modules())
    rows = []
    for name, module in model.named_modules():
        if next(module.children(), None) is None and parameters_of(module):
            same = layers.get(name)
            counts = (None, None) if same is None else (parameters_of(same), others.get(name, 0))
            rows.append(Row(name, _kind(module), parameters_of(module), own.get(name, 0), *counts))
    group = f" on {model.group.name}" if isinstance(model, Model) else ""
    title = f"{type(model).__name__}{group} for {tuple(sizes)}"
    whole = (None, None) if other is None else (parameters_of(other), others[""])
    return Summary(title, tuple(rows), parameters_of(model), own[""], *whole)


def _operations(model: nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Of each module by its name, and of all under ``""``: of a call on tensors without numbers."""
    state = {name: tensor.to("meta") for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    dtype = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32)
    x = torch.empty(tuple(shape), device="meta", dtype=dtype)
    counter = FlopCounterMode(display=False)
    with in_evaluation(model), torch.no_grad(), warnings.catch_warnings(), counter:
        warnings.simplefilter("ignore", EquivarianceWarning)
        torch.func.functional_call(model, state, (x,))
    title = type(model).__name__
    counts = {name: sum(kinds.values()) for name, kinds in counter.get_flop_counts().items()}
    found = {name.partition(".")[2]: count for name, count in counts.items() if name.startswith(f"{title}.")}
    return {**found, "": counts["Global"]}


_SIZES: tuple[tuple[str, ...], ...] = (
    ("in_channels", "out_channels"), ("num_features",), ("num_channels",), ("in_features", "out_features"),
)  # fmt: skip


def _kind(module: nn.Module) -> str:
    """The class of a layer, with its channels."""
    names: tuple[Any, ...] = next((row for row in _SIZES if all(hasattr(module, name) for name in row)), ())
    return f"{type(module).__name__}({', '.join(str(getattr(module, name)) for name in names)})"
