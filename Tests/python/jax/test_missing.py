# SPDX-License-Identifier: Apache-2.0
"""equiconv.jax without JAX, which a process that cannot find it simulates."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCK = """
import sys
MISSING = ("jax", "jaxlib")
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def test_the_import_says_how_to_install_jax():
    code = BLOCK + (
        "import equiconv\n"
        "try:\n"
        "    import equiconv.jax\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error.name, error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == 'jax equiconv.jax needs JAX 0.8 or later: pip install "equiconv[jax]"\n'


def test_jax_that_is_too_old_is_named():
    pytest.importorskip("jax")
    code = "import jax; jax.__version__, jax.__version_info__ = '0.7.2', (0, 7, 2)\nimport equiconv.jax"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = 'ImportError: equiconv.jax needs JAX 0.8 or later: pip install "equiconv[jax]", found 0.7.2'
    assert result.stderr.splitlines()[-1] == expected


def test_handlers_need_no_jax():
    code = BLOCK + "from equiconv import _jax; print(*sorted(_jax.handlers()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [
        "bias_gradient", "forward", "input_gradient", "pool_mean", "pool_mean_adjoint", "weight_gradient",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "package", "name", "extra"),
    [("nnx", "flax", "Flax", "flax"), ("equinox", "equinox", "Equinox", "equinox")],
)
def test_modules_say_how_to_install_their_framework(module, package, name, extra):
    pytest.importorskip("jax")
    code = BLOCK + (
        f"MISSING = ({package!r},)\n"
        "try:\n"
        f"    import equiconv.jax.{module}\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error.name, error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = (
        f'{package} equiconv.jax.{module} needs {name}, which is not installed: pip install "equiconv[{extra}]"\n'
    )
    assert result.stdout == expected
