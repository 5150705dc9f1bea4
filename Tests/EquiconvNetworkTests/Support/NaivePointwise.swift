// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension NaiveNetwork {
  static func apply(_ function: Pointwise, _ x: Double) -> Double {
    switch function {
    case .relu: max(x, 0)
    case .leakyRelu(let slope): x < 0 ? slope * x : x
    case .elu(let alpha): x < 0 ? alpha * expm1(x) : x
    case .gelu: x * erfc(-x / 2.0.squareRoot()) / 2
    case .geluTanh: x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
    case .silu: x / (1 + exp(-x))
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    }
  }
}

func exponential(_ x: Double) -> Double { exp(x) }
