#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: arm64-setup.sh FOLDER LIBRARY_DIR ARGUMENT...
#
# Runs setup.py beside this folder for 64-bit ARM, with the library in LIBRARY_DIR. Extensions are compiled and linked by
# tools of this processor; the Python for ARM that arm64-root.sh made in FOLDER, which says what they are for, is
# emulated. The environment may set LDFLAGS and PYTHONPATH.
set -eu

folder=$1 library=$2
shift 2
cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-gcc
EQUICONV_LIBRARY_DIR=$library CC=$compiler LDSHARED="$compiler -shared" CFLAGS="-idirafter $folder/root/usr/include" \
  exec "$folder/python" -W ignore setup.py --quiet "$@"
