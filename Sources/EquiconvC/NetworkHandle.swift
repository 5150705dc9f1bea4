// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvNetwork
import _EquiconvErrors
import _EquiconvMemory

/// What an `equiconv_network` points to: the network, its file, and the names in it as C reads them.
final class NetworkHandle: Handle {
  static let argument = Argument.network
  let network: Network
  let file: NetworkFile
  let scalar: ScalarType
  /// In the order of their names: name and type of tensor i are at 2 i and 2 i + 1.
  let tensors: CTexts
  let outputs: CTexts
  /// Of each output; empty where they have no names.
  let classes: [CTexts]

  init(_ file: NetworkFile, _ mode: Network.Mode) throws(CallError) {
    network = try networks(Network(file, mode: mode))
    self.file = file
    scalar = file.document.scalar == .float32 ? .float32 : .float64
    var texts: [String] = []
    for place in 0..<file.tensorCount {
      let tensor = file.tensor(at: place)
      texts.append(tensor.name)
      texts.append(tensor.type.rawValue)
    }
    tensors = try networks(CTexts(texts))
    outputs = try networks(CTexts(file.document.outputs.map { $0.name }))
    var classes: [CTexts] = []
    for output in file.document.outputs { classes.append(try networks(CTexts(output.classes ?? []))) }
    self.classes = classes
  }

  /// The place of an output, or INDEX_OUT_OF_RANGE.
  func checkOutput(_ index: Int32) throws(CallError) -> Int {
    let count = file.document.outputs.count
    guard 0..<count ~= Int(index) else {
      throw CallError(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, .index, index, expected: "0...\(count - 1)")
    }
    return Int(index)
  }
}

/// Texts that C reads, each with a closing 0, in one piece of memory.
struct CTexts {
  private let bytes: FixedArray<UInt8>
  private let starts: FixedArray<Int>

  init(_ texts: [String]) throws(NetworkError) {
    var bytes = CheckedArray<UInt8, NetworkError>()
    var starts = CheckedArray<Int, NetworkError>()
    for text in texts {
      try starts.append(bytes.count)
      for byte in text.utf8 { try bytes.append(byte) }
      try bytes.append(0)
    }
    self.bytes = bytes.frozen()
    self.starts = starts.frozen()
  }

  var count: Int { starts.count }

  /// Nil for an index beyond; valid as long as this lives.
  subscript(index: Int64) -> UnsafePointer<CChar>? {
    guard 0..<Int64(count) ~= index else { return nil }
    return UnsafeRawPointer(bytes.elements.baseAddress)?.advanced(by: starts[Int(index)])
      .assumingMemoryBound(to: CChar.self)
  }
}
