// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A vector of one of the two scalar types, as the microkernels use it: unaligned loads and stores, one multiply-add.
///
/// It neither refines `SIMD` nor constrains `Scalar`: such conformances would emit weak symbols under one name in every
/// variant, and the linker may keep the one compiled for the largest instruction set.
protocol Lanes {
  associatedtype Scalar
  associatedtype Register: BitwiseCopyable
  var register: Register { get set }
  init(_ register: Register)
  /// The number of lanes.
  static var count: Int { get }
  static func broadcast(_ pointer: UnsafePointer<Scalar>) -> Self
  /// All lanes are this number.
  static func splat(_ value: Double) -> Self
  /// Loads the first lanes and reads nothing beyond them; the others are zero.
  static func load(_ pointer: UnsafePointer<Scalar>, first count: Int) -> Self
  /// Stores the first lanes, fewer than there are.
  func store(_ pointer: UnsafeMutablePointer<Scalar>, first count: Int)
  static func add(_ a: Scalar, _ b: Scalar) -> Scalar
  /// a·b + c; rounded once where the processor has such an instruction.
  static func multiplyAdd(_ a: Self, _ b: Self, _ c: Self) -> Self
  /// c − a·b, likewise.
  static func multiplySubtract(_ a: Self, _ b: Self, _ c: Self) -> Self
  static func multiply(_ a: Self, _ b: Self) -> Self
  static func add(_ a: Self, _ b: Self) -> Self
  static func subtract(_ a: Self, _ b: Self) -> Self
  /// The sign bits flipped.
  static func negate(_ a: Self) -> Self
  /// a0 b0 a1 b1 … of the lower halves, and of the upper halves.
  static func zipLow(_ a: Self, _ b: Self) -> Self
  static func zipHigh(_ a: Self, _ b: Self) -> Self
  /// Every second lane of a and then of b, from the first and from the second: what undoes zipLow and zipHigh.
  static func evens(_ a: Self, _ b: Self) -> Self
  static func odds(_ a: Self, _ b: Self) -> Self
  /// b where it is less than a, else a; and what remains.
  static func lesser(_ a: Self, _ b: Self) -> Self
  static func greater(_ a: Self, _ b: Self) -> Self
  static func divide(_ a: Self, _ b: Self) -> Self
  static func absolute(_ a: Self) -> Self
  static func copySign(_ magnitude: Self, _ sign: Self) -> Self
  /// x where a < b, else y; y where the two cannot be ordered.
  static func whereLess(_ a: Self, _ b: Self, _ x: Self, _ y: Self) -> Self
  /// The larger, NaN where one of the two is, and 0 of 0 and −0.
  static func largest(_ a: Self, _ b: Self) -> Self
  /// The bits moved up until the lowest are the exponent.
  static func shiftToExponent(_ a: Self) -> Self
  /// a·b − p for the rounded product p.
  static func productError(_ a: Self, _ b: Self, _ p: Self) -> Self
}

extension Lanes {
  @inline(__always) static var zero: Self { splat(0) }

  @inline(__always) static func load(_ pointer: UnsafePointer<Scalar>) -> Self {
    Self(UnsafeRawPointer(pointer).loadUnaligned(as: Register.self))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Scalar>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: register, as: Register.self)
  }
  /// Puts the smaller of each lane into `a` and the larger into `b`.
  @inline(__always) static func sort(_ a: inout Self, _ b: inout Self) {
    (a, b) = (lesser(a, b), greater(a, b))
  }
}

// What remains for each type is the choice of a C function by the type of the register, which no generic code can make.

/// The lanes of Float of this target.
struct Lanes32: Lanes {
  var register: Register32

