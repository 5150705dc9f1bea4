// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// What a call of a layer is known by at a glance: which layer, and the shapes but for the batch.
struct LayerCall: Equatable {
  /// The number of a `PlannedLayer`; 0 for none.
  var layer: UInt64 = 0
  var input = Shape(rank: 0) { _ in 0 }
  var weight = Shape(rank: 0) { _ in 0 }
}

/// The plans of recent simple calls, so that a loop of equal calls builds stencils once.
private enum PlanCache {
  static let capacity = 64
  /// Most recent first. Guarded by `ProcessLock`.
  nonisolated(unsafe) static var plans: [(descriptor: ConvolutionDescriptor, plan: ConvolutionPlan)] = []
  /// The latest call of a layer that used each plan. Found before descriptors are compared.
  nonisolated(unsafe) static var calls: [LayerCall] = []

  static func find(_ call: LayerCall) -> ConvolutionPlan? {
    var index = 0
    while index < calls.count {
      if calls[index].layer == call.layer && calls[index] == call { return moveToFront(index) }
      index += 1
    }
    return nil
  }

  static func find(_ descriptor: ConvolutionDescriptor, _ call: LayerCall?) -> ConvolutionPlan? {
    guard let index = plans.firstIndex(where: { $0.descriptor == descriptor }) else { return nil }
    if let call { calls[index] = call }
    return moveToFront(index)
  }

  private static func moveToFront(_ index: Int) -> ConvolutionPlan {
    let entry = plans[index]
    if index > 0 {
      plans.remove(at: index)
      plans.insert(entry, at: 0)
      calls.insert(calls.remove(at: index), at: 0)
    }
    return entry.plan
  }

  /// - Returns: the plan that makes room, to be released without the lock, which its weight cache takes.
  static func insert(_ descriptor: ConvolutionDescriptor, _ call: LayerCall?, _ plan: ConvolutionPlan)
    -> ConvolutionPlan?
  {
    var dropped: ConvolutionPlan?
    if plans.count == capacity {
      dropped = plans.removeLast().plan
      calls.removeLast()
    }
    plans.insert((descriptor, plan), at: 0)
    calls.insert(call ?? LayerCall(), at: 0)
    return dropped
  }
}

extension ConvolutionPlan {
  /// The plan of a descriptor, from a cache of the 64 most recent ones.
  public static func cached(_ descriptor: ConvolutionDescriptor) throws(ConvolutionError) -> ConvolutionPlan {
    try cached(descriptor, for: nil)
  }

  /// The plan of a call of a layer, if it is among the 64 most recent ones.
  static func known(_ call: LayerCall) -> ConvolutionPlan? { ProcessLock.withLock { PlanCache.find(call) } }

  /// - Parameter call: what `known` finds the plan by from now on.
  static func cached(
    _ descriptor: ConvolutionDescriptor, for call: LayerCall?
  ) throws(ConvolutionError) -> ConvolutionPlan {
    if let plan = ProcessLock.withLock({ PlanCache.find(descriptor, call) }) { return plan }
    let plan = try ConvolutionPlan(descriptor)
    // Large stencils are not kept: whoever needs one often makes a plan of their own.
    if plan.stencil.terms.count * plan.stencil.mostTerms <= 1 << 18 {
      let dropped = ProcessLock.withLock { PlanCache.insert(descriptor, call, plan) }
      withExtendedLifetime(dropped) {}
    }
    return plan
  }
}
