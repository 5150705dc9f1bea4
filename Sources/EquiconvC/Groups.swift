// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

// MARK: Creation

private func create(
  _ result: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(CallError) -> PointGroup
) -> equiconv_status {
  GroupHandle.create(result) { () throws(CallError) in try GroupHandle(make()) }
}

@_cdecl("equiconv_group_create_trivial") @implementation
public func equiconv_group_create_trivial(
  _ dimension: Int32, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in try groups(.trivial(Int(dimension))) }
}

@_cdecl("equiconv_group_create_cyclic") @implementation
public func equiconv_group_create_cyclic(
  _ n: Int64, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in try groups(.cyclic(Int(n))) }
}

@_cdecl("equiconv_group_create_dihedral") @implementation
public func equiconv_group_create_dihedral(
  _ n: Int64, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in try groups(.dihedral(Int(n))) }
}

@_cdecl("equiconv_group_create_reflection") @implementation
public func equiconv_group_create_reflection(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .reflection }
}

@_cdecl("equiconv_group_create_octahedral") @implementation
public func equiconv_group_create_octahedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .octahedral }
}

@_cdecl("equiconv_group_create_full_octahedral") @implementation
public func equiconv_group_create_full_octahedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .fullOctahedral }
}

@_cdecl("equiconv_group_create_tetrahedral") @implementation
public func equiconv_group_create_tetrahedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .tetrahedral }
}

@_cdecl("equiconv_group_create_pyritohedral") @implementation
public func equiconv_group_create_pyritohedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .pyritohedral }
}

@_cdecl("equiconv_group_create_icosahedral") @implementation
public func equiconv_group_create_icosahedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .icosahedral }
}

@_cdecl("equiconv_group_create_full_icosahedral") @implementation
public func equiconv_group_create_full_icosahedral(_ group: UnsafeMutablePointer<OpaquePointer?>?) -> equiconv_status {
  create(group) { .fullIcosahedral }
}

private func axis(_ value: equiconv_axis) throws(CallError) -> PointGroup.Axis {
  let number = Int32(bitPattern: value.rawValue)
  guard let axis = PointGroup.Axis(rawValue: Int(number)) else {
    throw CallError(EQUICONV_ERROR_INVALID_ENUM, .axis, number, expected: "EQUICONV_AXIS_X, _Y or _Z")
  }
  return axis
}

@_cdecl("equiconv_group_create_axial_cyclic") @implementation
public func equiconv_group_create_axial_cyclic(
  _ n: Int64, _ axis: equiconv_axis, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in
    let axis = try EquiconvC.axis(axis)
    return try groups(.axialCyclic(Int(n), axis: axis))
  }
}

@_cdecl("equiconv_group_create_axial_dihedral") @implementation
public func equiconv_group_create_axial_dihedral(
  _ n: Int64, _ axis: equiconv_axis, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in
    let axis = try EquiconvC.axis(axis)
    return try groups(.axialDihedral(Int(n), axis: axis))
  }
}

/// The factors of a scaling, read only if there can be so many.
private func scaleFactors(_ factors: UnsafePointer<Double>?, _ count: Int64) throws(CallError) -> [Double] {
  let factors = try location(factors, .factors)
  let limit = PointGroup.largestOrder
  guard 1...Int64(limit) ~= count else {
    throw .group(.invalidOrder(.count, value: Int(count), limit: limit))
  }
  return Array(UnsafeBufferPointer(start: factors, count: Int(count)))
}

@_cdecl("equiconv_group_create_scaling") @implementation
public func equiconv_group_create_scaling(
  _ dimension: Int32, _ count: Int64, _ factors: UnsafePointer<Double>?, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in
    let factors = try scaleFactors(factors, count)
    return try groups(.scaling(dimension: Int(dimension), factors: factors))
  }
}

@_cdecl("equiconv_group_create_similarity") @implementation
public func equiconv_group_create_similarity(
  _ n: Int64, _ count: Int64, _ factors: UnsafePointer<Double>?, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in
    let factors = try scaleFactors(factors, count)
    return try groups(.similarity(Int(n), factors: factors))
  }
}

@_cdecl("equiconv_group_create_from_matrices") @implementation
public func equiconv_group_create_from_matrices(
  _ dimension: Int32, _ order: Int64, _ matrices: UnsafePointer<Double>?,
  _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(group) { () throws(CallError) in
    let matrices = try location(matrices, .matrices)
    let d = Int(dimension)
    // Before the matrices are read: these two say how many there are.
    guard 1...3 ~= d else { throw .group(.invalidDimension(d)) }
    let limit = PointGroup.largestOrder
    guard 1...Int64(limit) ~= order else {
      throw .group(.invalidOrder(.order, value: Int(order), limit: limit))
    }
    let entries = UnsafeBufferPointer(start: matrices, count: Int(order) * d * d)
    return try groups(PointGroup(dimension: d, copying: entries))
  }
}

