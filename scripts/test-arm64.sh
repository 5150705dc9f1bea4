#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: test-arm64.sh FOLDER
#
# Builds the C library and the Python package for 64-bit ARM in FOLDER and tests them under qemu: the C tests, digests of
# results, and the Python tests that say something about the processor. Says what is skipped, and why.
# The environment may set MAKE, SWIFTC and OTHER_TESTS, more files of Python tests.
set -eu

mkdir -p "${1:?usage: test-arm64.sh FOLDER}"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-gcc
prefix=$folder/prefix

skip() {
  echo "SKIPPED: $*"
  exit 0
}
reason=$(scripts/arm64-tools.sh "${SWIFTC:-swiftc}") || skip "tests on 64-bit ARM ($reason)"

echo "The C library for 64-bit ARM"
"${MAKE:-make}" --no-print-directory -f packaging/c.mk install ARCH=aarch64 BUILD_DIR="$folder/c" DESTDIR= \
  PREFIX="$prefix" INCLUDEDIR="$prefix/include" LIBDIR="$prefix/lib"
Tests/CTests/emulated.sh "$prefix" $compiler "baseline neon" qemu-aarch64-static -L /usr/aarch64-linux-gnu

reason=$(scripts/arm64-root.sh "$folder") || skip "Python tests on 64-bit ARM ($reason)"
echo "The Python package for 64-bit ARM"
package=$folder/package
rm -rf "$package"
scripts/arm64-setup.sh "$folder" "$folder/c/release" build --build-lib "$package"
# Equivariance, definitions, gradients and networks; the rest does not depend on the processor.
cd Tests/python
# shellcheck disable=SC2086 # a list of files
OMP_NUM_THREADS=1 PYTHONPATH=$package "$folder/python" -m pytest -q -p no:cacheprovider -m "not slow" \
  layers/test_equivariance.py layers/test_layers.py layers/test_gradients.py layers/test_published_numbers.py \
  layers/test_pool.py signals/test_action.py groups bases/test_bases.py network/test_networks.py ${OTHER_TESTS:-}
