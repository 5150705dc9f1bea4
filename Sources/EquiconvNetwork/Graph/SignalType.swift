// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

public import EquiconvEngine
public import EquiconvGroups

/// What a value of a network is: its channels, where it lives, and its extents as far as they are known.
///
/// An array of it is (batch, channels, [points,] extents…).
public struct SignalType: Hashable, Sendable {
  public let channels: Int
  /// Normalized: no quotient by all of H or by the identity alone.
  public let space: SignalSpace
  /// H; nil on the plane, which belongs to every group.
  public let group: PointGroup?
  /// Points of the fiber; 1 on the plane.
  public let points: Int
  /// Of each spatial axis, nil for any; empty for values without spatial axes.
  public let extents: [Int?]

  /// A signal on the plane, or without any space.
  init(channels: Int, extents: [Int?]) {
    self.channels = channels
    space = .plane
    group = nil
    points = 1
    self.extents = extents
  }

  /// A signal on a space of a group.
  /// - Throws: `notASubgroup`.
  init(channels: Int, space: SignalSpace, group: PointGroup, extents: [Int?]) throws(ConvolutionError) {
    self.channels = channels
    self.space = space.normalized(group)
    self.group = self.space == .plane ? nil : group
    points = self.space == .plane ? 1 : try space.fiber(of: group, .stabilizer).count
    self.extents = extents
  }

  private init(_ type: SignalType, channels: Int, extents: [Int?]) {
    self.channels = channels
    space = type.space
    group = type.group
    points = type.points
    self.extents = extents
  }

  /// The same with another number of channels, or other extents.
  func with(channels: Int? = nil, extents: [Int?]? = nil) -> SignalType {
    SignalType(self, channels: channels ?? self.channels, extents: extents ?? self.extents)
  }

  /// The number of spatial axes; 0 after a mean over space, for example.
  public var dimension: Int { extents.count }

  /// Whether it is a vector: neither spatial axes nor a fiber.
  public var isVector: Bool { dimension == 0 && space == .plane }

  /// The shape of an array of it, for so many images of these extents.
  public func shape(batch: Int, extents: [Int]) -> [Int] {
    [batch, channels] + (space == .plane ? [] : [points]) + extents
  }

  /// Whether it lives on the same space as another value, up to errors of matrices below 10⁻⁹.
  func livesWith(_ other: SignalType) -> Bool { livesOn(other.space, of: other.group) }

  /// Whether it lives on this normalized space.
  func livesOn(_ space: SignalSpace, of group: PointGroup?) -> Bool {
    if self.space != space { return false }
    guard let mine = self.group, let group else { return self.group == nil && group == nil || space == .plane }
    return mine.isSame(as: group)
  }
}

extension SignalType: CustomStringConvertible {
  /// For example "8 channels on the group C4 with extents (any, 32)".
  public var description: String { "\(channels) channel\(channels == 1 ? "" : "s") on \(place)" }

  /// For example "the group C4 with extents (any, 32)".
  var place: String {
    if isVector { return "no space (a vector)" }
    let sizes = extents.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
    return Self.name(space, group) + (dimension == 0 ? " without spatial axes" : " with extents (\(sizes))")
  }

  /// For example "the group C4".
  static func name(_ space: SignalSpace, _ group: PointGroup?) -> String {
    let name = group?.name ?? "any group"
    return switch space {
    case .plane: "the plane"
    case .group: "the group \(name)"
    case .quotient(let stabilizer) where stabilizer.count <= 8: "the quotient of \(name) by \(listText(stabilizer))"
    case .quotient(let stabilizer): "the quotient of \(name) by \(stabilizer.count) elements"
    }
  }
}

extension PointGroup {
  /// Whether another group has the same elements in the same order, up to 10⁻⁹: matrices may have come by other ways.
  func isSame(as other: PointGroup) -> Bool {
    if self == other { return true }
    if dimension != other.dimension || order != other.order { return false }
    return zip(matrixTable, other.matrixTable).allSatisfy { abs($0 - $1) <= 1e-9 }
  }
}
