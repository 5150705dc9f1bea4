# SPDX-License-Identifier: Apache-2.0
"""The names that signatures have for types: signatures keep them, and a table says what they stand for."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "equiconv"
WHERE = {
    "Algorithm": "_layer/algorithms.py",
    "Axes": "_functional/convolutions.py",
    "BlurPadding": "_nn/spatial_options.py",
    "ChosenAlgorithm": "_layer/algorithms.py",
    "Interpolation": "_bases/basis.py",
    "Kernel": "_bases/kernel_bases.py",
    "LayerName": "_functional/convolutions.py",
    "Padding": "_functional/convolutions.py",
    "PaddingMode": "_functional/convolutions.py",
    "Points": "slides/_detect/curves.py",
    "PoolMode": "_functional/pool.py",
    "Random": "_nn/modules.py",
    "Resolution": "slides/_sources/source.py",
    "UpsampleMode": "_nn/spatial_options.py",
    "WindowPadding": "_nn/windows.py",
}
"""Type aliases of the package and the modules that define them; others are written out in signatures."""
FOREIGN = ("ArrayLike", "DTypeLike", "NDArray")
"""Names of NumPy that signatures keep."""


def alias(name: str, path: Path) -> tuple[str, str]:
    """What an alias of a module stands for, and what is said of it there.

    Raises:
        ValueError: the module has no such alias.
    """
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == name and statement.value:
            is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            return ast.unparse(statement.value), str(following.value.value) if is_text else ""
    raise ValueError(f"{path} has no type alias {name}, which the site lists")


def kept() -> dict[str, str]:
    """What autodoc is told to leave as it is."""
    return {name: name for name in (*WHERE, *FOREIGN)}


def table() -> str:
    """The aliases as reStructuredText for Sphinx's domain of Python."""
    pieces = []
    for name, path in WHERE.items():
        value, said = alias(name, PACKAGE / path)
        pieces.append(f".. py:type:: {name}\n   :canonical: {value}\n\n{textwrap.indent(said, '   ')}".rstrip())
    return "\n\n".join(pieces)
