// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// A layer with its weights, callable on signals: a linear map between signals on two homogeneous spaces of
/// G = ℝᵈ ⋊ H that commutes with G.
///
/// | layer | from → to | weight | definition, summed over c, x' and, where it occurs, h' |
/// |---|---|---|---|
/// | `.isotropic` | ℝᵈ → ℝᵈ | (O, C, kernel…) | `y[o,x] = b[o] + Σ k̄[o,c](x'−x) f[c,x']` |
/// | `.lifting` | ℝᵈ → G | (O, C, kernel…) | `y[o,h,x] = b[o] + Σ k[o,c](h⁻¹(x'−x)) / |det h| f[c,x']` |
/// | `.group` | G → G | (O, C, \|H\|, kernel…) | `y[o,h,x] = b[o] + Σ k[o,c](h⁻¹h', h⁻¹(x'−x)) / |det h| f[c,h',x']` |
/// | `.projection` | G → ℝᵈ | (O, C, \|H\|, kernel…) | `y[o,x] = b[o] + Σ k̄[o,c](h', x'−x) f[c,h',x']` |
///
/// where k̄ is the mean of k over H. These are the corners of one operator between ℝᵈ × H/K and ℝᵈ × H/K' for any
/// subgroups, whose kernel is averaged over K' (Bekkers, ICLR 2020, Theorem 1); `init(from:to:…)` makes any of them.
///
/// Kernels are pixels unless `basis` says otherwise; then (J) coefficients stand for the extents in the weight's shape.
/// Output sizes are (size + 2 padding − reach) / stride + 1, rounded down, with reach = dilation (kernel − 1) + 1. For every g
/// in H that maps the grid to itself, `layer(x.acted(by: g, of: group))` and `layer(x).acted(by: g, of: group)` are equal
/// wherever `strideRemainder` is 0: to the last bit with `algorithm: .exact`, and with `.auto` unless that is expected to
/// take more than 10 % longer; see `explain`.
///
///     let lift = try Convolution(.lifting, group: .cyclic(4), weight: w, padding: .same)
///     let y = try lift(x)
///
/// A value; it may be called from several threads at once. Stencils are kept in a cache of recent plans.
public struct Convolution<Scalar: EngineScalar>: Hashable, Sendable {
  /// The layer without its weights. The next call finds what does not fit.
  public var layer: Layer
  /// (O, C, [|H/K|,] kernel…). The next call finds a shape that does not fit.
  public var weight: Tensor<Scalar>
  /// O numbers, each shared by all of H, or nil for none.
  public var bias: [Scalar]?

  /// H.
  public var group: PointGroup { layer.group }
  /// Where the input lives.
  public var inputSpace: SignalSpace { layer.input }
  /// Where the output lives.
  public var outputSpace: SignalSpace { layer.output }

  /// One of the four named layers; checks what can be known without a signal: the shapes of weight and bias.
  /// - Throws: `ConvolutionError` naming `weight`, `bias`, `stride`, `padding`, `dilation` or a basis.
  public init(
    _ kind: LayerKind, group: PointGroup, weight: Tensor<Scalar>, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto,
    interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil, groupBasis: GroupBasis = .full,
    usesQuadrature: Bool = false, channelGroups: Int = 1
  ) throws(ConvolutionError) {
    try self.init(
      from: kind.input, to: kind.output, group: group, weight: weight, bias: bias, stride: stride, padding: padding,
      dilation: dilation, paddingMode: paddingMode, algorithm: algorithm, interpolation: interpolation, basis: basis,
      groupBasis: groupBasis, usesQuadrature: usesQuadrature, channelGroups: channelGroups)
  }

  /// The layer between signals on ℝᵈ × H/K and on ℝᵈ × H/K'.
  /// - Throws: as the other initializer; also for stabilizers that are not subgroups.
  public init(
    from input: SignalSpace, to output: SignalSpace, group: PointGroup, weight: Tensor<Scalar>, bias: [Scalar]? = nil,
    stride: PerAxis = 1, padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros,
    algorithm: Algorithm = .auto, interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil,
    groupBasis: GroupBasis = .full, usesQuadrature: Bool = false, channelGroups: Int = 1
  ) throws(ConvolutionError) {
    let dimension = group.dimension
    layer = try Layer(
      from: input, to: output, group: group, stride: stride.extents(.stride, dimension: dimension),
      padding: padding.extents(dimension: dimension), dilation: dilation.extents(.dilation, dimension: dimension),
      paddingMode: paddingMode, algorithm: algorithm, interpolation: interpolation, basis: basis,
      groupBasis: groupBasis, usesQuadrature: usesQuadrature, channelGroups: channelGroups
    ).validated()
    self.weight = weight
    self.bias = bias
    try checkWeight()
    try checkBias()
  }

  /// The layer applied to `x`.
  ///
  /// - Parameter x: (batch, C, spatial…) on the plane, (batch, C, |H/K|, spatial…) elsewhere.
  /// - Returns: (batch, O, spatial…) on the plane, (batch, O, |H/K'|, spatial…) elsewhere.
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
  /// `bank[o,h,c,h'](u) = k[o,c](h⁻¹h', h⁻¹u) / |det h|`, or its mean over the elements h of an output point.
  /// - Returns: shape (O |Y|, C |X|, kernel…): output channel o |Y| + h, input channel c |X| + h', where |X| and |Y| are
  ///   the sizes of the fibers, 1 for the plane; kernel extents grow with the largest scale of H.
  /// - Throws: `ConvolutionError` where the weight does not fit.
  public func expandedWeight() throws(ConvolutionError) -> Tensor<Scalar> {
    let plan = try ConvolutionPlan.cached(layer.descriptorOfKernels(weight: weight.shape))
    return try Tensor(shape: plan.bankShape) { bank throws(ConvolutionError) in
      try plan.expand(weight: weight.storage, bank: bank)
    }
  }

  /// (size + 2 padding − reach) mod stride on each axis of a signal with these sizes.
  ///
  /// Where it is not 0 the strided grid is not symmetric about the center, and elements that turn or reflect that
  /// axis do not commute with the layer.
  /// - Throws: `ConvolutionError` if no signal of these sizes fits the layer.
  public func strideRemainder(spatial: Extents) throws(ConvolutionError) -> Extents {
    try checkWeight()
    return try ConvolutionPlan.cached(descriptor(spatial: spatial)).strideRemainder
  }
}

extension Convolution: CustomStringConvertible {
  /// For example "Convolution<Float> plane → group of C4, weight of shape (8, 3, 5, 5), padding same".
  public var description: String {
    "Convolution<\(Scalar.self)> \(layer.spacesText), weight of shape \(shapeText(weight.shape))"
      + (bias == nil ? "" : ", bias") + layer.optionsText
  }
}
