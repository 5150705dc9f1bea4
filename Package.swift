// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One instruction-set variant of the microkernels: `Target.swift` and a link to the folder of the shared source.
/// Microkernels are unchecked and always optimized; what calls them is checked.
func microkernels(_ variant: String, flags: [String] = []) -> Target {
  .target(
    name: "EquiconvMicrokernels" + variant,
    dependencies: ["_EquiconvShims"],
    exclude: ["Shared/README.md"],
    swiftSettings: [
      .unsafeFlags(
        [
          "-O", "-Ounchecked", "-wmo", "-num-threads", "1",
          // Accumulators only stay in registers if the loops over a tile are unrolled whole.
          "-Xllvm", "-unroll-threshold=4000",
        ] + flags)
    ])
}

// The variants of this architecture, besides the baseline.
#if arch(x86_64)
  let variants = [
    microkernels("AVX2", flags: ["-Xcc", "-march=x86-64-v3"]),
    microkernels("AVX512", flags: ["-Xcc", "-march=x86-64-v4"]),
  ]
#elseif arch(arm64)
  let variants = [microkernels("NEON")]
#else
  let variants: [Target] = []
#endif

/// What is in C guards its stacks and checks its copies, which needs an optimized build; swiftc guards stacks by itself.
let hardened: [CSetting] = [
  .unsafeFlags(["-fstack-protector-strong"]), .define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release)),
]

/// Plans check the offsets that microkernels trust, and workspaces their pieces: in tests, in sanitized builds and for the
/// fuzzer, which set this variable. What users build has no such checks.
let internalChecks: [SwiftSetting] =
  Context.environment["EQUICONV_INTERNAL_CHECKS"] == nil ? [] : [.define("EQUICONV_INTERNAL_CHECKS")]

let package = Package(
  name: "equiconv",
  products: [
    .library(name: "Equiconv", targets: ["Equiconv"]),
    .library(name: "EquiconvC", type: .dynamic, targets: ["EquiconvC"]),
  ],
  targets: [
    // Public API
    .target(
      name: "Equiconv",
      dependencies: [
        "EquiconvBases", "EquiconvEngine", "EquiconvGroups", "EquiconvNetwork", "_EquiconvErrors", "_EquiconvPlatform",
      ]),
    .target(
      name: "EquiconvC",
      dependencies: [
        "CEquiconv", "EquiconvBases", "EquiconvEngine", "EquiconvGroups", "EquiconvInC", "EquiconvNetwork",
        "_EquiconvErrors", "_EquiconvMemory", "_EquiconvPlatform", "_EquiconvShims",
      ]),
    .target(
      name: "EquiconvInC", dependencies: ["_EquiconvShims"], publicHeadersPath: ".",
      cSettings: hardened + [.headerSearchPath("../../include")]),
    .systemLibrary(name: "CEquiconv", path: "include"),
    .systemLibrary(name: "_EquiconvPlatform"),

    // Implementation details
    .target(name: "_EquiconvErrors", exclude: ["README.md"]),
    .target(name: "_EquiconvMemory", dependencies: ["_EquiconvPlatform"], exclude: ["README.md"]),
    .target(
      name: "EquiconvGroups", dependencies: ["_EquiconvErrors", "_EquiconvMemory", "_EquiconvPlatform"],
      exclude: ["README.md"]),
    .target(
      name: "EquiconvBases",
      dependencies: ["EquiconvGroups", "_EquiconvErrors", "_EquiconvMemory", "_EquiconvPlatform"],
      exclude: ["README.md"]),
    .target(
      name: "EquiconvEngine",
      dependencies: [
        "EquiconvBases", "EquiconvGroups", "_EquiconvErrors", "_EquiconvMemory", "EquiconvMicrokernelsBaseline",
        "_EquiconvPlatform", "_EquiconvShims",
      ] + variants.map { .byName(name: $0.name) },
      exclude: ["README.md"],
      swiftSettings: internalChecks),
    microkernels("Baseline"),
    .target(name: "_EquiconvShims", exclude: ["README.md"], cSettings: hardened),
    .target(
      name: "EquiconvNetwork",
      dependencies: [
        "EquiconvBases", "EquiconvEngine", "EquiconvGroups", "_EquiconvErrors", "_EquiconvMemory", "_EquiconvPlatform",
      ],
      exclude: ["README.md"],
      swiftSettings: internalChecks),

    // Measures the constants of the cost model; not a product.
    .executableTarget(
      name: "equiconv-costs", dependencies: ["EquiconvEngine", "EquiconvGroups"], path: "benchmarks/costs"),
    // Unit test bundles
    .target(
      name: "_EquiconvTestSupport", dependencies: ["EquiconvBases", "EquiconvEngine", "EquiconvGroups"],
      path: "Tests/_EquiconvTestSupport"),
    .testTarget(name: "EquiconvGroupsTests", dependencies: ["EquiconvGroups", "_EquiconvTestSupport"]),
    .testTarget(
      name: "EquiconvBasesTests", dependencies: ["EquiconvBases", "EquiconvGroups", "_EquiconvTestSupport"]),
    .testTarget(
      name: "EquiconvMicrokernelsTests",
      dependencies: ["EquiconvEngine", "_EquiconvShims", "_EquiconvTestSupport"]),
    .testTarget(
      name: "EquiconvEngineTests",
      dependencies: [
        "EquiconvBases", "EquiconvEngine", "EquiconvGroups", "_EquiconvErrors", "_EquiconvShims",
        "_EquiconvTestSupport",
      ]),
    .testTarget(
      name: "EquiconvNetworkTests",
      dependencies: [
        "EquiconvEngine", "EquiconvGroups", "EquiconvNetwork", "_EquiconvErrors", "_EquiconvMemory", "_EquiconvShims",
        "_EquiconvTestSupport",
      ]),
    .testTarget(name: "EquiconvTests", dependencies: ["Equiconv", "_EquiconvTestSupport"]),
  ] + variants,
  swiftLanguageModes: [.v6]
)
