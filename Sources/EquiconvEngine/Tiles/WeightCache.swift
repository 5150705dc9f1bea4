// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What transformed weights depend on, beside the numbers.
struct TransformKey: Hashable {
  var pass: Pass
  var method: Method
  var instructions: InstructionSet
  var scalarBytes: Int
}

/// The transformed weights of a plan's recent calls.
///
/// An entry keeps a copy of the weights it was made of, and is used only for weights that are equal to it in every bit: a
/// changed array is never served stale, whatever was changed in it and wherever it lies. All plans together keep at most
/// `byteLimit` bytes, copies included; what was used longest ago goes first.
final class WeightCache: Sendable {
  static let byteLimit = 256 << 20

  private struct Entry {
    let copy: [UInt8]
    let transformed: AnyObject
    let bytes: Int
    var lastUse: Int
  }

  /// Guarded by `ProcessLock`, as is all below.
  private nonisolated(unsafe) var entries: [TransformKey: Entry] = [:]
  private nonisolated(unsafe) static var caches: [ObjectIdentifier: Unowned] = [:]
  private nonisolated(unsafe) static var bytes = 0
  private nonisolated(unsafe) static var clock = 0

  private struct Unowned {
    unowned(unsafe) let cache: WeightCache
  }

  deinit {
    ProcessLock.withLock {
      for entry in entries.values { Self.bytes -= entry.bytes }
      Self.caches[ObjectIdentifier(self)] = nil
    }
  }

  /// The transform of these weights: from an earlier call with the same numbers, or `make`'s.
  func transformed<S: EngineScalar>(
    _ key: TransformKey, weight: UnsafePointer<S>, count: Int,
    _ make: () throws(ConvolutionError) -> TransformedWeights<S>
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let weightBytes = count * MemoryLayout<S>.stride
    let known = ProcessLock.withLock { () -> Entry? in
      Self.clock += 1
      entries[key]?.lastUse = Self.clock
      return entries[key]
    }
    // The comparison runs without the lock; entries never change.
    if let known, Self.isEqual(known.copy, weight, bytes: weightBytes),
      let transformed = known.transformed as? TransformedWeights<S>
    {
      return transformed
    }
    let made = try make()
    let copy = [UInt8](UnsafeRawBufferPointer(start: weight, count: weightBytes))
    keep(key, Entry(copy: copy, transformed: made, bytes: made.bytes + weightBytes, lastUse: 0))
    return made
  }

  private static func isEqual(_ copy: [UInt8], _ weight: UnsafeRawPointer, bytes: Int) -> Bool {
    copy.withUnsafeBytes { copy in
      guard let base = copy.baseAddress, copy.count == bytes else { return copy.count == bytes }
      return memcmp(base, weight, bytes) == 0
    }
  }

  private func keep(_ key: TransformKey, _ entry: Entry) {
    if entry.bytes > Self.byteLimit { return }
    // What is dropped is freed after the lock.
    var dropped: [Entry] = []
    ProcessLock.withLock {
      if let old = entries[key] {
        Self.bytes -= old.bytes
        dropped.append(old)
      }
      Self.clock += 1
      var entry = entry
      entry.lastUse = Self.clock
      entries[key] = entry
      Self.bytes += entry.bytes
      Self.caches[ObjectIdentifier(self)] = Unowned(cache: self)
      while Self.bytes > Self.byteLimit, let oldest = Self.dropOldest() { dropped.append(oldest) }
    }
    withExtendedLifetime(dropped) {}
  }

  private static func dropOldest() -> Entry? {
    let all = caches.values.flatMap { unowned in unowned.cache.entries.map { (unowned.cache, $0.key, $0.value) } }
    guard let (cache, key, entry) = all.min(by: { $0.2.lastUse < $1.2.lastUse }) else { return nil }
    cache.entries[key] = nil
    bytes -= entry.bytes
    return entry
  }
}
