// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

extension NetworkPlan {
  /// Whether a step commutes to the last bit with every element that maps the grid of pixels to itself.
  ///
  /// The elements are those of the group on which the step's signals live. For signals on the plane, which belongs to
  /// every group, they are those of all groups of the document.
  ///
  /// - Parameter layer: how the step's layer is computed; nil without one.
  func isExact(_ step: NetworkStep, layer: Explanation?) throws(ConvolutionError) -> Bool {
    if layer?.isExact == false { return false }
    let graph = program.graph
    let read = program.values[step.inputs[0]]
    let extents = extents[read.extents]
    switch step.work {
    case .view, .copy:
      if read == program.values[step.output] { return true }
      return groups(of: step).allSatisfy { group in
        group.order == 1 || read.points == 1 && Self.movesNothing(group, extents)
      }
    case .convolution, .transposed, .spatialPool, .upsample:
      guard let operation = step.operation else { return true }
      for group in groups(of: step) {
        for element in 0..<group.order {
          guard let action = group.axisAction(element) else { continue }
          if try !graph.rules[operation].commutes(with: action, extents: extents) { return false }
        }
      }
      return true
    default: return true
    }
  }

  private func groups(of step: NetworkStep) -> [PointGroup] {
    switch step.work {
    case .convolution(let layer, _), .transposed(let layer, _): return [layer.group]
    default: break
    }
    let graph = program.graph
    return graph.types[program.values[step.inputs[0]].extents].group.map { [$0] } ?? Array(graph.document.groups.values)
  }

  /// Whether elements leave the pixels of an array in the order in which they lie in memory.
  private static func movesNothing(_ group: PointGroup, _ extents: [Int]) -> Bool {
    (0..<group.order).allSatisfy { element in
      guard let action = group.axisAction(element), action.count == extents.count else { return true }
      let long = extents.indices.filter { extents[action.axis($0)] > 1 }
      let order = long.map { action.axis($0) }
      return order == order.sorted() && long.allSatisfy { action.sign($0) > 0 }
    }
  }
}
