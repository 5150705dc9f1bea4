// SPDX-License-Identifier: Apache-2.0

/// The four equivariant layers between signals on the plane R^d and on the group G = R^d ⋊ H.
public enum LayerKind: Int32, Hashable, Sendable, CaseIterable {
  /// R^d → R^d: `y[o,x] = Σ k̄[o,c](x'−x) f[c,x']`.
  case isotropic = 0
  /// R^d → G: `y[o,h,x] = Σ k[o,c](h⁻¹(x'−x)) f[c,x']`.
  case lifting = 1
  /// G → G: `y[o,h,x] = Σ k[o,c](h⁻¹h', h⁻¹(x'−x)) f[c,h',x']`.
  case group = 2
  /// G → R^d: `y[o,x] = Σ k̄[o,c](h', x'−x) f[c,h',x']`.
  case projection = 3

  /// Whether the input is a signal on the group.
  public var readsGroup: Bool { self == .group || self == .projection }
  /// Whether the output is a signal on the group.
  public var writesGroup: Bool { self == .group || self == .lifting }
  /// Where the input lives.
  public var input: SignalSpace { readsGroup ? .group : .plane }
  /// Where the output lives.
  public var output: SignalSpace { writesGroup ? .group : .plane }
}
