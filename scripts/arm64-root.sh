#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: arm64-root.sh FOLDER
#
# Makes FOLDER/root of Debian's packages for 64-bit ARM: Python, NumPy, pytest, and what extensions are built with; and
# FOLDER/python, which runs that Python under qemu. Nothing is installed on this system: the packages are unpacked, no
# script of theirs runs, and it needs no permissions. Does nothing where all that is there. Exits with 3, and says why,
# where something cannot be had.
set -eu

mkdir -p "${1:?usage: arm64-root.sh FOLDER}"
folder=$(cd "$1" && pwd)
root=$folder/root
# libstdc++ is for the NumPy of PyPI.
packages="python3 python3-numpy python3-pytest python3-setuptools libpython3-dev libstdc++6"

refuse() { echo "$*"; exit 3; }

for tool in apt-get dpkg; do
  command -v $tool >/dev/null || refuse "there is no $tool"
done
[ "$(cat "$folder/packages" 2>/dev/null)" = "$packages" ] && exit 0

# The system's own sources of packages, for another architecture and a system where nothing is installed.
apt() {
  apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=1 \
    -o Dir::State="$folder/apt/state" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache" \
    -o APT::Get::List-Cleanup=0 "$@" >"$folder/apt/log" 2>&1
}
rm -rf "$root" "$folder/apt" "$folder/packages"
mkdir -p "$root" "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial"
: >"$folder/apt/status"
apt update || refuse "no lists of packages for arm64: $(tail -n 1 "$folder/apt/log")"
# shellcheck disable=SC2086 # a list of words
apt --yes --no-install-recommends --download-only install $packages ||
  refuse "no packages for arm64: $(tail -n 1 "$folder/apt/log")"
for package in "$folder"/apt/cache/archives/*.deb; do dpkg --extract "$package" "$root"; done

# What the packages' scripts would have done: choose BLAS and LAPACK.
libraries=$root/usr/lib/aarch64-linux-gnu
for name in blas lapack; do ln -sf "$name/lib$name.so.3" "$libraries/lib$name.so.3"; done

cat >"$folder/python" <<END
#!/bin/sh
exec qemu-aarch64-static -L "$root" "$root/usr/bin/python3" "\$@"
END
chmod +x "$folder/python"
# Processes that tests start have to begin with qemu too.
library=$("$folder/python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
rm -f "$library/sitecustomize.py"
printf 'import sys\n\nsys.executable = "%s"\n' "$folder/python" >"$library/sitecustomize.py"
"$folder/python" -c 'import numpy, pytest' || refuse "NumPy for arm64 does not run under qemu"
rm -rf "$folder/apt"
echo "$packages" >"$folder/packages"
