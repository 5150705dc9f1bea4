// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Runs the transforms of one block of vectors: finds the places of their numbers, and hands them to the microkernel.
struct BlockTransforms<S: EngineScalar> {
  let plan: GroupFourierPlan
  let kernels: Microkernels
  /// Vectors of the block.
  let count: Int
  /// Room for the slots of any program, and for its scratch.
  let slots: UnsafeMutablePointer<equiconv_transform_slot>
  let scratch: UnsafeMutablePointer<S>

  /// Scalars of one number of all pixels.
  var row: Int { count * kernels.lanes }

  static func slots(_ plan: GroupFourierPlan) -> Int { programs(plan).reduce(1) { max($0, $1.slots) } }
  static func scratch(_ plan: GroupFourierPlan) -> Int { programs(plan).reduce(0) { max($0, $1.scratch) } }

  private static func programs(_ plan: GroupFourierPlan) -> [TransformProgram] {
    plan.reads.map { $0.program } + plan.inverses.map { $0.program } + plan.inverses.map { $0.adjoint }
  }

  /// Consecutive vectors without offsets.
  func slot(_ base: UnsafePointer<S>, _ offsets: UnsafePointer<Int>? = nil) -> equiconv_transform_slot {
    equiconv_transform_slot(base: UnsafeMutableRawPointer(mutating: base), offsets: offsets)
  }

  /// ẑ of a chunk of (channel, orbit) pairs: [representation][channel][column][row][vector][lane].
  ///
  /// - Parameters:
  ///   - planes: The padded planes of an image.
  ///   - offsets: Where the vectors of the block read in a plane.
  func transformReads(
    _ chunk: GroupFourierBlocking.Chunk, from planes: UnsafePointer<S>, at offsets: UnsafePointer<Int>,
    into panel: UnsafeMutablePointer<S>
  ) {
    let channelStride = plan.gather.stencil.inputElements * plan.gather.layout.volume
    for (place, channel) in chunk.channels.enumerated() {
      for orbit in chunk.orbits {
        let read = plan.reads[Int(plan.orbits.stabilizerOfOrbit[orbit])]
        let planes = planes + channel * channelStride
        for (input, offset) in plan.sources.elements[plan.sourceStarts[orbit]..<plan.sourceStarts[orbit + 1]]
          .enumerated()
        {
          slots[input] = slot(planes + offset, offsets)
        }
        run(read.program, behind: placeColumns(of: orbit, chunk, channel: place, panel, slots + read.program.inputs))
      }
    }
  }

  /// y of one output channel at the points of an orbit, from the sums of `outputs` channels.
  func transformSums(
    of output: Int, outputs: Int, _ inverse: GroupFourierPlan.Inverse, from sums: UnsafeMutablePointer<S>,
    to point: (_ number: Int) -> equiconv_transform_slot
  ) {
    var next = placeSums(of: output, outputs: outputs, inverse, sums, slots)
    for number in inverse.points.indices {
      next.pointee = point(number)
      next += 1
    }
    run(inverse.program, behind: next)
  }

  /// The adjoint of `transformSums`, for all output channels: ĝ, [representation][output, column][row][vector][lane].
  ///
  /// - Parameters:
  ///   - first: The first vector of the block.
  ///   - gradient: Of y, for one image.
  ///   - tile: Room for the points of an orbit.
  func transformGradients(
    outputs: Int, _ cover: VectorCover, first: Int, from gradient: UnsafePointer<S>,
    into sums: UnsafeMutablePointer<S>, tile: UnsafeMutablePointer<S>
  ) {
    let planes = plan.gather.stencil.outputElements * plan.gather.destination.volume
    // Lanes that hold no output, or one that the vector before holds too, count nothing. They are the same for all.
    tile.update(repeating: 0, count: plan.mostPoints * row)
    for output in 0..<outputs {
      if Call.isEnded { return }
      for inverse in plan.inverses {
        fill(tile, inverse.points, cover, first: first, from: gradient + output * planes)
        for number in inverse.points.indices { slots[number] = slot(tile + number * row) }
        run(
          inverse.adjoint,
          behind: placeSums(of: output, outputs: outputs, inverse, sums, slots + inverse.points.count))
      }
    }
  }

