#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: try-wheel-system.sh WHEEL SYSTEM
#
# Tries the wheel as try-wheel.sh does, with the Python of the Debian system in the folder SYSTEM.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
wheel=$1 system=$2

# pip trusts, and asks, whom it does here.
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$certificates" ] || cp "$certificates" "$system$certificates"
cp /etc/resolv.conf "$system/etc"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$system/etc"
mount -t proc proc "$system/proc"
mkdir "$system/equiconv"
cp -R "$root/examples" "$root/scripts" "$wheel" "$system/equiconv"
chroot "$system" /equiconv/scripts/try-wheel.sh python3 "/equiconv/$(basename "$wheel")"
