// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvPlatform

/// What transformed weights depend on, beside the numbers.
struct TransformKey: Hashable {
  var pass: Pass
  var method: Method
  var instructions: InstructionSet
  var scalarBytes: Int
}

/// The transformed weights of a plan's recent calls.
///
/// An entry keeps a copy of the weights it was made from, and is used only for weights that equal the copy in every
/// bit. So a changed array never gets stale transforms, whatever changed in it and wherever it lies. Layers of equal
/// sizes share a plan, which therefore keeps a few entries of one kind. All plans together keep at most `byteLimit`
/// bytes, copies included; what was used least recently is dropped first.
final class WeightCache: Sendable {
  static let byteLimit = 256 << 20
  /// Entries of one kind.
  static let entriesPerKey = 4

  private struct Entry {
    let copy: FixedArray<UInt8>
    let transformed: TransformedMemory
    let bytes: Int
    var lastUse: Int
  }

  /// Guarded by `ProcessLock`, as is all below.
  private nonisolated(unsafe) var entries: [TransformKey: [Entry]] = [:]
  private nonisolated(unsafe) static var caches: [ObjectIdentifier: Unowned] = [:]
  private nonisolated(unsafe) static var bytes = 0
  private nonisolated(unsafe) static var clock = 0

  private struct Unowned {
    unowned(unsafe) let cache: WeightCache
  }

  deinit {
    ProcessLock.withLock {
      for entry in entries.values.joined() { Self.bytes -= entry.bytes }
      Self.caches[ObjectIdentifier(self)] = nil
    }
  }

  /// The transform of these weights: from an earlier call with the same numbers, or `make`'s.
  func transformed<S: EngineScalar>(
    _ key: TransformKey, weight: UnsafePointer<S>, count: Int,
    _ make: () throws(ConvolutionError) -> TransformedWeights<S>
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let weightBytes = count * MemoryLayout<S>.stride
    // The comparisons run without the lock: entries never change. Those of other weights differ early.
    let known = ProcessLock.withLock { entries[key] ?? [] }
    if let entry = known.first(where: { Self.isEqual($0.copy, weight, bytes: weightBytes) }) {
      touch(key, entry.transformed)
      // The key holds the size of the scalar.
      return TransformedWeights(entry.transformed)
    }
    let made = try make()
    let copy = try PlanTable<UInt8>(UnsafeRawBufferPointer(start: weight, count: weightBytes))
    keep(key, Entry(copy: copy.frozen(), transformed: made.memory, bytes: made.bytes + weightBytes, lastUse: 0))
    return made
  }

  private static func isEqual(_ copy: FixedArray<UInt8>, _ weight: UnsafeRawPointer, bytes: Int) -> Bool {
    guard let base = copy.elements.baseAddress, copy.count == bytes else { return copy.count == bytes }
    return memcmp(base, weight, bytes) == 0
  }

  private func touch(_ key: TransformKey, _ transformed: TransformedMemory) {
    ProcessLock.withLock {
      Self.clock += 1
      if let index = entries[key]?.firstIndex(where: { $0.transformed === transformed }) {
        entries[key]?[index].lastUse = Self.clock
      }
    }
  }

  private func keep(_ key: TransformKey, _ entry: Entry) {
    if entry.bytes > Self.byteLimit { return }
    // What is dropped is freed after the lock.
    var dropped: [Entry] = []
    ProcessLock.withLock {
      Self.clock += 1
      var entry = entry
      entry.lastUse = Self.clock
      entries[key, default: []].append(entry)
      Self.bytes += entry.bytes
      Self.caches[ObjectIdentifier(self)] = Unowned(cache: self)
      if entries[key, default: []].count > Self.entriesPerKey, let oldest = dropOldest(of: key) {
        dropped.append(oldest)
      }
      while Self.bytes > Self.byteLimit, let oldest = Self.dropOldest() { dropped.append(oldest) }
    }
    withExtendedLifetime(dropped) {}
  }

  private func dropOldest(of key: TransformKey) -> Entry? {
    let list = entries[key] ?? []
    guard let index = list.indices.min(by: { list[$0].lastUse < list[$1].lastUse }) else { return nil }
    entries[key]?.remove(at: index)
    let entry = list[index]
    Self.bytes -= entry.bytes
    return entry
  }

  private static func dropOldest() -> Entry? {
    let all = caches.values.flatMap { unowned in
      unowned.cache.entries.flatMap { key, list in list.map { (unowned.cache, key, $0.lastUse) } }
    }
    guard let (cache, key, _) = all.min(by: { $0.2 < $1.2 }) else { return nil }
    return cache.dropOldest(of: key)
  }
}
