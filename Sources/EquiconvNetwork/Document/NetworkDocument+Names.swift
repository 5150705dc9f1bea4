// SPDX-License-Identifier: Apache-2.0

extension NetworkDocument {
  /// The tensors that operations and the test name, and the places that name them.
  var namedTensors: [(place: String, name: String)] {
    var names: [(place: String, name: String)] = []
    for (index, operation) in operations.enumerated() {
      for (key, name) in operation.kind.namedTensors { names.append(("operations[\(index)].\(key)", name)) }
    }
    guard let test else { return names }
    names.append(("test.input", test.input))
    for (index, name) in test.outputs.enumerated() { names.append(("test.outputs[\(index)]", name)) }
    return names
  }
}

extension NetworkDocument {
  /// Throws unless each value is written once and before it is read, outputs are what operations write, and the test has
  /// an output for each.
  func checkNames() throws(NetworkError) {
    var values: Set = [input.name]
    for (index, operation) in operations.enumerated() {
      for (place, name) in operation.inputs.enumerated() where !values.contains(name) {
        throw Self.error("operations[\(index)].inputs[\(place)]", name, "a value that was written before")
      }
      if !values.insert(operation.output).inserted {
        throw Self.error("operations[\(index)].output", operation.output, "a name that no value has yet")
      }
    }
    values.remove(input.name)
    var names: Set<String> = []
    for (index, output) in outputs.enumerated() {
      if !values.contains(output.value) {
        throw Self.error("outputs[\(index)].value", output.value, "a value that an operation writes")
      }
      if !names.insert(output.name).inserted {
        throw Self.error("outputs[\(index)].name", output.name, "each name once")
      }
    }
    guard let test, test.outputs.count != outputs.count else { return }
    throw .invalid(
      .document, place: "test.outputs", value: "a list of \(test.outputs.count)",
      expected: "a tensor for each of the \(outputs.count) outputs")
  }

  private static func error(_ place: String, _ name: String, _ expected: String) -> NetworkError {
    .invalid(.document, place: place, value: "\"\(shownText(name))\"", expected: expected)
  }
}

extension NetworkOperation.Kind {
  /// The keys that name tensors, and the names.
  var namedTensors: [(key: String, name: String)] {
    let names: [(String, String?)] =
      switch self {
      case .convolution(_, let weight, let bias), .transposedConvolution(_, let weight, let bias, _):
        [("weight", weight), ("bias", bias)]
      case .batchNorm(let mean, let variance, let weight, let bias, _):
        [("mean", mean), ("variance", variance), ("weight", weight), ("bias", bias)]
      case .linear(let weight, let bias): [("weight", weight), ("bias", bias)]
      default: []
      }
    return names.compactMap { key, name in name.map { (key, $0) } }
  }
}
