// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// A layer with everything worked out that does not depend on the numbers: sizes, stencils, memory layouts.
///
/// Immutable; one plan may run on several threads at once. Making one costs O(|H|² taps), times
/// the functions that are not 0 at a point where kernels are sampled between taps.
public final class ConvolutionPlan: Sendable {
  /// The descriptor it was made from, with "same" padding resolved.
  public let descriptor: ConvolutionDescriptor
  /// Sizes as algorithms see them: of signals with their border, where there is one.
  let geometry: Geometry
  /// What is laid out around signals before a pass reads them; nil for what algorithms pad by themselves.
  let border: Border?
  /// Taps of the grid on which all elements sample the kernel; more than `descriptor.kernel` where some enlarge it.
  public let sampledKernel: Extents
  /// (O, C, [points of the input's fiber or functions on H,] kernel…), with (J) for the kernel's extents where kernels are
  /// made of J other functions than pixels.
  public let weightShape: [Int]
  let stencil: Stencil
  let tables: AlgorithmTables
  let choices = ChoiceCache()
  let weightCache = WeightCache()

  /// Checks the descriptor and builds its stencils.
  /// - Throws: the first thing that is wrong with the descriptor, naming argument, value and what was expected; or
  ///   `outOfMemory`.
  public init(_ descriptor: ConvolutionDescriptor) throws(ConvolutionError) {
    let call = Call.begin(.flushing)
    defer { call.end() }
    let resolved = try descriptor.validated()
    let sampled = try resolved.sampledKernel()
    let (outputs, remainders) = try resolved.outputs()
    let sizes = try Geometry(checked: resolved, sampled: sampled.extents, output: outputs)
    let border = Border(resolved.layer.paddingMode, sizes)
    let geometry = border.map(sizes.padded) ?? sizes
    self.descriptor = resolved
    self.geometry = geometry
    self.border = border
    sampledKernel = sampled.extents
    strideRemainder = remainders
    weightShape = try resolved.layer.weightShape(
      outChannels: resolved.outChannels, inChannels: resolved.inChannels, kernel: resolved.kernel)
    stencil = try StencilBuilder(resolved, geometry: geometry, sampled: sampled).stencil()
    try Call.checkNotEnded()
    try Self.checkAlgorithm(resolved.layer, reach: geometry.reach)
    tables = try AlgorithmTables(
      stencil, geometry: geometry, isCircular: resolved.layer.paddingMode == .circular)
    try Call.checkNotEnded()
    _ = try weightCount()
    _ = try bankCount()
  }

  // MARK: - Channels

  /// Layers of equal shape that run beside each other.
  var modules: Int { descriptor.layer.channelGroups }
  /// Channels that each of them sums over, and channels that it computes.
  var moduleInputs: Int { descriptor.inChannels / modules }
  var moduleOutputs: Int { descriptor.outChannels / modules }

  // MARK: - Shapes

  /// |X| and |Y|: points of the fiber, 1 for a plane signal, |H| for a group signal.
  public var inputElements: Int { stencil.inputElements }
  public var outputElements: Int { stencil.outputElements }

  /// Sizes of the output in the order of the array axes.
  public var outputSpatial: Extents { extents(geometry.output) }

  /// (spatial + 2 padding − reach) mod stride on each axis. Where it is not 0, the strided grid is not symmetric about the
  /// center, and elements that turn or reflect that axis do not commute with the layer.
  public let strideRemainder: Extents

  /// (batch, C, spatial…) or (batch, C, |H/K|, spatial…).
  public func inputShape(batch: Int) throws(ConvolutionError) -> [Int] {
    try Self.checkBatch(batch)
    let shape =
      [batch, descriptor.inChannels] + (descriptor.layer.input == .plane ? [] : [inputElements])
      + descriptor.spatial.values
    _ = try Self.count(shape, .input)
    return shape
  }

  /// (batch, O, spatial…) or (batch, O, |H/K|, spatial…).
  public func outputShape(batch: Int) throws(ConvolutionError) -> [Int] { try outputSizes(batch: batch).values }

  /// The same without an allocation.
  func outputSizes(batch: Int) throws(ConvolutionError) -> Shape {
    _ = try outputCount(batch)
    let (spatial, fiber) = (outputSpatial, descriptor.layer.output == .plane ? 0 : 1)
    return Shape(rank: 2 + fiber + spatial.count) { axis in
      switch axis {
      case 0: batch
      case 1: descriptor.outChannels
      case 2 where fiber == 1: outputElements
      default: spatial[axis - 2 - fiber]
      }
    }
  }

  /// (O |Y|, C |X|, kernel…), C being the channels that an output reads, and the kernel's extents `sampledKernel`.
  public var bankShape: [Int] {
    [descriptor.outChannels * outputElements, moduleInputs * inputElements] + sampledKernel.values
  }

  /// The larger extent of the taps in the plane, dilation included.
  package var reach: Int { max(geometry.reach.y, geometry.reach.x) }

  /// Floating-point operations of the definition for one forward run, two for each multiply-add.
  public func flops(batch: Int) -> Double {
    return 2 * Double(batch) * Double(descriptor.outChannels) * Double(moduleInputs) * Double(stencil.termCount)
      * Double(geometry.output.volume)
  }

  private func extents(_ box: Box) -> Extents {
    var extents = descriptor.spatial
    for axis in extents.indices { extents[axis] = box[3 - extents.count + axis] }
    return extents
  }

  /// The number of weight matrices that output points share.
  package var weightBanks: Int { stencil.banks.count }

  // MARK: - Checks

  static func checkBatch(_ batch: Int) throws(ConvolutionError) {
    if batch < 0 { throw ConvolutionError(.invalidSize, .batch, batch, expected: "a number of at least 0") }
    if batch > ConvolutionDescriptor.sizeLimit {
      throw ConvolutionError(.sizeOverflow, .batch, batch, expected: "at most 2^48")
    }
  }

  static func count(_ shape: [Int], _ array: Argument) throws(ConvolutionError) -> Int {
    if shape.contains(0) { return 0 }
    var count = 1
    for size in shape { count = try ConvolutionDescriptor.product(count, size, .size(of: array)) }
    return count
  }

  func inputCount(_ batch: Int) throws(ConvolutionError) -> Int {
    try Self.checkBatch(batch)
    var count = try ConvolutionDescriptor.product(batch, descriptor.inChannels, .size(of: .input))
    let signal = border?.signal ?? geometry.input
    for size in [inputElements, signal.z, signal.y, signal.x] {
      count = try ConvolutionDescriptor.product(count, size, .size(of: .input))
    }
    return count
  }

  func outputCount(_ batch: Int) throws(ConvolutionError) -> Int {
    try Self.checkBatch(batch)
    var count = try ConvolutionDescriptor.product(batch, descriptor.outChannels, .size(of: .output))
    for size in [outputElements, geometry.output.z, geometry.output.y, geometry.output.x] {
      count = try ConvolutionDescriptor.product(count, size, .size(of: .output))
    }
    return count
  }

  func weightCount() throws(ConvolutionError) -> Int { try Self.count(weightShape, .weight) }

  func bankCount() throws(ConvolutionError) -> Int { try Self.count(bankShape, .bank) }
}
