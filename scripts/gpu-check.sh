#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: gpu-check.sh [PYTHON [FOLDER [FLAG]...]]
#
# What to run on a machine with a GPU, without watching: the tests that need one, then benchmarks/gpu for the time that
# is left, 6 minutes in all. PYTHON imports equiconv and PyTorch, .venv/bin/python if not given. Figures go to FOLDER,
# benchmarks/results if not given, and are written after each row. FLAGs are those of benchmarks/gpu/gpu.py. Nothing
# needs a network. Without a GPU it says so and does nothing.
set -eu

begin=$(date +%s) all=340 tests=140
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python} folder=${2:-benchmarks/results}
[ $# -lt 2 ] && shift $# || shift 2

status=0
"$python" -c 'import sys, equiconv.torch, torch; sys.exit(0 if torch.cuda.is_available() else 3)' || status=$?
case $status in
  0) ;;
  3) echo "SKIPPED: the check on a GPU (PyTorch finds none)" && exit 0 ;;
  *) exit "$status" ;;
esac
if "$python" -c 'import pytest' 2>/dev/null; then
  timeout "$tests" "$python" -m pytest -q -p no:cacheprovider -m cuda Tests/python || status=$?
  case $status in
    5) echo "no test needs a GPU" && status=0 ;;
    124) echo "the tests were cut off after $tests s" ;;
  esac
else
  echo "SKIPPED: the tests that need a GPU ($python has no pytest)"
fi
left=$((all - $(date +%s) + begin))
timeout "$((left + 15))" "$python" benchmarks/gpu/gpu.py --budget "$left" --output "$folder" "$@" || status=$?
exit "$status"
