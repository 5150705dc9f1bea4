// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// Reads the operations of a document.
struct OperationReader {
  let dimension: Int
  let groups: DocumentGroups
  private(set) var operations: [NetworkOperation] = []
  /// The squares of the orders of the groups of operations.
  private var work = 0
  /// Of the bases of layers.
  private var functions = 0

  init(dimension: Int, groups: DocumentGroups) {
    self.dimension = dimension
    self.groups = groups
  }

  mutating func read(_ value: DocumentValue) throws(NetworkError) {
    let count = try value.each(atMost: Limits.operations, "operations") { (item) throws(NetworkError) in
      operations.append(try operation(item))
    }
    if count == 0 { throw value.error("at least one operation") }
  }

  private mutating func operation(_ value: DocumentValue) throws(NetworkError) -> NetworkOperation {
    let fields = try DocumentObject(value)
    let kind = try fields.value("kind")
    guard let keys = Self.keys[try kind.name()] else {
      throw kind.error("an operation that this library knows", .operation)
    }
    var known = ["kind", "name", "inputs", "output"] + keys
    if let more = Self.functionKeys[try functionName(fields)] { known += more }
    try fields.check(known)
    let isMany = kind.isText("add") || kind.isText("concatenate")
    return NetworkOperation(
      try self.kind(try kind.name(), fields), name: try fields.value("name").name(),
      inputs: try fields.value("inputs").names(isMany ? 2...Limits.inputs : 1...1, isMany ? "inputs" : "input"),
      output: try fields.value("output").name())
  }

  /// The keys of each kind, besides those of all.
  private static let keys: [String: [String]] = [
    "convolution": ["layer", "weight", "bias"],
    "transposed_convolution": ["layer", "weight", "bias", "output_padding"],
    "batch_norm": ["mean", "variance", "weight", "bias", "epsilon"],
    "pointwise": ["function"],
    "softmax": [],
    "group_pool": ["mode", "stabilizer"],
    "spatial_max_pool": ["kernel", "stride", "padding"],
    "spatial_mean_pool": ["kernel", "stride", "padding"],
    "spatial_mean": [],
    "upsample": ["mode", "factors"],
    "add": [],
    "concatenate": [],
    "restrict": ["subgroup"],
    "induce": ["group", "stabilizer"],
    "linear": ["weight", "bias"],
    "flatten": [],
  ]

  /// The keys of functions and modes, besides those of their kind.
  private static let functionKeys: [String: [String]] = [
    "pointwise leaky_relu": ["slope"], "pointwise elu": ["alpha"], "upsample linear": ["align_corners"],
  ]

  private func functionName(_ fields: DocumentObject) throws(NetworkError) -> String {
    let kind = try fields.value("kind").name()
    guard let value = fields.optional(kind == "pointwise" ? "function" : "mode") else { return "" }
    return "\(kind) \(try value.name())"
  }

  private mutating func kind(
    _ kind: String, _ fields: DocumentObject
  ) throws(NetworkError) -> NetworkOperation.Kind {
    switch kind {
    case "convolution", "transposed_convolution": try convolution(fields, isTransposed: kind != "convolution")
    case "batch_norm": try batchNorm(fields)
    case "pointwise": .pointwise(try pointwise(fields))
    case "group_pool": try groupPool(fields)
    case "spatial_max_pool": try spatialPool(.max, fields)
    case "spatial_mean_pool": try spatialPool(.mean, fields)
    case "upsample": try upsample(fields)
    case "restrict": .restrict(subgroup: try fields.value("subgroup").elements(below: PointGroup.largestOrder))
    case "induce": try induce(fields)
    case "linear":
      .linear(weight: try fields.value("weight").name(), bias: try fields.optional("bias")?.name())
    case "softmax": .softmax
    case "spatial_mean": .spatialMean
    case "add": .add
    case "concatenate": .concatenate
    default: .flatten
    }
  }

  // MARK: - Layers

  private mutating func convolution(
    _ fields: DocumentObject, isTransposed: Bool
  ) throws(NetworkError) -> NetworkOperation.Kind {
    let layer = try layer(try fields.value("layer"))
    let (weight, bias) = (try fields.value("weight").name(), try fields.optional("bias")?.name())
    if !isTransposed { return .convolution(layer: layer, weight: weight, bias: bias) }
    let padding = try fields.optional("output_padding")?.integers(dimension, in: 0...Limits.size)
    return .transposedConvolution(
      layer: layer, weight: weight, bias: bias, outputPadding: padding ?? Array(repeating: 0, count: dimension))
  }

  private mutating func layer(_ value: DocumentValue) throws(NetworkError) -> Layer {
    guard case .text(let words) = value.value else { throw value.error("the text of a layer") }
    let bytes = try words.decoded()
    let layer: Layer
    do throws(TextError) { layer = try Layer(text: bytes.elements, groups: groups.known) } catch {
      throw NetworkError(error, place: value.place.description)
    }
    withExtendedLifetime(bytes) {}
    if layer.group.dimension != dimension {
      throw value.error(
        "a layer on \(dimension) axes, as the input", showing: "a layer on \(layer.group.dimension) axes")
    }
    try addWork(layer.group, value)
    try addFunctions(layer.basis, value)
    return layer
  }

  /// Counts the tables of bases.
  private mutating func addFunctions(_ basis: KernelBasis?, _ value: DocumentValue) throws(NetworkError) {
    guard let basis else { return }
    // Pixels need no table.
    if case .pixel = basis { return }
    functions += basis.count
    if functions > Limits.functions {
      throw value.error("bases of at most 2^20 functions in all", .limit, showing: "one more of \(basis.count)")
    }
  }

  /// Counts what checks of subgroups cost.
  private mutating func addWork(_ group: PointGroup, _ value: DocumentValue) throws(NetworkError) {
    work += group.order * group.order
    if work > Limits.groupWork {
      throw value.error(
        "groups whose orders have squares of at most 2^27 in all", .limit, showing: "one more of \(group.name)")
    }
  }

  private mutating func induce(_ fields: DocumentObject) throws(NetworkError) -> NetworkOperation.Kind {
    let value = try fields.value("group")
    let (name, group) = (try groups.name(value), try groups.group(value))
    try addWork(group, value)
    let stabilizer = try fields.value("stabilizer")
    let elements = try stabilizer.elements(below: group.order)
    do throws(GroupError) { try group.checkSubgroup(elements) } catch {
      throw .group(error, place: stabilizer.place.description)
    }
    return .induce(group: name, stabilizer: elements)
  }
}
