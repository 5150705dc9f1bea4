# SPDX-License-Identifier: Apache-2.0
"""Builds the site: lays out the pages of the repository in a folder, and runs Sphinx on it. A warning is an error.

usage: site_build.py FOLDER [OPTION OF SPHINX]...

Pages are in FOLDER/html afterwards.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import site_gallery
import site_headers
import site_notebooks
import site_pages
import site_swift
import site_types

SITE = Path(__file__).resolve().parent
MODULES = {
    "equiconv": (),
    "equiconv.torch": ("torch",),
    "equiconv.torch.models": ("torch",),
    "equiconv.jax": ("jax",),
    "equiconv.jax.nnx": ("jax", "flax"),
    "equiconv.jax.equinox": ("jax", "equinox"),
    "equiconv.slides": ("zarr", "tifffile"),
    "equiconv.dask": ("dask",),
    "equiconv.theory": (),
}
"""The modules of the Python reference, and what must be installed for each."""


def reference(text: str) -> str:
    """The page of the Python reference with the lists of its modules and of names for types."""
    shown = []
    for module, needed in MODULES.items():
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            print(f"{module} is left out of the reference: {', '.join(missing)} not installed")
        else:
            shown.append(f"   {module}\n")
    table = "".join(["```{eval-rst}\n.. autosummary::\n   :toctree: api\n\n", *shown, "```"])
    types = f"```{{eval-rst}}\n{site_types.table()}\n```"
    return text.replace("<!-- modules -->", table).replace("<!-- types -->", types)


def swift_pages(text: str, graph: Path) -> dict[str, str]:
    """The pages of the Swift reference by their places; the first alone where there is no symbol graph."""
    if not graph.exists():
        print(f"SKIPPED: the Swift reference ({graph} is not there: docs/site/swift_symbols.py writes it)")
        return {
            "SwiftAPI.md": text.replace("<!-- types -->", "This site was built without Swift: `make docs` adds it.")
        }
    found = site_swift.pages(graph, SITE / "Equiconv.docc" / "Equiconv.md", site_pages.ROOT)
    first = text.replace("<!-- types -->", found.pop(""))
    return {"SwiftAPI.md": first} | {f"swift/{name}.md": page for name, page in found.items()}


def lay_out(folder: Path, outputs: Path | None = None, graph: Path = Path("no graph")) -> None:
    """Writes every page and picture; what did not change keeps its time, and what is gone is removed.

    Args:
        folder: where.
        outputs: where the outputs of notebooks are kept; None to leave them out.
        graph: the symbol graph of the Swift interface.
    """
    texts = site_pages.pages()
    if outputs is not None:
        notebooks = {page: text for page, text in texts.items() if page.endswith(".ipynb")}
        texts |= site_notebooks.executed(notebooks, outputs)
    texts |= {f"c/{name}.rst": text for name, text in site_headers.pages(site_pages.ROOT / "include").items()}
    texts |= swift_pages(texts["SwiftAPI.md"], graph)
    texts["PythonAPI.md"] = reference(texts["PythonAPI.md"])
    figures, drawn = site_gallery.gallery(texts)
    texts["Lecture.md"] = site_gallery.with_figures(texts["Lecture.md"], drawn)
    texts["Gallery.md"] = texts["Gallery.md"].replace("<!-- figures -->", figures)
    contents = {name: text.encode() for name, text in texts.items()} | drawn
    contents |= {name: path.read_bytes() for name, path in site_pages.pictures().items()}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    for path in folder.rglob("*"):
        # autosummary keeps its own folder.
        relative = path.relative_to(folder)
        if path.is_file() and relative.as_posix() not in contents and relative.parts[0] != "api":
            path.unlink()


def main() -> int:
    """Builds the site; returns the exit status of Sphinx."""
    from sphinx.cmd.build import main as sphinx

    folder, *options = sys.argv[1:]
    output = Path(folder)
    # Pages of names that are gone would stay.
    shutil.rmtree(output / "source" / "api", ignore_errors=True)
    lay_out(output / "source", output / "outputs", output / "swift" / "graphs" / "Equiconv.symbols.json")
    places = [str(output / "source"), str(output / "html")]
    return sphinx(["-W", "--keep-going", "-q", "-c", str(SITE), "-d", str(output / "doctrees"), *options, *places])


if __name__ == "__main__":
    sys.exit(main())
