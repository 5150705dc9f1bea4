#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: compare_digests.sh TABLE COMMAND...
#
# Runs the program of digests.c and compares what it prints with a table of Tests/digests, by name and digest. Shows
# what differs, and exits with 1 then. Which tiles a layer uses depends on the processor: digests of tiles that are not
# in the table are not compared, and those of the table may be missing, but none may differ.
set -eu

table=${1:?usage: compare_digests.sh TABLE COMMAND...}
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$@" >"$work/output" || { cat "$work/output"; exit 1; }
awk '
  { digest = $NF; name = $0; sub(/ [^ ]*$/, "", name); tiled = name ~ /: [a-z-]+ of [0-9]+/ }
  NR == FNR { known[name] = digest; next }
  /^ok / { next }
  name in known { seen[name] = 1; if (known[name] != digest) differ[name] = digest; next }
  !tiled { differ[name] = digest }
  END {
    for (name in known) if (!(name in seen) && name !~ /: [a-z-]+ of [0-9]+/) print "missing: " name
    for (name in differ) print "differs: " name
    for (name in seen) count++
    print count + 0 " digests compared"
  }' "$table" "$work/output" | sort >"$work/report"
sed -n -e 1,20p -e '21s/.*/and more/p' "$work/report"
! grep -q -e '^missing' -e '^differs' -e '^0 ' "$work/report"
