// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Where a writer puts tensors: those of the largest numbers first, and among them in the order of their names. So all
/// numbers are aligned, whatever types there are.
struct TensorLayout {
  /// In the order of their names.
  let entries: FixedArray<SafetensorsHeader.Entry>
  /// The bytes of all.
  let count: Int
  /// In the order of the names.
  private let tensors: [NetworkTensor]

  /// - Throws: `argument` for a tensor whose bytes are not those of its type and shape, and for a name that is empty, too
  ///   long or there twice; `limit`; `outOfMemory`.
  init(_ tensors: [NetworkTensor]) throws(NetworkError) {
    if tensors.count > Limits.tensors {
      throw .invalid(
        .limit, place: "tensors", value: "a list of \(tensors.count)", expected: "at most \(Limits.tensors)")
    }
    let named = tensors.sorted { isBefore($0.name, $1.name) }
    for (index, tensor) in named.enumerated() {
      try check(tensor)
      if index > 0, !isBefore(named[index - 1].name, tensor.name) {
        throw .invalid(
          .argument, place: "tensors", value: "\"\(shownText(tensor.name))\" twice", expected: "each name once")
      }
    }
    var starts = [Int](repeating: 0, count: named.count)
    var count = 0
    for index in writingOrder(named) {
      starts[index] = count
      count += named[index].bytes.count
    }
    entries = try CheckedArray<SafetensorsHeader.Entry, NetworkError>(count: named.count) { index in
      let tensor = named[index]
      return .init(
        name: tensor.name, type: tensor.type, shape: tensor.shape,
        range: starts[index]..<starts[index] + tensor.bytes.count)
    }.frozen()
    self.tensors = named
    self.count = count
  }

  func copy(to target: UnsafeMutableRawBufferPointer) {
    for (entry, tensor) in zip(entries, tensors) {
      UnsafeMutableRawBufferPointer(rebasing: target[entry.range]).copyMemory(from: tensor.bytes)
    }
  }
}

/// The places of tensors, which are in the order of their names, in the order of a file.
func writingOrder(_ tensors: some RandomAccessCollection<NetworkTensor>) -> [Int] {
  let types = tensors.map { $0.type.bits }
  return types.indices.sorted { (-types[$0], $0) < (-types[$1], $1) }
}

private func check(_ tensor: NetworkTensor) throws(NetworkError) {
  let place = "tensors[\"\(shownText(tensor.name))\"]"
  if !(1...Limits.name).contains(tensor.name.utf8.count) || tensor.name.utf8.contains(0)
    || tensor.name == SafetensorsHeader.metadataKey
  {
    throw .invalid(
      .argument, place: "\(place).name", value: "of \(tensor.name.utf8.count) bytes",
      expected: "1 to \(Limits.name) bytes without zeros, and not \"\(SafetensorsHeader.metadataKey)\"")
  }
  let count = try NetworkTensor.byteCount(tensor.type, tensor.shape, place: place)
  if tensor.bytes.count != count {
    throw .invalid(
      .argument, place: place, value: "of \(tensor.bytes.count) bytes",
      expected: "the \(count) bytes of \(tensor.type.rawValue) \(listText(tensor.shape))")
  }
}
