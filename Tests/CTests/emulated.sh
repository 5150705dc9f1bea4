#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: emulated.sh PREFIX COMPILER "INSTRUCTION SETS" RUNNER...
#
# Tests the library for another processor that is installed in PREFIX: compiles the test programs with COMPILER, linked
# shared and static, and runs them by RUNNER, an emulator. They have to compute what the table of digests says, on each
# instruction set. Prints one line a test and a summary; exits with 1 if a test failed.
set -u

prefix=${1:?usage: emulated.sh PREFIX COMPILER "INSTRUCTION SETS" RUNNER...}
compiler=$2 sets=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
: >"$log"
unset EQUICONV_ISA EQUICONV_NUM_THREADS

# shellcheck source=Tests/CTests/programs.sh
. "$here/programs.sh"

report() { echo "$*" | tee -a "$log"; }

# build LINKAGE PROGRAM
build() {
  library=$prefix/lib/libequiconv.so
  [ "$1" = static ] && library=$prefix/lib/libequiconv.a
  mkdir -p "$work/$1"
  # shellcheck disable=SC2046 # a list of files
  (cd "$here" && "$compiler" -std=c11 -Wall -Wextra -Werror -pedantic -O1 -I "$prefix/include" $(sources_of "$2") \
    "$library" -lm -lpthread "-Wl,-rpath,$prefix/lib" -o "$work/$1/$2") >"$work/output" 2>&1 && return
  sed 's/^/  /' "$work/output"
  report "FAIL [$1] $2 compiles without warnings"
  return 1
}

# run LABEL COMMAND...: shows the lines of a test program under a label; one that just ends is a failure too.
run() {
  label=$1
  shift
  timeout 900 "$@" >"$work/output" 2>&1
  code=$?
  sed -n "s/^\(ok  \|FAIL\) /\1 [$label] /p; /^  /p" "$work/output" | tee -a "$log"
  if [ $code -ne 0 ] && ! grep -q '^FAIL' "$work/output"; then report "FAIL [$label] ended with status $code"; fi
}

# digests SET RUNNER...
digests() {
  label="[$1] results have the digests of every processor that fuses multiply-adds"
  shift
  if "$here/compare_digests.sh" "$here/../digests/fused.txt" "$@" "$work/shared/digests" >"$work/output" 2>&1; then
    report "ok   $label"
  else
    sed 's/^/  /' "$work/output"
    report "FAIL $label"
  fi
}

for program in $emulated; do
  if build shared "$program"; then run "shared $program" "$@" "$work/shared/$program"; fi
done
if build static api; then run "static api" "$@" "$work/static/api"; fi
build shared digests
for set in $sets; do
  EQUICONV_ISA=$set
  export EQUICONV_ISA
  for program in api bases choice published adjoints; do run "$set $program" "$@" "$work/shared/$program"; done
  digests "$set" "$@"
done

passed=$(grep -c '^ok' "$log")
failed=$(grep -c '^FAIL' "$log")
echo "C interface under $1: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
