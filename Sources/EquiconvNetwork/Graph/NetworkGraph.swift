// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// Where the tensors of a network are: a file, or what a program has in memory.
package protocol NetworkTensors {
  /// The tensor of a name; valid as long as its source.
  func tensor(_ name: String) -> NetworkTensor?
}

extension NetworkFile: NetworkTensors {}

/// A network's operations with the types of all values, checked against each other and against their tensors.
///
/// Values are numbered: 0 is the input, k + 1 what operation k writes.
public struct NetworkGraph: Sendable {
  public let document: NetworkDocument
  /// Of each value.
  public let types: [SignalType]
  /// The values that each operation reads.
  let inputs: [[Int]]
  /// How the extents of what each operation writes follow.
  let rules: [ExtentRule]
  /// The value of each output.
  public let outputs: [Int]

  /// - Throws: what does not fit, naming the operation, what it reads and what was expected.
  package init(_ document: NetworkDocument, tensors: some NetworkTensors) throws(NetworkError) {
    self.document = document
    let input = try Self.inputType(document)
    var names = [document.input.name: 0]
    var (types, inputs, rules) = ([input], [[Int]](), [ExtentRule]())
    var work = 0
    for (number, operation) in document.operations.enumerated() {
      let read = try Self.values(document, number, names)
      let check = OperationCheck(
        document: document, number: number, inputs: read.map { types[$0] }, tensors: tensors)
      work += check.subgroupWork
      if work > Limits.groupWork {
        throw .invalid(
          .limit, place: document.place(number), value: "one more subgroup of \(types[read[0]].group?.name ?? "H")",
          expected: "groups whose orders have squares of at most 2^27 in all")
      }
      let (type, rule) = try check.output()
      if names.updateValue(number + 1, forKey: operation.output) != nil {
        throw .document(
          "output of \(document.place(number))", "\"\(operation.output)\"",
          expected: "a name that no other value has")
      }
      types.append(type)
      inputs.append(read)
      rules.append(rule)
    }
    (self.types, self.inputs, self.rules) = (types, inputs, rules)
    outputs = try Self.outputs(document, names, types)
  }

  // MARK: - Checks

  private static func inputType(_ document: NetworkDocument) throws(NetworkError) -> SignalType {
    let input = document.input
    let dimension = input.dimension
    if !(1...3).contains(dimension) { throw .document("input.dimension", dimension, expected: "1, 2 or 3") }
    if input.channels < 1 || input.channels > ExtentRule.largest {
      throw .document("input.channels", input.channels, expected: "1 to 2^48")
    }
    if input.extents.count != dimension {
      throw .document("input.extents", "\(input.extents.count) numbers", expected: "\(dimension), one for each axis")
    }
    for case let extent? in input.extents where extent < 1 || extent > ExtentRule.largest {
      throw .document("input.extents", extent, expected: "1 to 2^48, or null")
    }
    try checkNormalization(input)
    if input.space == .plane { return SignalType(channels: input.channels, extents: input.extents) }
    guard let name = input.group, let group = document.groups[name] else {
      throw .document("input.group", input.group.map { "\"\($0)\"" } ?? "null", expected: "one of the groups")
    }
    if group.dimension != dimension {
      throw .document("input.dimension", dimension, expected: "\(group.dimension), the axes that \(group) acts on")
    }
    do throws(ConvolutionError) {
      return try SignalType(channels: input.channels, space: input.space, group: group, extents: input.extents)
    } catch {
      throw .layer(error, place: "input.space")
    }
  }

  private static func checkNormalization(_ input: NetworkDocument.Input) throws(NetworkError) {
    guard let normalization = input.normalization else { return }
    let place = "input.normalization"
    for (key, numbers) in [("mean", normalization.mean), ("deviation", normalization.deviation)]
    where numbers.count != input.channels {
      throw .document("\(place).\(key)", "\(numbers.count) numbers", expected: "\(input.channels), one a channel")
    }
    if !normalization.scale.isFinite { throw .document("\(place).scale", normalization.scale, expected: "a number") }
    if let mean = normalization.mean.first(where: { !$0.isFinite }) {
      throw .document("\(place).mean", mean, expected: "finite numbers")
    }
    if let deviation = normalization.deviation.first(where: { !($0 > 0 && $0.isFinite) }) {
      throw .document("\(place).deviation", deviation, expected: "positive numbers")
    }
  }

