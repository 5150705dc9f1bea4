// SPDX-License-Identifier: Apache-2.0

/// The methods chosen for a plan's calls.
final class ChoiceCache: Sendable {
  /// What a choice depends on, beside the plan.
  struct Key: Hashable {
    var pass: Pass
    var batch: Int
    var scalarBytes: Int
    var options: PassOptions
    var isPrepared: Bool

    init<S: EngineScalar>(_ task: PassTask<S>) {
      pass = task.pass
      batch = task.batch
      scalarBytes = MemoryLayout<S>.stride
      options = task.options
      isPrepared = task.isPrepared
    }
  }

  /// Batches of ever new sizes should not fill the memory.
  private static let capacity = 64
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var methods: [Key: Method] = [:]

  /// The method chosen before.
  subscript(_ key: Key) -> Method? { ProcessLock.withLock { methods[key] } }

  func keep(_ method: Method, for key: Key) {
    ProcessLock.withLock {
      if methods.count >= Self.capacity { methods.removeAll() }
      methods[key] = method
    }
  }
}
