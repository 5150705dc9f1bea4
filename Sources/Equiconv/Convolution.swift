// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// A layer with its weights, callable on signals: one of the four linear maps that commute with G = ℝᵈ ⋊ H.
///
/// | layer | from → to | weight | definition, summed over c, x' and, where it occurs, h' |
/// |---|---|---|---|
/// | `.isotropic` | ℝᵈ → ℝᵈ | (O, C, kernel…) | `y[o,x] = b[o] + Σ k̄[o,c](x'−x) f[c,x']` |
/// | `.lifting` | ℝᵈ → G | (O, C, kernel…) | `y[o,h,x] = b[o] + Σ k[o,c](h⁻¹(x'−x)) f[c,x']` |
/// | `.group` | G → G | (O, C, \|H\|, kernel…) | `y[o,h,x] = b[o] + Σ k[o,c](h⁻¹h', h⁻¹(x'−x)) f[c,h',x']` |
/// | `.projection` | G → ℝᵈ | (O, C, \|H\|, kernel…) | `y[o,x] = b[o] + Σ k̄[o,c](h', x'−x) f[c,h',x']` |
///
/// where k̄ is the mean of k over H. Output sizes are (size + 2 padding − reach) / stride + 1, rounded down, with
/// reach = dilation (kernel − 1) + 1. For every g in H, `layer(x.acted(by: g, of: group))` and
/// `layer(x).acted(by: g, of: group)` are equal to the last bit wherever `strideRemainder` is 0.
///
///     let lift = try Convolution(.lifting, group: .cyclic(4), weight: w, padding: .same)
///     let y = try lift(x)
///
/// A value; it may be called from several threads at once. Stencils are kept in a cache of recent plans.
public struct Convolution<Scalar: EngineScalar>: Hashable, Sendable {
  public let layer: Layer
  /// H, a lattice group.
  public let group: PointGroup
  /// (O, C, kernel…) or (O, C, |H|, kernel…). A shape that does not fit is found by the next call.
  public var weight: Tensor<Scalar>
  /// O numbers, each shared by all of H, or nil for none.
  public var bias: [Scalar]?
  public var stride: PerAxis
  public var padding: Padding
  public var dilation: PerAxis
  public var paddingMode: PaddingMode
  public var algorithm: Algorithm

  /// A layer; checks what can be known without a signal: the shapes of weight and bias.
  /// - Throws: `ConvolutionError` naming `weight`, `bias`, `stride`, `padding` or `dilation`.
  public init(
    _ layer: Layer, group: PointGroup, weight: Tensor<Scalar>, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) {
    self.layer = layer
    self.group = group
    self.weight = weight
    self.bias = bias
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.paddingMode = paddingMode
    self.algorithm = algorithm
    try checkWeight()
    try checkBias()
    _ = try descriptor(spatial: Extents(repeating: 1, count: group.dimension))
  }

  /// The layer applied to `x`.
  ///
  /// - Parameter x: (batch, C, spatial…) for isotropic and lifting layers, (batch, C, |H|, spatial…) for the others.
  /// - Returns: (batch, O, spatial…) from isotropic and projection layers, (batch, O, |H|, spatial…) from the others.
  /// - Throws: `ConvolutionError` naming the argument that does not fit, its value and what was expected.
  /// - Complexity: 2 batch · O · |Y| · C · |X| · taps · (outputs of a plane) operations, |X| and |Y| the sizes of the
  ///   fibers; 1/|H| of that for plane outputs.
  public func callAsFunction(_ x: Signal<Scalar>) throws(ConvolutionError) -> Signal<Scalar> {
    let plan = try plan(for: x)
    return try Signal(
      outputSpace,
      Tensor(shape: plan.outputShape(batch: x.batch)) { output throws(ConvolutionError) in
        try plan.forward(batch: x.batch, input: x.storage, weight: weight.storage, bias: bias, output: output)
      })
  }

  /// The filter bank of the equal ordinary convolution, for other libraries.
  ///
  /// `bank[o,h,c,h'](u) = k[o,c](h⁻¹h', h⁻¹u)`, or k̄ for isotropic and projection layers.
  /// - Returns: shape (O |Y|, C |X|, kernel…): output channel o |Y| + h, input channel c |X| + h', where |X| and |Y| are
  ///   |H| for a signal on the group and 1 for one on the plane.
  /// - Throws: `ConvolutionError` where the weight does not fit, or the group is not a lattice group.
  public func expandWeight() throws(ConvolutionError) -> Tensor<Scalar> {
    try checkWeight()
    let kernel = Extents(weight.shape.suffix(group.dimension))
    let plan = try ConvolutionPlan.cached(
      ConvolutionDescriptor(
        layer: layer, group: group, inChannels: weight.shape[1], outChannels: weight.shape[0], spatial: kernel,
        kernel: kernel))
    return try Tensor(shape: plan.bankShape) { bank throws(ConvolutionError) in
      try plan.expand(weight: weight.storage, bank: bank)
    }
  }

  /// (size + 2 padding − reach) mod stride on each axis of a signal with these sizes.
  ///
  /// Where it is not 0 the strided grid is not symmetric about the centre, and elements that turn or reflect that
  /// axis do not commute with the layer.
  /// - Throws: `ConvolutionError` where the layer takes no signal of these sizes.
  public func strideRemainder(spatial: Extents) throws(ConvolutionError) -> Extents {
    try checkWeight()
    return try ConvolutionPlan.cached(descriptor(spatial: spatial)).strideRemainder
  }
}
