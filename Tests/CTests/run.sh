#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: run.sh PREFIX
#
# Tests the library installed in PREFIX as a user of C meets it: found by pkg-config and CMake, linked shared and
# static, by each compiler there is. Prints one line a test and a summary; exits with 1 if a test failed.
set -u

prefix=${1:?usage: run.sh PREFIX}
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
: >"$log"

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
LD_LIBRARY_PATH=$prefix/lib
export PKG_CONFIG_PATH LD_LIBRARY_PATH
unset EQUICONV_ISA EQUICONV_NUM_THREADS
strict="-std=c11 -Wall -Wextra -Werror -pedantic -O1"
cflags=$(pkg-config --cflags equiconv) || exit 1
libdir=$(pkg-config --variable=libdir equiconv)
includes=$(pkg-config --variable=includedir equiconv)
header=$includes/equiconv.h

# shellcheck source=Tests/CTests/programs.sh
. "$here/programs.sh"

report() { echo "$*" | tee -a "$log"; }

# expect NAME COMMAND...: a test that is a command; its output is shown if it fails.
expect() {
  name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    report "ok   $name"
  else
    sed 's/^/  /' "$work/output"
    report "FAIL $name"
  fi
}

# run LABEL PROGRAM: shows the lines of a test program under a label; one that just ends is a failure too.
run() {
  timeout 900 "$2" >"$work/output" 2>&1
  code=$?
  sed "s/^\(ok  \|FAIL\) /\1 [$1] $(basename "$2"): /" "$work/output" | tee -a "$log"
  if [ $code -ne 0 ] && ! grep -q '^FAIL' "$work/output"; then
    report "FAIL [$1] $(basename "$2"): ended with status $code"
  fi
}

# ---- Symbols -----------------------------------------------------------------------------------------------------

declared() { sed -n 's/^EQUICONV_API .*[ *]\(equiconv_[a-z0-9_]*\)(.*/\1/p' "$header" "$includes"/equiconv/*.h | sort; }
declared_statuses() { sed -n 's/^EQUICONV_API equiconv_status \(equiconv_[a-z0-9_]*\)(.*/\1/p' "$includes"/equiconv/*.h; }
exported_by_shared() { nm -D --defined-only "$libdir/libequiconv.so" | awk '$2 ~ /[A-Z]/ {print $3}' | sort; }
exported_by_static() { nm -g --defined-only "$libdir/libequiconv.a" | awk 'NF == 3 {print $3}' | sort; }

same_symbols() {
  declared >"$work/declared"
  "$1" >"$work/exported"
  [ -s "$work/declared" ] && diff "$work/declared" "$work/exported"
}

# A variant with a call struct is called beside its function, by the macro SAME of calls.c.
every_prototype_is_called() {
  missing=$(declared | while read -r name; do
    case $name in
      *_with_call) grep -q "SAME(${name%_with_call}," "$here/calls.c" || echo "$name" ;;
      *)
        grep -q "$name(" "$here/api.c" "$here/bases.c" "$here/calls.c" "$here/choice.c" "$here/layer_objects.c" "$here/networks.c" \
          "$here/network_example.c" "$here/texts.c" "$here/test.c" ||
          grep -q "$name[,}]" "$here/api.c" || echo "$name"
        ;;
    esac
  done)
  [ -z "$missing" ] || { echo "not called: $missing"; return 1; }
}

