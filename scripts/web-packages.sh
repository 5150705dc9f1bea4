#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: web-packages.sh PACKAGE...
#
# Installs Debian packages that the page of examples/web needs, as root. Fails where they cannot be had.
set -eu

missing=
for package; do
  case $package in
    chromium) command -v chromium >/dev/null || missing="$missing $package" ;;
    wasi-libc) [ -e /usr/lib/wasm32-wasi/libc.a ] || missing="$missing $package" ;;
    *) echo "web-packages.sh: $package is not known" >&2 && exit 1 ;;
  esac
done
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || {
  echo "Please install:$missing" >&2
  exit 1
}
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
{ apt-get update -qq && apt-get install -y -qq $missing; } >&2
