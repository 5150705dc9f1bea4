#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: run.sh CLANG LIBRARY_DIR
#
# Fuzzes the C interface of the library in LIBRARY_DIR, which was built with AddressSanitizer and coverage, for FUZZ_SECONDS (30)
# from FUZZ_SEED (1). With FUZZ_CORPUS, a folder, it starts from the programs there and adds those that reach new code.
# EQUICONV_ISA chooses the instruction set. A program that breaks a law is kept beside the library, and named.
# Skips, and says so, where CLANG cannot link libFuzzer.
set -eu

clang=$1 library=$2 build=$(dirname "$2")
here=$(cd "$(dirname "$0")" && pwd)
flags=$("$here/../sanitizer-flags.sh" "$clang" fuzzer,address,undefined) || exit 0
program=$build/fuzz
# shellcheck disable=SC2086 # a list of words
"$clang" -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -pedantic -I"$here/../../include" "$here"/*.c \
  -L"$library" -lequiconv "-Wl,-rpath,$library" -lm $flags -o "$program"

# Requests of more than 1 GiB fail, as they may.
ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=1024${ASAN_OPTIONS:+:$ASAN_OPTIONS}
UBSAN_OPTIONS=halt_on_error=1
LSAN_OPTIONS=suppressions=$here/../CTests/leak-sanitizer.txt:print_suppressions=0
export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
artifacts=$build/broken
# The first folder gets the programs that reach new code.
grows=${FUZZ_CORPUS:-$build/corpus}
[ -n "${FUZZ_CORPUS:-}" ] || rm -rf "$grows"
mkdir -p "$artifacts" "$grows"
begins=
[ ! -d "$here/programs" ] || begins=$here/programs
# shellcheck disable=SC2086
if "$program" -max_total_time="${FUZZ_SECONDS:-30}" -seed="${FUZZ_SEED:-1}" -max_len=1024 -len_control=0 -timeout=300 \
  -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1 -artifact_prefix="$artifacts/" "$grows" $begins \
  >"$artifacts/log" 2>&1; then
  sed -n 's/^stat::number_of_executed_units: */programs: /p; s/^stat::new_units_added: */that reached new code: /p' "$artifacts/log"
  echo "No program broke a law."
else
  tail -n 60 "$artifacts/log"
  echo "To repeat: ASAN_OPTIONS=$ASAN_OPTIONS $program FILE, with the file named above" >&2
  exit 1
fi
