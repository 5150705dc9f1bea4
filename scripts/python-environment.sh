#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: python-environment.sh PYTHON VENV LIBRARY_DIR EXTRAS [OPTIONAL_EXTRA]...
#
# Makes the virtual environment VENV and installs the package with EXTRAS, linked to the library in LIBRARY_DIR. If the
# packages of an optional extra cannot be installed, they are left out; its tests are then skipped, and say so.
set -eu

python=$1 venv=$2 library=$3 extras=$4
shift 4
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
pip install --upgrade pip
# The library was linked a moment ago; without this the package would link it once more.
EQUICONV_LIBRARY_DIR=$library pip install ".[$extras]"
for extra in "$@"; do
  "$venv/bin/python" scripts/requirements_of.py equiconv "$extra" >"$venv/$extra.txt"
  pip install --requirement "$venv/$extra.txt" --constraint scripts/constraints.txt ||
    echo "equiconv[$extra] could not be installed; its tests are skipped" >&2
done
"$venv/bin/python" -W error -c 'import equiconv; equiconv.show_config()'