# The prototypes of the functions that give a status, one a line.
prototypes() {
  cat "$includes"/equiconv/*.h | tr '\n' ' ' | sed 's/  */ /g; s/( /(/g; s/EQUICONV_API /\n&/g; s/;/;\n/g' |
    sed -n 's/^EQUICONV_API equiconv_status \(.*\);$/\1/p'
}

# equiconv_f(arguments) and equiconv_f_with_call(arguments, equiconv_call *call).
every_status_comes_with_a_call_too() {
  prototypes | grep -v '_with_call(' | sort >"$work/plain"
  prototypes | sed -n 's/_with_call(\(.*\), equiconv_call \*call)$/(\1)/p' | sort >"$work/with_call"
  [ "$(wc -l <"$work/plain")" -eq "$(declared_statuses | grep -cv '_with_call$')" ] && diff "$work/plain" "$work/with_call"
}

needs_only_system_libraries() {
  others=$(readelf -d "$libdir/libequiconv.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
    grep -v -E '^(libc|libm|ld-linux.*)\.so')
  [ -z "$others" ] || { echo "needs $others"; return 1; }
}
largest_library=3670016
# Stripped, with all instruction sets of its processor. Before the engine was Embedded Swift it had 11.5 MB.
is_small() {
  size=$(wc -c <"$1")
  [ "$size" -le "$largest_library" ] || { echo "has $size bytes, expected at most $largest_library"; return 1; }
}
# Embedded Swift prints what has no words of its own as this sentence.
has_words_for_all_values() { ! grep -qaF 'cannot print value' "$1"; }

# ---- Hardening ---------------------------------------------------------------------------------------------------

is_full_relro() {
  readelf -lW "$1" | grep -q GNU_RELRO && readelf -dW "$1" | grep -q 'FLAGS_1.*NOW' &&
    ! readelf -lW "$1" | grep -q 'GNU_STACK.* RWE '
}
guards_stacks() { nm "$@" 2>/dev/null | grep -q __stack_chk_fail; }
is_never_unloaded() { readelf -dW "$1" | grep -q 'FLAGS_1.*NODELETE'; }
is_stripped() { ! readelf -SW "$1" | grep -E '[.](symtab|debug_)'; }
# The loader looks for nothing but what lies beside it.
has_no_foreign_run_path() { [ "$(readelf -dW "$1" | sed -n 's/.*R\(UN\)*PATH.*\[\(.*\)\]/\2/p')" = '$ORIGIN' ]; }
# No source file by its absolute path.
has_no_build_paths() {
  ! grep -qaF "$(cd "$here/../.." && pwd)" "$1" &&
    ! grep -aoE '/[A-Za-z0-9_.+-]+(/[A-Za-z0-9_.+-]+)+[.](c|h|cpp|swift)' "$1"
}

soname_is_versioned() { readelf -d "$libdir/libequiconv.so" | grep -q 'SONAME.*\[libequiconv\.so\.[0-9]*\]'; }

expect "the shared library exports the header's functions and nothing else" same_symbols exported_by_shared
expect "the static library defines the header's functions and nothing else" same_symbols exported_by_static
expect "every prototype of the header is called" every_prototype_is_called
expect "every function that gives a status has its variant with a call" every_status_comes_with_a_call_too
expect "the shared library needs only libc and libm" needs_only_system_libraries
expect "the shared library has a versioned soname" soname_is_versioned
shared=$libdir/libequiconv.so
expect "the shared library is bound and made read-only as it is loaded" is_full_relro "$shared"
expect "the shared library guards its stacks" guards_stacks -D "$shared"
expect "the static library guards its stacks" guards_stacks "$libdir/libequiconv.a"
expect "the shared library is never unloaded" is_never_unloaded "$shared"
expect "the shared library is stripped" is_stripped "$shared"
expect "the shared library looks for others beside it alone" has_no_foreign_run_path "$shared"
expect "the shared library is small" is_small "$shared"
expect "the library has words for all values it speaks of" has_words_for_all_values "$shared"
expect "the shared library has no build paths inside" has_no_build_paths "$shared"
expect "the static library has no build paths inside" has_no_build_paths "$libdir/libequiconv.a"

# ---- Programs ----------------------------------------------------------------------------------------------------

libraries() {
  if [ "$1" = shared ]; then
    pkg-config --libs equiconv
  else
    pkg-config --static --libs equiconv | sed 's/-lequiconv/-l:libequiconv.a/'
  fi
}

# build COMPILER LINKAGE PROGRAM
build() {
  mkdir -p "$work/$1-$2"
  # shellcheck disable=SC2046,SC2086 # lists of words
  (cd "$here" && $1 $strict $cflags $(sources_of "$3") $(libraries "$2") -lm -lpthread -o "$work/$1-$2/$3")
}

for compiler in gcc clang; do
  command -v $compiler >/dev/null || { echo "     skipped: no $compiler"; continue; }
  for linkage in shared static; do
    for program in $quick $long; do
      expect "[$compiler $linkage] $program compiles without warnings" build $compiler $linkage $program
      case "$long" in *$program*) [ -n "${ran_long:-}" ] && continue ;; esac
      run "$compiler $linkage" "$work/$compiler-$linkage/$program"
    done
    ran_long=yes
    first=${first:-$compiler-$linkage}
  done
done

case $(uname -m) in
  aarch64 | arm64) sets="baseline neon" ;;
  *) sets="baseline avx2 avx512" ;;
