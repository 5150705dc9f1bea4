#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: debian-python-tests.sh VENV LIBRARY_DIR
#
# Runs the Python tests with Debian's python3 and python3-numpy. The package is still built with the headers of NumPy 2,
# as a wheel from a registry would be.
set -eu

venv=$1 library=$2
python=/usr/bin/python3
version=$("$python" -c 'import numpy; print(numpy.__version__)' 2>/dev/null) || {
  echo "SKIPPED: the tests with Debian's NumPy ($python has no numpy; install python3-numpy)"
  exit 0
}
[ -x "$venv/bin/python" ] || "$python" -m venv --system-site-packages "$venv"
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip "numpy==$version" "pytest>=7.2" "pytest-xdist>=3" "scipy<1.12" joblib "threadpoolctl>=3.2"
EQUICONV_LIBRARY_DIR=$library pip --force-reinstall --no-deps .
echo "Python tests with $("$venv/bin/python" -c 'import sys, numpy; print(sys.version.split()[0], "and NumPy", numpy.__version__)')"
OMP_NUM_THREADS=1 "$venv/bin/python" -m pytest -q --numprocesses auto --dist loadfile
