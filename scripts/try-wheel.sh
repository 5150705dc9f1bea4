#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: try-wheel.sh PYTHON WHEEL
#
# Installs the wheel into a new virtual environment with NumPy and nothing else, without Swift on the PATH, and runs a
# first example outside the source tree; then adds what the demo draws with, and runs its first half.
set -eu

python=$(command -v "$1") wheel=$(realpath "$2")
examples=$(cd "$(dirname "$0")/../examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

"$python" -m venv "$work/venv"
PATH=/usr/bin:/bin
if command -v swift >/dev/null; then
  echo "try-wheel.sh: swift is in $PATH, so the wheel is not shown to do without it" >&2
fi
install() { "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check install --only-binary :all: "$1"; }
install "$wheel"
cd "$work"
"$work/venv/bin/python" -W error "$examples/python/first.py"
"$work/venv/bin/python" -W error -m equiconv --help >/dev/null
"$work/venv/bin/python" -W error -c 'import equiconv; equiconv.show_config()'

install "$wheel[examples]"
"$work/venv/bin/python" "$examples/demo/demo.py" --output-dir demo
