// SPDX-License-Identifier: Apache-2.0

public import EquiconvEngine

/// A step of a network: reads values by their names, and writes one.
public struct NetworkOperation: Hashable, Sendable {
  public var kind: Kind
  /// Where it stands in the network, for people and for errors.
  public var name: String
  /// Names of values.
  public var inputs: [String]
  /// The name of the value that it writes.
  public var output: String

  public init(_ kind: Kind, name: String, inputs: [String], output: String) {
    self.kind = kind
    self.name = name
    self.inputs = inputs
    self.output = output
  }

  /// What it computes. Strings are names of tensors, unless said otherwise; docs/NetworkFormat.md has the formulas.
  public enum Kind: Hashable, Sendable {
    case convolution(layer: Layer, weight: String, bias: String?)
    /// The adjoint of a layer in its signal. `outputPadding` has a number for each spatial axis.
    case transposedConvolution(layer: Layer, weight: String, bias: String?, outputPadding: [Int])
    case batchNorm(mean: String, variance: String, weight: String?, bias: String?, epsilon: Double)
    case pointwise(Pointwise)
    /// Over channels.
    case softmax
    /// Over H, or over the left cosets of a stabilizer.
    case groupPool(PoolMode, stabilizer: [Int]?)
    case spatialPool(PoolMode, kernel: [Int], stride: [Int], padding: [Int])
    case spatialMean
    case upsample(UpsampleMode, factors: [Int])
    case add
    case concatenate
    case restrict(subgroup: [Int])
    /// `group` is a key of the document's groups.
    case induce(group: String, stabilizer: [Int])
    case linear(weight: String, bias: String?)
    case flatten
  }

  public enum UpsampleMode: Hashable, Sendable {
    case nearest
    /// Linear along each axis; with `alignsCorners` the outer pixels of both lie on each other.
    case linear(alignsCorners: Bool)
  }
}
