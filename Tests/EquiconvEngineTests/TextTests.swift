// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// A text makes the value again that it was made of, and one value has one text.
@Suite struct TextTests {
  private func text(_ value: some TextForm) throws -> String { String(decoding: try value.text(), as: UTF8.self) }

  private func value<Value: TextForm>(_: Value.Type, of text: String) throws -> Value {
    var text = text
    return try text.withUTF8 { try Value(text: $0) }
  }

  /// deserialize(serialize(v)) == v, and serialize of that is the same text.
  private func roundTrip<Value: TextForm & Equatable>(_ original: Value) throws -> Value {
    let text = try text(original)
    let again = try value(Value.self, of: text)
    #expect(again == original)
    #expect(try self.text(again) == text)
    return again
  }

  @Test(arguments: GroupCatalog.all)
  func groupsComeBack_withNameAndBits(_ group: PointGroup) throws {
    let again = try roundTrip(group)
    #expect(again.recipe == group.recipe)
    #expect(again.matrices.map(\.bitPattern) == group.matrices.map(\.bitPattern))
    #expect(again.cayley == group.cayley)
    #expect(again.quadratureWeights == group.quadratureWeights)
  }

  @Test func namedGroups_haveShortTexts() throws {
    #expect(try text(PointGroup.cyclic(8)) == "equiconv-group/1 cyclic(8)")
    #expect(try text(PointGroup.axialDihedral(3, axis: .x)) == "equiconv-group/1 axial_dihedral(3,x)")
    #expect(try text(PointGroup.fullIcosahedral) == "equiconv-group/1 full_icosahedral")
    #expect(
      try text(PointGroup.similarity(4, factors: [1, 1.5])) == "equiconv-group/1 similarity(4,[1.0,1.5])")
    #expect(
      try text(PointGroup(dimension: 1, matrices: [1, -1])) == "equiconv-group/1 matrices(1,[1.0,-1.0])")
  }

  @Test func basesComeBack() throws {
    let bases: [(KernelBasis, String)] = [
      (.pixel(try PixelBasis(extents: [5, 4], interpolation: .bicubic)), "pixel([5,4],bicubic)"),
      (.bSpline(try .dense(extents: [5, 5], degree: 3, scale: 1.5)), "bspline([5,5],3,1.5)"),
      (.bSpline(try .atrous(extents: [7], degree: 2, spacing: 2)), "atrous_bspline([7],2,2.0)"),
      (.bSpline(try .round(extents: [5, 5, 5], degree: 3)), "round_bspline([5,5,5],3,default)"),
      (.bSpline(try .round(extents: [5, 5], degree: 3, radius: 0.1)), "round_bspline([5,5],3,0.1)"),
      (
        .bSpline(try BSplineBasis(dimension: 2, degree: 1, centers: [[0, 1e-7], [-0.0, 2]], extents: [3, 3])),
        "bspline_at([3,3],1,1.0,[0.0,1e-07,0.0,2.0])"
      ),
      (.circularHarmonics(try .standard(extent: 7)), "circular_harmonics(7,all)"),
      (.circularHarmonics(try .standard(extent: 7, highestFrequency: 2)), "circular_harmonics(7,2)"),
      (
        .circularHarmonics(try CircularHarmonicBasis(extent: 7, radii: [0, 2.5], frequencies: [0, 3], sigma: 0.5)),
        "harmonic_rings(7,0.5,[0.0,2.5],[0,3])"
      ),
      (
        .gaussianDerivatives(try GaussianDerivativeBasis(dimension: 2, order: 2, sigma: 1.25, extents: [7, 7])),
        "gaussian_derivatives([7,7],2,1.25)"
      ),
    ]
    for (basis, words) in bases {
      #expect(try text(basis) == "equiconv-basis/1 " + words)
      _ = try roundTrip(basis)
    }
    for basis in [GroupBasis.full, .localized([2, 0]), try .bSpline(degree: 2, count: 5)] { _ = try roundTrip(basis) }
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func layersComeBack(_ kind: LayerKind, _ group: PointGroup) throws {
    for sizes in LayerCase.all(for: group) { _ = try roundTrip(sizes.descriptor(kind, group).layer.validated()) }
  }

  @Test(arguments: GeneralCase.all)
  func layersBetweenQuotientsComeBack(_ general: GeneralCase) throws {
    _ = try roundTrip(general.descriptor.layer.validated())
  }

  /// A change of any option changes the text.
  @Test func textsDifferWhereLayersDo() throws {
    let plain = Layer(from: .group, to: .group, group: try .cyclic(4))
    let changes: [(inout Layer) throws -> Void] = [
      { _ in }, { $0.group = try .dihedral(4) }, { $0.input = .plane }, { $0.output = .quotient(stabilizer: [0, 2]) },
      { $0.stride = [2, 2] }, { $0.padding = [1, 1] }, { $0.padding = [Layer.same, Layer.same] },
      { $0.dilation = [2, 2] }, { $0.paddingMode = .circular }, { $0.paddingMode = .reflect },
      { $0.paddingMode = .replicate }, { $0.algorithm = .direct },
      { $0.interpolation = .bSpline3 }, { $0.basis = .circularHarmonics(try .standard(extent: 5)) },
      { $0.groupBasis = .localized([0]) }, { $0.usesQuadrature = true }, { $0.channelGroups = 3 },
    ]
    let texts = try changes.map { change in
      var layer = plain
      try change(&layer)
      return try text(layer.validated())
    }
    #expect(Set(texts).count == changes.count)
  }

  /// No number is read otherwise than it was written.
  @Test func numbersComeBack_bitForBit() throws {
    var random = SplitMix64(seed: 77)
    var centers: [[Double]] = [[.leastNonzeroMagnitude], [1.7976931348623157e308], [0.1 + 0.2]]
    while centers.count < 2000 {
      let number = Double(bitPattern: random.next())
      if number.isFinite { centers.append([number]) }
    }
    let basis = try BSplineBasis(dimension: 1, degree: 1, centers: centers, extents: [3])
    guard case .bSpline(let again) = try roundTrip(KernelBasis.bSpline(basis)) else { return }
    #expect(again.centers.map { $0[0].bitPattern } == centers.map { $0[0].bitPattern })
  }
}
