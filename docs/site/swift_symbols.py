# SPDX-License-Identifier: Apache-2.0
"""Writes the symbol graph of the Swift interface: every name that `import Equiconv` brings, with its comment.

usage: swift_symbols.py SWIFT FOLDER

Modules are compiled as far as others need to import them, without the bodies of functions, and only if their sources
are newer than what is there. The graph is FOLDER/graphs/Equiconv.symbols.json afterwards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INTERFACE = "Equiconv"
"""The module that programs import. Its graph has what it exports again from the other modules."""


def described(swift: str) -> dict[str, dict[str, Any]]:
    """The targets of the package by name, as its manifest describes them."""
    text = subprocess.check_output([swift, "package", "describe", "--type", "json"], cwd=ROOT, text=True)
    return {target["name"]: target for target in json.loads(text)["targets"]}


def in_order(targets: Mapping[str, Mapping[str, Any]], name: str, done: list[str] | None = None) -> list[str]:
    """A target and all that it needs, each after what it needs itself."""
    order = [] if done is None else done
    if name not in order:
        for needed in targets[name].get("target_dependencies", ()):
            in_order(targets, needed, order)
        order.append(name)
    return order


def command(swift: str, target: Mapping[str, Any], included: list[Path], folder: Path) -> list[str]:
    """The call of the compiler that writes the module of a target, and the symbol graph of the interface."""
    name, home = target["name"], ROOT / target["path"]
    options = ["-swift-version", "6", "-package-name", "equiconv", "-parse-as-library", "-module-name", name, "-wmo"]
    # What is in functions changes no interface, and takes a minute to check.
    bodiless = ["-Xfrontend", "-experimental-skip-all-function-bodies"]
    graph = ["-emit-symbol-graph", "-emit-symbol-graph-dir", str(folder / "graphs")]
    graph += ["-symbol-graph-minimum-access-level", "public", "-symbol-graph-skip-synthesized-members"]
    return [
        str(Path(shutil.which(swift) or swift).parent / "swiftc"), *options, *bodiless,
        *(graph if name == INTERFACE else []),
        "-emit-module", "-emit-module-path", str(folder / f"{name}.swiftmodule"),
        "-I", str(folder), *(argument for path in included for argument in ("-I", str(path))),
        *(str(home / source) for source in target["sources"]),
    ]  # fmt: skip


def headers(target: Mapping[str, Any]) -> Path:
    """The folder with the module map of a target in C, or of a library of the system."""
    home = ROOT / target["path"]
    return home / "include" if (home / "include").is_dir() else home


def newest(target: Mapping[str, Any]) -> float:
    """When the sources of a target changed last."""
    home = ROOT / target["path"]
    files = [*(home / source for source in target["sources"]), *home.rglob("*.h")]
    return max((path.stat().st_mtime for path in files), default=0.0)


def main() -> int:
    """Compiles what is out of date."""
    swift, folder = sys.argv[1], Path(sys.argv[2])
    (folder / "graphs").mkdir(parents=True, exist_ok=True)
    targets = described(swift)
    order = in_order(targets, INTERFACE)
    included = [headers(targets[name]) for name in order if targets[name]["module_type"] != "SwiftTarget"]
    changed = 0.0
    for name in order:
        changed = max(changed, newest(targets[name]))
        module = folder / f"{name}.swiftmodule"
        if targets[name]["module_type"] != "SwiftTarget" or (module.exists() and module.stat().st_mtime > changed):
            continue
        subprocess.check_call(command(swift, targets[name], included, folder), cwd=ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
