# SPDX-License-Identifier: Apache-2.0
"""What a conversion did, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from ..._checks.arguments import value_text

KEY = "equiconv conversion"
"""Where a converted network has its report, in `GraphModule.meta`."""


@dataclass(frozen=True)
class Row:
    """What a layer has become.

    Attributes:
        name: of the module in both networks, or in the new one alone.
        before, after: what it was and is; `before` is empty for a module that was put in.
        parameters_before, parameters_after: their numbers.
    """

    name: str
    before: str
    after: str
    parameters_before: int
    parameters_after: int


@dataclass(frozen=True, repr=False)
class ConversionReport:
    """What `convert` did. Prints as a table.

    Attributes:
        title: the group, and what was kept.
        rows: one for each module of the converted network that is not as it was, in the order in which they run.
        parameters_before, parameters_after: of the whole networks.
    """

    title: str
    rows: tuple[Row, ...]
    parameters_before: int
    parameters_after: int

    def __repr__(self) -> str:
        cells = [("name", "before", "after", "parameters", "after")]
        cells += [
            (row.name, row.before, row.after, f"{row.parameters_before}", f"{row.parameters_after}")
            for row in self.rows
        ]
        cells.append(("all", "", "", f"{self.parameters_before}", f"{self.parameters_after}"))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                text.ljust(width) if number < 3 else text.rjust(width)
                for number, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join([f"{self.title}; weights are drawn anew", *lines])


def conversion_report(network: nn.Module) -> ConversionReport:
    """What `convert` did to make a network: a table of its layers, before and after.

    Args:
        network: what `convert` returned, or a copy by `copy.deepcopy`; `pickle` does not keep the report.

    Returns:
        A report, which prints as a table with the numbers of parameters.

    Raises:
        TypeError: `network` is no module.
        ValueError: it is not one that `convert` returned.

    Example:
        >>> plain = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 2, 1))
        >>> print(conversion_report(convert(plain, cyclic(4))))
        C4, keep="parameters"; weights are drawn anew
        name  before         after                 parameters  after
        0     Conv2d(3, 16)  LiftingConv(3, 8)            448    224
        2     Conv2d(16, 2)  ProjectionConv(8, 2)          34     66
        all                                               482    290
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network is {value_text(network)}, expected a module that equiconv.torch.convert returned")
    report = network.meta.get(KEY) if isinstance(network, fx.GraphModule) else None
    if not isinstance(report, ConversionReport):
        raise ValueError(
            f"network is a {type(network).__name__} without a report, expected what equiconv.torch.convert returned"
        )
    return report


def row_of(name: str, before: nn.Module | str | None, after: nn.Module) -> Row:
    """The row of a module that stands for another one, for a function, or for nothing."""
    title = "" if before is None else before if isinstance(before, str) else _title(before)
    return Row(name, title, _title(after), count([before]), count([after]))


def count(modules: Sequence[Any]) -> int:
    """The number of parameters."""
    return sum(p.numel() for module in modules if isinstance(module, nn.Module) for p in module.parameters())


_SIZES = (("in_channels", "out_channels"), ("num_features",), ("in_features", "out_features"), ("mode",), ("p",))


def _title(module: nn.Module) -> str:
    found = next((names for names in _SIZES if all(hasattr(module, name) for name in names)), ())
    return f"{type(module).__name__}({', '.join(str(getattr(module, name)) for name in found)})"
