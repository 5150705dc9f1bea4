// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvErrors
import _EquiconvTestSupport

/// A call that must be refused, and how.
struct WrongCall: Sendable, CustomStringConvertible {
  let kind: ConvolutionError.Kind
  let argument: Argument
  let value: String
  let attempt: @Sendable () throws -> Void

  init(
    _ kind: ConvolutionError.Kind, _ argument: Argument, _ value: String,
    _ attempt: @escaping @Sendable () throws -> Void
  ) {
    (self.kind, self.argument, self.value, self.attempt) = (kind, argument, value, attempt)
  }

  var description: String { "\(kind): \(argument) is \(value)" }

  /// Making a plan of a descriptor that `change` has spoilt.
  static func plan(
    _ kind: ConvolutionError.Kind, _ argument: Argument, _ value: String, of group: PointGroup = .c4,
    _ change: @escaping @Sendable (inout ConvolutionDescriptor) -> Void
  ) -> WrongCall {
    WrongCall(kind, argument, value) {
      let spatial = Extents(repeating: 8, count: group.dimension)
      var descriptor = ConvolutionDescriptor(
        kind: .group, group: group, inChannels: 2, outChannels: 3, spatial: spatial,
        kernel: Extents(repeating: 3, count: group.dimension))
      change(&descriptor)
      _ = try ConvolutionPlan(descriptor)
    }
  }

  /// A pass of a good plan with arrays at these addresses.
  static func pass(
    _ kind: ConvolutionError.Kind, _ argument: Argument, _ value: String, batch: Int = 1, in sizes: LayerCase = small,
    _ run: @escaping @Sendable (ConvolutionPlan, Int) throws -> Void
  ) -> WrongCall {
    WrongCall(kind, argument, value) { try run(ConvolutionPlan(sizes.descriptor(.group, .c4)), batch) }
  }

  static let small = LayerCase([8, 8], kernel: [3])

  /// What the call threw, if anything.
  func error() -> ConvolutionError? {
    do {
      try attempt()
      return nil
    } catch {
      return error as? ConvolutionError
    }
  }
}

extension PointGroup {
  static let c4 = try! PointGroup.cyclic(4)
}

private func parse<Value: TextForm>(_: Value.Type, _ text: String) throws {
  var text = text
  do {
    _ = try text.withUTF8 { try Value(text: $0) }
  } catch TextError.layer(let error) {
    throw error
  }
}

/// Addresses that nothing may be read from. The checks come first, or the test ends here.
private func address(_ value: Int) -> UnsafeMutablePointer<Float> { UnsafeMutablePointer(bitPattern: value)! }
private func address64(_ value: Int) -> UnsafeMutablePointer<Double> { UnsafeMutablePointer(bitPattern: value)! }

@Suite struct ErrorTests {
  @Test(arguments: descriptors + enormous + arrays + poolsAndActions + texts)
  func wrongCall_isRefused_namingArgumentAndValue(_ call: WrongCall) {
    let error = call.error()
    #expect(error?.kind == call.kind)
    #expect(error?.argument == call.argument)
    #expect(error?.value == call.value)
    #expect(error?.expected.isEmpty == false)
    #expect(error.map { "\($0)".hasPrefix("\(call.argument) is \(call.value), expected ") } == true)
  }

