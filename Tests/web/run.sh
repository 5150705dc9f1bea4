#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: run.sh PYTHON MAKE...
#
# Builds the page of examples/web and tests it in Chromium without a window: its numbers are those of the C library.
# PYTHON imports equiconv and pytest. MAKE... is the command that builds the page and Tests/CTests/digests.c. Pictures
# of the page are left in .build/web. Says so and does nothing where Chromium or wasi-libc is missing and cannot be
# installed.
set -eu

python=${1:?usage: run.sh PYTHON MAKE...}
shift
cd "$(dirname "$0")/../.."

scripts/web-packages.sh chromium wasi-libc || {
  echo "SKIPPED: the page in a browser (it needs Debian's chromium and wasi-libc)"
  exit 0
}
[ "$(uname -m)" = x86_64 ] || {
  # Elsewhere the baseline has fused multiply-adds, which WebAssembly has not.
  echo "SKIPPED: the page in a browser (its numbers are those of the baseline of x86-64)"
  exit 0
}
"$@"
OMP_NUM_THREADS=1 "$python" -m pytest -q -p no:cacheprovider Tests/web
