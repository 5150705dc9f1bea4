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

# Times in archives are those of the commit, where there is one.
if commit=$(git log -1 --format=%ct 2>/dev/null); then
  export SOURCE_DATE_EPOCH="$commit"
fi
"$tools/python" -m build --sdist --outdir "$dist" . >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
# The extensions are linked as the library is, so that they run wherever it does.
packaging/glibc-stubs.sh "$(cat packaging/oldest-glibc)" "$work/glibc"
LDFLAGS="-L$work/glibc ${LDFLAGS:-}" EQUICONV_LIBRARY_DIR=$library "$tools/python" -m pip \
  --disable-pip-version-check wheel --no-deps --wheel-dir "$work" "$dist"/equiconv-*.tar.gz >"$work/log" 2>&1 ||
  { cat "$work/log" && exit 1; }

# The oldest C library that has all symbols which the engine uses names the tag.
PATH=$tools:$PATH auditwheel repair --zip-compression-level 9 --wheel-dir "$dist" "$work"/equiconv-*.whl >"$work/log" 2>&1 ||
  { cat "$work/log" && exit 1; }
"$tools/twine" check --strict "$dist"/equiconv-*
"$tools/abi3audit" --strict --summary "$dist"/equiconv-*.whl
"$tools/python" scripts/check_distributions.py "$dist"/equiconv-*
for interpreter in "$@"; do
  scripts/try-wheel.sh "$interpreter" "$dist"/equiconv-*.whl
done
