#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: peers-environment.sh PYTHON VENV LIBRARY_DIR
#
# Makes the virtual environment VENV of benchmarks/peers and installs the package there, linked to the library in
# LIBRARY_DIR.
# A peer that cannot be installed is left out, and the benchmark says so.
set -eu

python=$1 venv=$2 library=$3
requirements=benchmarks/peers/requirements.txt
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install --quiet --upgrade pip
# All at once, or else one by one.
pip install --quiet --requirement "$requirements" ||
  sed '/^ *#/d; /^ *$/d' "$requirements" | while read -r requirement; do
    pip install --quiet "$requirement" </dev/null || echo "$requirement: not installed" >&2
  done
escnn="escnn>=1.0.11,<2"
pip install --quiet --no-deps "$escnn" || echo "$escnn: not installed" >&2
EQUICONV_LIBRARY_DIR=$library "$venv/bin/python" -m pip install --quiet --disable-pip-version-check .
"$venv/bin/python" -c 'import equiconv; equiconv.show_config()'
