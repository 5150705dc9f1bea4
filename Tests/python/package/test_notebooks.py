# SPDX-License-Identifier: Apache-2.0
"""The notebooks run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import ast
import json
import sys

import pytest
from paths import ROOT

# What each notebook imports besides equiconv and NumPy, itself or through a function that it calls.
REQUIRED = {
    "architecture": ("matplotlib", "sklearn", "torch"),
    "feature_maps": ("matplotlib", "sklearn"),
    "first_steps": ("matplotlib", "scipy", "sklearn"),
    "layers": ("matplotlib", "sklearn"),
    "looking_inside": ("matplotlib", "sklearn"),
    "mitosis": ("equiconv_experiments", "matplotlib", "scipy", "torch"),
    "theorem": ("matplotlib",),
    "tour": ("matplotlib", "sklearn", "torch"),
    "training": ("matplotlib", "scipy", "sklearn", "torch"),
}
# What runs a notebook, and what installs a module that is not called as its package.
RUNNERS = ("ipykernel", "nbclient", "nbformat")
PACKAGES = {"sklearn": "scikit-learn"}

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def identify(path):
    return path.stem


def import_or_skip(module, user):
    package = PACKAGES.get(module, module)
    return pytest.importorskip(module, reason=f"{user} not run: it needs {module}; pip install {package}")


def test_there_are_the_notebooks_of_the_table():
    assert [path.stem for path in NOTEBOOKS] == sorted(REQUIRED)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=identify)
def test_table_has_what_a_notebook_imports(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    modules = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module.split(".")[0])
    others = modules - set(sys.stdlib_module_names) - {"equiconv", "numpy"}
    assert others <= set(REQUIRED[path.stem])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=identify)
def test_notebook_is_kept_without_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=identify)
# The libraries that start the kernel warn of themselves; what the notebook itself does is checked in its own process.
@pytest.mark.filterwarnings("ignore")
def test_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    for module in REQUIRED[path.stem]:
        import_or_skip(module, path.name)
    _, nbclient, nbformat = (import_or_skip(module, path.name) for module in RUNNERS)
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    # A cell that raises, an assertion for example, raises CellExecutionError here.
    executed = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    warnings = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert warnings == []
    assert any("image/png" in output.get("data", {}) for output in outputs)
