// SPDX-License-Identifier: Apache-2.0

public import EquiconvEngine
public import EquiconvNetwork

// A trained network that is one file. `Network` is a reference that threads may share.
//
//     let network = try Network(path: "digits.safetensors", mode: .exact)
//     let scores = try network(x)                        // Tensor<Float> of shape (batch, classes)

extension Network {
  /// Opens a network file; see docs/NetworkFormat.md.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - mode: `.fast` for the algorithms expected to be fastest, equivariant up to rounding; `.exact` for results that turn
  ///     with the input to the last bit, and depend neither on threads nor on the batch.
  /// - Throws: `NetworkError` for what cannot be read, or is no network that this library knows, with the place.
  public convenience init(path: String, mode: Mode = .fast) throws(NetworkError) {
    try self.init(NetworkFile(path: path), mode: mode)
  }

  /// Opens a network file that is in memory.
  ///
  /// - Throws: as `init(path:mode:)`.
  public convenience init(bytes: [UInt8], mode: Mode = .fast) throws(NetworkError) {
    var file: NetworkFile?
    var failure: NetworkError?
    bytes.withUnsafeBytes { bytes in
      do throws(NetworkError) { file = try NetworkFile(copying: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    guard let file else { throw .outOfMemory(bytes: bytes.count) }
    try self.init(file, mode: mode)
  }

  /// The names of the channels of the first output that has names.
  public var classes: [String]? {
    for output in document.outputs { if let classes = output.classes { return classes } }
    return nil
  }

  /// The first output for a batch of signals.
  ///
  /// - Throws: `NetworkError` for a signal that the network does not read.
  public func callAsFunction<Scalar: EngineScalar>(_ x: Signal<Scalar>) throws(NetworkError) -> Tensor<Scalar> {
    try outputs(x)[0]
  }

  /// All outputs for a batch of signals, in the order of the document.
  ///
  /// - Throws: `NetworkError` for a signal that the network does not read.
  public func outputs<Scalar: EngineScalar>(_ x: Signal<Scalar>) throws(NetworkError) -> [Tensor<Scalar>] {
    try check(x)
    var shapes: [[Int]] = []
    for index in document.outputs.indices { shapes.append(try outputShape(index, input: x.shape)) }
    let arrays = try filledArrays(shapes) { (outputs: [UnsafeMutablePointer<Scalar>]) throws(NetworkError) in
      try run(inputShape: x.shape, input: x.storage, outputs: outputs)
    }
    var tensors: [Tensor<Scalar>] = []
    for (shape, array) in zip(shapes, arrays) {
      tensors.append(try networkErrors { () throws(ConvolutionError) in try Tensor(shape: shape, storage: array) })
    }
    return tensors
  }

  /// Its scalar type and its space; the network checks the shape.
  private func check<Scalar: EngineScalar>(_ x: Signal<Scalar>) throws(NetworkError) {
    let scalar: NetworkDocument.Scalar = Scalar.self == Float.self ? .float32 : .float64
    if scalar != document.scalar {
      throw .invalid(
        .argument, place: "x", value: "of \(Scalar.self)", expected: "\(document.scalar), as the network has")
    }
    let (space, expected) = (x.space, document.input.space)
    let group = document.input.group.flatMap { document.groups[$0] }
    guard let group else {
      if space == .plane { return }
      throw .invalid(.argument, place: "x", value: x.placeText, expected: "a signal on the plane")
    }
    if space.normalized(group) != expected.normalized(group) {
      throw .invalid(.argument, place: "x", value: x.placeText, expected: "a signal on the \(expected)")
    }
  }
}

/// New arrays of these shapes, which `fill` writes, all of them. It is not called where all are empty.
private func filledArrays<Scalar: EngineScalar>(
  _ shapes: [[Int]], _ fill: ([UnsafeMutablePointer<Scalar>]) throws(NetworkError) -> Void
) throws(NetworkError) -> [[Scalar]] {
  let counts = shapes.map { $0.reduce(1, *) }
  if counts.allSatisfy({ $0 == 0 }) { return counts.map { _ in [] } }
  for count in counts {
    try networkErrors { () throws(ConvolutionError) in try checkMemory(bytes: count * MemoryLayout<Scalar>.stride) }
  }
  var (arrays, pointers) = ([[Scalar]](), [UnsafeMutablePointer<Scalar>]())
  var failure: NetworkError?
  // Each array is made around the call that makes the next one, the last around `fill`.
  func make(_ index: Int) {
    if index == counts.count {
      do throws(NetworkError) { try fill(pointers) } catch { failure = error }
      return
    }
    let array = [Scalar](unsafeUninitializedCapacity: counts[index]) { buffer, initializedCount in
      guard let pointer = buffer.baseAddress else { return }
      pointers.append(pointer)
      make(index + 1)
      initializedCount = failure == nil ? counts[index] : 0
    }
    arrays.insert(array, at: 0)
  }
  make(0)
  if let failure { throw failure }
  return arrays
}

/// What the engine throws outside of any operation.
private func networkErrors<R>(_ body: () throws(ConvolutionError) -> R) throws(NetworkError) -> R {
  do throws(ConvolutionError) { return try body() } catch { throw .layer(error, place: "network") }
}
