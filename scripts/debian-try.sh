#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: debian-try.sh FOLDER SYSTEM
#
# Installs the Debian packages in FOLDER into the Debian system in the folder SYSTEM, which has what the packages say
# that they need, and runs packaging/debian/tests there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(cd "$1" && pwd) system=$2

cp "$folder"/*.deb "$root"/packaging/debian/tests/*-example "$system/tmp"
chroot "$system" sh -c 'dpkg --install /tmp/*.deb' >"$folder/install-log" 2>&1 || {
  cat "$folder/install-log" >&2
  exit 1
}
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