@_cdecl("equiconv_group_destroy") @implementation
public func equiconv_group_destroy(_ group: OpaquePointer?) {
  GroupHandle.destroy(group)
}

// MARK: Properties

@_cdecl("equiconv_group_order") @implementation
public func equiconv_group_order(_ group: OpaquePointer?) -> Int64 {
  GroupHandle.property(group, of: 0) { Int64($0.group.order) }
}

@_cdecl("equiconv_group_dimension") @implementation
public func equiconv_group_dimension(_ group: OpaquePointer?) -> Int32 {
  GroupHandle.property(group, of: 0) { Int32($0.group.dimension) }
}

@_cdecl("equiconv_group_is_lattice") @implementation
public func equiconv_group_is_lattice(_ group: OpaquePointer?) -> Int32 {
  GroupHandle.property(group, of: 0) { $0.group.isLattice ? 1 : 0 }
}

@_cdecl("equiconv_group_is_closed") @implementation
public func equiconv_group_is_closed(_ group: OpaquePointer?) -> Int32 {
  GroupHandle.property(group, of: 0) { $0.group.isClosed ? 1 : 0 }
}

@_cdecl("equiconv_group_name") @implementation
public func equiconv_group_name(_ group: OpaquePointer?) -> UnsafePointer<CChar>? {
  GroupHandle.property(group, of: cString("")) { UnsafePointer($0.name) }
}

@_cdecl("equiconv_group_get_matrices") @implementation
public func equiconv_group_get_matrices(
  _ group: OpaquePointer?, _ matrices: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  GroupHandle.copy(group, to: matrices, .matrices) { $0.group.matrixTable }
}

@_cdecl("equiconv_group_get_cayley") @implementation
public func equiconv_group_get_cayley(
  _ group: OpaquePointer?, _ cayley: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  GroupHandle.copy(group, to: cayley, .cayley) { $0.group.cayleyTable }
}

@_cdecl("equiconv_group_get_inverses") @implementation
public func equiconv_group_get_inverses(
  _ group: OpaquePointer?, _ inverses: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  GroupHandle.copy(group, to: inverses, .inverses) { $0.group.inverses }
}

@_cdecl("equiconv_group_get_determinants") @implementation
public func equiconv_group_get_determinants(
  _ group: OpaquePointer?, _ determinants: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  GroupHandle.copy(group, to: determinants, .determinants) { $0.group.determinants }
}

@_cdecl("equiconv_group_get_quadrature_weights") @implementation
public func equiconv_group_get_quadrature_weights(
  _ group: OpaquePointer?, _ weights: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  GroupHandle.copy(group, to: weights, .weights) { $0.group.quadratureWeights }
}

// MARK: Array axes

@_cdecl("equiconv_group_get_axis_actions") @implementation
public func equiconv_group_get_axis_actions(
  _ group: OpaquePointer?, _ axes: UnsafeMutablePointer<Int32>?, _ signs: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let group = try GroupHandle.required(group).group
    let axes = try location(axes, .axes)
    let signs = try location(signs, .signs)
    for element in 0..<group.order {
      let action = group.axisAction(element)
      for axis in 0..<group.dimension {
        axes[element * group.dimension + axis] = Int32(action?.axis(axis) ?? -1)
        signs[element * group.dimension + axis] = Int32(action?.sign(axis) ?? 0)
      }
    }
  }
}

@_cdecl("equiconv_group_get_moved_axes") @implementation
public func equiconv_group_get_moved_axes(
  _ group: OpaquePointer?, _ moved: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  GroupHandle.copy(group, to: moved, .moved) { $0.group.movedAxes.map { $0 ? 1 : 0 } }
}

@_cdecl("equiconv_array_matrix") @implementation
public func equiconv_array_matrix(
  _ dimension: Int32, _ matrix: UnsafePointer<Double>?, _ arrayMatrix: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let d = Int(dimension)
    guard 1...3 ~= d else { throw .group(.invalidDimension(d)) }
    let matrix = try location(matrix, .matrix)
    let result = try location(arrayMatrix, .arrayMatrix)
    let entries = ArrayAxes(count: d).matrix(Array(UnsafeBufferPointer(start: matrix, count: d * d)))
    for (position, entry) in entries.enumerated() { result[position] = entry }
  }
}
