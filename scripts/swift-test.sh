#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: swift-test.sh SWIFT
#
# Swift tests in release mode, with no warning left in the build. Plans check the offsets that microkernels trust.
set -eu
export EQUICONV_INTERNAL_CHECKS=1

swift=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$swift" build -c release --build-tests 2>&1 | tee "$log"
if grep -E '^/.*warning:' "$log"; then
  echo "The build has warnings." >&2
  exit 1
fi
"$swift" test -c release --skip-build
