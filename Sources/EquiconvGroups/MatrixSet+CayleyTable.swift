// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension MatrixSet {
  /// Generators, and every other element as a shorter word times one of them.
  private struct Words {
    /// An element that is `prefix · generators[generator]`.
    struct Step {
      let element: Int
      let prefix: Int
      let generator: Int
    }
    var generators: [Int] = []
    /// For each generator g, the index of a·g for every element a.
    var rightMultiplications: [[Int32]] = []
    /// One for each element but the identity, each after its prefix.
    var steps = FixedArray<Step>()
  }

  /// The Cayley table of a set of distinct matrices with the identity first.
  ///
  /// Only products with generators are looked up. If H·g ⊆ H for generators g of H then H is closed, and all other
  /// products follow in integers from a·(b·g) = (a·b)·g.
  ///
  /// - Throws: `notClosed`, `noInverse` if the set is only a monoid, or `outOfMemory`.
  /// - Complexity: O(|H|²) with at most log₂|H| generators of a group.
  func cayleyTable() throws(GroupError) -> FixedArray<Int32> {
    let words = try words()
    let building = try GroupTable<Int32>(repeating: 0, count: order * order)
    let table = building.elements
    for a in 0..<order {
      let row = a * order
      table[row] = Int32(a)
      for step in words.steps {
        table[row + step.element] = words.rightMultiplications[step.generator][Int(table[row + step.prefix])]
      }
    }
    try checkProducts(table)
    try checkAssociativity(table, generators: words.generators)
    let finished = building.frozen()
    if let element = PointGroupStorage.inverses(cayley: finished, order: order).firstIndex(of: -1) {
      throw .noInverse(element: element)
    }
    return finished
  }

  private func words() throws(GroupError) -> Words {
    var words = Words()
    var steps = try GroupTable<Words.Step>(capacity: order)
    var reached: [Int] = []
    reached.reserveCapacity(order)
    reached.append(0)
    var isReached = [Bool](repeating: false, count: order)
    isReached[0] = true
    for candidate in 1..<max(order, 1) where !isReached[candidate] {
      words.generators.append(candidate)
      words.rightMultiplications.append(try rightMultiplication(by: candidate))
      var next = 0
      while next < reached.count {
        let prefix = reached[next]
        for (generator, image) in words.rightMultiplications.enumerated() {
          let element = Int(image[prefix])
          if isReached[element] { continue }
          isReached[element] = true
          reached.append(element)
          try steps.append(.init(element: element, prefix: prefix, generator: generator))
        }
        next += 1
      }
    }
    words.steps = steps.frozen()
    return words
  }

  private func rightMultiplication(by g: Int) throws(GroupError) -> [Int32] {
    let factor = matrix(g)
    var image: [Int32] = []
    for a in 0..<order {
      guard let element = element(nearest: matrixProduct(matrix(a), factor, dimension: dimension)) else {
        throw .notClosed(a, g)
      }
      image.append(Int32(element))
    }
    return image
  }

  /// Compares every product with the table, because rounding errors of long words add up.
  private func checkProducts(_ table: UnsafeMutableBufferPointer<Int32>) throws(GroupError) {
    let (d, size) = (dimension, dimension * dimension)
    for a in 0..<order {
      for b in 0..<order {
        let product = Int(table[a * order + b])
        for entry in 0..<size {
          let (row, column) = (entry / d, entry % d)
          var sum = 0.0
          for k in 0..<d { sum += entries[a * size + row * d + k] * entries[b * size + k * d + column] }
          guard abs(sum - entries[product * size + entry]) <= Self.tolerance else { throw .notClosed(a, b) }
        }
      }
    }
  }

  /// Light's test: (x·g)·y = x·(g·y) for generators g and all x, y implies it for all elements.
  ///
  /// The matrices are known only to the tolerance; the table must nevertheless be exactly that of a group.
  private func checkAssociativity(_ table: UnsafeMutableBufferPointer<Int32>, generators: [Int]) throws(GroupError) {
    for g in generators {
      for x in 0..<order {
        let xg = Int(table[x * order + g])
        for y in 0..<order {
          let gy = Int(table[g * order + y])
          guard table[xg * order + y] == table[x * order + gy] else { throw .notClosed(g, y) }
        }
      }
    }
  }
}
