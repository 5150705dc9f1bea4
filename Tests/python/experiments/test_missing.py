# SPDX-License-Identifier: Apache-2.0
"""Without the packages of their extra the experiments say which are missing, and what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = "import runpy, sys\nsys.modules['h5py'] = sys.modules['sklearn'] = None\n"


NAMES = ["rotated_digits", "rotated_mnist", "uva_tutorial", "mitosis", "solar_cells", "nuclei", "slide_nuclei"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", ["import equiconv.experiments.{}", "runpy.run_module('equiconv.experiments.{}')"])
def test_programs_say_what_to_install(name, code):
    command = [sys.executable, "-c", WITHOUT + code.format(name)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: equiconv.experiments needs ")
    missing = last.partition("needs ")[2].partition(", not installed")[0].split(", ")
    assert {"h5py", "scikit-learn"} <= set(missing)
    assert last.endswith('pip install "equiconv[experiments]"')


def test_the_package_itself_needs_none_of_them():
    subprocess.run([sys.executable, "-c", WITHOUT + "import equiconv"], check=True)
