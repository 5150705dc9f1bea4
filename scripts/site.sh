#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: site.sh VENV FOLDER [check]
#
# Installs what the documentation needs into VENV and builds the site in FOLDER/html, with the Swift reference where SWIFT,
# by default "swift", can be run. With "check", its links and its
# search are checked, and it is skipped where the packages cannot be installed.
set -eu

venv=$1 folder=$2 check=${3-}
"$venv/bin/python" scripts/requirements_of.py equiconv docs >"$venv/docs.txt"
"$venv/bin/python" -m pip --quiet --disable-pip-version-check install --requirement "$venv/docs.txt" || {
  echo "SKIPPED: the documentation (pip could not install equiconv[docs], which needs Python 3.11 or later)"
  [ "$check" = check ]
  exit
}
if command -v "${SWIFT:-swift}" >/dev/null; then
  "$venv/bin/python" docs/site/swift_symbols.py "${SWIFT:-swift}" "$folder/swift"
fi
# JAX and the engine would start threads in each process of Sphinx.
OMP_NUM_THREADS=1 JAX_PLATFORMS=cpu "$venv/bin/python" docs/site/site_build.py "$folder" -j auto
[ "$check" != check ] || "$venv/bin/python" docs/site/site_check.py "$folder/html"
echo "The site begins at $folder/html/index.html"
