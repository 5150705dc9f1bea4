// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

extension Pointwise {
  /// The function for the microkernel, and its parameter.
  var kernel: (function: equiconv_pointwise_function, p: Double) {
    switch self {
    case .relu: (EQUICONV_POINTWISE_RELU, 0)
    case .leakyRelu(let slope): (EQUICONV_POINTWISE_LEAKY_RELU, slope)
    case .elu(let alpha): (EQUICONV_POINTWISE_ELU, alpha)
    case .gelu: (EQUICONV_POINTWISE_GELU, 0)
    case .geluTanh: (EQUICONV_POINTWISE_GELU_TANH, 0)
    case .silu: (EQUICONV_POINTWISE_SILU, 0)
    case .sigmoid: (EQUICONV_POINTWISE_SIGMOID, 0)
    case .tanh: (EQUICONV_POINTWISE_TANH, 0)
    }
  }
}

/// Rows of numbers, `stride` apart.
package struct NumberRows<Pointer> {
  var start: Pointer
  var stride: Int

  package init(_ start: Pointer, stride: Int = 0) {
    self.start = start
    self.stride = stride
  }
}

extension Microkernels {
  /// target[y, x] = f(source[y, x] combined with other[y, x]); see `equiconv_pointwise_call`.
  @inline(__always)
  package func combine<S: EngineScalar>(
    rows: Int = 1, columns: Int, _ source: NumberRows<UnsafePointer<S>>,
    _ combination: equiconv_pointwise_combination, _ other: NumberRows<UnsafePointer<S>>?,
    _ function: equiconv_pointwise_function = EQUICONV_POINTWISE_IDENTITY, p: Double = 0, q: Double = 0,
    into target: NumberRows<UnsafeMutablePointer<S>>
  ) {
    if rows < 1 || columns < 1 { return }
    var call = equiconv_pointwise_call(
      source: source.start, other: other?.start, target: target.start, row_count: rows, column_count: columns,
      source_row_stride: source.stride, other_row_stride: other?.stride ?? 0, target_row_stride: target.stride,
      combination: combination, function: function, p: p, q: q)
    pointwise(&call)
  }

  /// target[y, x] = f(source[y, x]), for one of the functions of `equiconv_pointwise_call`.
  @inline(__always)
  func map<S: EngineScalar>(
    rows: Int = 1, columns: Int, _ source: NumberRows<UnsafePointer<S>>, _ function: equiconv_pointwise_function,
    p: Double = 0, q: Double = 0, into target: NumberRows<UnsafeMutablePointer<S>>
  ) {
    combine(rows: rows, columns: columns, source, EQUICONV_COMBINE_NONE, nil, function, p: p, q: q, into: target)
  }
}