esac
for isa in $sets; do
  EQUICONV_ISA=$isa
  export EQUICONV_ISA
  for program in api bases choice published equivariance adjoints; do run "$isa" "$work/$first/$program"; done
done
unset EQUICONV_ISA

# ---- Digests: the same bits on every processor ---------------------------------------------------------------------

# Products and sums are rounded together, but for the baseline of x86-64, which has no such instruction.
table_of() {
  case $(uname -m)-$1 in
    x86_64-baseline) echo "$here/../digests/separate.txt" ;;
    *) echo "$here/../digests/fused.txt" ;;
  esac
}
compiler=${first%-*}
if expect "[$first] digests compiles without warnings" build "$compiler" "${first#*-}" digests; then
  for isa in $sets; do
    expect "[$isa] results have the digests of the table" env EQUICONV_ISA=$isa \
      "$here/compare_digests.sh" "$(table_of $isa)" "$work/$first/digests"
  done
fi

# ---- Enumerations ------------------------------------------------------------------------------------------------

# An enumeration in the place of another does not compile without a warning; the right one does.
tells_enumerations_apart() {
  for value in EQUICONV_ALGORITHM_DIRECT EQUICONV_LAYER_LIFTING; do
    printf '#include <equiconv.h>\nvoid set(equiconv_descriptor *d);\nvoid set(equiconv_descriptor *d) { d->algorithm = %s; }\n' \
      $value >"$work/enumeration.c"
    # shellcheck disable=SC2086
    $1 $strict $cflags -c "$work/enumeration.c" -o "$work/enumeration.o" 2>"$work/warnings"
    echo $? >>"$work/results"
  done
  [ "$(tr '\n' ' ' <"$work/results")" = "0 1 " ] && grep -q -i 'enum' "$work/warnings"
}
for compiler in gcc clang; do
  rm -f "$work/results"
  command -v $compiler >/dev/null && expect "[$compiler] an enumeration in another's place is an error" tells_enumerations_apart $compiler
done

# ---- C++, CMake, examples ----------------------------------------------------------------------------------------

compiles_as_cplusplus() {
  # shellcheck disable=SC2046,SC2086
  $1 -std=c++11 -Wall -Wextra -Werror -pedantic $cflags "$here/header.cpp" $(libraries shared) -o "$work/header" &&
    "$work/header"
}
for compiler in g++ clang++; do
  command -v $compiler >/dev/null && expect "[$compiler] the header compiles as C++" compiles_as_cplusplus $compiler
done

cmake_finds_the_package() {
  cmake -S "$here/cmake" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$work/cmake" &&
    "$work/cmake/use_equiconv" && "$work/cmake/use_equiconv_static"
}
if command -v cmake >/dev/null; then
  expect "CMake finds the package, shared and static" cmake_finds_the_package
