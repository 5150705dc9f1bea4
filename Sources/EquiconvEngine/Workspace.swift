// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory of one pass: asked for in pieces, allocated once, aligned to 64 bytes, not initialised.
struct Workspace: ~Copyable {
  /// Adds up the pieces before anything is allocated.
  struct Plan {
    private(set) var bytes = 0

    /// Reserves `counts` multiplied together elements of T and returns where they begin, in bytes.
    mutating func reserve<T>(_: T.Type, _ counts: Int...) throws(ConvolutionError) -> Int {
      var size = MemoryLayout<T>.stride
      for count in counts { size = try Self.checked(size.multipliedReportingOverflow(by: max(count, 0))) }
      let start = bytes
      let rounded = try Self.checked(size.addingReportingOverflow(127)) & ~63
      bytes = try Self.checked(bytes.addingReportingOverflow(rounded))
      return start
    }

    private static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(ConvolutionError) -> Int {
      if result.overflow || result.partialValue > 1 << 61 {
        throw ConvolutionError(.outOfMemory, "workspace", "over 2^61 bytes", expected: "memory for it")
      }
      return result.partialValue
    }
  }

  private let base: UnsafeMutableRawPointer

  init(_ plan: Plan) throws(ConvolutionError) {
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, max(plan.bytes, 64)) == 0, let pointer else {
      throw ConvolutionError(.outOfMemory, "workspace", "\(plan.bytes) bytes", expected: "memory for it")
    }
    #if os(Linux)
      // Large pages save the page walks of stencils that touch hundreds of planes.
      let page = 2 << 20
      if plan.bytes >= 2 * page {
        let start = (Int(bitPattern: pointer) + page - 1) & ~(page - 1)
        let length = (Int(bitPattern: pointer) + plan.bytes - start) & ~(page - 1)
        madvise(UnsafeMutableRawPointer(bitPattern: start), length, 14 /* MADV_HUGEPAGE */)
      }
    #endif
    base = pointer
  }

  deinit { free(base) }

  /// The piece that begins `offset` bytes into the workspace.
  func pointer<T>(_ offset: Int, _: T.Type) -> UnsafeMutablePointer<T> {
    (base + offset).assumingMemoryBound(to: T.self)
  }
}
