# SPDX-License-Identifier: Apache-2.0
"""The benchmark for GPUs: its logic on tiny rows on the CPU, its page on figures that are made up here.

In processes of its own, as its modules have common names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
from paths import ROOT

torch = pytest.importorskip("torch", reason='the benchmark is not run: pip install "equiconv[torch]"')

PROGRAM = ROOT / "benchmarks" / "gpu" / "gpu.py"
SCRIPT = ROOT / "scripts" / "gpu-check.sh"
MEASURED = ROOT / "docs" / "measured"
QUICK = ("--device", "cpu", "--quick", "--output")
VISIT = "eager: C4 group 16->16 k3 128x32^2 tf32"


def run(*arguments):
    """What the program prints."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def read(folder):
    """The only run of a folder."""
    (path,) = (folder / "gpu").glob("*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def write(folder, data):
    """Replaces the only run of a folder, or makes one."""
    (folder / "gpu").mkdir(exist_ok=True)
    path = next((folder / "gpu").glob("*.json"), folder / "gpu" / "made-up.json")
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The folder of a run on the CPU, and what it printed."""
    folder = tmp_path_factory.mktemp("gpu")
    return folder, run(*QUICK, folder)


def made_up(**changes):
    """A run of one row, with times that meet some targets and miss others."""
    results = {
        "plain": {"build": 0.1, "first": 0.2, "memory": 100.0, "forward": 0.2, "step": 1.0},
        "equiconv": {"build": 0.1, "first": 0.2, "memory": 104.0, "forward": 0.2, "step": 1.2},
        "compiled": {"build": 0.1, "first": 9.0, "memory": 101.0, "forward": 0.2, "step": 1.09},
        "direct": {"build": 0.1, "first": 0.2, "memory": 200.0, "forward": 0.6, "step": 4.0},
        "escnn": {"unavailable": "ImportError: no a | b"},
    }
    record = {
        "name": VISIT,
        "stage": "eager",
        "work": "C4 group 16->16 k3 128x32^2",
        "mode": "tf32",
        "results": results,
    }
    row = {
        "layer": "group_conv",
        "arithmetic": "tf32",
        "elements": 4,
        "forward": 3,
        "input_gradient": 4,
        "holds": False,
    }
    found = {"seconds": 2.5, "first": 1.0, "parameters": 36_400_000, "layers": 25}
    checks = {
        "wide_network": {"found": found, "seconds": 4.0},
        "exactness": {"found": {"holds": False, "rows": [row, row | {"holds": True}]}, "seconds": 1.0},
        "determinism": {"found": {"holds": False, "groups": {"C4": True, "D4": False}}, "seconds": 1.0},
        "digits": {"unavailable": "ModuleNotFoundError: No module named 'sklearn'"},
    }
    machine = {"device": "A GPU", "versions": {"torch": "2.13", "cuDNN": "9"}}
    run = {"machine": machine, "date": "2026-01-01", "budget": 480, "seconds": 100.0, "finished": True}
    return run | {"dropped": ["JAX: a row"], "checks": checks, "records": [record]} | changes


def test_rows_have_names_of_their_own_and_the_measured_table_comes_first():
    names = run("--list").splitlines()
    assert len(set(names)) == len(names)
    for words in (
        "64x64^2 tf32",
        "k7 64x32^2 bf16 autocast",
        "128x32^2 bf16 input",
        "octahedral",
        "spline",
        "width 32",
    ):
        assert any(words in name for name in names), words
    stages = [name.split(":")[0] for name in names]
    assert list(dict.fromkeys(stages)) == ["eager", "JAX", "compiled"]
    assert run("--list", "--only", re.escape(VISIT)).splitlines() == [VISIT]


@pytest.mark.slow
def test_every_row_and_check_is_measured_and_written(quick):
    folder, printed = quick
    data = read(folder)
    assert data["finished"]
    assert data["dropped"] == []
    assert [record["name"] for record in data["records"]] == run("--list", *QUICK, folder).splitlines()
    for record in data["records"]:
        for label, result in record["results"].items():
            if label in ("escnn", "JAX") and "unavailable" in result:
                continue
            assert result.get("forward", 0) > 0, (record["name"], label, result)
            assert result["step"] > 0
            assert result["build"] >= 0
            assert "memory" not in result
    assert "equiconv" in printed
    assert data["checks"]["determinism"]["found"]["holds"]
    trained = data["checks"]["digits"]
    # Without scikit-learn there are no digits.
    if "unavailable" not in trained:
        assert trained["found"]["device"] == trained["found"]["cpu"]


@pytest.mark.slow
def test_page_has_every_row_and_verdict(quick):
    page = (quick[0] / "GPU.md").read_text(encoding="utf-8")
    assert "## the processor" in page
    assert "cut off;" not in page
    for words in ("D4 group 2 → 2, k = 3", "B-splines", "C4 network, width 2", "Deterministic gradients"):
        assert words in page, words
    for target in ("step of graphs over that of plain", "forward of direct over that of equiconv"):
        assert page.count(target) > 2, target


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_where_it_was(quick, tmp_path):
    shutil.copytree(quick[0], tmp_path, dirs_exist_ok=True)
    data = read(tmp_path)
    missing = data["records"].pop(0)
    write(tmp_path, data | {"finished": False, "seconds": 1000.0})
    printed = run(*QUICK, tmp_path)
    after = read(tmp_path)
    assert [line for line in printed.splitlines() if ": " in line and line[0] != " "][:-1] == [missing["name"]]
    assert after["records"][:-1] == data["records"]
    assert after["records"][-1]["name"] == missing["name"]
    assert after["checks"] == data["checks"]
    assert after["finished"]
    assert 1000 < after["seconds"] < 1100


@pytest.mark.slow
def test_rows_that_the_budget_does_not_suffice_for_are_dropped_and_named(tmp_path):
    run(*QUICK, tmp_path, "--budget", 0)
    data, page = read(tmp_path), (tmp_path / "GPU.md").read_text(encoding="utf-8")
    assert data["finished"]
    assert data["records"] == []
    assert data["dropped"][0] == "check: wide_network"
    assert len(data["dropped"]) > 10
    assert all(f"- {name}" in page for name in data["dropped"])


def test_verdicts_are_those_of_the_figures(tmp_path):
    write(tmp_path, made_up())
    run("--page", "--output", tmp_path)
    page = (tmp_path / "GPU.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    found = {(row[1], *row[2:]) for row in rows if row[0] in (VISIT, "D4")}
    assert found == {
        ("seconds to build a network as large as WRN-28-10", "2.50", "at most 2.00", "**missed**"),
        ("step of equiconv over that of plain", "1.20", "at most 1.10", "**missed**"),
        ("step of compiled over that of plain", "1.09", "at most 1.10", "met"),
        ("peak memory of a step over that of plain", "1.04", "at most 1.05", "met"),
        ("forward of direct over that of equiconv", "3.00", "at most 2.50", "**missed**"),
    }
    for words in ("not equal to the last bit", "did **not** give the same bits for D4", "no a \\| b", "- JAX: a row"):
        assert words in page, words


def test_the_limit_is_wider_where_the_plain_convolution_is_short(tmp_path):
    data = made_up()
    for result in data["records"][0]["results"].values():
        if "step" in result:
            result["step"] /= 10
    write(tmp_path, data)
    run("--page", "--output", tmp_path)
    page = (tmp_path / "GPU.md").read_text(encoding="utf-8")
    assert f"| {VISIT} | step of equiconv over that of plain | 1.20 | at most 1.25 | met |" in page


def test_the_page_of_the_documentation_is_that_of_its_figures(tmp_path):
    if (MEASURED / "gpu").exists():
        shutil.copytree(MEASURED / "gpu", tmp_path / "gpu")
    run("--page", "--output", tmp_path)
    assert (tmp_path / "GPU.md").read_text(encoding="utf-8") == (MEASURED / "GPU.md").read_text(encoding="utf-8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path):
    assert run("--output", tmp_path / "pages").startswith("SKIPPED: the benchmark on a GPU (PyTorch ")
    assert not (tmp_path / "pages").exists()
    command = ["sh", str(SCRIPT), sys.executable, str(tmp_path / "pages")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "SKIPPED: the check on a GPU (PyTorch finds none)\n")
    assert not (tmp_path / "pages").exists()


@pytest.mark.cuda
def test_a_row_is_measured_on_a_gpu(tmp_path):
    run("--only", re.escape(VISIT), "--output", tmp_path)
    (record,) = read(tmp_path)["records"]
    plain, own = (record["results"][label] for label in ("plain", "equiconv"))
    for result in (plain, own):
        assert result["forward"] < result["step"]
        # A signal, its gradient, a gradient of the output and the output.
        assert result["memory"] > 4 * 128 * 64 * 32 * 32 * 4 / 2**20
