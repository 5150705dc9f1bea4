// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork

/// A run in which numbers are labels: each step writes who it is, and checks who wrote what it reads.
struct ArenaSimulation {
  /// What a cell holds: the number of a value, of an image.
  private struct Label: Equatable {
    var value: Int
    var image: Int
    var index: Int
  }

  private let program: NetworkProgram
  private let counts: [Int]
  private let arena: Arena
  private var cells: [Arena.Store: [Label?]] = [:]
  /// Values that are the same numbers.
  private var sources: [Int]
  private(set) var firstError: String?

  init(_ program: NetworkProgram, _ counts: [Int], _ schedule: Schedule, _ arena: Arena) {
    (self.program, self.counts, self.arena) = (program, counts, arena)
    sources = Array(counts.indices)
    cells[.block] = [Label?](repeating: nil, count: arena.count)
    cells[.input] = (0..<schedule.images).flatMap { image in
      (0..<counts[0]).map { Label(value: 0, image: image, index: $0) }
    }
    for (number, value) in program.outputs.enumerated() {
      cells[.output(number)] = [Label?](repeating: nil, count: counts[value] * schedule.images)
    }
    for segment in schedule.segments {
      for first in stride(from: 0, to: schedule.images, by: segment.images) {
        let images = first..<min(first + segment.images, schedule.images)
        for index in segment.steps { run(program.steps[index], images) }
      }
    }
    for value in program.outputs {
      for image in 0..<schedule.images { check(value, image, image..<image + 1, "output") }
    }
  }

  private mutating func place(_ value: Int, _ image: Int, _ images: Range<Int>) -> (Arena.Store, Int) {
    let place = arena.places[value]!
    // Portions of several images lie beside each other: steps know the sizes of their values, and nothing of strides.
    if images.count > 1 && place.stride != counts[value] { fail("value \(value) of \(images) has gaps") }
    return (place.store, place.start + (place.isWide ? image : image - images.lowerBound) * place.stride)
  }

  private mutating func fail(_ error: String) { firstError = firstError ?? error }

  private mutating func check(_ value: Int, _ image: Int, _ images: Range<Int>, _ reader: String) {
    let (store, start) = place(value, image, images)
    for index in 0..<counts[value] {
      let found = start >= 0 && start + index < cells[store]!.count ? cells[store]![start + index] : nil
      if found != Label(value: sources[value], image: image, index: index) {
        fail("\(reader) reads value \(value) of image \(image), finds \(String(describing: found))")
      }
    }
  }

  private mutating func run(_ step: NetworkStep, _ images: Range<Int>) {
    for image in images {
      for value in step.inputs { check(value, image, images, "the step that writes \(step.output)") }
    }
    if case .view = step.work {
      sources[step.output] = sources[step.inputs[0]]
      return
    }
    checkOverlap(step, images)
    for image in images {
      let (store, start) = place(step.output, image, images)
      for index in 0..<counts[step.output] {
        guard start >= 0, start + index < cells[store]!.count else {
          return fail("value \(step.output) lies outside")
        }
        cells[store]![start + index] = Label(value: step.output, image: image, index: index)
      }
    }
  }

  /// What a step writes may be what it reads, or for a concatenation have it at its place, but not overlap it
  /// otherwise.
  private mutating func checkOverlap(_ step: NetworkStep, _ images: Range<Int>) {
    let (store, start) = place(step.output, images.lowerBound, images)
    let written = start..<start + counts[step.output] * images.count
    var offset = 0
    for value in step.inputs {
      let (other, first) = place(value, images.lowerBound, images)
      let read = first..<first + counts[value] * images.count
      let isPart = if case .concatenate = step.work { images.count == 1 } else { false }
      if other == store, written.overlaps(read), isPart ? first != start + offset : read != written {
        fail("value \(step.output) at \(written) overlaps what its step reads, \(value) at \(read)")
      }
      offset += counts[value]
    }
  }
}
