// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A value with a form as text: one line of ASCII that tells a reader, and any process, what it is made of.
///
/// Texts are canonical: a value made in the same way has the same text, and any other text is refused. docs/LayerFormat.md
/// has the grammar.
public protocol TextForm {
  /// What texts begin with, before "/" and the version.
  static var textName: String { get }

  /// Writes what comes after the version and a space.
  func write(to text: inout TextWriter) throws(ConvolutionError)

  /// Reads what `write` writes.
  init(reading text: inout TextReader) throws(TextError)
}

/// The version of the grammar, which all forms share.
let textVersion = 1
/// The most bytes of a text; bases of 2²⁰ numbers need 26 MB.
public let largestText = 1 << 25

extension TextForm {
  /// The text, in ASCII.
  /// - Throws: `outOfMemory`.
  public func text() throws(ConvolutionError) -> FixedArray<UInt8> {
    var writer = TextWriter()
    try writer.write("\(Self.textName)/\(textVersion) ")
    try write(to: &writer)
    return writer.finished()
  }

  /// The value of a text.
  ///
  /// - Throws: `invalidText` for what is no such text, naming the place, what is there and what was expected; what the
  ///   functions throw that the text names, for a value that they refuse; `outOfMemory`.
  public init(text: UnsafeBufferPointer<UInt8>) throws(TextError) { try self.init(text: text, groups: nil) }

  /// The same, of a layer whose group is one of these, if they are given.
  ///
  /// - Throws: also `invalidText` for a layer of another group.
  package init(text: UnsafeBufferPointer<UInt8>, groups: [KnownGroup]?) throws(TextError) {
    let call = Call.begin(.flushing)
    defer { call.end() }
    var reader = try TextReader(text, groups: groups)
    try reader.readHeader(Self.textName)
    try self.init(reading: &reader)
    try reader.expectEnd()
    let written: FixedArray<UInt8>
    do throws(ConvolutionError) { written = try self.text() } catch { throw .layer(error) }
    try reader.checkCanonical(written)
  }
}
