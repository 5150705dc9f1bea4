// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

@_cdecl("equiconv_subgroup_create") @implementation
public func equiconv_subgroup_create(
  _ group: OpaquePointer?, _ count: Int64, _ elements: UnsafePointer<Int32>?,
  _ subgroup: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  SubgroupHandle.create(subgroup) { () throws(CallError) in
    let group = try GroupHandle.required(group).group
    let list = try location(elements, .elements)
    guard 1...Int64(group.order) ~= count else {
      throw CallError(
        EQUICONV_ERROR_NOT_A_SUBGROUP, .elements, "a list of \(count)",
        expected: "1...\(group.order), the elements of a subgroup of \(group.name)")
    }
    let stabilizer = (0..<Int(count)).map { Int(list[$0]) }
    let quotient = try groups(HomogeneousSpace(group: group, stabilizer: stabilizer))
    return SubgroupHandle(quotient)
  }
}

@_cdecl("equiconv_subgroup_destroy") @implementation
public func equiconv_subgroup_destroy(_ subgroup: OpaquePointer?) {
  SubgroupHandle.destroy(subgroup)
}

@_cdecl("equiconv_subgroup_order") @implementation
public func equiconv_subgroup_order(_ subgroup: OpaquePointer?) -> Int64 {
  SubgroupHandle.property(subgroup, of: 0) { Int64($0.quotient.stabilizer.count) }
}

@_cdecl("equiconv_subgroup_get_elements") @implementation
public func equiconv_subgroup_get_elements(
  _ subgroup: OpaquePointer?, _ elements: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  SubgroupHandle.copy(subgroup, to: elements, .elements) { $0.quotient.stabilizer.lazy.map(Int32.init) }
}

@_cdecl("equiconv_subgroup_get_left_cosets") @implementation
public func equiconv_subgroup_get_left_cosets(
  _ subgroup: OpaquePointer?, _ coset: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  SubgroupHandle.copy(subgroup, to: coset, .coset) { handle in
    (0..<handle.quotient.group.order).lazy.map { Int32(handle.quotient.coset(of: $0)) }
  }
}
