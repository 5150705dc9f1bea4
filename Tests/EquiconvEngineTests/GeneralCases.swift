// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvTestSupport

/// A layer between any two homogeneous spaces, of any set of elements.
struct GeneralCase: Sendable, CustomStringConvertible {
  let description: String
  let descriptor: ConvolutionDescriptor
  let batch = 2

  init(
    _ name: String, _ group: PointGroup, from input: SignalSpace, to output: SignalSpace, spatial: [Int],
    kernel: Int, padding: Int = 1, stride: Int = 1, dilation: Int = 1, mode: PaddingMode = .zeros,
    interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil, groupBasis: GroupBasis = .full,
    usesQuadrature: Bool = false
  ) {
    let d = spatial.count
    func each(_ value: Int) -> Extents { Extents(repeating: value, count: d) }
    description = "\(name) \(group.name) \(input) to \(output)"
    descriptor = ConvolutionDescriptor(
      from: input, to: output, group: group, inChannels: 2, outChannels: 3, spatial: Extents(spatial),
      kernel: each(kernel), stride: each(stride), padding: each(padding), dilation: each(dilation),
      paddingMode: mode, algorithm: .direct, interpolation: interpolation, basis: basis, groupBasis: groupBasis,
      usesQuadrature: usesQuadrature)
  }

  /// All layers that the laws below are proved for.
  static let all: [GeneralCase] = rotations + interpolations + bases + space + scales + quotients

  /// Those whose groups are closed and whose strides fit, so that lattice elements commute with them.
  static let closed: [GeneralCase] = all.filter { $0.descriptor.layer.group.isClosed }

  private static let corners: [(SignalSpace, SignalSpace)] = [
    (.plane, .plane), (.plane, .group), (.group, .group), (.group, .plane),
  ]

  private static let rotations: [GeneralCase] = corners.flatMap { input, output in
    [
      GeneralCase("odd", try! .cyclic(3), from: input, to: output, spatial: [7, 9], kernel: 3),
      GeneralCase("odd", try! .cyclic(8), from: input, to: output, spatial: [9, 9], kernel: 5, padding: 2),
      GeneralCase("even", try! .cyclic(8), from: input, to: output, spatial: [8, 7], kernel: 4),
      GeneralCase("circular", try! .dihedral(6), from: input, to: output, spatial: [6, 8], kernel: 3, mode: .circular),
      GeneralCase("strided", try! .dihedral(8), from: input, to: output, spatial: [9, 9], kernel: 3, stride: 2),
      GeneralCase("dilated", try! .cyclic(16), from: input, to: output, spatial: [17, 17], kernel: 3, dilation: 2),
    ]
  }

  private static let interpolations: [GeneralCase] = [Interpolation.bicubic, .bSpline3].flatMap { interpolation in
    corners.map { input, output in
      GeneralCase(
        "\(interpolation)", try! .cyclic(8), from: input, to: output, spatial: [8, 8], kernel: 5,
        interpolation: interpolation)
    }
  }

  private static let bases: [GeneralCase] = {
    let families: [(String, Int, KernelBasis)] = [
      ("splines", 5, .bSpline(try! .dense(extents: [5, 5], degree: 3, scale: 1.5))),
      ("harmonics", 5, .circularHarmonics(try! .standard(extent: 5))),
      (
        "derivatives", 5,
        .gaussianDerivatives(try! GaussianDerivativeBasis(dimension: 2, order: 2, sigma: 1, extents: [5, 5]))
      ),
    ]
    let groups = [try! PointGroup.cyclic(4), try! .cyclic(8), try! .dihedral(4), try! .dihedral(6)]
    return families.flatMap { name, kernel, basis in
      groups.flatMap { group in
        corners.map { GeneralCase(name, group, from: $0, to: $1, spatial: [8, 8], kernel: kernel, basis: basis) }
      }
    } + [
      GeneralCase(
        "localized", try! .cyclic(8), from: .group, to: .group, spatial: [8, 8], kernel: 3,
        groupBasis: .localized([0, 1, 7])),
      GeneralCase(
        "localized", try! .dihedral(4), from: .group, to: .group, spatial: [8, 8], kernel: 3,
        groupBasis: .localized([0, 5])),
      GeneralCase(
        "localized", try! .cyclic(8), from: .group, to: .plane, spatial: [8, 8], kernel: 3,
        groupBasis: .localized([0, 2])),
      GeneralCase(
        "splines on H", try! .cyclic(8), from: .group, to: .group, spatial: [8, 8], kernel: 3,
        groupBasis: try! .bSpline(degree: 2, count: 4)),
      GeneralCase(
        "quadrature", try! .cyclic(8), from: .group, to: .group, spatial: [8, 8], kernel: 3, usesQuadrature: true),
    ]
  }()

