// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors

// What turning a signal by an element that maps the grid to itself changes.
extension ConvolutionPlan {
  /// Whether any element but the identity maps the grid to itself.
  var hasTurns: Bool { descriptor.layer.group.latticeSubgroup.count > 1 }

  /// Whether each of these elements but the identity moves every point of the input's fiber.
  var turnsAllInputs: Bool {
    let layer = descriptor.layer
    // The fiber was made when the descriptor was checked.
    guard let fiber = try? layer.input.fiber(of: layer.group, .inputSpace) else { return false }
    return (0..<fiber.count).allSatisfy { point in
      layer.group.latticeSubgroup.allSatisfy { $0 == 0 || ![point, -1].contains(fiber.act($0, point)) }
    }
  }

  /// The plan for signals with the same extents, in ascending order on axes that such elements exchange. It is the same for
  /// a signal and all its turned ones.
  /// - Throws: `outOfMemory`.
  func canonical() throws(ConvolutionError) -> ConvolutionPlan {
    var sorted = descriptor
    for axis in sorted.spatial.indices {
      for later in (axis + 1)..<sorted.spatial.count where sorted.spatial[later] < sorted.spatial[axis] {
        if !areExchanged(axis, later) { continue }
        (sorted.spatial[axis], sorted.spatial[later]) = (sorted.spatial[later], sorted.spatial[axis])
      }
    }
    return sorted.spatial == descriptor.spatial ? self : try .cached(sorted)
  }

  private func areExchanged(_ axis: Int, _ other: Int) -> Bool {
    let group = descriptor.layer.group
    return group.latticeSubgroup.contains { group.axisAction($0)?.axis(axis) == other }
  }
}

extension PassTask {
  /// A task for choices that must not depend on what turning changes, on threads, or on what a call is given: as many
  /// images of the canonical plan, on one thread.
  /// - Throws: `outOfMemory`.
  func canonical(batch: Int, isPrepared: Bool) throws(ConvolutionError) -> PassTask {
    PassTask(
      plan: try plan.canonical(), pass: pass, batch: batch,
      options: PassOptions(
        instructions: options.instructions, threads: 1, workspaceLimit: WorkspaceLimit.initialBytes),
      isPrepared: isPrepared)
  }
}