else
  echo "     skipped: no cmake"
fi

# An example ends with success, and finds equality for each of COUNT elements.
example_holds() { "$1" | tee "$work/example" && [ "$(grep -c 'equal to the last bit' "$work/example")" -eq "$2" ]; }

c_example() {
  # shellcheck disable=SC2046,SC2086
  gcc $strict $cflags "$examples/c/$1.c" $(libraries shared) -o "$work/$1" && example_holds "$work/$1" "$2"
}
# The crate and its examples, without cargo, which need not be there.
rust_builds() {
  mkdir -p "$work/rust"
  rustc --edition 2021 -D warnings -O -L "native=$libdir" --crate-type rlib --crate-name equiconv \
    "$examples/rust/src/lib.rs" -o "$work/rust/libequiconv.rlib" || return 1
  for example in first classify; do
    rustc --edition 2021 -D warnings -O -L "native=$libdir" --extern "equiconv=$work/rust/libequiconv.rlib" \
      "$examples/rust/examples/$example.rs" -o "$work/${example}_rust" || return 1
  done
}
rust_example() { rust_builds && example_holds "$work/first_rust" 4; }
cargo_example() {
  cargo build --quiet --offline --release --examples --manifest-path "$examples/rust/Cargo.toml" \
    --target-dir "$work/cargo" && example_holds "$work/cargo/release/examples/first" 4
}
if command -v gcc >/dev/null; then
  expect "examples/c/first.c" c_example first 4
  expect "examples/c/readme.c" c_example readme 4
  expect "examples/c/network.c" c_example network 8
fi
# A program without any shared library, in a root directory where there is nothing else, no /proc either.
in_empty_root() {
  if chroot "$work/root" /nothing 2>/dev/null; then chroot "$work/root" "$@"; else unshare -r chroot "$work/root" "$@"; fi
}
may_change_root() {
  mkdir -p "$work/root"
  printf 'int main(void) { return 0; }\n' >"$work/nothing.c"
  gcc -static "$work/nothing.c" -o "$work/root/nothing" 2>/dev/null && in_empty_root /nothing 2>/dev/null
}
static_example() {
  # shellcheck disable=SC2046,SC2086
  gcc -static $strict $cflags "$examples/c/network.c" $(libraries static) -o "$work/root/network" &&
    in_empty_root /network | tee "$work/example" && [ "$(grep -c 'equal to the last bit' "$work/example")" -eq 8 ]
}
if command -v gcc >/dev/null && may_change_root; then
  expect "examples/c/network.c, fully static, in an empty root directory" static_example
else
  echo "     skipped: no static C library, or no permission to change the root directory"
fi

if command -v rustc >/dev/null; then
  expect "examples/rust, by rustc" rust_example
else
  echo "     skipped: no rustc"
fi

if command -v cargo >/dev/null; then
  expect "examples/rust, by cargo" cargo_example
else
  echo "     skipped: no cargo"
fi

go_example() {
  (cd "$examples/go" && GOCACHE=$work/go GOFLAGS=-mod=mod GOPROXY=off go build -o "$work/first_go" .) &&
    GODEBUG=cgocheck=2 example_holds "$work/first_go" 4 && grep -q 'each failure had its own message' "$work/example"
}
if command -v go >/dev/null; then
  expect "examples/go" go_example
else
  echo "     skipped: no go"
fi

# ---- Networks: one file, in every language -----------------------------------------------------------------------

