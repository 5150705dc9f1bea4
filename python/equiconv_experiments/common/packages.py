# SPDX-License-Identifier: Apache-2.0
"""Data that other packages bring: their folders are found without importing them."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from .storage import RefusedError

__all__ = ["data_folder", "data_name"]


def data_folder(given: Path | None, module: str, inside: str, install: str) -> Path:
    """The folder with the data: the user's, or that of an installed package.

    The package is not imported, so that none of what it depends on is needed.

    Args:
        given: what the user asked for with --data; None for the package.
        module: the package's module.
        inside: the folder in it.
        install: the command that installs it.

    Raises:
        RefusedError: there is no such folder.
    """
    if given is not None:
        if not given.is_dir():
            raise RefusedError(f"--data is {given}, expected a folder")
        return given
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise RefusedError(
            f"the package with the data is not installed; run: {install}; or give its folder with --data"
        )
    folder = Path(spec.submodule_search_locations[0]) / inside
    if not folder.is_dir():
        raise RefusedError(f"the installed {module} has no folder {inside}, expected the data there; run: {install}")
    return folder


def data_name(given: Path | None, distribution: str) -> str:
    """What distinguishes the data from others: the user's folder, or the package with its version."""
    return str(given.resolve()) if given is not None else f"{distribution} {version(distribution)}"
