// SPDX-License-Identifier: Apache-2.0

/// What an error is about: an argument, a place in one, or a quantity that follows from some.
///
///     .stride[1]                          stride[1]
///     .product(.batch, .channels)         batch times channels
///     .size(of: .outputGradient)          the size of outputGradient, in C the size of grad_output
public indirect enum Argument: Hashable, Sendable {
  // Arrays of a pass, and how many.
  case batch, input, weight, bias, output, bank
  case outputGradient, inputGradient, weightGradient, biasGradient
  // Layers.
  case group, dimension, layer, inputSpace, outputSpace, inChannels, outChannels
  case spatial, kernel, stride, padding, dilation, paddingMode, algorithm, interpolation
  case basis, groupBasis, quadrature, channelGroups, dtype, pass
  // Signals.
  case x, other, shape, storage, signal, stabilizer, element, channels, mode, outer, order, inner
  // Groups.
  case n, axis, factors, matrices, subgroup, elements
  // Bases.
  case degree, scale, spacing, radius, centers, extent, extents, radii, frequencies, highestFrequency, sigma
  // Settings.
  case count, bytes
  // What C passes besides: structs, handles, and places for results.
  case descriptor, explanation, call, structSize, prepared, plan, numbers, points, pointCount, values, matrix
  case text, length, capacity, inputShape, weightShape, remainders
  case network, options, path, document, tensors, tensor, name, type, data, index, outputs, outputCount
  case rank, remainder, cayley, inverses, determinants, weights, coset, axes, signs, moved, arrayMatrix
  // What follows from arguments.
  case factorCount, planeCount, paddedSpatial, kernelTaps, fiberPairs, stencilEntries, samplingOperator
  case transformedWeights, workspace, result, run

  /// An element of a list.
  case place(Argument, Int)
  /// A field of a struct.
  case field(Argument, Argument)
  /// A product that must fit in a number.
  case product(Argument, Argument)
  /// The number of elements of an array.
  case size(of: Argument)

  /// An element of the argument, which is a list.
  public subscript(index: Int) -> Argument { .place(self, index) }
}

/// A language that arguments have names in.
public enum Language: Hashable, Sendable {
  case swift, c
}

extension Argument: CustomStringConvertible {
  /// As Swift spells it, for example "stride[1]".
  public var description: String { name(in: .swift) }

  /// As a language spells it.
  public func name(in language: Language) -> String {
    switch self {
    case .batch: "batch"
    case .input: "input"
    case .weight: "weight"
    case .bias: "bias"
    case .output: "output"
    case .bank: "bank"
    case .outputGradient: language == .c ? "grad_output" : "outputGradient"
    case .inputGradient: language == .c ? "grad_input" : "inputGradient"
    case .weightGradient: language == .c ? "grad_weight" : "weightGradient"
    case .biasGradient: language == .c ? "grad_bias" : "biasGradient"
    case .group: "group"
    case .dimension: "dimension"
    case .layer: "layer"
    case .inputSpace: language == .c ? "input_stabilizer" : "inputSpace"
    case .outputSpace: language == .c ? "output_stabilizer" : "outputSpace"
    case .inChannels: language == .c ? "in_channels" : "inChannels"
    case .outChannels: language == .c ? "out_channels" : "outChannels"
    case .spatial: "spatial"
    case .kernel: "kernel"
    case .stride: "stride"
    case .padding: "padding"
    case .dilation: "dilation"
    case .paddingMode: language == .c ? "padding_mode" : "paddingMode"
    case .algorithm: "algorithm"
    case .interpolation: "interpolation"
    case .basis: "basis"
    case .groupBasis: language == .c ? "group_basis" : "groupBasis"
    case .quadrature: "quadrature"
    case .channelGroups: language == .c ? "channel_groups" : "channelGroups"
    case .dtype: "dtype"
    case .pass: "pass"
    case .x: "x"
    case .other: "other"
    case .shape: "shape"
    case .storage: "storage"
    case .signal: "signal"
    case .stabilizer: "stabilizer"
    case .element: "element"
    case .channels: "channels"
    case .mode: "mode"
    case .outer: "outer"
    case .order: "order"
    case .inner: "inner"
    case .n: "n"
    case .axis: "axis"
    case .factors: "factors"
    case .matrices: "matrices"
    case .subgroup: "subgroup"
    case .elements: "elements"
    case .degree: "degree"
    case .scale: "scale"
    case .spacing: "spacing"
    case .radius: "radius"
    case .centers: "centers"
    case .extent: "extent"
    case .extents: "extents"
    case .radii: "radii"
    case .frequencies: "frequencies"
    case .highestFrequency: language == .c ? "highest_frequency" : "highestFrequency"
    case .sigma: "sigma"
    case .count: "count"
    case .bytes: "bytes"
    case .descriptor: "descriptor"
    case .explanation: "explanation"
    case .call: "call"
    case .structSize: language == .c ? "struct_size" : "structSize"
    case .prepared: "prepared"
    case .plan: "plan"
    case .numbers: "numbers"
    case .points: "points"
    case .pointCount: language == .c ? "point_count" : "pointCount"
    case .values: "values"
    case .matrix: "matrix"
    case .text: "text"
    case .length: "length"
    case .capacity: "capacity"
    case .inputShape: language == .c ? "input_shape" : "inputShape"
    case .weightShape: language == .c ? "weight_shape" : "weightShape"
    case .remainders: "remainders"
    case .network: "network"
    case .options: "options"
    case .path: "path"
    case .document: "document"
    case .tensors: "tensors"
    case .tensor: "tensor"
    case .name: "name"
    case .type: "type"
    case .data: "data"
    case .index: "index"
    case .outputs: "outputs"
    case .outputCount: language == .c ? "output_count" : "outputCount"
    case .rank: "rank"
    case .remainder: "remainder"
    case .cayley: "cayley"
    case .inverses: "inverses"
    case .determinants: "determinants"
    case .weights: "weights"
    case .coset: "coset"
    case .axes: "axes"
    case .signs: "signs"
    case .moved: "moved"
    case .arrayMatrix: language == .c ? "array_matrix" : "arrayMatrix"
    case .factorCount: "the number of factors"
    case .planeCount: "the number of planes"
    case .paddedSpatial: "the padded spatial"
    case .kernelTaps: "the taps of a kernel"
    case .fiberPairs: "|X| times |Y|"
    case .stencilEntries: "the number of stencil entries"
    case .samplingOperator: "the sampling operator"
    case .transformedWeights: "the transformed weights"
    case .workspace: "workspace"
    case .result: "the result"
    case .run: "the call"
    case .place(let list, let index): "\(list.name(in: language))[\(index)]"
    case .field(let whole, let field): "\(whole.name(in: language)).\(field.name(in: language))"
    case .product(let a, let b): "\(a.name(in: language)) times \(b.name(in: language))"
    case .size(let array): "the size of \(array.name(in: language))"
    }
  }
}
