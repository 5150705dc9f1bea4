#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: conda-recipe.sh PYTHON VENV
#
# Checks packaging/conda/recipe.yaml with rattler-build, which goes into the virtual environment VENV. Where pip cannot
# install it, it says so and checks nothing.
set -eu

python=$1 venv=$2
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip --quiet --disable-pip-version-check install "py-rattler-build>=0.70" || {
  echo "SKIPPED: the conda recipe (pip cannot install py-rattler-build)"
  exit 0
}
"$venv/bin/python" scripts/check_recipe.py packaging/conda/recipe.yaml
