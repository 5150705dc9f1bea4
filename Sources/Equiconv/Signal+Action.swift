// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

extension Signal {
  /// The action of an element g of H on the signal, exact: numbers move, none is computed.
  ///
  /// `(L_g f)(x) = f(g⁻¹x)` about the center of the array, and `(L_g f)(h', x) = f(g⁻¹h', g⁻¹x)` on the group. The action of
  /// g·h is that of h followed by that of g.
  ///
  /// - Parameters:
  ///   - element: g, in `0..<group.order`.
  ///   - group: H, a lattice group on the axes of the signal; for a signal on the group, the one it was made with.
  /// - Returns: a signal on the same space, with sizes exchanged where g exchanges axes.
  /// - Throws: `ConvolutionError` naming `x` (the signal), `element` or `group`.
  /// - Complexity: O(numbers).
  public func acted(by element: Int, of group: PointGroup) throws(ConvolutionError) -> Signal {
    try check(.x, on: space, of: group)
    return try Signal(
      space,
      Tensor(shape: shape(actedBy: element, of: group)) { output throws(ConvolutionError) in
        try act(
          group, element: element, on: space, batch: batch, channels: channels, spatial: spatial, input: storage,
          output: output)
      })
  }

  private func shape(actedBy element: Int, of group: PointGroup) throws(ConvolutionError) -> [Int] {
    guard (0..<group.order).contains(element) else {
      throw ConvolutionError(
        .indexOutOfRange, .element, element, expected: "0 to \(group.order - 1), the elements of \(group)")
    }
    guard let action = group.axisAction(element) else {
      throw ConvolutionError(
        .unsupportedGroup, .element, "\(element) of \(group.name)",
        expected: "an element that maps the grid to itself: one whose matrix is a signed permutation")
    }
    return shape.dropLast(spatial.count) + spatial.indices.map { spatial[action.axis($0)] }
  }
}
