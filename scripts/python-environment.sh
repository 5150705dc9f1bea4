#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: python-environment.sh PYTHON VENV LIBRARY_DIR EXTRAS
#
# Makes the virtual environment VENV and installs the package with EXTRAS, linked to the library in LIBRARY_DIR.
set -eu

python=$1 venv=$2 library=$3 extras=$4
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
# The library was linked a moment ago; without this the package would link it once more.
EQUICONV_LIBRARY_DIR=$library "$venv/bin/python" -m pip install --quiet --disable-pip-version-check ".[$extras]"
"$venv/bin/python" -W error -c 'import equiconv; equiconv.show_config()'
