// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A vector of one of the two scalar types, as the microkernels use it: unaligned loads and stores, one multiply-add.
///
/// It neither refines `SIMD` nor constrains `Scalar`: such conformances would emit weak symbols under one name in every
/// variant, and the linker may keep the one compiled for the largest instruction set.
protocol Lanes {
  associatedtype Scalar
  /// The number of lanes.
  static var count: Int { get }
  static var zero: Self { get }
  static func load(_ pointer: UnsafePointer<Scalar>) -> Self
  static func broadcast(_ pointer: UnsafePointer<Scalar>) -> Self
  func store(_ pointer: UnsafeMutablePointer<Scalar>)
  /// Stores the first lanes, fewer than there are.
  func store(_ pointer: UnsafeMutablePointer<Scalar>, first count: Int)
  /// a·b + c; rounded once where the processor has such an instruction.
  static func multiplyAdd(_ a: Self, _ b: Self, _ c: Self) -> Self
  /// c − a·b, likewise.
  static func multiplySubtract(_ a: Self, _ b: Self, _ c: Self) -> Self
  static func multiply(_ a: Self, _ b: Self) -> Self
  static func add(_ a: Self, _ b: Self) -> Self
  static func subtract(_ a: Self, _ b: Self) -> Self
  /// a0 b0 a1 b1 … of the lower halves, and of the upper halves.
  static func zipLow(_ a: Self, _ b: Self) -> Self
  static func zipHigh(_ a: Self, _ b: Self) -> Self
  /// Every second lane of a and then of b, from the first and from the second: what undoes zipLow and zipHigh.
  static func evens(_ a: Self, _ b: Self) -> Self
  static func odds(_ a: Self, _ b: Self) -> Self
  /// All lanes are this number.
  static func splat(_ value: Double) -> Self
  /// Puts the smaller of each lane into `a` and the larger into `b`.
  static func sort(_ a: inout Self, _ b: inout Self)
}

/// The lanes of Float of this target.
struct Lanes32: Lanes {
  var register: Register32

  @inline(__always) init(_ register: Register32) { self.register = register }
  @inline(__always) static var count: Int { Register32.scalarCount }
  @inline(__always) static var zero: Self { Self(Register32(repeating: 0)) }

  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self {
    Self(UnsafeRawPointer(pointer).loadUnaligned(as: Register32.self))
  }
  @inline(__always) static func broadcast(_ pointer: UnsafePointer<Float>) -> Self {
    Self(Register32(repeating: pointer.pointee))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: register, as: Register32.self)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, first count: Int) {
    storeFirst(register, pointer, count)
  }
  @inline(__always) static func multiplyAdd(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(_EquiconvShims.multiplyAdd(a.register, b.register, c.register))
  }
  @inline(__always) static func multiplySubtract(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(_EquiconvShims.multiplySubtract(a.register, b.register, c.register))
  }
  @inline(__always) static func multiply(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.multiply(a.register, b.register))
  }
  @inline(__always) static func add(_ a: Self, _ b: Self) -> Self { Self(_EquiconvShims.add(a.register, b.register)) }
  @inline(__always) static func subtract(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.subtract(a.register, b.register))
  }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipLow(a.register, b.register))
  }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipHigh(a.register, b.register))
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.evens(a.register, b.register))
  }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.odds(a.register, b.register))
  }
  @inline(__always) static func splat(_ value: Double) -> Self { Self(Register32(repeating: Float(value))) }
  @inline(__always) static func sort(_ a: inout Self, _ b: inout Self) {
    let swapped = b.register .< a.register
    let smaller = a.register.replacing(with: b.register, where: swapped)
    b.register = b.register.replacing(with: a.register, where: swapped)
    a.register = smaller
  }
}

/// The lanes of Double of this target.
struct Lanes64: Lanes {
  var register: Register64

  @inline(__always) init(_ register: Register64) { self.register = register }
  @inline(__always) static var count: Int { Register64.scalarCount }
  @inline(__always) static var zero: Self { Self(Register64(repeating: 0)) }

  @inline(__always) static func load(_ pointer: UnsafePointer<Double>) -> Self {
    Self(UnsafeRawPointer(pointer).loadUnaligned(as: Register64.self))
  }
  @inline(__always) static func broadcast(_ pointer: UnsafePointer<Double>) -> Self {
    Self(Register64(repeating: pointer.pointee))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: register, as: Register64.self)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>, first count: Int) {
    storeFirst(register, pointer, count)
  }
  @inline(__always) static func multiplyAdd(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(_EquiconvShims.multiplyAdd(a.register, b.register, c.register))
  }
  @inline(__always) static func multiplySubtract(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(_EquiconvShims.multiplySubtract(a.register, b.register, c.register))
  }
  @inline(__always) static func multiply(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.multiply(a.register, b.register))
  }
  @inline(__always) static func add(_ a: Self, _ b: Self) -> Self { Self(_EquiconvShims.add(a.register, b.register)) }
  @inline(__always) static func subtract(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.subtract(a.register, b.register))
  }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipLow(a.register, b.register))
  }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipHigh(a.register, b.register))
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.evens(a.register, b.register))
  }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.odds(a.register, b.register))
  }
  @inline(__always) static func splat(_ value: Double) -> Self { Self(Register64(repeating: Double(value))) }
  @inline(__always) static func sort(_ a: inout Self, _ b: inout Self) {
    let swapped = b.register .< a.register
    let smaller = a.register.replacing(with: b.register, where: swapped)
    b.register = b.register.replacing(with: a.register, where: swapped)
    a.register = smaller
  }
}
