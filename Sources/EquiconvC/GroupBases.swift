// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// The list of a basis on H, which has no more functions than the largest group has elements.
private func readFunctions<T, U>(
  _ pointer: UnsafePointer<T>?, _ argument: Argument, count: Int64, _ convert: (T) -> U
) throws(CallError) -> [U] {
  guard 1...Int64(PointGroup.largestOrder) ~= count else {
    throw CallError(EQUICONV_ERROR_INVALID_BASIS, .count, count, expected: "1...\(PointGroup.largestOrder)")
  }
  return try readList(pointer, argument, count: count, convert)
}

@_cdecl("equiconv_group_basis_create_localized") @implementation
public func equiconv_group_basis_create_localized(
  _ count: Int64, _ elements: UnsafePointer<Int32>?, _ groupBasis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  GroupBasisHandle.create(groupBasis) { () throws(CallError) in
    let elements = try readFunctions(elements, .elements, count: count) { Int($0) }
    let ascending = elements.sorted()
    guard ascending[0] >= 0, zip(ascending, ascending.dropFirst()).allSatisfy({ $0 != $1 }) else {
      throw CallError(
        EQUICONV_ERROR_INVALID_BASIS, .elements,
        "\(listText(elements.prefix(512)))\(elements.count > 512 ? " and more" : "")",
        expected: "different numbers of at least 0")
    }
    return GroupBasisHandle(.localized(elements))
  }
}

@_cdecl("equiconv_group_basis_create_bspline") @implementation
public func equiconv_group_basis_create_bspline(
  _ degree: Int32, _ count: Int64, _ centers: UnsafePointer<Double>?, _ scale: Double,
  _ groupBasis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  GroupBasisHandle.create(groupBasis) { () throws(CallError) in
    let centers = try readFunctions(centers, .centers, count: count) { $0 }
    let basis = GroupBasis.bSpline(degree: Int(degree), centers: centers, scale: scale)
    // Degree, centers and scale are checked with any group of rotations.
    let rotations: PointGroup = try groups(.cyclic(1))
    _ = try bases(basis.count(for: rotations))
    return GroupBasisHandle(basis)
  }
}

@_cdecl("equiconv_group_basis_destroy") @implementation
public func equiconv_group_basis_destroy(_ groupBasis: OpaquePointer?) {
  GroupBasisHandle.destroy(groupBasis)
}

@_cdecl("equiconv_group_basis_count") @implementation
public func equiconv_group_basis_count(_ groupBasis: OpaquePointer?) -> Int64 {
  GroupBasisHandle.property(groupBasis, of: 0) {
    switch $0.basis {
    case .localized(let elements): Int64(elements.count)
    case .bSpline(_, let centers, _): Int64(centers.count)
    case .full: 0
    }
  }
}

@_cdecl("equiconv_group_basis_get_matrix") @implementation
public func equiconv_group_basis_get_matrix(
  _ groupBasis: OpaquePointer?, _ group: OpaquePointer?, _ matrix: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let basis = try GroupBasisHandle.required(groupBasis).basis
    let group = try GroupHandle.required(group).group
    let matrix = try location(matrix, .matrix)
    let count = try bases(basis.count(for: group))
    for position in 0..<group.order * count {
      matrix[position] = basis.value(element: position / count, function: position % count, order: group.order)
    }
  }
}
