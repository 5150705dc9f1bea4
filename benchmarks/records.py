# SPDX-License-Identifier: Apache-2.0
"""Measured runs as text: what is known of the run, then a record a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def run_text(about: Mapping[str, Any], records: Iterable[Any]) -> str:
    """The JSON of a run. Numbers of its records have four digits."""
    head = json.dumps(about, ensure_ascii=False)
    lines = [json.dumps(rounded(record), ensure_ascii=False) for record in records]
    return f'{head[:-1]}, "records": [\n' + ",\n".join(lines) + "\n]}\n"


def rounded(value: Any) -> Any:
    """Numbers with four digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value
