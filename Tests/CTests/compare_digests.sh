#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: compare_digests.sh TABLE COMMAND...
#
# Runs the program of digests.c and compares what it prints with a table of Tests/digests, by name and digest. Shows
# what differs, and exits with 1 then. Which Fourier tiles a layer uses depends on the processor: a table has those of
# several, so that some may be missing, but none may differ.
set -eu
LC_ALL=C
export LC_ALL

table=${1:?usage: compare_digests.sh TABLE COMMAND...}
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$@" >"$work/output" || { cat "$work/output"; exit 1; }
grep -v '^ok ' "$work/output" | sort -u >"$work/digests"
comm -13 "$table" "$work/digests" | sed 's/^/not in the table: /' >"$work/differences"
comm -23 "$table" "$work/digests" | sed -e '/: fourier of /d' -e 's/^/only in the table: /' >>"$work/differences"
sed -n -e 1,20p -e '21s/.*/and more/p' "$work/differences"
if [ -s "$work/differences" ] || [ ! -s "$work/digests" ]; then exit 1; fi
echo "$(wc -l <"$work/digests") digests are those of the table"
