// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvBases
import EquiconvEngine
import _EquiconvErrors
import _EquiconvMemory

/// The most numbers in a list that a basis is made of.
private let largestList = 1 << 20
/// The most rings of circular harmonics.
private let largestRingCount = 4096
/// More points than `equiconv_basis_sample` evaluates functions at.
private let largestPointCount: Int64 = 1 << 40
/// The most functions that `equiconv_basis_sample` evaluates.
private let largestFunctionCount = 1 << 22

/// Gives a new handle to C.
private func create(
  _ result: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(CallError) -> KernelBasis
) -> equiconv_status {
  BasisHandle.create(result) { () throws(CallError) in BasisHandle(try make()) }
}

/// The first `dimension` of the extents, each small enough for sums of a few of them.
private func readExtents(_ dimension: Int32, _ extents: UnsafePointer<Int64>?) throws(CallError) -> [Int] {
  guard 1...3 ~= dimension else {
    throw CallError(EQUICONV_ERROR_INVALID_DIMENSION, .dimension, dimension, expected: "1, 2 or 3")
  }
  let extents = try location(extents, .extents)
  return (0..<Int(dimension)).map { Int(extents[$0]) }
}

/// `count` values of a C array, checked to be a list that can be copied.
private func checkedList<T>(
  _ pointer: UnsafePointer<T>?, _ argument: Argument, count: Int64
) throws(CallError) -> UnsafeBufferPointer<T> {
  guard 1...Int64(largestList) ~= count else {
    throw CallError(EQUICONV_ERROR_INVALID_BASIS, .count, count, expected: "1...\(largestList)")
  }
  return UnsafeBufferPointer(start: try location(pointer, argument), count: Int(count))
}

/// The same, converted: for lists of at most 4096 values.
func readList<T, U>(
  _ pointer: UnsafePointer<T>?, _ argument: Argument, count: Int64, _ convert: (T) -> U
) throws(CallError) -> [U] {
  try checkedList(pointer, argument, count: count).map(convert)
}

// MARK: Creation

@_cdecl("equiconv_basis_create_pixel") @implementation
public func equiconv_basis_create_pixel(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ interpolation: equiconv_interpolation,
  _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    let interpolation = try Interpolation.numbered(interpolation)
    return .pixel(try bases(PixelBasis(extents: extents, interpolation: interpolation)))
  }
}

@_cdecl("equiconv_basis_create_bspline") @implementation
public func equiconv_basis_create_bspline(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ degree: Int32, _ scale: Double,
  _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    return .bSpline(try bases(.dense(extents: extents, degree: Int(degree), scale: scale)))
  }
}

@_cdecl("equiconv_basis_create_atrous_bspline") @implementation
public func equiconv_basis_create_atrous_bspline(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ degree: Int32, _ spacing: Double,
  _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    return .bSpline(try bases(.atrous(extents: extents, degree: Int(degree), spacing: spacing)))
  }
}

@_cdecl("equiconv_basis_create_round_bspline") @implementation
public func equiconv_basis_create_round_bspline(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ degree: Int32, _ radius: Double,
  _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    let radius = radius == Double(EQUICONV_RADIUS_DEFAULT) ? nil : radius
    return .bSpline(try bases(.round(extents: extents, degree: Int(degree), radius: radius)))
  }
}

@_cdecl("equiconv_basis_create_bspline_at") @implementation
public func equiconv_basis_create_bspline_at(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ degree: Int32, _ scale: Double, _ count: Int64,
  _ centers: UnsafePointer<Double>?, _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    let (numbers, overflow) = count.multipliedReportingOverflow(by: Int64(extents.count))
    let list = try checkedList(centers, .centers, count: overflow ? count : numbers)
    return .bSpline(
      try bases(
        BSplineBasis(dimension: extents.count, degree: Int(degree), copying: list, scale: scale, extents: extents)))
  }
}

@_cdecl("equiconv_basis_create_circular_harmonics") @implementation
public func equiconv_basis_create_circular_harmonics(
  _ extent: Int64, _ highestFrequency: Int32, _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    .circularHarmonics(try bases(.standard(extent: Int(extent), highestFrequency: Int(highestFrequency))))
  }
}

@_cdecl("equiconv_basis_create_harmonic_rings") @implementation
public func equiconv_basis_create_harmonic_rings(
  _ extent: Int64, _ count: Int64, _ radii: UnsafePointer<Double>?, _ frequencies: UnsafePointer<Int32>?,
  _ sigma: Double, _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    guard 1...Int64(largestRingCount) ~= count else {
      throw CallError(EQUICONV_ERROR_INVALID_BASIS, .count, count, expected: "1...\(largestRingCount) rings")
    }
    let radii = try readList(radii, .radii, count: count) { $0 }
    let frequencies = try readList(frequencies, .frequencies, count: count) { Int($0) }
    return .circularHarmonics(
      try bases(CircularHarmonicBasis(extent: Int(extent), radii: radii, frequencies: frequencies, sigma: sigma)))
  }
}

@_cdecl("equiconv_basis_create_gaussian_derivatives") @implementation
public func equiconv_basis_create_gaussian_derivatives(
  _ dimension: Int32, _ extents: UnsafePointer<Int64>?, _ order: Int32, _ sigma: Double,
  _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(basis) { () throws(CallError) in
    let extents = try readExtents(dimension, extents)
    return .gaussianDerivatives(
      try bases(
        GaussianDerivativeBasis(dimension: extents.count, order: Int(order), sigma: sigma, extents: extents)))
  }
}

@_cdecl("equiconv_basis_destroy") @implementation
public func equiconv_basis_destroy(_ basis: OpaquePointer?) {
  BasisHandle.destroy(basis)
}

// MARK: Queries

@_cdecl("equiconv_basis_count") @implementation
public func equiconv_basis_count(_ basis: OpaquePointer?) -> Int64 {
  BasisHandle.property(basis, of: 0) { Int64($0.basis.count) }
}

@_cdecl("equiconv_basis_dimension") @implementation
public func equiconv_basis_dimension(_ basis: OpaquePointer?) -> Int32 {
  BasisHandle.property(basis, of: 0) { Int32($0.basis.dimension) }
}

@_cdecl("equiconv_basis_get_extents") @implementation
public func equiconv_basis_get_extents(
  _ basis: OpaquePointer?, _ extents: UnsafeMutablePointer<Int64>?
) -> equiconv_status {
  BasisHandle.copy(basis, to: extents, .extents) { threeExtents($0.basis.extents) }
}

@_cdecl("equiconv_basis_sample") @implementation
public func equiconv_basis_sample(
  _ basis: OpaquePointer?, _ pointCount: Int64, _ points: UnsafePointer<Double>?,
  _ values: UnsafeMutablePointer<Double>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let basis = try BasisHandle.required(basis).basis
    guard 0..<largestPointCount ~= pointCount else {
      throw CallError(EQUICONV_ERROR_INVALID_SIZE, .pointCount, pointCount, expected: "0...2^40 points")
    }
    guard basis.count <= largestFunctionCount else {
      throw CallError(
        EQUICONV_ERROR_TOO_LARGE, .basis, "\(basis.count) functions", expected: "at most 2^22 to sample")
    }
    let points = try location(points, .points)
    let values = try location(values, .values)
    let (dimension, count) = (basis.dimension, basis.count)
    var found = LocalValues()
    for point in 0..<Int(pointCount) {
      try bases(basis.write(at: points + point * dimension, to: values + point * count, found: &found))
    }
  }
}
