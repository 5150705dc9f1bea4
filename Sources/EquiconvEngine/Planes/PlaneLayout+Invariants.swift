// SPDX-License-Identifier: Apache-2.0

extension PlaneLayout {
  #if EQUICONV_INTERNAL_CHECKS
    /// Those of its axes: what is filled lies in the plane.
    func checkInvariants() {
      for axis in [z, y, x] { axis.checkInvariants() }
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