  @inline(__always) init(_ register: Register32) { self.register = register }
  @inline(__always) static var count: Int { Register32.scalarCount }
  @inline(__always) static func broadcast(_ pointer: UnsafePointer<Float>) -> Self {
    Self(Register32(repeating: pointer.pointee))
  }
  @inline(__always) static func splat(_ value: Double) -> Self { Self(Register32(repeating: Float(value))) }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>, first count: Int) -> Self {
    Self(loadFirst(pointer, count))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, first count: Int) {
    storeFirst(register, pointer, count)
  }
  @inline(__always) static func add(_ a: Float, _ b: Float) -> Float { a + b }
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
  @inline(__always) static func negate(_ a: Self) -> Self { Self(_EquiconvShims.negate(a.register)) }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipLow(a.register, b.register))
  }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipHigh(a.register, b.register))
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.evens(a.register, b.register))
  }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self { Self(_EquiconvShims.odds(a.register, b.register)) }
  @inline(__always) static func lesser(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.lesser(a.register, b.register))
  }
  @inline(__always) static func greater(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.greater(a.register, b.register))
  }
  @inline(__always) static func divide(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.divide(a.register, b.register))
  }
  @inline(__always) static func absolute(_ a: Self) -> Self { Self(_EquiconvShims.absolute(a.register)) }
  @inline(__always) static func copySign(_ magnitude: Self, _ sign: Self) -> Self {
    Self(_EquiconvShims.copySign(magnitude.register, sign.register))
  }
  @inline(__always) static func whereLess(_ a: Self, _ b: Self, _ x: Self, _ y: Self) -> Self {
    Self(_EquiconvShims.whereLess(a.register, b.register, x.register, y.register))
  }
  @inline(__always) static func largest(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.largest(a.register, b.register))
  }
  @inline(__always) static func shiftToExponent(_ a: Self) -> Self {
    Self(_EquiconvShims.shiftToExponent(a.register))
  }
  @inline(__always) static func productError(_ a: Self, _ b: Self, _ p: Self) -> Self {
    Self(_EquiconvShims.productError(a.register, b.register, p.register))
  }
}

/// The lanes of Double of this target.
struct Lanes64: Lanes {
  var register: Register64

  @inline(__always) init(_ register: Register64) { self.register = register }
  @inline(__always) static var count: Int { Register64.scalarCount }
  @inline(__always) static func broadcast(_ pointer: UnsafePointer<Double>) -> Self {
    Self(Register64(repeating: pointer.pointee))
  }
  @inline(__always) static func splat(_ value: Double) -> Self { Self(Register64(repeating: Double(value))) }
  @inline(__always) static func load(_ pointer: UnsafePointer<Double>, first count: Int) -> Self {
    Self(loadFirst(pointer, count))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>, first count: Int) {
    storeFirst(register, pointer, count)
  }
  @inline(__always) static func add(_ a: Double, _ b: Double) -> Double { a + b }
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
  @inline(__always) static func negate(_ a: Self) -> Self { Self(_EquiconvShims.negate(a.register)) }
  @inline(__always) static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipLow(a.register, b.register))
  }
  @inline(__always) static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.zipHigh(a.register, b.register))
  }
  @inline(__always) static func evens(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.evens(a.register, b.register))
  }
  @inline(__always) static func odds(_ a: Self, _ b: Self) -> Self { Self(_EquiconvShims.odds(a.register, b.register)) }
  @inline(__always) static func lesser(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.lesser(a.register, b.register))
  }
  @inline(__always) static func greater(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.greater(a.register, b.register))
  }
  @inline(__always) static func divide(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.divide(a.register, b.register))
  }
  @inline(__always) static func absolute(_ a: Self) -> Self { Self(_EquiconvShims.absolute(a.register)) }
  @inline(__always) static func copySign(_ magnitude: Self, _ sign: Self) -> Self {
    Self(_EquiconvShims.copySign(magnitude.register, sign.register))
  }
  @inline(__always) static func whereLess(_ a: Self, _ b: Self, _ x: Self, _ y: Self) -> Self {
    Self(_EquiconvShims.whereLess(a.register, b.register, x.register, y.register))
  }
  @inline(__always) static func largest(_ a: Self, _ b: Self) -> Self {
    Self(_EquiconvShims.largest(a.register, b.register))
  }
  @inline(__always) static func shiftToExponent(_ a: Self) -> Self {
    Self(_EquiconvShims.shiftToExponent(a.register))
  }
  @inline(__always) static func productError(_ a: Self, _ b: Self, _ p: Self) -> Self {
    Self(_EquiconvShims.productError(a.register, b.register, p.register))
  }
}
