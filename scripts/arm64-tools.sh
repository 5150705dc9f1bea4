#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: arm64-tools.sh SWIFTC
#
# Whether this system can compile for 64-bit ARM and run what it compiled. If not, exits with 3, and says why.
set -eu

refuse() { echo "$*"; exit 3; }

for tool in qemu-aarch64-static aarch64-linux-gnu-gcc; do
  command -v $tool >/dev/null || refuse "there is no $tool; install qemu-user-static and gcc-aarch64-linux-gnu"
done
resources=$("${1:?usage: arm64-tools.sh SWIFTC}" -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
[ -d "$resources/embedded/aarch64-none-none-elf" ] || refuse "the Swift toolchain has no Embedded Swift for it"
