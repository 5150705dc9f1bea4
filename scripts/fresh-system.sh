#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: fresh-system.sh CODENAME PACKAGES LOG WHAT COMMAND...
#
# Makes a Debian system of the version CODENAME with PACKAGES, a list with commas, in a temporary folder, and runs
# COMMAND with that folder as its last argument. Needs root, debootstrap and a mirror of Debian, which MIRROR may name;
# without these it says that WHAT is skipped, and why. What debootstrap says goes to the file LOG.
set -eu

# A namespace of its own, so that what is mounted ends with this script.
if [ -z "${EQUICONV_FRESH_SYSTEM:-}" ] && unshare --mount true 2>/dev/null; then
  EQUICONV_FRESH_SYSTEM=1 exec unshare --mount "$0" "$@"
fi
codename=$1 packages=$2 log=$3 what=$4
shift 4

skip() {
  echo "SKIPPED: $what ($1)"
  exit 0
}
[ "$(id -u)" -eq 0 ] || skip "a system for it needs root"
command -v debootstrap >/dev/null || skip "there is no debootstrap"
system=$(mktemp -d)
remove_system() {
  umount "$system/proc" 2>/dev/null || true
  rm -rf --one-file-system "$system"
}
trap remove_system EXIT
trap 'exit 1' HUP INT TERM

debootstrap --variant=minbase --include="$packages" "$codename" "$system" ${MIRROR:+"$MIRROR"} >"$log" 2>&1 || {
  tail -n 3 "$log"
  skip "debootstrap cannot make a system"
}
if chroot "$system" sh -c 'command -v swift' >/dev/null; then
  echo "fresh-system.sh: the fresh system has Swift" >&2
  exit 1
fi
"$@" "$system"
