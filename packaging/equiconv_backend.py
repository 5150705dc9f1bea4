# SPDX-License-Identifier: Apache-2.0
"""The build backend: that of setuptools, except for editable installations.

Setuptools would put the compiled modules into the source tree, where no uninstall finds them. Here they go into the
wheel, and with them a finder that adds them to the package in the source tree; uninstalling removes all of it.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

get_requires_for_build_editable = build_meta.get_requires_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_wheel

SOURCES = Path(__file__).resolve().parents[1] / "python"
FINDER = '''"""Finds the compiled modules of an editable installation of equiconv, which lie beside this file."""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

COMPILED = str(Path(__file__).parent / "equiconv")


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [COMPILED]) if name.startswith("equiconv._") else None


# Asked last: modules built in the source tree come first.
sys.meta_path.append(Finder)
'''


def build_editable(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """A wheel of the compiled modules and a path to the sources; its name."""
    with tempfile.TemporaryDirectory() as folder:
        name = build_wheel(folder, config_settings, metadata_directory)
        with zipfile.ZipFile(Path(folder, name)) as whole:
            kept = [entry for entry in whole.infolist() if _is_kept(entry.filename)]
            contents = {entry: whole.read(entry) for entry in kept}
            record = next(entry for entry in whole.namelist() if entry.endswith(".dist-info/RECORD"))
    contents[zipfile.ZipInfo("_equiconv_editable.py")] = FINDER.encode()
    contents[zipfile.ZipInfo("_equiconv_editable.pth")] = f"{SOURCES}\nimport _equiconv_editable\n".encode()
    contents[zipfile.ZipInfo(record)] = _record(contents, record).encode()
    with zipfile.ZipFile(Path(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as editable:
        for entry, content in contents.items():
            editable.writestr(entry, content)
    return name


def _is_kept(path: str) -> bool:
    """Metadata, without the list of files, and compiled modules."""
    return (".dist-info/" in path and not path.endswith("/RECORD")) or ".so" in Path(path).name


def _record(contents: dict[zipfile.ZipInfo, bytes], record: str) -> str:
    """The list of files of a wheel: path, hash and size a line."""
    lines = []
    for entry, content in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{entry.filename},sha256={digest},{len(content)}")
    return "\n".join([*lines, f"{record},,", ""])
