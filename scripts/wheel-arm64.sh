#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: wheel-arm64.sh FOLDER VENV DIST
#
# Makes the wheel for 64-bit ARM on another processor, out of the source distribution in DIST, with what it compiles and
# unpacks in FOLDER. Then pip installs the wheel and the newest NumPy as it would on ARM, and both run the first example
# under qemu. Says what is skipped, and why. The environment may set MAKE and SWIFTC.
set -eu

mkdir -p "${1:?usage: wheel-arm64.sh FOLDER VENV DIST}"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
venv=$2 dist=$(cd "$3" && pwd)

skip() {
  echo "SKIPPED: the wheel for 64-bit ARM ($*)"
  exit 0
}
reason=$(scripts/arm64-tools.sh "${SWIFTC:-swiftc}") || skip "$reason"
reason=$(scripts/arm64-root.sh "$folder") || skip "$reason"
[ -e "$(echo "$dist"/equiconv-*.tar.gz)" ] || skip "there is no source distribution"
"${MAKE:-make}" --no-print-directory -f packaging/c.mk c-portable ARCH=aarch64 BUILD_DIR="$folder/c"

# pip_install FOLDER REQUIREMENT...: what pip would install on an ARM processor with glibc 2.28.
version=$("$folder/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pip_install() {
  target=$1
  shift
  "$venv/bin/python" -m pip --quiet --disable-pip-version-check install --only-binary :all: --target "$target" \
    --python-version "$version" --implementation cp --platform manylinux_2_28_aarch64 \
    --platform manylinux_2_27_aarch64 --platform manylinux_2_26_aarch64 --platform manylinux2014_aarch64 "$@"
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# With the headers of the newest NumPy, as on this processor: they serve all versions at run time.
pip_install "$work/tools" numpy setuptools wheel
tar -x -f "$dist"/equiconv-*.tar.gz -C "$work"
LDFLAGS="-L$folder/c/glibc-aarch64" PYTHONPATH=$work/tools \
  "$(echo "$work"/equiconv-*)/scripts/arm64-setup.sh" "$folder" "$folder/c/portable" bdist_wheel --dist-dir "$work"
scripts/finish-wheel.sh "$venv" "$dist" "$work"/equiconv-*.whl

pip_install "$work/site" "$dist"/equiconv-*aarch64.whl
run() { PYTHONPATH=$work/site "$folder/python" -W error "$@"; }
run examples/python/first.py
run -c 'import equiconv; equiconv.show_config()'
