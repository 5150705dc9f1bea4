#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: finish-wheel.sh VENV DIST WHEEL
#
# Puts a wheel into the folder DIST, tagged with the oldest C library that has all symbols which it uses, and checks it.
# Tools are those of the virtual environment VENV.
set -eu

tools=$(cd "$1/bin" && pwd) dist=$2 wheel=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Times in the wheel are that of the commit, where there is one.
if commit=$(git log -1 --format=%ct 2>/dev/null); then
  export SOURCE_DATE_EPOCH="$commit"
fi
PATH=$tools:$PATH auditwheel repair --zip-compression-level 9 --wheel-dir "$work" "$wheel" >"$work/log" 2>&1 ||
  { cat "$work/log" && exit 1; }
"$tools/twine" check --strict "$work"/*.whl
"$tools/abi3audit" --strict --summary "$work"/*.whl
"$tools/python" scripts/check_distributions.py "$work"/*.whl
mv "$work"/*.whl "$dist"