  /// `outOfMemory` has a test of its own; `invalidEnum` belongs to the C interface: enumerations of Swift have no wrong
  /// values.
  @Test func everyKind_isProvoked() {
    let provoked = Set((Self.descriptors + Self.enormous + Self.arrays + Self.poolsAndActions + Self.texts).map(\.kind))
    #expect(
      provoked.union([.outOfMemory, .cancelled]) == Set(ConvolutionError.Kind.allCases).subtracting([.invalidEnum]))
  }

  private static let texts: [WrongCall] = [
    WrongCall(.invalidText, .text, "\"cyclc(4)\" at byte 17") {
      try parse(PointGroup.self, "equiconv-group/1 cyclc(4)")
    },
    WrongCall(.invalidText, .text, "ended at byte 16") { try parse(KernelBasis.self, "equiconv-basis/1") },
    WrongCall(.invalidText, .text, "\"2 group=cyclic(4)\" at byte 15") {
      try parse(Layer.self, "equiconv-layer/2 group=cyclic(4)")
    },
  ]

  private static let descriptors: [WrongCall] = [
    .plan(.dimensionMismatch, .spatial, "(8)") { $0.spatial = [8] },
    .plan(.dimensionMismatch, .spatial, "(8, 8, 8)") { $0.spatial = [8, 8, 8] },
    .plan(.dimensionMismatch, .kernel, "(3)") { $0.kernel = [3] },
    .plan(.dimensionMismatch, .stride, "(1, 1, 1)") { $0.layer.stride = [1, 1, 1] },
    .plan(.dimensionMismatch, .padding, "(0)") { $0.layer.padding = [0] },
    .plan(.dimensionMismatch, .dilation, "(1)") { $0.layer.dilation = [1] },
    .plan(.dimensionMismatch, .spatial, "(8, 8)", of: .octahedral) { $0.spatial = [8, 8] },
    .plan(.invalidSize, .inChannels, "0") { $0.inChannels = 0 },
    .plan(.invalidSize, .outChannels, "-3") { $0.outChannels = -3 },
    .plan(.invalidSize, .spatial[1], "0") { $0.spatial = [8, 0] },
    .plan(.invalidSize, .kernel[0], "-1") { $0.kernel = [-1, 3] },
    .plan(.invalidStride, .stride[0], "0") { $0.layer.stride = [0, 1] },
    .plan(.invalidStride, .stride[1], "-2") { $0.layer.stride = [1, -2] },
    .plan(.invalidDilation, .dilation[1], "0") { $0.layer.dilation = [1, 0] },
    .plan(.invalidPadding, .padding[0], "-2") { $0.layer.padding = [-2, 0] },
    .plan(.invalidPadding, .padding[1], "\(Int.min)") { $0.layer.padding = [0, .min] },
    .plan(.evenKernel, .kernel[1], "4") { ($0.kernel, $0.layer.padding) = ([3, 4], [-1, -1]) },
    .plan(.kernelTooLarge, .kernel[0], "9") { $0.kernel = [9, 9] },
    .plan(.kernelTooLarge, .kernel[1], "3") { ($0.spatial, $0.layer.dilation) = ([9, 8], [4, 4]) },
    .plan(.kernelTooLarge, .kernel[2], "3", of: .octahedral) { $0.spatial = [3, 3, 2] },
    .plan(.anisotropic, .kernel, "(3, 5)") { $0.kernel = [3, 5] },
    .plan(.anisotropic, .stride, "(1, 2)") { $0.layer.stride = [1, 2] },
    .plan(.anisotropic, .padding, "(1, 0)") { $0.layer.padding = [1, 0] },
    .plan(.anisotropic, .dilation, "(2, 1)") { $0.layer.dilation = [2, 1] },
    .plan(.anisotropic, .kernel, "(3, 3, 1)", of: .octahedral) { $0.kernel = [3, 3, 1] },
    .plan(.anisotropic, .kernel, "(3, 5)", of: try! .cyclic(8)) { $0.kernel = [3, 5] },
    .plan(.notASubgroup, .inputSpace, "[0, 1]") { $0.layer.input = .quotient(stabilizer: [0, 1]) },
    .plan(.notASubgroup, .outputSpace, "[]") { $0.layer.output = .quotient(stabilizer: []) },
    .plan(.notASubgroup, .outputSpace, "[0, 9]") { $0.layer.output = .quotient(stabilizer: [0, 9]) },
    .plan(.notASubgroup, .inputSpace, "[0, 1]", of: try! .scaling(dimension: 2, factors: [1, 2, 3])) {
      $0.layer.input = .quotient(stabilizer: [0, 1])
    },
    .plan(.invalidBasis, .kernel, "(3, 3)") { $0.layer.basis = .circularHarmonics(try! .standard(extent: 5)) },
    .plan(.invalidBasis, .groupBasis, "localized([4])") { $0.layer.groupBasis = .localized([4]) },
    .plan(.invalidBasis, .groupBasis, "localized([0])") {
      ($0.layer.input, $0.layer.groupBasis) = (.plane, .localized([0]))
    },
    .plan(.invalidBasis, .groupBasis, "bSpline(degree: 2, centers: [0.0], scale: 0.5)", of: .octahedral) {
      $0.layer.groupBasis = .bSpline(degree: 2, centers: [0], scale: 0.5)
    },
    .plan(.tooLarge, .kernel, "(3, 3)", of: try! .scaling(dimension: 2, factors: [1, 1024])) { _ in },
    .plan(.tooLarge, .basis, "4225 functions", of: try! .cyclic(8)) {
      $0.spatial = [129, 129]
      $0.kernel = [65, 65]
      $0.layer.basis = .bSpline(try! .dense(extents: [65, 65], degree: 1))
    },
    .plan(.unsupportedAlgorithm, .algorithm, "winograd with stride (2, 2)") {
      ($0.layer.algorithm, $0.layer.stride) = (.winograd, [2, 2])
    },
    .plan(.unsupportedAlgorithm, .algorithm, "fourier with stride (2, 2)") {
      ($0.layer.algorithm, $0.layer.stride) = (.fourier, [2, 2])
    },
  ]

  private static let arrays: [WrongCall] = [
    .pass(.invalidSize, .batch, "-1", batch: -1) { _ = try $0.inputShape(batch: $1) },
    .pass(.invalidSize, .batch, "-1", batch: -1) { _ = try $0.outputShape(batch: $1) },
    .pass(.invalidSize, .batch, "-7", batch: -7) { try run($0, $1, 4096, 8192, 1 << 20) },
    .pass(.misalignedPointer, .input, "at address 4097") { try run($0, $1, 4097, 8192, 1 << 20) },
    .pass(.misalignedPointer, .weight, "at address 8194") { try run($0, $1, 4096, 8194, 1 << 20) },
    .pass(.misalignedPointer, .output, "at address 65539") { try run($0, $1, 4096, 8192, 65539) },
    .pass(.misalignedPointer, .bias, "at address 11") {
      try $0.forward(batch: $1, input: address(4096), weight: address(8192), bias: address(11), output: address(65536))
    },
    .pass(.misalignedPointer, .input, "at address 4100") {
      try $0.forward(
        batch: $1, input: address64(4100), weight: address64(8192), bias: nil, output: address64(1 << 20))
    },
    // Input 4 · 64, weight 4 · 9, output 4 · 36 numbers of 4 bytes.
    .pass(.overlap, .output, "576 bytes at address 4096") { try run($0, $1, 4096, 8192, 4096) },
    .pass(.overlap, .output, "576 bytes at address 5116") { try run($0, $1, 4096, 8192, 5116) },
    .pass(.overlap, .output, "576 bytes at address 3524") { try run($0, $1, 4096, 8192, 3524) },
    .pass(.overlap, .output, "576 bytes at address 8332") { try run($0, $1, 4096, 8192, 8332) },
    .pass(.overlap, .output, "576 bytes at address 65536") {
      try $0.forward(
        batch: $1, input: address(4096), weight: address(8192), bias: address(65536 + 572), output: address(65536))
    },
    .pass(.overlap, .inputGradient, "1024 bytes at address 4096") {
      try $0.inputGradient(
        batch: $1, outputGradient: address(4096), weight: address(8192), inputGradient: address(4096))
    },
    .pass(.overlap, .weightGradient, "144 bytes at address 8192") {
      try $0.weightGradient(
        batch: $1, outputGradient: address(4096), input: address(7424), weightGradient: address(8192))
    },
    .pass(.overlap, .biasGradient, "4 bytes at address 4096") {
      try $0.biasGradient(batch: $1, outputGradient: address(4096), biasGradient: address(4096))
    },
    .pass(.overlap, .bank, "576 bytes at address 8192") { plan, _ in
      try plan.expand(weight: address(8192), bank: address(8192))
    },
  ]

  private static func run(_ plan: ConvolutionPlan, _ batch: Int, _ input: Int, _ weight: Int, _ output: Int) throws {
    try plan.forward(
      batch: batch, input: address(input), weight: address(weight), bias: nil, output: address(output))
  }

  private static let poolsAndActions: [WrongCall] = [
    WrongCall(.invalidSize, .outer, "-1") { try pool(-1, 4, 8) },
    WrongCall(.invalidSize, .order, "0") { try pool(2, 0, 8) },
    WrongCall(.invalidSize, .order, "4097") { try pool(2, 4097, 8) },
    WrongCall(.invalidSize, .inner, "-8") { try pool(2, 4, -8) },
    WrongCall(.sizeOverflow, .inner, "\(1 << 49)") { try pool(2, 4, 1 << 49) },
    WrongCall(.sizeOverflow, .product(.outer, .inner), "\(1 << 40) * \(1 << 40)") { try pool(1 << 40, 4, 1 << 40) },
    WrongCall(.misalignedPointer, .input, "at address 4098") { try pool(2, 4, 8, input: 4098) },
    WrongCall(.overlap, .output, "64 bytes at address 4096") { try pool(2, 4, 8, output: 4096) },
    WrongCall(.nullPointer, .input, "NULL") {
      try groupPoolGradient(
        .max, outer: 2, order: 4, inner: 8, outputGradient: address(4096), input: nil, inputGradient: address(8192))
    },
    WrongCall(.overlap, .inputGradient, "256 bytes at address 4096") {
      try groupPoolGradient(
        .mean, outer: 2, order: 4, inner: 8, outputGradient: address(4096), input: nil, inputGradient: address(4096))
    },
    WrongCall(.indexOutOfRange, .element, "4") { try move(.c4, element: 4) },
    WrongCall(.indexOutOfRange, .element, "-1") { try move(.c4, element: -1) },
    WrongCall(.unsupportedGroup, .element, "1 of C8") { try move(try .cyclic(8), element: 1) },
    WrongCall(.dimensionMismatch, .spatial, "(4, 4)") { try move(.octahedral, element: 1) },
    WrongCall(.invalidSize, .spatial[0], "0") { try move(.c4, element: 1, spatial: [0, 4]) },
    WrongCall(.invalidSize, .batch, "-1") { try move(.c4, element: 1, batch: -1) },
    WrongCall(.invalidSize, .channels, "-2") { try move(.c4, element: 1, channels: -2) },
    WrongCall(.overlap, .output, "64 bytes at address 4096") { try move(.c4, element: 1, output: 4096) },
    WrongCall(.sizeOverflow, .product(.batch, .channels), "\(1 << 40) * \(1 << 40)") {
      try move(.c4, element: 1, batch: 1 << 40, channels: 1 << 40)
    },
  ]

  private static func pool(
    _ outer: Int, _ order: Int, _ inner: Int, input: Int = 4096, output: Int = 1 << 20
  ) throws {
    try groupPool(
      .mean, outer: outer, order: order, inner: inner, input: address(input), output: address(output))
  }

  private static func move(
    _ group: PointGroup, element: Int, batch: Int = 1, channels: Int = 1, spatial: Extents = [4, 4],
    output: Int = 1 << 20
  ) throws {
    try act(
      group, element: element, on: .plane, batch: batch, channels: channels, spatial: spatial, input: address(4096),
      output: address(output))
  }

  // MARK: Enormous sizes

  /// Sizes whose products do not fit, or whose memory nobody has.
  private static let enormous: [WrongCall] = [
    .plan(.sizeOverflow, .inChannels, "\(Int.max)") { $0.inChannels = .max },
    .plan(.sizeOverflow, .spatial[0], "\(1 << 49)") { $0.spatial = [1 << 49, 8] },
    .plan(.sizeOverflow, .padding[1], "\(Int.max)") { $0.layer.padding = [0, .max] },
    .plan(.sizeOverflow, .size(of: .weight), "\(1 << 40) * \(1 << 40)") {
      ($0.inChannels, $0.outChannels) = (1 << 40, 1 << 40)
    },
    .plan(.sizeOverflow, .product(.dilation[0], .kernel[0]), "\(1 << 48) * \(1 << 16)") {
      ($0.kernel, $0.layer.dilation) = ([1 << 16 + 1, 1 << 16 + 1], [1 << 48, 1 << 48])
    },
    .plan(.sizeOverflow, .stencilEntries, "\(1 << 44) * \(1 << 40)") {
      ($0.spatial, $0.kernel) = ([1 << 40, 1 << 40], [1 << 40, 1 << 40])
    },
    .plan(.tooLarge, .kernel, "(1024, 1024)") { ($0.spatial, $0.kernel) = ([1024, 1024], [1024, 1024]) },
    .pass(.sizeOverflow, .batch, "\(Int.max)", batch: .max) { _ = try $0.inputShape(batch: $1) },
    .pass(.sizeOverflow, .size(of: .output), "\(1 << 50) * 1048576", batch: 1 << 48, in: wide(1 << 20)) {
      _ = try $0.outputShape(batch: $1)
    },
  ]

  private static func wide(_ size: Int) -> LayerCase { LayerCase([size, size], kernel: [1]) }

  /// Beyond the 2⁴⁷ bytes a process can address. Refused before any array is touched: the addresses are not real.
  @Test(arguments: LayerKind.allCases)
  func memoryThatNobodyHas_isRefused(_ layer: LayerKind) throws {
    let plan = try ConvolutionPlan(Self.wide(1 << 24).descriptor(layer, .c4))
    let weight = [Float](repeating: 1, count: 4)
    let (array, other) = (address(1 << 60), address(1 << 61))
    let attempts: [() throws -> Void] = [
      { try plan.forward(batch: 1, input: array, weight: weight, bias: nil, output: other) },
      { try plan.inputGradient(batch: 1, outputGradient: array, weight: weight, inputGradient: other) },
      { try plan.weightGradient(batch: 1, outputGradient: array, input: array, weightGradient: other) },
      {
        try plan.gradients(
          batch: 1, outputGradient: array, input: array, weight: weight, inputGradient: other,
          weightGradient: address(1 << 59), biasGradient: nil)
      },
    ]
    for attempt in attempts {
      let error = #expect(throws: ConvolutionError.self) { try attempt() }
      #expect(error?.kind == .outOfMemory && error?.argument == .workspace)
      #expect(error?.value.hasSuffix(" bytes") == true)
    }
  }
}
