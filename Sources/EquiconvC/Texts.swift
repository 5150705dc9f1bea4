// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

// One pair of functions for each kind of handle, all of them alike.

private func serialize(
  _ value: () throws(CallError) -> some TextForm, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?,
  _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  withText(capacity, text, length) { () throws(CallError) in
    let value = try value()
    return try engine(value.text())
  }
}

/// Writes the text that `make` gives and a closing 0 where there is room for it, and its length.
func withText(
  _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?,
  _ make: () throws(CallError) -> FixedArray<UInt8>
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let length = try location(length, .length)
    let target = capacity == 0 ? nil : try required(text, .text)
    let bytes = try make()
    if let target {
      // A capacity beyond the numbers of this type is negative here.
      guard capacity > bytes.count || capacity < 0 else {
        throw CallError(
          EQUICONV_ERROR_INVALID_SIZE, .capacity, capacity, expected: "0, or at least \(bytes.count + 1)")
      }
      UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyBytes(from: bytes.elements)
      target[bytes.count] = 0
    }
    length.pointee = bytes.count
  }
}

private func deserialize<Value: TextForm, H: Handle>(
  _ text: UnsafePointer<CChar>?, _ length: Int, _ result: UnsafeMutablePointer<OpaquePointer?>?,
  _ handle: (Value) throws(CallError) -> H
) -> equiconv_status {
  H.create(result) { () throws(CallError) in
    let text = try required(text, .text)
    let bytes = UnsafeBufferPointer(
      start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length < 0 ? .max : length)
    return try handle(try texts(Value(text: bytes)))
  }
}

// MARK: Layers

@_cdecl("equiconv_layer_serialize") @implementation
public func equiconv_layer_serialize(
  _ layer: OpaquePointer?, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  serialize({ () throws(CallError) in try LayerHandle.required(layer).layer.layer }, capacity, text, length)
}

@_cdecl("equiconv_layer_deserialize") @implementation
public func equiconv_layer_deserialize(
  _ text: UnsafePointer<CChar>?, _ length: Int, _ layer: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  deserialize(text, length, layer) { (layer: Layer) throws(CallError) in
    LayerHandle(try engine(PlannedLayer(layer)))
  }
}

// MARK: Groups

@_cdecl("equiconv_group_serialize") @implementation
public func equiconv_group_serialize(
  _ group: OpaquePointer?, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  serialize({ () throws(CallError) in try GroupHandle.required(group).group }, capacity, text, length)
}

@_cdecl("equiconv_group_deserialize") @implementation
public func equiconv_group_deserialize(
  _ text: UnsafePointer<CChar>?, _ length: Int, _ group: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  deserialize(text, length, group) { (group: PointGroup) throws(CallError) in
    try GroupHandle(group)
  }
}

// MARK: Bases

@_cdecl("equiconv_basis_serialize") @implementation
public func equiconv_basis_serialize(
  _ basis: OpaquePointer?, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  serialize({ () throws(CallError) in try BasisHandle.required(basis).basis }, capacity, text, length)
}

@_cdecl("equiconv_basis_deserialize") @implementation
public func equiconv_basis_deserialize(
  _ text: UnsafePointer<CChar>?, _ length: Int, _ basis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  deserialize(text, length, basis) { BasisHandle($0) }
}

@_cdecl("equiconv_group_basis_serialize") @implementation
public func equiconv_group_basis_serialize(
  _ groupBasis: OpaquePointer?, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?,
  _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  serialize({ () throws(CallError) in try GroupBasisHandle.required(groupBasis).basis }, capacity, text, length)
}

@_cdecl("equiconv_group_basis_deserialize") @implementation
public func equiconv_group_basis_deserialize(
  _ text: UnsafePointer<CChar>?, _ length: Int, _ groupBasis: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  deserialize(text, length, groupBasis) { (basis: GroupBasis) throws(CallError) in
    if basis == .full {
      throw CallError(EQUICONV_ERROR_INVALID_TEXT, .text, "of full", expected: "a basis; full is NULL")
    }
    return GroupBasisHandle(basis)
  }
}
