#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Proves that a package can depend on a version of Equiconv. SwiftPM may refuse the unsafe flags of the numeric targets
# in versioned dependencies, and no build of the package itself shows that.
#
# Clones the committed state of the repository and tags the clone with the version of include/equiconv.h, whatever tags
# the repository has. A scratch package that asks for that version by `from:` builds and runs examples/swift/first.swift
# and async.swift, optimized. Needs swift and git; touches nothing outside its temporary folder.
#
# Usage: Tests/package/run.sh
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/equiconv-package.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "Tests/package/run.sh: $1" >&2
  exit 1
}

# Released tags stay behind, so that `from:` can only mean the commit under test.
git clone --quiet --no-tags "file://$root" "$work/equiconv" || fail "cannot clone $root"
version=$(sed -n -E 's/^#define EQUICONV_VERSION_(MAJOR|MINOR|PATCH) //p' "$work/equiconv/include/equiconv.h" | paste -s -d . -)
git -C "$work/equiconv" tag "$version"

client="$work/client"
mkdir -p "$client/Sources/First" "$client/Sources/Asynchronous"
cp "$work/equiconv/examples/swift/first.swift" "$client/Sources/First/main.swift"
cp "$work/equiconv/Tests/package/async.swift" "$client/Sources/Asynchronous/async.swift"
cat >"$client/Package.swift" <<EOF
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "client",
  dependencies: [.package(url: "file://$work/equiconv", from: "$version")],
  targets: [
    .executableTarget(
      name: "First",
      dependencies: [.product(name: "Equiconv", package: "equiconv")],
      // The strictest rule for imports: all that the example uses must come with "import Equiconv".
      swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")]),
    .executableTarget(
      name: "Asynchronous", dependencies: [.product(name: "Equiconv", package: "equiconv")]),
  ])
EOF

# Caches and the fingerprint of the version belong to this run alone.
client_swift() {
  action=$1
  shift
  swift "$action" -c release --package-path "$client" --cache-path "$work/cache" --config-path "$work/config" \
    --security-path "$work/security" "$@"
}

for product in First Asynchronous; do
  client_swift build --product "$product" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "a package that depends on the tagged version does not build its product $product"
  }
done
grep -q "\"version\" : \"$version\"" "$client/Package.resolved" || fail "the package did not resolve to version $version"
client_swift run --skip-build First >"$work/output" 2>"$work/log" || {
  cat "$work/output" "$work/log" >&2
  fail "examples/swift/first.swift failed"
}
cat "$work/output"
[ "$(grep -c ': equal$' "$work/output")" -eq 4 ] || fail "examples/swift/first.swift did not find 4 equal answers"
client_swift run --skip-build Asynchronous >"$work/output" 2>"$work/log" || {
  cat "$work/output" "$work/log" >&2
  fail "Tests/package/async.swift failed"
}
cat "$work/output"
[ "$(grep -c -e '^asynchronous: equal$' -e '^asynchronous: invalidSize$' "$work/output")" -eq 2 ] ||
  fail "Tests/package/async.swift did not print what it should"
echo "A package that depends on version $version by its tag builds and runs."
