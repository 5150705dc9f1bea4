#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: wheels.sh PYTHON VENV LIBRARY_DIR DIST INTERPRETER...
#
# Makes the source distribution and, out of it, the wheel with the library in LIBRARY_DIR; checks both and installs
# the wheel for each INTERPRETER as a user would. Tools go into the virtual environment VENV, distributions into the
# folder DIST, whose earlier ones are removed. Where pip cannot install the tools, it says so and makes none.
set -eu

python=$1 venv=$2 library=$(cd "$3" && pwd) dist=$4
shift 4
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
tools=$(cd "$venv/bin" && pwd)
mkdir -p "$dist"
rm -f "$dist"/equiconv-*.tar.gz "$dist"/equiconv-*.whl
"$tools/python" -m pip --quiet --disable-pip-version-check install --requirement scripts/release-requirements.txt || {
  echo "SKIPPED: wheel and source distribution (pip cannot install scripts/release-requirements.txt)"
  exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

"$tools/python" -m build --sdist --outdir "$dist" . >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
# The extensions are linked as the library is, so that they run wherever it does.
packaging/glibc-stubs.sh "$(cat packaging/oldest-glibc)" "$work/glibc"
LDFLAGS="-L$work/glibc ${LDFLAGS:-}" EQUICONV_LIBRARY_DIR=$library "$tools/python" -m pip \
  --disable-pip-version-check wheel --no-deps --wheel-dir "$work" "$dist"/equiconv-*.tar.gz >"$work/log" 2>&1 ||
  { cat "$work/log" && exit 1; }

"$tools/twine" check --strict "$dist"/equiconv-*.tar.gz
"$tools/python" scripts/check_distributions.py "$dist"/equiconv-*.tar.gz
scripts/finish-wheel.sh "$venv" "$dist" "$work"/equiconv-*.whl
for interpreter in "$@"; do
  scripts/try-wheel.sh "$interpreter" "$dist"/equiconv-*.whl
done
