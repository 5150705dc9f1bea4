// SPDX-License-Identifier: Apache-2.0

public import EquiconvEngine
public import EquiconvGroups

/// What a network computes, without its numbers: the JSON document of a network file; see docs/NetworkFormat.md.
///
/// A value is what a document says, in its types. Whether operations fit each other and their tensors, `NetworkGraph`
/// says.
public struct NetworkDocument: Hashable, Sendable {
  /// Of all signals, and of the parameters that operations name.
  public enum Scalar: String, Hashable, Sendable, CaseIterable {
    case float32, float64
  }

  public var name: String
  public var description: String?
  public var scalar: Scalar
  /// By the names that the document uses.
  public var groups: [String: PointGroup]
  public var input: Input
  public var operations: [NetworkOperation]
  /// At least one.
  public var outputs: [Output]
  public var test: Test?

  public init(
    name: String, description: String? = nil, scalar: Scalar, groups: [String: PointGroup] = [:], input: Input,
    operations: [NetworkOperation], outputs: [Output], test: Test? = nil
  ) {
    self.name = name
    self.description = description
    self.scalar = scalar
    self.groups = groups
    self.input = input
    self.operations = operations
    self.outputs = outputs
    self.test = test
  }

  /// The signal that the network reads.
  public struct Input: Hashable, Sendable {
    /// Also the name of its value.
    public var name: String
    /// The number of spatial axes.
    public var dimension: Int
    public var space: SignalSpace
    /// A key of `groups`; nil on the plane.
    public var group: String?
    public var channels: Int
    /// For each spatial axis; nil for any.
    public var extents: [Int?]
    public var normalization: Normalization?
    /// In micrometers, for each spatial axis.
    public var pixelSize: [Double]?

    public init(
      name: String, dimension: Int, space: SignalSpace = .plane, group: String? = nil, channels: Int,
      extents: [Int?]? = nil, normalization: Normalization? = nil, pixelSize: [Double]? = nil
    ) {
      self.name = name
      self.dimension = dimension
      self.space = space
      self.group = group
      self.channels = channels
      self.extents = extents ?? Array(repeating: nil, count: dimension)
      self.normalization = normalization
      self.pixelSize = pixelSize
    }
  }

  /// `(scale · x − mean[c]) / deviation[c]`.
  public struct Normalization: Hashable, Sendable {
    public var scale: Double
    public var mean: [Double]
    public var deviation: [Double]

    public init(scale: Double = 1, mean: [Double], deviation: [Double]) {
      self.scale = scale
      self.mean = mean
      self.deviation = deviation
    }
  }

  /// A signal that the network writes.
  public struct Output: Hashable, Sendable {
    public var name: String
    /// What an operation writes.
    public var value: String
    /// A name for each channel.
    public var classes: [String]?

    public init(name: String, value: String, classes: [String]? = nil) {
      self.name = name
      self.value = value
      self.classes = classes
    }
  }

  /// Tensors of an input and of the outputs for it.
  public struct Test: Hashable, Sendable {
    public var input: String
    public var outputs: [String]
    /// Of their bytes, one tensor after the other, in lower-case hexadecimal digits.
    public var sha256: String

    public init(input: String, outputs: [String], sha256: String) {
      self.input = input
      self.outputs = outputs
      self.sha256 = sha256
    }
  }
}
