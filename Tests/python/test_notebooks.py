# SPDX-License-Identifier: Apache-2.0
"""The notebooks run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "examples" / "notebooks").glob("*.ipynb"))


def identify(path):
    return path.stem


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS] == ["theorem.ipynb"]


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
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for module in ("ipykernel", "matplotlib", "sklearn"):
        pytest.importorskip(module)
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