# A network, and a picture of 7 x 5 pixels.
network=$work/network.safetensors image=$work/image.pgm
make_network() {
  # shellcheck disable=SC2046,SC2086
  (cd "$here" && gcc $strict $cflags make_network.c network_example.c test.c $(libraries shared) -o "$work/make_network") &&
    "$work/make_network" "$network" && { printf 'P5\n7 5\n255\n' && printf '%s' 'a quick brown fox over a lazy dogs!'; } >"$image"
}
# classifies LABEL PROGRAM...: it prints a score for each class, with the bits that the program in C printed.
classifies() {
  label=$1
  shift
  "$@" "$network" <"$image" >"$work/scores" && awk '{ printf "%s %.8e\n", $1, $2 }' "$work/scores" >"$work/scores-$label" &&
    [ "$(wc -l <"$work/scores-$label")" -eq 3 ] && grep -q '^cat ' "$work/scores-$label" &&
    diff "$work/scores-c" "$work/scores-$label"
}
c_classifies() {
  # shellcheck disable=SC2046,SC2086
  gcc $strict $cflags "$examples/c/classify.c" $(libraries shared) -o "$work/classify" && classifies c "$work/classify" &&
    ! "$work/classify" "$network" </dev/null 2>/dev/null && ! "$work/classify" /nowhere <"$image" 2>/dev/null
}
cplusplus_classifies() {
  # shellcheck disable=SC2046,SC2086
  $1 -std=c++17 -Wall -Wextra -Werror -pedantic $cflags "$examples/cpp/classify.cpp" $(libraries shared) -o "$work/classify_cpp" &&
    classifies cpp "$work/classify_cpp"
}
cmake_classifies() {
  cmake -S "$examples/cpp" -B "$work/cmake-cpp" -DCMAKE_PREFIX_PATH="$prefix" && cmake --build "$work/cmake-cpp" &&
    classifies cmake "$work/cmake-cpp/classify"
}
loads_only_system_libraries() {
  others=$(ldd "$1" | grep -v -E '(linux-vdso|libequiconv|libc|libm|ld-linux.*)\.so' || true)
  [ -z "$others" ] || { echo "$others"; return 1; }
}
# In a root with nothing but the program and the network.
classifies_in_empty_root() {
  # shellcheck disable=SC2046,SC2086
  gcc -static $strict $cflags "$examples/c/classify.c" $(libraries static) -o "$work/root/classify" &&
    cp "$network" "$work/root/network" && in_empty_root /classify /network <"$image" >"$work/scores" &&
    awk '{ printf "%s %.8e\n", $1, $2 }' "$work/scores" | diff "$work/scores-c" -
}
# Reads and writes outside of memory, and what is lost. Values that are not set are not looked for: an enumeration of Swift
# keeps its tag in bits between those of a payload that does not fill its place, which valgrind takes for unset.
checks_memory() {
  EQUICONV_ISA=avx2 valgrind --quiet --error-exitcode=9 --undef-value-errors=no --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite "$work/classify" "$network" <"$image"
}

if command -v gcc >/dev/null && expect "a network is written by C" make_network; then
  expect "examples/c/classify.c" c_classifies
  expect "a program that runs a network needs neither Python nor Swift" loads_only_system_libraries "$work/classify"
  for compiler in g++ clang++; do
    command -v $compiler >/dev/null && expect "[$compiler] examples/cpp has the bits of C" cplusplus_classifies $compiler
  done
  if command -v cmake >/dev/null; then expect "examples/cpp by CMake has the bits of C" cmake_classifies; fi
  if [ -x "$work/classify_rust" ]; then expect "examples/rust has the bits of C" classifies rust "$work/classify_rust"; fi
  if [ -x "$work/first_go" ]; then expect "examples/go has the bits of C" classifies go "$work/first_go"; fi
  if may_change_root; then
    expect "examples/c/classify.c, fully static, in an empty root directory" classifies_in_empty_root
  else
    echo "     skipped: no static C library, or no permission to change the root directory"
  fi
  if command -v valgrind >/dev/null; then
    expect "valgrind finds no access outside of memory and no leak in examples/c/classify.c" checks_memory
  else
    echo "     skipped: no valgrind"
  fi
fi

passed=$(grep -c '^ok' "$log")
failed=$(grep -c '^FAIL' "$log")
echo "C interface: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
