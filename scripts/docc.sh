#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: docc.sh SWIFT FOLDER
#
# Makes FOLDER/Equiconv.doccarchive, the Swift reference as DocC shows it, with the docc that is beside SWIFT. A topic of
# the catalog that leads nowhere is an error. The archive is shown by Xcode, and by a web server that has it at its root.
set -eu

swift=$(command -v "$1") folder=$2
python3 docs/site/swift_symbols.py "$swift" "$folder/swift"
"$(dirname "$(readlink -f "$swift")")/docc" convert docs/site/Equiconv.docc \
  --additional-symbol-graph-dir "$folder/swift/graphs" --output-path "$folder/Equiconv.doccarchive" \
  --fallback-display-name Equiconv --fallback-bundle-identifier equiconv \
  --transform-for-static-hosting --warnings-as-errors
echo "To read it: python3 -m http.server --directory $folder/Equiconv.doccarchive, then /documentation/equiconv"
