# SPDX-License-Identifier: Apache-2.0
"""Runs the notebooks for the site, several at a time, and keeps what they put out."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

KERNEL = '# What kernels say about their sockets is not of the site.\nget_config().IPKernelApp.log_level = "ERROR"\n'


def imported(text: str) -> set[str]:
    """The packages that a notebook imports."""
    cells = json.loads(text)["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def missing(package: str) -> str | None:
    """The package that has to be installed before another can be imported; None if there is none."""
    if find_spec(package) is None:
        return package
    if package == "equiconv_experiments":
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            return error.name
    return None


def digest() -> str:
    """A number of the package that notebooks run with: another one if any of its files is another."""
    spec = find_spec("equiconv")
    places = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    files = [path for place in places for path in sorted(place.rglob("*")) if path.suffix in (".py", ".so", ".0")]
    hashed = hashlib.sha256()
    for path in files:
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


def run(text: str) -> str:
    """A notebook with what its cells put out when it is run from top to bottom.

    Raises:
        CellExecutionError: a cell that fails.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(text, as_version=4)
    with TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=folder)
    written: str = nbformat.writes(notebook)
    return written


def quiet_kernels(folder: Path) -> None:
    """Kernels started from here on have settings of their own, in a folder, and no others."""
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(folder)


def executed(texts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Notebooks with their outputs, which are kept in a folder until a notebook or the package changes.

    Args:
        texts: notebooks by their pages.
        folder: where outputs are kept.

    Returns:
        The notebooks. One that imports what is not installed stays without outputs, and a sentence says so.
    """
    package, found, awaited = digest(), dict(texts), {}
    quiet_kernels(folder.resolve() / "ipython")
    # At most as many at a time as there are cores; the longest come first.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for page, text in sorted(texts.items(), key=lambda each: "import torch" not in each[1]):
            needed = sorted(filter(None, map(missing, imported(text))))
            kept = _place(folder, package, text)
            if needed:
                print(f"SKIPPED: the outputs of {page} ({', '.join(needed)} not installed)")
            elif kept.exists():
                found[page] = kept.read_text(encoding="utf-8")
            else:
                awaited[page] = kept, pool.submit(run, text)
        for page, (kept, future) in awaited.items():
            found[page] = future.result()
            kept.write_text(found[page], encoding="utf-8")
    used = {_place(folder, package, text) for text in texts.values()}
    for path in set(folder.glob("*.ipynb")) - used:
        path.unlink()
    return found


def _place(folder: Path, package: str, text: str) -> Path:
    """Where the outputs of a notebook are kept."""
    return folder / f"{hashlib.sha256((package + text).encode()).hexdigest()[:32]}.ipynb"
