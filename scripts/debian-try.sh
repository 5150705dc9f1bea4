#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: debian-try.sh FOLDER
#
# Installs the Debian packages in FOLDER into a fresh Debian system of the same version, in a temporary folder, and runs
# packaging/debian/tests there. The system has what the packages say that they need, and no Swift. Needs root,
# debootstrap and a mirror of Debian, which MIRROR may name; without these it says so and tries nothing.
set -eu

# A namespace of its own, so that what debootstrap mounts ends with this script.
if [ -z "${EQUICONV_DEBIAN_TRY:-}" ] && unshare --mount true 2>/dev/null; then
  EQUICONV_DEBIAN_TRY=1 exec unshare --mount "$0" "$@"
fi
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(cd "$1" && pwd)
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

skip() {
  echo "SKIPPED: installing the Debian packages ($1)"
  exit 0
}
[ "$(id -u)" -eq 0 ] || skip "a system to install them into needs root"
command -v debootstrap >/dev/null || skip "there is no debootstrap"
system=$(mktemp -d)
remove_system() {
  umount "$system/proc" 2>/dev/null || true
  rm -rf --one-file-system "$system"
}
trap remove_system EXIT
trap 'exit 1' HUP INT TERM

# What the packages and their tests depend on; dpkg refuses them if this is not enough.
debootstrap --variant=minbase --include=gcc,libc6-dev,pkg-config,python3,python3-numpy,python3-pkg-resources \
  "$codename" "$system" ${MIRROR:+"$MIRROR"} >"$folder/system-log" 2>&1 || {
  tail -n 3 "$folder/system-log"
  skip "debootstrap cannot make a system"
}
cp "$folder"/*.deb "$root"/packaging/debian/tests/*-example "$system/tmp"
chroot "$system" sh -c 'dpkg --install /tmp/*.deb' >"$folder/install-log" 2>&1 || {
  cat "$folder/install-log" >&2
  exit 1
}
if chroot "$system" sh -c 'command -v swift' >/dev/null; then
  echo "debian-try.sh: the fresh system has Swift" >&2
  exit 1
fi
for name in c-example python-example; do
  echo "packaging/debian/tests/$name"
  chroot "$system" "/tmp/$name"
done
# They go as they came.
chroot "$system" sh -c 'dpkg --purge libequiconv-dev python3-equiconv libequiconv0' >>"$folder/install-log" 2>&1
rest=$(find "$system/usr" -iname '*equiconv*' | head)
[ -z "$rest" ] || {
  echo "debian-try.sh: the packages leave behind: $rest" >&2
  exit 1
}
