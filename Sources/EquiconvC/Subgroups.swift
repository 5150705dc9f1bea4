// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// What an `equiconv_subgroup` points to: a subgroup, and the space that it is the stabilizer of.
final class SubgroupHandle: Handle {
  static let argument = Argument.subgroup
  let quotient: HomogeneousSpace
  /// The same for the engine.
  let space: SignalSpace

  init(_ quotient: HomogeneousSpace) {
    self.quotient = quotient
    space = SignalSpace.quotient(stabilizer: quotient.stabilizer).normalized(quotient.group)
  }

  /// The space H/K of a stabilizer that must be one of `group`.
  static func space(
    of pointer: OpaquePointer?, in group: PointGroup, _ argument: Argument
  ) throws(CallError) -> SignalSpace {
    guard let handle = borrowed(pointer) else {
      throw CallError(EQUICONV_ERROR_NULL_POINTER, argument, "NULL", expected: "a handle")
    }
    guard handle.quotient.group == group else {
      throw CallError(
        EQUICONV_ERROR_NOT_A_SUBGROUP, argument, "a subgroup of \(handle.quotient.group.name)",
        expected: "one of \(group.name), the group of the call")
    }
    return handle.space
  }
}

@_cdecl("equiconv_subgroup_create") @implementation
public func equiconv_subgroup_create(
  _ group: OpaquePointer?, _ count: Int64, _ elements: UnsafePointer<Int32>?,
  _ subgroup: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let result = try location(subgroup, .subgroup)
    let group = try GroupHandle.required(group).group
    let list = try location(elements, .elements)
    guard 1...Int64(group.order) ~= count else {
      throw CallError(
        EQUICONV_ERROR_NOT_A_SUBGROUP, .elements, "a list of \(count)",
        expected: "1...\(group.order), the elements of a subgroup of \(group.name)")
    }
    let stabilizer = (0..<Int(count)).map { Int(list[$0]) }
    let quotient = try groups(HomogeneousSpace(group: group, stabilizer: stabilizer))
    result.pointee = SubgroupHandle(quotient).retainedPointer()
  }
}

@_cdecl("equiconv_subgroup_destroy") @implementation
public func equiconv_subgroup_destroy(_ subgroup: OpaquePointer?) {
  inCall { SubgroupHandle.release(subgroup) }
}

@_cdecl("equiconv_subgroup_order") @implementation
public func equiconv_subgroup_order(_ subgroup: OpaquePointer?) -> Int64 {
  inCall { Int64(SubgroupHandle.borrowed(subgroup)?.quotient.stabilizer.count ?? 0) }
}

@_cdecl("equiconv_subgroup_get_elements") @implementation
public func equiconv_subgroup_get_elements(
  _ subgroup: OpaquePointer?, _ elements: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let stabilizer = try SubgroupHandle.required(subgroup).quotient.stabilizer
    let elements = try location(elements, .elements)
    for (position, element) in stabilizer.enumerated() { elements[position] = Int32(element) }
  }
}

@_cdecl("equiconv_subgroup_get_left_cosets") @implementation
public func equiconv_subgroup_get_left_cosets(
  _ subgroup: OpaquePointer?, _ coset: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let quotient = try SubgroupHandle.required(subgroup).quotient
    let coset = try location(coset, .coset)
    for element in 0..<quotient.group.order { coset[element] = Int32(quotient.coset(of: element)) }
  }
}
