# SPDX-License-Identifier: Apache-2.0
"""Packages that are imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def package(name: str, purpose: str, extra: str = "slides") -> Any:
    """An optional package.

    Raises:
        ModuleNotFoundError: it is not installed, with the extra that has it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        text = f'{purpose} needs {error.name}, which is not installed: pip install "equiconv[{extra}]"'
        raise ModuleNotFoundError(text, name=error.name) from None
