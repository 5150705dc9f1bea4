// SPDX-License-Identifier: Apache-2.0

/// A complex number in each lane.
struct Complex<V: Lanes> {
  var re: V
  var im: V

  @inline(__always) init(_ re: V, _ im: V) {
    self.re = re
    self.im = im
  }

  @inline(__always) static func + (_ a: Self, _ b: Self) -> Self { Self(V.add(a.re, b.re), V.add(a.im, b.im)) }
  @inline(__always) static func - (_ a: Self, _ b: Self) -> Self {
    Self(V.subtract(a.re, b.re), V.subtract(a.im, b.im))
  }
  /// self + s·i·d.
  @inline(__always) func plusImaginary(_ s: V, _ d: Self) -> Self {
    Self(V.multiplySubtract(s, d.im, re), V.multiplyAdd(s, d.re, im))
  }
  /// self − s·i·d.
  @inline(__always) func minusImaginary(_ s: V, _ d: Self) -> Self {
    Self(V.multiplyAdd(s, d.im, re), V.multiplySubtract(s, d.re, im))
  }
  /// self + s·d.
  @inline(__always) func plus(_ s: V, _ d: Self) -> Self {
    Self(V.multiplyAdd(s, d.re, re), V.multiplyAdd(s, d.im, im))
  }
  /// self − s·d.
  @inline(__always) func minus(_ s: V, _ d: Self) -> Self {
    Self(V.multiplySubtract(s, d.re, re), V.multiplySubtract(s, d.im, im))
  }
  /// self − i·d, and self + i·d.
  @inline(__always) func minusI(_ d: Self) -> Self { Self(V.add(re, d.im), V.subtract(im, d.re)) }
  @inline(__always) func plusI(_ d: Self) -> Self { Self(V.subtract(re, d.im), V.add(im, d.re)) }
  /// self · (c + i s).
  @inline(__always) func turned(_ c: V, _ s: V) -> Self {
    Self(V.multiplySubtract(im, s, V.multiply(re, c)), V.multiplyAdd(im, c, V.multiply(re, s)))
  }
}
