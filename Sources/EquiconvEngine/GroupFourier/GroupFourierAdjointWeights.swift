// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The kernels in the Fourier domain of L as the input gradient of a strided layer reads them: those of the forward pass,
/// transposed.
///
/// Order: [part][orbit][unit of channels][column of ẑ][panel of channels][output channel][column of ŷ][width of the panel].
/// A unit is what is computed at a time.
struct GroupFourierAdjointWeights<S: EngineScalar> {
  let plan: GroupFourierPlan
  /// Channels of the layer's input, which are computed, and of its output.
  let channels: Int
  let outputs: Int
  /// Channels of a unit.
  let unit: Int
  private let widestPanel: Int

  init(
    _ plan: GroupFourierPlan, channels: Int, outputs: Int, unit: Int, instructions: InstructionSet
  ) {
    self.plan = plan
    self.channels = channels
    self.outputs = outputs
    self.unit = unit
    widestPanel = S.microkernels(instructions).widestPanel
  }

  /// Transforms ŵ.
  ///
  /// - Complexity: |L| multiply-adds for each number of ŵ.
  func transform(_ core: CoreWeights<S>, threads: Int) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>([channels, outputs, plan.weightNumbers])
    let units = (channels + unit - 1) / unit
    for (number, start) in GroupFourierWeights<S>.starts(plan, channels: channels, outputs: outputs).enumerated() {
      try Call.checkNotEnded()
      ThreadPool.run(plan.orbits.count * units, threads: threads) { _, item in
        let (orbit, index) = item.quotientAndRemainder(dividingBy: units)
        let part = plan.parts[number]
        let columns = part.columnStarts[orbit]..<part.columnStarts[orbit + 1]
        let first = index * unit
        let before = columns.lowerBound * channels + columns.count * first
        transform(
          core, number, columns, first..<min(channels, first + unit),
          into: result.base + start + before * outputs * part.outputs.count)
      }
    }
    return result
  }

  private func transform(
    _ core: CoreWeights<S>, _ number: Int, _ columns: Range<Int>, _ unit: Range<Int>,
    into weights: UnsafeMutablePointer<S>
  ) {
    let part = plan.parts[number]
    let rows = outputs * part.outputs.count
    for (place, column) in columns.enumerated() {
      let target = weights + place * unit.count * rows
      PanelSplit(outputs: unit.count, widest: widestPanel).forEach { panel in
        if Call.isEnded { return }
        for lane in 0..<panel.width {
          let numbers = core.numbers + (unit.lowerBound + panel.first + lane) * core.outputStride
          for row in 0..<rows {
            let (output, sum) = row.quotientAndRemainder(dividingBy: part.outputs.count)
            target[(panel.first * rows + row * panel.width) + lane] = S(
              part.weight(sum * part.columns + column, of: numbers + output * core.channelStride))
          }
        }
      }
    }
  }
}
