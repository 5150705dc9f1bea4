// SPDX-License-Identifier: Apache-2.0

/// `∂b[o] = Σ_{b,y,x} g[b,o,y,x]`, accumulated in Double in an order that does not depend on the threads.
enum BiasGradient {
  static func run<S: EngineScalar>(
    batch: Int, outputs: Int, numbersPerOutput: Int, gradient: UnsafePointer<S>, into target: UnsafeMutablePointer<S>,
    threads: Int
  ) {
    ThreadPool.run(outputs, threads: threads) { _, output in
      var total = 0.0
      for image in 0..<batch {
        if Call.isEnded { return }
        total += sum(gradient + (image * outputs + output) * numbersPerOutput, numbersPerOutput)
      }
      target[output] = S(total)
    }
  }

  private static func sum<S: EngineScalar>(_ values: UnsafePointer<S>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>(repeating: 0)
    var i = 0
    while i + 8 <= count {
      for lane in 0..<8 { lanes[lane] += Double(values[i + lane]) }
      i += 8
    }
    var total = lanes.sum()
    while i < count {
      total += Double(values[i])
      i += 1
    }
    return total
  }
}
