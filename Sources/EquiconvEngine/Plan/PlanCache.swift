// SPDX-License-Identifier: Apache-2.0

/// The plans of recent simple calls, so that a loop of equal calls builds stencils once.
private enum PlanCache {
  static let capacity = 64
  /// Most recent first. Guarded by `ProcessLock`.
  nonisolated(unsafe) static var plans: [(descriptor: ConvolutionDescriptor, plan: ConvolutionPlan)] = []

  static func find(_ descriptor: ConvolutionDescriptor) -> ConvolutionPlan? {
    guard let index = plans.firstIndex(where: { $0.descriptor == descriptor }) else { return nil }
    let entry = plans[index]
    if index > 0 {
      plans.remove(at: index)
      plans.insert(entry, at: 0)
    }
    return entry.plan
  }

  /// - Returns: the plan that makes room, to be released without the lock: its weight cache takes it.
  static func insert(_ descriptor: ConvolutionDescriptor, _ plan: ConvolutionPlan) -> ConvolutionPlan? {
    let dropped = plans.count == capacity ? plans.removeLast().plan : nil
    plans.insert((descriptor, plan), at: 0)
    return dropped
  }
}

extension ConvolutionPlan {
  /// The plan of a descriptor, from a cache of the 64 most recent ones.
  public static func cached(_ descriptor: ConvolutionDescriptor) throws(ConvolutionError) -> ConvolutionPlan {
    if let plan = ProcessLock.withLock({ PlanCache.find(descriptor) }) { return plan }
    let plan = try ConvolutionPlan(descriptor)
    // Large stencils are worth keeping only by those who make plans of their own.
    if plan.stencil.terms.count * plan.stencil.mostTerms <= 1 << 18 {
      let dropped = ProcessLock.withLock { PlanCache.insert(descriptor, plan) }
      withExtendedLifetime(dropped) {}
    }
    return plan
  }
}
