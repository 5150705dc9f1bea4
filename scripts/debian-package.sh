#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: debian-package.sh FOLDER
#
# Makes Debian packages of the working tree in FOLDER, whose content is replaced: exports the files that git knows or
# does not ignore, puts packaging/debian in place as debian, and runs dpkg-buildpackage and lintian. Needs Debian,
# Swift on the PATH, and the packages of Build-Depends but for that of Swift, which it installs as root; without these it
# says so and makes none.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
version=$(sed -n '1s|^equiconv (\(.*\)-[^-]*) .*|\1|p' "$root/packaging/debian/changelog")
source=$folder/equiconv-$version

skip() {
  echo "SKIPPED: Debian packages ($1)"
  exit 0
}
command -v swift >/dev/null || skip "swift is not on the PATH"
command -v dpkg-buildpackage >/dev/null || skip "there is no dpkg-buildpackage; install dpkg-dev"

rm -rf "${folder:?}"/*
mkdir "$source"
cd "$root"
git ls-files -z --cached --others --exclude-standard -- . ':!packaging/debian' >"$folder/files"
# Files that are deleted and not committed are in the list as well.
xargs -0 sh -c 'for name; do [ ! -e "$name" ] && [ ! -L "$name" ] || printf "%s\0" "$name"; done' sh \
  <"$folder/files" >"$folder/present"
tar --null --no-recursion --files-from="$folder/present" -cf - | tar -xf - -C "$source"
for name in $(sed -n '/^Files-Excluded:/,/^[^ F]/s/^ //p' "$root/packaging/debian/copyright"); do
  rm "$source/$name"
done
# The archive of what the project releases; debian is beside it.
tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner -cJf "$folder/equiconv_$version.orig.tar.xz" \
  "equiconv-$version"
cp -R "$root/packaging/debian" "$source/debian"
# CITATION.cff is the one place of the project's address.
address=$(sed -n 's/^repository-code: "\(.*\)"$/\1/p' "$root/CITATION.cff")
sed -i "s|@REPOSITORY@|$address|" "$source/debian/control" "$source/debian/copyright"

cd "$source"
# Debian's own Python builds, whatever else is on the PATH.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$(dirname "$(command -v swift)")
# Swift is no package of most versions of Debian: this profile takes the one on the PATH.
export DEB_BUILD_PROFILES=pkg.equiconv.own-swift
missing=$(dpkg-checkbuilddeps 2>&1 | sed -n 's/.*[Uu]nmet build dependencies: //p' | sed 's/([^)]*)//g')
if [ -n "$missing" ]; then
  [ "$(id -u)" -eq 0 ] || skip "please install:$missing"
  echo "Installing $missing"
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >"$folder/log" 2>&1 ||
    skip "apt-get cannot install $missing"
fi
dpkg-buildpackage --unsigned-source --unsigned-changes >"$folder/log" 2>&1 || {
  tail -n 50 "$folder/log" >&2
  exit 1
}
# Symbols that the list does not have, and others of these warnings, are errors.
if grep -E '^dpkg-(shlibdeps|gensymbols): (warning|error)|^dh_[a-z]+: (warning|error)' "$folder/log" >&2; then
  exit 1
fi
cd "$folder"
if command -v lintian >/dev/null; then
  # Root may run it, in a container for example. There is no request for a package that this one could close.
  lintian --allow-root --suppress-tags initial-upload-closes-no-bugs --fail-on error,warning ./*.changes
else
  echo "SKIPPED: lintian (it is not installed)"
fi
ls -l ./*.deb
