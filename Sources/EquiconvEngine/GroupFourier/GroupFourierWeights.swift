// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The kernels in the Fourier domain of L: κ̂ of each representation, in panels.
///
/// Order: [representation][panel of outputs (o, column of ŷ)][channel][column of ẑ][width of the panel], as `multiply`
/// streams them. Computed in Double and rounded once.
struct GroupFourierWeights<S: EngineScalar> {
  let plan: GroupFourierPlan
  let channels: Int
  let outputs: Int
  private let widestPanel: Int

  init(_ plan: GroupFourierPlan, channels: Int, outputs: Int, instructions: InstructionSet) {
    self.plan = plan
    self.channels = channels
    self.outputs = outputs
    widestPanel = S.microkernels(instructions).widestPanel
  }

  /// Numbers before those of each representation.
  static func starts(_ plan: GroupFourierPlan, channels: Int, outputs: Int) -> [Int] {
    var start = 0
    return plan.parts.map { part in
      defer { start += outputs * part.outputs.count * channels * part.columns }
      return start
    }
  }

  /// Transforms ŵ.
  ///
  /// - Complexity: |L| multiply-adds for each number of ŵ.
  func transform(_ core: CoreWeights<S>, threads: Int) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>([channels, outputs, plan.weightNumbers])
    let starts = Self.starts(plan, channels: channels, outputs: outputs)
    for (part, start) in zip(plan.parts, starts) {
      try Call.checkNotEnded()
      let split = PanelSplit(outputs: outputs * part.outputs.count, widest: widestPanel)
      ThreadPool.run(split.count, threads: threads) { _, item in
        transform(core, part, split[item], into: result.base + start)
      }
    }
    return result
  }

  private func transform(
    _ core: CoreWeights<S>, _ part: GroupFourierPlan.Part, _ panel: PanelSplit.Panel,
    into weights: UnsafeMutablePointer<S>
  ) {
    let columns = part.columns
    for lane in 0..<panel.width {
      let (output, number) = (panel.first + lane).quotientAndRemainder(dividingBy: part.outputs.count)
      var target = weights + panel.first * channels * columns + lane
      for channel in 0..<channels {
        if Call.isEnded { return }
        let numbers = core.numbers + output * core.outputStride + channel * core.channelStride
        for column in number * columns..<(number + 1) * columns {
          target.pointee = S(part.weight(column, of: numbers))
          target += panel.width
        }
      }
    }
  }
}

extension GroupFourierPlan.Part {
  /// One number of κ̂ from the coefficients of a pair of channels: of (column of ŷ, column of ẑ).
  @inline(__always)
  func weight<S: EngineScalar>(_ index: Int, of numbers: UnsafePointer<S>) -> Double {
    withExtendedLifetime(self) {
      let entries = self.entries.elements
      var sum = 0.0
      for entry in entryStarts[index]..<entryStarts[index + 1] {
        sum += entries[entry].value * Double(numbers[Int(entries[entry].coefficient)])
      }
      return sum
    }
  }
}
