// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

extension NetworkDocument {
  /// The names of the axes of the input and of each output, which follow from the operations: `["batch", "channel", "y", "x"]`,
  /// with `"element"` after the channel on a group, `"coset"` on a quotient, and without the last ones where space was
  /// averaged.
  public var axes: (input: [String], outputs: [[String]]) {
    let spatial = Array(["z", "y", "x"].suffix(input.dimension))
    let order = input.group.flatMap { groups[$0]?.order } ?? 1
    var forms = [input.name: Form(fiber: Self.fiber(input.space), order: order, hasSpace: true)]
    for operation in operations {
      forms[operation.output] = operation.inputs.first.flatMap { forms[$0] }.map { form(operation.kind, of: $0) }
    }
    func names(_ value: String) -> [String] {
      guard let form = forms[value] else { return [] }
      return ["batch", "channel"] + (form.fiber.map { [$0] } ?? []) + (form.hasSpace ? spatial : [])
    }
    return (names(input.name), outputs.map { names($0.value) })
  }

  /// Which axes a value has.
  private struct Form {
    /// The name of the axis of the fiber.
    var fiber: String?
    /// Of its group, if it has a fiber.
    var order: Int
    var hasSpace: Bool
  }

  private static func fiber(_ space: SignalSpace) -> String? {
    switch space {
    case .plane: nil
    case .group: "element"
    case .quotient: "coset"
    }
  }

  /// What an operation makes of a signal.
  private func form(_ kind: NetworkOperation.Kind, of form: Form) -> Form {
    func signal(_ space: SignalSpace, _ group: PointGroup) -> Form {
      Form(fiber: Self.fiber(space), order: group.order, hasSpace: true)
    }
    switch kind {
    case .convolution(let layer, _, _): return signal(layer.output, layer.group)
    case .transposedConvolution(let layer, _, _, _): return signal(layer.input, layer.group)
    case .groupPool(_, nil): return Form(fiber: nil, order: 1, hasSpace: form.hasSpace)
    case .groupPool(_, let stabilizer?):
      // By {e} nothing is pooled, and by H everything.
      if stabilizer.count == 1 { return form }
      let fiber = stabilizer.count == form.order ? nil : "coset"
      return Form(fiber: fiber, order: form.order, hasSpace: form.hasSpace)
    case .restrict(let subgroup): return Form(fiber: "element", order: subgroup.count, hasSpace: form.hasSpace)
    case .induce(let group, _):
      return Form(fiber: "element", order: groups[group]?.order ?? 1, hasSpace: form.hasSpace)
    case .spatialMean: return Form(fiber: form.fiber, order: form.order, hasSpace: false)
    case .linear, .flatten: return Form(fiber: nil, order: 1, hasSpace: false)
    case .batchNorm, .pointwise, .softmax, .spatialPool, .upsample, .add, .concatenate: return form
    }
  }
}
