// SPDX-License-Identifier: Apache-2.0

/// A list as Swift prints it, for example "[0, 1, 7]". Embedded Swift has no words for arrays.
package func listText(_ elements: some Sequence<some CustomStringConvertible>) -> String {
  "[" + elements.map { $0.description }.joined(separator: ", ") + "]"
}
