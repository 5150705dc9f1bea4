// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvMemory

/// For example
/// `equiconv-layer/1 group=cyclic(4) input=plane output=group stride=[1,1] padding=[same,same] dilation=[1,1]
/// padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full quadrature=no channel_groups=1`, in one line.
extension Layer: TextForm {
  public static var textName: String { "equiconv-layer" }

  public func write(to text: inout TextWriter) throws(ConvolutionError) {
    try text.write("group=")
    try group.write(to: &text)
    try text.write(" input=")
    try input.write(to: &text)
    try text.write(" output=")
    try output.write(to: &text)
    try text.write(" stride=")
    try text.write(stride.values)
    try text.write(" padding=[")
    try text.write(padding.values.map { $0 == Self.same ? "same" : "\($0)" }.joined(separator: ","))
    try text.write("] dilation=")
    try text.write(dilation.values)
    try text.write(" padding_mode=\(paddingMode.word) algorithm=\(algorithm) interpolation=\(interpolation.word)")
    try text.write(" basis=")
    if let basis { try basis.write(to: &text) } else { try text.write("none") }
    try text.write(" group_basis=")
    try groupBasis.write(to: &text)
    try text.write(" quadrature=\(usesQuadrature ? "yes" : "no") channel_groups=\(channelGroups)")
  }

  public init(reading text: inout TextReader) throws(TextError) {
    try text.readKey("group", isFirst: true)
    let group = try text.readGroup()
    try text.readKey("input")
    let input = try SignalSpace(reading: &text)
    try text.readKey("output")
    let output = try SignalSpace(reading: &text)
    try text.readKey("stride")
    let stride = try text.readExtents(group)
    try text.readKey("padding")
    let padding = try text.readExtents(group, takesSame: true)
    try text.readKey("dilation")
    let dilation = try text.readExtents(group)
    try text.readKey("padding_mode")
    let paddingMode = try text.choice(PaddingMode.allCases.map { ($0.word, $0) })
    try text.readKey("algorithm")
    let algorithm = try text.choice(Algorithm.allCases.map { ($0.description, $0) })
    try text.readKey("interpolation")
    let interpolation = try text.choice(Interpolation.words)
    try text.readKey("basis")
    let basis = text.takesWord("none") ? nil : try KernelBasis(reading: &text)
    try text.readKey("group_basis")
    let groupBasis = try GroupBasis(reading: &text)
    try text.readKey("quadrature")
    let usesQuadrature = try text.choice([("no", false), ("yes", true)])
    try text.readKey("channel_groups")
    let channelGroups = try text.readInteger()
    let layer = Layer(
      from: input, to: output, group: group, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm, interpolation: interpolation, basis: basis,
      groupBasis: groupBasis, usesQuadrature: usesQuadrature, channelGroups: channelGroups)
    do throws(ConvolutionError) { self = try layer.validated() } catch { throw .layer(error) }
  }
}

extension SignalSpace {
  /// `plane`, `group` or, for example, `quotient([0,4])`.
  /// - Throws: `outOfMemory`.
  package func word() throws(ConvolutionError) -> FixedArray<UInt8> {
    var text = TextWriter()
    try write(to: &text)
    return text.finished()
  }

  /// The space of a word.
  ///
  /// - Throws: `invalidText` for what is no such word, or is not what the space is written as on this group.
  package init(word: UnsafeBufferPointer<UInt8>, of group: PointGroup) throws(TextError) {
    var text = try TextReader(word)
    try self.init(reading: &text)
    try text.expectEnd()
    let written: FixedArray<UInt8>
    do throws(ConvolutionError) { written = try normalized(group).word() } catch { throw .layer(error) }
    try text.checkCanonical(written)
  }

  fileprivate func write(to text: inout TextWriter) throws(ConvolutionError) {
    switch self {
    case .plane: try text.write("plane")
    case .group: try text.write("group")
    case .quotient(let stabilizer):
      try text.write("quotient(")
      try text.write(stabilizer)
      try text.write(")")
    }
  }

  fileprivate init(reading text: inout TextReader) throws(TextError) {
    let start = text
    switch text.word() {
    case "plane": self = .plane
    case "group": self = .group
    case "quotient":
      try text.expect("(")
      self = .quotient(stabilizer: try text.readIntegers(atMost: PointGroup.largestOrder))
      try text.expect(")")
    default: throw start.unexpected("\"plane\", \"group\" or \"quotient(\"")
    }
  }
}

extension TextReader {
  /// One number for each axis that the group acts on; -1 is spelled "same".
  fileprivate mutating func readExtents(
    _ group: PointGroup, takesSame: Bool = false
  ) throws(TextError) -> Extents {
    let start = self
    var values: [Int] = []
    try readList(atMost: 3) { (text: inout TextReader) throws(TextError) in
      values.append(takesSame && text.takesWord("same") ? Layer.same : try text.readInteger())
    }
    if values.count != group.dimension {
      throw start.unexpected("\(group.dimension) numbers, as the group acts on \(group.dimension) axes")
    }
    return Extents(values)
  }

  /// Whether this word comes next, which is then passed.
  mutating func takesWord(_ expected: String) -> Bool {
    var next = self
    guard next.word() == expected else { return false }
    self = next
    return true
  }
}

extension PaddingMode {
  var word: String {
    switch self {
    case .zeros: "zeros"
    case .circular: "circular"
    case .reflect: "reflect"
    case .replicate: "replicate"
    }
  }
}
