// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// One wrong call and the text of its error.
struct WrongCall: Sendable, CustomTestStringConvertible {
  let message: String
  let call: @Sendable () throws -> Any

  init(_ message: String, _ call: @escaping @Sendable () throws -> Any) {
    self.message = message
    self.call = call
  }

  var testDescription: String { message }
}

/// Every wrong argument is refused by name, with its value and what was expected.
@Suite struct ErrorTests {
  @Test(arguments: wrongSignals + wrongWeights + wrongSampling + wrongGradients + wrongActions)
  func wrongCallNamesArgumentValueAndExpectation(_ wrong: WrongCall) throws {
    let error = try #require(throws: ConvolutionError.self) { _ = try wrong.call() }
    #expect(error.description == wrong.message)
  }

  @Test func groupsOfNoOrderAreRefused() {
    #expect(throws: GroupError.invalidOrder(.n, value: 0, limit: 4096)) { try PointGroup.cyclic(0) }
  }
}

private func zeros(_ space: SignalSpace, _ shape: Int...) throws -> Signal<Float> { try .zeros(space, shape: shape) }

private func lift(
  _ x: Signal<Float>, _ weight: [Int], _ group: PointGroup, bias: [Float]? = nil, stride: PerAxis = 1,
  padding: Padding = .valid, dilation: PerAxis = 1, algorithm: Algorithm = .auto
) throws -> Signal<Float> {
  try Convolution(
    .lifting, group: group, weight: .zeros(shape: weight), bias: bias, stride: stride, padding: padding,
    dilation: dilation, algorithm: algorithm)(x)
}

private func layer(_ kind: LayerKind, _ weight: Int...) throws -> Convolution<Float> {
  try Convolution(kind, group: .cyclic(4), weight: .zeros(shape: weight))
}

private let wrongSignals = [
  WrongCall("storage is of 5 numbers, expected 6 for shape (2, 3)") {
    try Tensor<Float>(shape: [2, 3], storage: [1, 2, 3, 4, 5])
  },
  WrongCall("shape[1] is -3, expected a number of at least 0") { try Tensor<Float>.zeros(shape: [2, -3]) },
  WrongCall("shape is (4294967296, 4294967296), expected at most 2^59 numbers") {
    try Tensor<Float>.zeros(shape: [1 << 32, 1 << 32])
  },
  WrongCall("the result is of 1125899906842624 bytes, expected memory for it") {
    try Tensor<Float>.zeros(shape: [1 << 48])
  },
  WrongCall(
    "shape is (1, 3), expected (batch, channels, spatial...) with 1 to 3 spatial axes for a signal on the plane"
  ) { try zeros(.plane, 1, 3) },
  WrongCall(
    "shape is (1, 3, 4), expected (batch, channels, |H|, spatial...) with 1 to 3 spatial axes for a signal on the group"
  ) { try zeros(.group, 1, 3, 4) },
  WrongCall("shape[3] is 0, expected a number of at least 1") { try zeros(.plane, 1, 1, 5, 0) },
  WrongCall(
    "x is on the group, of shape (1, 1, 4, 5, 5), expected a signal on the plane with 2 spatial axes, as C4 acts on"
  ) { try lift(zeros(.group, 1, 1, 4, 5, 5), [1, 1, 3, 3], .cyclic(4)) },
  WrongCall("x is on the plane, of shape (1, 1, 5), expected 2 spatial axes, as C4 acts on") {
    try lift(zeros(.plane, 1, 1, 5), [1, 1, 3, 3], .cyclic(4))
  },
  WrongCall("x is on the plane, of shape (1, 1, 5, 5), expected 1 spatial axis, as reflection acts on") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3], .reflection)
  },
  WrongCall("x is on the group, of shape (1, 1, 8, 5, 5), expected |H| = 4 of C4 on axis 2") {
    try layer(.group, 1, 1, 4, 3, 3)(zeros(.group, 1, 1, 8, 5, 5))
  },
]

private let wrongWeights = [
  WrongCall("weight is of shape (1, 3, 3), expected shape (O, C, k, k) for the layer plane → group of C4") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 3, 3], .cyclic(4))
  },
  WrongCall("weight is of shape (1, 1, 3, 3), expected shape (O, C, |H|, k, k) for the layer group → plane of C4") {
    try layer(.projection, 1, 1, 3, 3)
  },
  WrongCall("weight is of shape (1, 1, 3, 3, 3), expected shape (O, C, |H|, k, k) with |H| = 4 of C4 on axis 2") {
    try layer(.group, 1, 1, 3, 3, 3)
  },
  WrongCall("weight is of shape (0, 1, 3, 3), expected a size of at least 1 on every axis") {
    try lift(zeros(.plane, 1, 1, 5, 5), [0, 1, 3, 3], .cyclic(4))
  },
  WrongCall(
    "weight is of shape (1, 4, 3, 3), expected 2 on axis 1, the channels of x on the plane, of shape (1, 2, 5, 5)"
  ) { try lift(zeros(.plane, 1, 2, 5, 5), [1, 4, 3, 3], .cyclic(4)) },
  WrongCall("bias is of 2 numbers, expected 3, one for each output channel of weight of shape (3, 1, 3, 3)") {
    try lift(zeros(.plane, 1, 1, 5, 5), [3, 1, 3, 3], .cyclic(4), bias: [1, 2])
  },
  WrongCall("weight is of shape (1, 1, 3), expected shape (O, C, k, k) for the layer plane → group of C4") {
    var layer = try Convolution<Float>(.lifting, group: .cyclic(4), weight: .zeros(shape: [1, 1, 3, 3]))
    layer.weight = try .zeros(shape: [1, 1, 3])
    return try layer(zeros(.plane, 1, 1, 5, 5))
  },
  WrongCall("kernel is (3, 5), expected equal numbers on axes 0 and 1, which C4 exchanges") {
    try lift(zeros(.plane, 1, 1, 7, 7), [1, 1, 3, 5], .cyclic(4))
  },
  WrongCall(
    "kernel[0] is 9, expected a reach of dilation (kernel - 1) + 1 = 9 within the padded input of 5 + 2 * 1 = 7"
  ) { try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 9, 9], .cyclic(4), padding: 1) },
]

