// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing
import _EquiconvErrors

@Suite struct NetworkErrorTests {
  @Test func messageNamesPlaceValueAndExpectation() {
    let error = NetworkError.invalid(
      .document, place: "operations[3].weight", value: "\"a\"", expected: "the name of a tensor")
    #expect(error.message(in: .c) == "operations[3].weight is \"a\", expected the name of a tensor")
  }
}
