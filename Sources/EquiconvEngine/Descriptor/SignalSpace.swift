// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors

/// Where a signal lives: on ℝᵈ × H/K for a subgroup K of H, the stabilizer of the origin.
///
/// | case | K | array |
/// |---|---|---|
/// | `.plane` | H | (batch, channels, spatial…) |
/// | `.group` | {e} | (batch, channels, \|H\|, spatial…) |
/// | `.quotient` | any subgroup | (batch, channels, \|H/K\|, spatial…) |
///
/// Points of H/K are numbered as by `HomogeneousSpace`.
public enum SignalSpace: Hashable, Sendable {
  case plane
  case group
  /// The elements of K, in any order. K = H and K = {e} mean `.plane` and `.group`.
  case quotient(stabilizer: [Int])

  /// The fiber H/K.
  /// - Throws: `notASubgroup`, naming `argument`.
  package func fiber(of group: PointGroup, _ argument: Argument) throws(ConvolutionError) -> HomogeneousSpace {
    switch self {
    case .plane: return .plane(group)
    case .group: return .group(group)
    case .quotient(let stabilizer):
      do throws(GroupError) {
        return try HomogeneousSpace(group: group, stabilizer: stabilizer)
      } catch {
        throw ConvolutionError(
          .notASubgroup, argument, listText(stabilizer),
          expected: { "the elements of a subgroup: \(error.message(in: $0))" })
      }
    }
  }

  /// The same space; a quotient by all of H becomes `.plane`, one by {e} `.group`.
  package func normalized(_ group: PointGroup) -> SignalSpace {
    guard case .quotient(let stabilizer) = self else { return self }
    let sorted = stabilizer.sorted()
    if sorted == Array(0..<group.order) { return .plane }
    return sorted == [0] ? .group : .quotient(stabilizer: sorted)
  }
}

extension SignalSpace: CustomStringConvertible {
  /// For example "group" or "quotient(stabilizer: [0, 1])".
  public var description: String {
    switch self {
    case .plane: "plane"
    case .group: "group"
    case .quotient(let stabilizer): "quotient(stabilizer: \(listText(stabilizer)))"
    }
  }
}

#if !hasFeature(Embedded)
  extension SignalSpace: Codable {}
#endif