  /// Copies the outputs of a block's vectors to their lanes.
  private func fill(
    _ tile: UnsafeMutablePointer<S>, _ points: [Int], _ cover: VectorCover, first: Int, from source: UnsafePointer<S>
  ) {
    let (lanes, plane) = (kernels.lanes, plan.gather.destination.volume)
    cover.forEach(first: first, count: count) { index, _, run, start in
      let known = (start + lanes - 1) / lanes * lanes - start
      cover.forEachPiece(run: run, start: start) { piece in
        let skipped = max(0, known - piece.lane)
        if skipped >= piece.outputs { return }
        for (number, point) in points.enumerated() {
          let lane = piece.lane + skipped
          Self.copy(
            source + (point * plane + piece.destination + skipped), to: tile + (number * row + index * lanes + lane),
            count: piece.outputs - skipped)
        }
      }
    }
  }

  /// For so few numbers a call of the system's function would take longer.
  @inline(__always)
  private static func copy(_ source: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, count: Int) {
    let width = SIMD4<S>.scalarCount
    var index = 0
    while index &+ width <= count {
      let four = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD4<S>.self)
      UnsafeMutableRawPointer(target + index).storeBytes(of: four, as: SIMD4<S>.self)
      index &+= width
    }
    while index < count {
      target[index] = source[index]
      index &+= 1
    }
  }

  /// Runs a program whose inputs and outputs have been placed.
  func run(_ program: TransformProgram, behind placed: UnsafeMutablePointer<equiconv_transform_slot>) {
    for index in 0..<program.scratch { placed[index] = slot(scratch + index * row) }
    let copies = program.copies.elements
    for index in 0..<copies.count { placed[program.scratch + index] = slots[Int(copies[index])] }
    var call = equiconv_transform_call(
      steps: program.steps.elements.baseAddress.unsafelyUnwrapped, step_count: program.steps.count, slots: slots,
      vector_count: count)
    kernels.transform(&call)
  }

  /// The slots of ẑ of one pair: for each representation its columns lie together.
  private func placeColumns(
    of orbit: Int, _ chunk: GroupFourierBlocking.Chunk, channel: Int, _ panel: UnsafeMutablePointer<S>,
    _ slots: UnsafeMutablePointer<equiconv_transform_slot>
  ) -> UnsafeMutablePointer<equiconv_transform_slot> {
    var (slots, panel) = (slots, panel)
    for part in plan.parts {
      let columns = GroupFourierBlocking.columns(part, chunk)
      let start = channel * columns.count + part.columnStarts[orbit] - columns.lowerBound
      let numbers = (part.columnStarts[orbit + 1] - part.columnStarts[orbit]) * part.rows.count
      let target = panel + start * part.rows.count * row
      for number in 0..<numbers { slots[number] = slot(target + number * row) }
      slots += numbers
      panel += chunk.channels.count * columns.count * part.rows.count * row
    }
    return slots
  }

  /// The slots of the sums of one output channel: (column, row).
  private func placeSums(
    of output: Int, outputs: Int, _ inverse: GroupFourierPlan.Inverse, _ sums: UnsafeMutablePointer<S>,
    _ slots: UnsafeMutablePointer<equiconv_transform_slot>
  ) -> UnsafeMutablePointer<equiconv_transform_slot> {
    var (slots, sums) = (slots, sums)
    var number = 0
    for (column, place) in zip(inverse.columns, inverse.outputs) {
      while number < column.representation {
        sums += outputs * plan.parts[number].outputs.count * plan.parts[number].rows.count * row
        number += 1
      }
      let part = plan.parts[number]
      let rows = sums + (output * part.outputs.count + place) * part.rows.count * row
      for index in 0..<part.rows.count { slots[index] = slot(rows + index * row) }
      slots += part.rows.count
    }
    return slots
  }
}
