// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// How the extents of what an operation writes follow from those of what it reads.
enum ExtentRule: Hashable, Sendable {
  case same
  /// No spatial axes.
  case none
  case layer(Layer, kernel: Extents)
  /// The adjoint of a layer.
  case adjoint(Layer, kernel: Extents, outputPadding: [Int])
  case windows(kernel: [Int], stride: [Int], padding: [Int])
  /// `reach`: pixels that each output reads.
  case enlarged([Int], reach: Int)

  /// Larger extents cannot be those of an array in memory; sums of a few of them do not overflow.
  static let largest = Limits.size

  /// The extents of the output, nil for those that depend on unknown ones.
  ///
  /// - Throws: for extents that the operation does not fit, without saying which operation it is.
  func apply(_ extents: [Int?]) throws(Failure) -> [Int?] {
    if case .none = self { return [] }
    var result: [Int?] = []
    for (axis, extent) in extents.enumerated() {
      guard let extent else {
        result.append(nil)
        continue
      }
      let size = try apply(axis, extent)
      if size < 1 || size > Self.largest {
        throw Failure(value: "\(extent) on axis \(axis)", expected: "an extent that gives 1 to 2^48, not \(size)")
      }
      result.append(size)
    }
    return result
  }

  /// What is wrong with extents.
  enum Failure: Error {
    case extents(value: String, expected: String)
    case layer(ConvolutionError)

    init(value: String, expected: String) { self = .extents(value: value, expected: expected) }

    /// As an error of an operation that reads them.
    func error(_ place: String) -> NetworkError {
      switch self {
      case .extents(let value, let expected):
        .invalid(.argument, place: "an extent of what \(place) reads", value: value, expected: expected)
      case .layer(let error): .layer(error, place: place)
      }
    }
  }

  private func apply(_ axis: Int, _ extent: Int) throws(Failure) -> Int {
    do throws(ConvolutionError) {
      switch self {
      case .same: return extent
      case .none: return 1
      case .layer(let layer, let kernel): return try layer.outputs(axis, size: extent, kernel: kernel[axis]).count
      case .adjoint(let layer, let kernel, let outputPadding):
        let reach = try layer.reach(axis, kernel: kernel[axis])
        let padding = try layer.paddingAmount(axis, kernel: kernel[axis])
        let (steps, overflow) = (extent - 1).multipliedReportingOverflow(by: layer.stride[axis])
        return overflow || steps > 2 * Self.largest ? .max : steps - 2 * padding + reach + outputPadding[axis]
      case .windows, .enlarged: break
      }
    } catch {
      throw .layer(error)
    }
    return try applyPlain(axis, extent)
  }

  private func applyPlain(_ axis: Int, _ extent: Int) throws(Failure) -> Int {
    switch self {
    case .windows(let kernel, let stride, let padding):
      let padded = extent + 2 * padding[axis]
      if padded < kernel[axis] {
        throw Failure(value: "\(extent) on axis \(axis)", expected: "at least \(kernel[axis] - 2 * padding[axis])")
      }
      return (padded - kernel[axis]) / stride[axis] + 1
    case .enlarged(let factors, _):
      let (size, overflow) = extent.multipliedReportingOverflow(by: factors[axis])
      return overflow ? .max : size
    default: return extent
    }
  }
}
