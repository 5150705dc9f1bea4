#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: glibc-stubs.sh VERSION FOLDER
#
# Makes FOLDER into a place to link against glibc as it was in VERSION, 2.17 or later but before 2.33: libc, libm,
# libpthread and libdl without code, whose functions have the newest version up to that one which this system's glibc
# still offers. What is linked with -L FOLDER runs with every glibc from VERSION on, with the code that this system's
# programs run; functions that came later are not found. The environment may set CC, LDFLAGS, AR and READELF. Without
# glibc it makes an empty folder.
set -eu

newest=$1 folder=$2
cc=${CC:-cc}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
libc=$($cc -print-file-name=libc.so.6)
libm=$($cc -print-file-name=libm.so.6)
[ -f "$libc" ] && [ -f "$libm" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lines of name, version, type and size: of each name the newest version that is not too new. Names that programs of
# today cannot be linked with, as all their versions are old ones, are left out, but for those that stat.c below calls.
symbols() {
  "${READELF:-readelf}" -W --dyn-syms "$1" | awk -v newest="$newest" '
    function number(version, parts) {
      split(version, parts, ".")
      return (parts[1] * 1000 + parts[2]) * 1000 + parts[3]
    }
    $7 != "UND" && $4 ~ /^(FUNC|IFUNC|OBJECT)$/ && $8 ~ /@GLIBC_[0-9.]+$/ {
      split($8, parts, /@+GLIBC_/)
      if ($8 ~ /@@/ || parts[1] ~ /^__[fl]?xstat$/) linkable[parts[1]] = 1
      value = number(parts[2])
      if (value <= number(newest) && value > best[parts[1]]) {
        best[parts[1]] = value
        line[parts[1]] = parts[1] " GLIBC_" parts[2] " " $4 " " $3
      }
    }
    END { for (name in line) if (name in linkable) print line[name] }' | LC_ALL=C sort
}

# stub SONAME <LINES: a library that defines these names under these versions.
stub() {
  cat >"$work/lines"
  awk '{
    kind = $3 == "OBJECT" ? "object" : "function"
    printf ".globl %s\n.type %s,%%%s\n%s:\n.size %s,%d\n", $1, $1, kind, $1, $1, $4
  } END { print ".section .note.GNU-stack,\"\",%progbits" }' "$work/lines" >"$work/stub.s"
  awk '{ names[$2] = names[$2] " " $1 ";" }
    END { for (version in names) print version " {" names[version] " };" }' "$work/lines" >"$work/stub.map"
  # shellcheck disable=SC2086 # a list of words
  $cc ${LDFLAGS:-} -shared -nostdlib -Wl,-soname,"$1" -Wl,--version-script="$work/stub.map" -o "$folder/$1" "$work/stub.s"
}

# Before 2.34 threads and the loader had libraries of their own, which are still there.
threads='^(pthread|sem)_' loader='^dl(open|close|sym|vsym|addr|addr1|error|info|mopen|iterate_phdr) '
symbols "$libc" >"$work/libc"
grep -E -v "$threads" "$work/libc" | grep -E -v "$loader" | stub libc.so.6
grep -E "$threads" "$work/libc" | stub libpthread.so.0
grep -E "$loader" "$work/libc" | grep -v '^dl_iterate_phdr ' | stub libdl.so.2
symbols "$libm" | stub libm.so.6

# Before 2.33 these were linked statically and called others, which are still there.
case $($cc -dumpmachine) in
x86_64-*) layout=1 ;;
*) layout=0 ;;
esac
cat >"$work/stat.c" <<SOURCE
struct stat;
__attribute__((visibility("hidden"))) int fstat(int, struct stat *), stat(const char *, struct stat *),
    lstat(const char *, struct stat *);
int __fxstat(int, int, struct stat *), __xstat(int, const char *, struct stat *),
    __lxstat(int, const char *, struct stat *);
int fstat(int file, struct stat *status) { return __fxstat($layout, file, status); }
int stat(const char *path, struct stat *status) { return __xstat($layout, path, status); }
int lstat(const char *path, struct stat *status) { return __lxstat($layout, path, status); }
SOURCE
$cc -std=c11 -O2 -fPIC -c -o "$work/stat.o" "$work/stat.c"
rm -f "$folder/libstat.a"
"${AR:-ar}" rcsD "$folder/libstat.a" "$work/stat.o"

# What -lc and the like find. The rest of libc is the system's: what is always linked statically, and the loader itself.
ln -sf libm.so.6 "$folder/libm.so"
ln -sf libpthread.so.0 "$folder/libpthread.so"
ln -sf libdl.so.2 "$folder/libdl.so"
interpreter=$("${READELF:-readelf}" -W -d "$libc" | sed -n 's/.*(NEEDED).*\[\(ld-linux.*\)\]/\1/p')
cat >"$folder/libc.so" <<SCRIPT
GROUP ( $folder/libstat.a $folder/libc.so.6 AS_NEEDED ( $folder/libpthread.so.0 $folder/libdl.so.2 )
        $($cc -print-file-name=libc_nonshared.a) AS_NEEDED ( $($cc -print-file-name="$interpreter") ) )
SCRIPT
