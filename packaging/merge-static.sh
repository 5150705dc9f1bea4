#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: merge-static.sh OBJECT-LIST OUTPUT.a
#
# Makes a static library that needs no Swift: the objects listed in OBJECT-LIST and the parts of the Swift runtime
# they use, merged into one object whose only global definitions are the functions of equiconv.h.
# The environment may set SWIFTC, LD, OBJCOPY and AR.
set -eu

objects=$1
output=$2
resources=$("${SWIFTC:-swiftc}" -print-target-info -static-stdlib |
  sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
architecture=$("${SWIFTC:-swiftc}" -print-target-info | sed -n 's/.*"arch": "\(.*\)".*/\1/p')
runtime=$resources/linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Groups are dissolved: once their symbols are local, a linker must not drop ours for a program's own copy.
"${LD:-ld}" -r --force-group-allocation -o "$work/all.o" \
  "$runtime/$architecture/swiftrt.o" @"$objects" -L "$runtime" \
  --start-group -lswiftCore -lswiftGlibc -lswift_Concurrency -lswift_StringProcessing -lswift_RegexParser \
  -lswiftSynchronization -ldispatch -lBlocksRuntime --end-group
"${OBJCOPY:-objcopy}" --strip-debug --localize-hidden --wildcard --keep-global-symbol='equiconv_*' "$work/all.o" \
  "$work/equiconv.o"

rm -f "$work/libequiconv.a"
"${AR:-ar}" rcsD "$work/libequiconv.a" "$work/equiconv.o"
mkdir -p "$(dirname "$output")"
mv "$work/libequiconv.a" "$output"
