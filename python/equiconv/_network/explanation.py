# SPDX-License-Identifier: Apache-2.0
"""What a network does with an input of one size: the answers of `Network.explain` and `Network.summary`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._checks.arguments import shape_text
from .._checks.arrays import Array
from .file import Document

_TENSORS = ("weight", "bias", "mean", "variance")
"""Keys of operations that name tensors."""


@dataclass(frozen=True)
class OperationExplanation:
    """An operation that is left after folding.

    Attributes:
        name: where it stands in the network.
        position: in the operations of the document, whose names need not be unique; None for the normalization of the
            input. Some operations are several steps.
        kind: as docs/NetworkFormat.md lists them.
        shape: of its output.
        algorithm: of a convolution, ``"direct"``, ``"winograd"``, ``"fourier"`` or ``"group-fourier"``; else None.
        is_exact: whether turning its input turns its output to the last bit, for every element that maps the grid of
            pixels to itself.
        estimate: the seconds that the cost model expects; None where it has none.
        seconds: as they were measured, once.
        weight_bytes, transform_bytes, workspace_bytes: its memory.
    """

    name: str
    position: int | None
    kind: str
    shape: tuple[int, ...]
    algorithm: str | None
    is_exact: bool
    estimate: float | None
    seconds: float | None
    weight_bytes: int
    transform_bytes: int
    workspace_bytes: int


@dataclass(frozen=True, repr=False)
class NetworkExplanation:
    """What a call does, operation by operation. Made by `Network.explain`; prints as a table.

    Attributes:
        operations: what is left after folding, in order.
        seconds: of all of them, as they were measured, once.
    """

    operations: tuple[OperationExplanation, ...]

    @property
    def seconds(self) -> float:
        """Of all operations."""
        return sum(operation.seconds or 0 for operation in self.operations)

    def __repr__(self) -> str:
        rows = [
            (
                operation.name,
                operation.kind,
                shape_text(operation.shape),
                algorithm_text(operation),
                time_text(operation.seconds),
                bytes_text(operation.weight_bytes + operation.transform_bytes),
            )
            for operation in self.operations
        ]
        return table(("operation", "kind", "output", "algorithm", "time", "weights"), rows, left=4)


@dataclass(frozen=True, repr=False)
class Summary:
    """The operations of a network with their shapes, parameters and times. Made by `Network.summary`.

    It prints as a table.

    Attributes:
        shape: of the input.
        rows: (name, kind, output shape or None where it is folded into another, parameters, algorithm, seconds) for
            each operation of the document.
        parameters: their number, all operations together.
    """

    title: str
    shape: tuple[int, ...]
    rows: tuple[tuple[str, str, tuple[int, ...] | None, int, str, float | None], ...]
    parameters: int

    def __repr__(self) -> str:
        rows = [
            (name, kind, "folded" if shape is None else shape_text(shape), f"{count:,}" if count else "", text,
             time_text(seconds))
            for name, kind, shape, count, text, seconds in self.rows
        ]  # fmt: skip
        header = ("operation", "kind", "output", "parameters", "algorithm", "time")
        first = ("input", "", shape_text(self.shape), "", "", "")
        last = ("all", "", "", f"{self.parameters:,}", "", time_text(sum(row[5] or 0 for row in self.rows)))
        return f"{self.title}\n{table(header, [first, *rows, last], left=3)}"


def read_explanation(text: str) -> NetworkExplanation:
    """The explanation in the engine's JSON."""
    return NetworkExplanation(
        tuple(
            OperationExplanation(
                name=entry["name"],
                position=entry["operation"],
                kind=entry["kind"],
                shape=tuple(entry["shape"]),
                algorithm=entry["algorithm"],
                is_exact=bool(entry["exact"]),
                estimate=entry["estimate"],
                seconds=entry["seconds"],
                weight_bytes=entry["weight_bytes"] or 0,
                transform_bytes=entry["transform_bytes"] or 0,
                workspace_bytes=entry["workspace_bytes"] or 0,
            )
            for entry in json.loads(text)["operations"]
        )
    )


def summarize(
    document: Document, tensors: Mapping[str, Array], explanation: NetworkExplanation, shape: tuple[int, ...]
) -> Summary:
    """The table of a document, with what an explanation for an input of this shape knows."""
    known: dict[int | None, list[OperationExplanation]] = {}
    for step in explanation.operations:
        known.setdefault(step.position, []).append(step)
    rows, counted = [], set()
    for position, operation in enumerate(document["operations"]):
        steps = known.get(position, [])
        names = {operation[key] for key in _TENSORS if operation.get(key) is not None}
        rows.append(
            (
                operation["name"],
                kind_text(operation),
                steps[-1].shape if steps else None,
                sum(tensors[name].size for name in names),
                next(filter(None, map(algorithm_text, steps)), ""),
                sum(step.seconds or 0 for step in steps) if steps else None,
            )
        )
        counted |= names
    title = f"{document['name']}, {document['dtype']}"
    return Summary(title, shape, tuple(rows), sum(tensors[name].size for name in counted))


def kind_text(operation: Mapping[str, object]) -> str:
    """The kind of an operation, with what tells its like apart: ``pointwise relu``, ``group_pool max``."""
    detail = operation.get("function") or operation.get("mode")
    return f"{operation['kind']} {detail}" if detail else str(operation["kind"])


def algorithm_text(operation: OperationExplanation) -> str:
    """The algorithm of a convolution, and whether it is exact."""
    if operation.algorithm is None:
        return ""
    return f"{operation.algorithm}, exact" if operation.is_exact else operation.algorithm


def channels_text(count: int) -> str:
    """A number of channels."""
    return f"{count} channel{'' if count == 1 else 's'}"


def time_text(seconds: float | None) -> str:
    """Seconds in a unit that suits them."""
    if seconds is None:
        return ""
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def bytes_text(count: int) -> str:
    """Bytes in a unit that suits them."""
    if count < 1 << 10:
        return f"{count} B"
    return f"{count / (1 << 20):.3g} MiB" if count >= 1 << 20 else f"{count / (1 << 10):.3g} KiB"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows under a header, in columns; those from `left` on are aligned at their ends."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])
