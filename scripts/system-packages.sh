#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that the build needs, as root or through sudo; otherwise says what to install.
set -eu

missing=
need() { # need PACKAGE COMMAND...: the package is missing if the command fails
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}

command -v swift >/dev/null || {
  echo "swift is not on the PATH. Install Swift 6.2 or later: https://www.swift.org/install" >&2
  exit 1
}
need gcc sh -c 'command -v cc'
need binutils sh -c 'command -v ld && command -v objcopy && command -v readelf'
need pkg-config sh -c 'command -v pkg-config'
need git sh -c 'command -v git'
if command -v dpkg-query >/dev/null; then
  for package in python3-dev python3-venv python3-numpy; do
    need "$package" sh -c "dpkg-query -W -f '\${Status}' $package | grep -q '^install ok installed'"
  done
else
  need python3 sh -c 'python3 -c "import venv, sysconfig; open(sysconfig.get_path(\"include\") + \"/Python.h\")"'
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "Please install:$missing" >&2
  exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=sudo
else
  echo "Please run: sudo apt-get install$missing" >&2
  exit 1
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq $missing
