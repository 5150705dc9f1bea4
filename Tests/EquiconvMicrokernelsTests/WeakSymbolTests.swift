// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The linker keeps one body of each weak symbol, whichever variant it was compiled for. A symbol of one name in two
/// variants could thus bring AVX-512 instructions to a processor without them.
@Suite struct WeakSymbolTests {
  #if arch(x86_64)
    private static let variants = ["Baseline", "AVX2", "AVX512"]
  #elseif arch(arm64)
    private static let variants = ["Baseline", "NEON"]
  #else
    private static let variants = ["Baseline"]
  #endif

  private static let whyNot: Comment = "nm or the microkernels' objects are not here, or the build is a debug build"

  /// The weak symbols of a variant's code, or nil where its objects or `nm` are not to be found. Debug builds can be
  /// imported with @testable, for which the compiler keeps unspecialized generics of the same name in every variant;
  /// such a build is not to be moved to a lesser processor.
  private static let weakCode: [String: [String]]? = {
    #if DEBUG
      return nil
    #else
      return weakCodeOfRelease
    #endif
  }()

  private static let weakCodeOfRelease: [String: [String]]? = {
    var symbols: [String: [String]] = [:]
    for variant in variants {
      guard let found = weakCode(in: "EquiconvMicrokernels" + variant) else { return nil }
      symbols[variant] = found
    }
    return symbols
  }()

  @Test(.enabled(if: weakCode != nil, whyNot))
  func weakCode_ofAVariant_carriesItsModuleName() throws {
    for (variant, symbols) in try #require(Self.weakCode) {
      let module = "EquiconvMicrokernels" + variant
      #expect(symbols.filter { !$0.contains("\(module.utf8.count)\(module)") } == [], "\(variant)")
    }
  }

  @Test(.enabled(if: weakCode != nil, whyNot))
  func weakCode_ofTwoVariants_sharesNoName() throws {
    let symbols = try #require(Self.weakCode)
    for (index, a) in Self.variants.enumerated() {
      for b in Self.variants[..<index] { #expect(Set(symbols[a]!).intersection(symbols[b]!) == [], "\(a), \(b)") }
    }
  }

  /// Type W in the listings of `nm`: weak, and not an object.
  private static func weakCode(in module: String) -> [String]? {
    let objects = objectFiles(of: module)
    guard !objects.isEmpty, let listing = output("nm", ["-P"] + objects) else { return nil }
    return listing.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      return fields.count >= 2 && fields[1] == "W" ? String(fields[0]) : nil
    }
  }

  /// `<products>/<module>.build/*.o` in one of the directories above the running test bundle.
  private static func objectFiles(of module: String) -> [String] {
    var directory = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    for candidate in CommandLine.arguments where candidate.contains(".xctest") {
      directory = URL(fileURLWithPath: candidate).resolvingSymlinksInPath()
    }
    while directory.path.count > 1 {
      directory.deleteLastPathComponent()
      let build = directory.appendingPathComponent(module + ".build")
      let files = (try? FileManager.default.contentsOfDirectory(atPath: build.path)) ?? []
      let objects = files.filter { $0.hasSuffix(".o") }.map { build.appendingPathComponent($0).path }
      if !objects.isEmpty { return objects }
    }
    return []
  }

  private static func output(_ tool: String, _ arguments: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
  }
}