private let wrongSampling = [
  WrongCall("stride[0] is 0, expected a positive number") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3, 3], .cyclic(4), stride: 0)
  },
  WrongCall("stride is (1, 1, 1), expected 2 numbers, as the group acts on") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3, 3], .cyclic(4), stride: [1, 1, 1])
  },
  WrongCall("dilation is (), expected 2 numbers, as the group acts on") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3, 3], .cyclic(4), dilation: [])
  },
  WrongCall("dilation[0] is -2, expected a positive number") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3, 3], .cyclic(4), dilation: -2)
  },
  WrongCall("padding[0] is -1, expected a number of at least 0, or .same") {
    try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 3, 3], .cyclic(4), padding: -1)
  },
  WrongCall(
    "kernel[0] is 4, expected an odd extent with padding \"same\": an even kernel has no symmetric padding that keeps "
      + "the size"
  ) { try lift(zeros(.plane, 1, 1, 5, 5), [1, 1, 4, 4], .cyclic(4), padding: .same) },
  WrongCall("the result is of 1125899906842648 bytes, expected memory for it") {
    try lift(zeros(.plane, 1, 1, 5), [1, 1, 3], .reflection, padding: .all(1 << 46))
  },
  WrongCall("algorithm is fourier with 1 dimensions, expected 2 dimensions") {
    try lift(zeros(.plane, 1, 1, 5), [1, 1, 3], .reflection, algorithm: .fourier)
  },
]

private let wrongGradients = [
  WrongCall(
    "outputGradient is on the group, of shape (1, 1, 4, 5, 5), expected a signal on the group, of shape (1, 1, 4, 3, 3) as "
      + "the output"
  ) {
    try layer(.lifting, 1, 1, 3, 3).gradients(from: zeros(.group, 1, 1, 4, 5, 5), at: zeros(.plane, 1, 1, 5, 5))
  },
  WrongCall(
    "outputGradient is on the plane, of shape (1, 4, 3, 3), expected a signal on the plane, of shape (1, 1, 3, 3) as the output"
  ) {
    try layer(.projection, 1, 1, 4, 3, 3).gradients(from: zeros(.plane, 1, 4, 3, 3), at: zeros(.group, 1, 1, 4, 5, 5))
  },
  WrongCall(
    "outputGradient is on the group, of shape (1, 1, 4, 5), expected a signal on the plane, of shape (1, 1, 5) as the output"
  ) { try zeros(.group, 1, 1, 4, 5).groupPoolGradient(from: zeros(.group, 1, 1, 4, 5), .max) },
]

private let wrongActions = [
  WrongCall("element is 4, expected 0 to 3, the elements of C4") {
    try zeros(.plane, 1, 1, 5, 5).acted(by: 4, of: .cyclic(4))
  },
  WrongCall("element is -1, expected 0 to 3, the elements of C4") {
    try zeros(.plane, 1, 1, 5, 5).acted(by: -1, of: .cyclic(4))
  },
  WrongCall(
    "element is 1 of C6, expected an element that maps the grid to itself: one whose matrix is a signed permutation"
  ) {
    try zeros(.plane, 1, 1, 5, 5).acted(by: 1, of: .cyclic(6))
  },
  WrongCall("x is on the plane, of shape (1, 1, 5, 5), expected 3 spatial axes, as octahedral acts on") {
    try zeros(.plane, 1, 1, 5, 5).acted(by: 1, of: .octahedral)
  },
  WrongCall("x is on the group, of shape (1, 1, 4, 5, 5), expected |H| = 8 of D4 on axis 2") {
    try zeros(.group, 1, 1, 4, 5, 5).acted(by: 1, of: .dihedral(4))
  },
  WrongCall("x is on the plane, of shape (1, 4, 5, 5), expected a signal on the group") {
    try zeros(.plane, 1, 4, 5, 5).groupPool(.mean)
  },
  WrongCall("x is on the group, of shape (1, 1, 4097, 1), expected at most 4096 elements on axis 2") {
    try zeros(.group, 1, 1, 4097, 1).groupPool(.max)
  },
]
