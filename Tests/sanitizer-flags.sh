#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sanitizer-flags.sh CLANG SANITIZERS
#
# Prints the flags with which CLANG, that of a Swift toolchain, compiles and links C with these sanitizers; the first report ends
# the program. Where it cannot, says that this is skipped and what to install, and fails.
set -eu

clang=$1 sanitizers=$2
flags="-g -O1 -fsanitize=$sanitizers -fuse-ld=lld"
case $sanitizers in
  *undefined*) flags="$flags -fno-sanitize-recover=undefined" ;;
esac
# The toolchain's runtime of ThreadSanitizer knows of Swift's libdispatch, and needs it.
case $sanitizers in
  *thread*) flags="$flags -L$(dirname "$clang")/../lib/swift_static/linux -ldispatch -lBlocksRuntime -lstdc++ -lm" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $sanitizers in
  *fuzzer*) echo 'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return data && size > 9 ? 0 : 0; }' ;;
  *) echo 'int main(void) { return 0; }' ;;
esac >"$work/probe.c"
# shellcheck disable=SC2086 # a list of words
if "$clang" "$work/probe.c" $flags -o "$work/probe" >"$work/log" 2>&1; then
  echo "$flags"
else
  echo "SKIPPED: -fsanitize=$sanitizers ($clang does not link it: install a Swift toolchain with its clang, lld and compiler-rt" \
    "runtimes, or set CLANG to a clang of the same version)" >&2
  exit 1
fi