  /// The values that an operation reads, which are there already.
  private static func values(
    _ document: NetworkDocument, _ number: Int, _ names: [String: Int]
  ) throws(NetworkError) -> [Int] {
    var values: [Int] = []
    for (place, name) in document.operations[number].inputs.enumerated() {
      guard let value = names[name] else {
        throw .document(
          "inputs[\(place)] of \(document.place(number))", "\"\(name)\"",
          expected: "the input's name, or what an operation before writes")
      }
      values.append(value)
    }
    return values
  }

  private static func outputs(
    _ document: NetworkDocument, _ names: [String: Int], _ types: [SignalType]
  ) throws(NetworkError) -> [Int] {
    if !(1...Limits.outputs).contains(document.outputs.count) {
      throw .document("outputs", "\(document.outputs.count) signals", expected: "1 to \(Limits.outputs)")
    }
    var values: [Int] = []
    for (number, output) in document.outputs.enumerated() {
      guard let value = names[output.value], value > 0 else {
        throw .document(
          "value of outputs[\(number)] (\(output.name))", "\"\(output.value)\"",
          expected: "what an operation writes")
      }
      if let classes = output.classes, classes.count != types[value].channels {
        throw .document(
          "classes of outputs[\(number)] (\(output.name))", "\(classes.count) names",
          expected: "\(types[value].channels), one for each channel")
      }
      values.append(value)
    }
    return values
  }

  // MARK: - Sizes

  /// The extents of every value for an input of these extents.
  ///
  /// - Throws: where an operation does not fit them, naming it.
  package func extents(input: [Int]) throws(NetworkError) -> [[Int]] {
    var extents = [input]
    for (number, rule) in rules.enumerated() {
      let read = inputs[number].map { extents[$0] }
      // Every operation has an input, which was checked.
      if let other = read.first(where: { $0 != read[0] }) {
        throw .argument(
          "what \(document.place(number)) reads",
          "of extents \(NetworkError.text(read[0])) and \(NetworkError.text(other))",
          expected: "equal extents")
      }
      do throws(ExtentRule.Failure) {
        extents.append(try rule.apply(read[0].map(Optional.some)).map { $0 ?? 1 })
      } catch {
        throw error.error(document.place(number))
      }
    }
    return extents
  }

  /// The number of images and the extents of an input of this shape.
  func checkInput(_ shape: [Int]) throws(NetworkError) -> (batch: Int, extents: [Int]) {
    let type = types[0]
    let axes = 2 + (type.space == .plane ? 0 : 1)
    // Words for an error alone: this is asked in every run.
    func unfit(_ expected: String? = nil) -> NetworkError {
      let sizes = type.extents.map { ", " + ($0.map { "\($0)" } ?? "any") }.joined()
      let fiber = type.space == .plane ? "" : ", \(type.points)"
      return .argument(
        "the shape of the input \(document.input.name)", NetworkError.text(shape),
        expected: expected ?? "(batch, \(type.channels)\(fiber)\(sizes))")
    }
    guard shape.count == axes + type.dimension, shape[1] == type.channels, axes == 2 || shape[2] == type.points
    else { throw unfit() }
    if shape[0] < 0 || shape[0] > ExtentRule.largest { throw unfit("0 to 2^48 images") }
    let extents = Array(shape.suffix(type.dimension))
    for (extent, fixed) in zip(extents, type.extents) where extent != fixed ?? extent { throw unfit() }
    if extents.contains(where: { $0 < 1 || $0 > ExtentRule.largest }) { throw unfit("extents of 1 to 2^48") }
    return (shape[0], extents)
  }

  /// The most numbers of one image of a value. Those of all values, for as many images as there are threads, can be
  /// added up.
  private static let largestImage = Int.limit(40)

  /// The number of elements of one image of a value.
  func count(_ value: Int, extents: [Int]) throws(NetworkError) -> Int {
    let shape = types[value].shape(batch: 1, extents: extents)
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow || product > Self.largestImage {
        throw .invalid(
          .limit, place: name(value), value: "of shape \(NetworkError.text(shape))", expected: "at most 2^40 numbers")
      }
      count = product
    }
    return count
  }

  /// What a value is called in errors: the operation that writes it, or the input.
  func name(_ value: Int) -> String {
    value == 0 ? "the input \(document.input.name)" : "what \(document.place(value - 1)) writes"
  }
}
