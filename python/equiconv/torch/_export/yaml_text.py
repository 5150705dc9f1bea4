# SPDX-License-Identifier: Apache-2.0
"""YAML of mappings, sequences and scalars, as text: what descriptions of models are written in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

# Keys that are written without quotes: none of YAML's other readings of a word.
_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def yaml_text(value: dict[str, Any]) -> str:
    """The YAML of a mapping whose values are mappings, sequences, texts, numbers, bools and None.

    Texts are quoted, so that none is read as something else. Raises ValueError for a number that is not finite.

    Example:
        >>> print(yaml_text({"name": "digits", "axes": [{"id": "x", "size": 16}], "tags": []}))
        name: "digits"
        axes:
          - id: "x"
            size: 16
        tags: []
    """
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    """The lines of a mapping or sequence that is not empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{_key(key)}:", item, "  ")
        return
    for item in value:
        if _is_block(item):
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_scalar(item)}"


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if _is_block(item):
        yield head
        yield from (indent + line for line in _lines(item))
    else:
        yield f"{head} {_scalar(item)}"


def _is_block(item: Any) -> bool:
    """Whether an item has lines of its own: sequences of numbers are short enough for one."""
    if isinstance(item, dict):
        return bool(item)
    return isinstance(item, list | tuple) and any(isinstance(each, dict | list | tuple | str) for each in item)


def _scalar(item: Any) -> str:
    if isinstance(item, float):
        if not math.isfinite(item):
            raise ValueError(f"a number is {item}, expected a finite one")
        # YAML 1.1 reads 1e-05 as a text: its numbers have a point.
        text = repr(item)
        return text if "." in text else text.replace("e", ".0e")
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(_scalar, item))}]"
    return json.dumps(item, ensure_ascii=False)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key not in _WORDS else json.dumps(key)
