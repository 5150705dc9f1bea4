#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: sanitize.sh CLANG address|thread SANITIZERS LIBRARY_DIR
#
# Runs C tests with the library in LIBRARY_DIR, both built with SANITIZERS. The first report of one ends a program.
# Skips, and says so, where CLANG has no runtime of them.
set -eu

clang=$1 sanitizer=$2 sanitizers=$3 library=$4 build=$(dirname "$4")
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=Tests/CTests/programs.sh
. "$here/programs.sh"
programs=$quick
# In the other programs one thread calls at a time.
[ "$sanitizer" = address ] || programs="api calls choice networks stress threads"
flags=$("$here/../sanitizer-flags.sh" "$clang" "$sanitizers") || exit 0

ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=4096
# Tests fork while other threads run, which the sanitizer refuses by default.
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:die_after_fork=0:suppressions=$here/thread-sanitizer.txt
UBSAN_OPTIONS=halt_on_error=1
LSAN_OPTIONS=suppressions=$here/leak-sanitizer.txt:print_suppressions=0
export ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
status=0
for program in $programs; do
  binary=$build/test-$program
  # shellcheck disable=SC2046,SC2086 # lists of words
  (cd "$here" && "$clang" -std=c11 -Wall -Wextra -Werror -I../../include $(sources_of "$program") \
    -L"$library" -lequiconv "-Wl,-rpath,$library" -lm -lpthread $flags -o "$binary")
  if timeout 1800 "$binary" >"$binary.log" 2>&1 && ! grep -q '^FAIL' "$binary.log"; then
    echo "ok   [$sanitizer] $program: $(grep -c '^ok' "$binary.log") tests"
  else
    cat "$binary.log"
    echo "FAIL [$sanitizer] $program"
    status=1
  fi
done
exit $status