  private static let space: [GeneralCase] =
    corners.flatMap { input, output in
      [
        GeneralCase("odd", try! .axialCyclic(6), from: input, to: output, spatial: [4, 4, 4], kernel: 3),
        GeneralCase("odd", .tetrahedral, from: input, to: output, spatial: [3, 4, 3], kernel: 3),
      ]
    } + [
      GeneralCase("odd", .icosahedral, from: .plane, to: .group, spatial: [3, 3, 3], kernel: 3),
      GeneralCase("even", try! .axialDihedral(3), from: .group, to: .group, spatial: [3, 3, 3], kernel: 2),
    ]

  private static let scales: [GeneralCase] = corners.flatMap { input, output in
    [
      GeneralCase(
        "line", try! .scaling(dimension: 1, factors: [1, 2, 4]), from: input, to: output, spatial: [19], kernel: 3),
      GeneralCase(
        "wrapped", try! .scaling(dimension: 1, factors: [1, 3]), from: input, to: output, spatial: [5], kernel: 4,
        mode: .circular),
      GeneralCase(
        "plane", try! .scaling(dimension: 2, factors: [1, 1.5, 2.25]), from: input, to: output, spatial: [8, 9],
        kernel: 3, stride: 2),
      GeneralCase(
        "smaller", try! .scaling(dimension: 2, factors: [1, 0.5]), from: input, to: output, spatial: [8, 9], kernel: 5,
        padding: 2, interpolation: .bicubic, usesQuadrature: true),
      GeneralCase(
        "similarity", try! .similarity(4, factors: [1, 2]), from: input, to: output, spatial: [8, 8], kernel: 3),
    ]
  }

  /// D4 has ten subgroups, three of them normal and of order 4; C8 has four.
  private static let quotients: [GeneralCase] = {
    func pairs(_ group: PointGroup, _ stabilizers: [[Int]], _ spatial: [Int]) -> [GeneralCase] {
      let spaces = stabilizers.map { SignalSpace.quotient(stabilizer: $0) }
      return spaces.flatMap { input in
        spaces.map { GeneralCase("quotient", group, from: input, to: $0, spatial: spatial, kernel: 3) }
      }
    }
    let d4 = try! PointGroup.dihedral(4)
    return pairs(d4, Subgroups.all(d4), [5, 5])
      + pairs(try! .cyclic(8), [[0], [0, 4], [0, 2, 4, 6], Array(0..<8)], [5, 5])
      + pairs(try! .dihedral(6), [[0, 6], [0, 3], [0, 2, 4], [0, 3, 6, 9]], [5, 5])
      + pairs(
        .octahedral, Subgroups.all(.octahedral).filter { [2, 3, 8].contains($0.count) }.prefix(4) + [[0]], [3, 3, 3])
      + pairs(try! .similarity(4, factors: [1, 2]), [[0, 1, 2, 3], [0]], [5, 5])
  }()
}

/// All subgroups of a small group.
enum Subgroups {
  /// Those generated by one, two or three elements, by size and then by elements; for the groups here these are all.
  static func all(_ group: PointGroup) -> [[Int]] {
    let one = Set((0..<group.order).map { group.subgroup(generatedBy: [$0]) })
    var found = one
    for _ in 0..<2 {
      found = Set(found.flatMap { a in one.map { b in group.subgroup(generatedBy: a + b) } })
    }
    return found.sorted { ($0.count, $0.description) < ($1.count, $1.description) }
  }
}
