# SPDX-License-Identifier: Apache-2.0
"""Without PyTorch the package works, and importing `equiconv.torch` says what to install."""

from __future__ import annotations

import subprocess
import sys

WITHOUT_TORCH = 'import sys\nsys.modules["torch"] = None\n'


def run(code):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_package_imports_without_torch():
    run(WITHOUT_TORCH + "import equiconv, equiconv.theory")


def test_package_imports_no_torch_where_there_is_one():
    run("import sys, equiconv\nassert not any(name.split('.')[0] == 'torch' for name in sys.modules)")


def test_its_absence_is_an_error_that_says_what_to_install():
    run(
        WITHOUT_TORCH
        + """
try:
    import equiconv.torch
except ModuleNotFoundError as error:
    assert 'pip install "equiconv[torch]"' in str(error), error
    assert error.name == "torch"
else:
    raise AssertionError("no error")
"""
    )
