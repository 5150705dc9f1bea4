// SPDX-License-Identifier: Apache-2.0

/// A sequence of complex vectors in memory: real and imaginary parts of one element are `imaginary` scalars apart.
struct ComplexSequence<V: Lanes> {
  var base: UnsafeMutablePointer<V.Scalar>
  var stride: Int
  var imaginary: Int

  @inline(__always) subscript(index: Int) -> Complex<V> {
    get {
      let element = UnsafePointer(base + index &* stride)
      return Complex(V.load(element), V.load(element + imaginary))
    }
    nonmutating set {
      let element = base + index &* stride
      newValue.re.store(element)
      newValue.im.store(element + imaginary)
    }
  }

  /// The sequence i·conj of this one. The transform of one is the other's inverse transform, not divided by n.
  @inline(__always) var swapped: Self { Self(base: base + imaginary, stride: stride, imaginary: -imaginary) }
}
