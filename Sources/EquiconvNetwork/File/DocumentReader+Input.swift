// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

extension DocumentReader {
  func input(_ value: DocumentValue, _ groups: DocumentGroups) throws(NetworkError) -> NetworkDocument.Input {
    let fields = try DocumentObject(
      value,
      keys: ["name", "dimension", "space", "group", "channels", "extents", "axes", "normalization", "pixel_size"])
    let dimension = try fields.value("dimension").integer(in: 1...3)
    let channels = try fields.value("channels").integer(in: 1...Limits.size)
    let (space, group) = try space(fields, groups, dimension: dimension)
    return NetworkDocument.Input(
      name: try fields.value("name").name(), dimension: dimension, space: space, group: group, channels: channels,
      extents: try fields.value("extents").integersOrNull(dimension, in: 1...Limits.size),
      normalization: try fields.optional("normalization").map { (value) throws(NetworkError) in
        try normalization(value, channels: channels)
      },
      pixelSize: try fields.optional("pixel_size").map { (value) throws(NetworkError) in
        try positive(value, dimension)
      })
  }

  /// The space of the input, and the name of its group.
  private func space(
    _ fields: DocumentObject, _ groups: DocumentGroups, dimension: Int
  ) throws(NetworkError) -> (SignalSpace, String?) {
    let value = try fields.value("space")
    let words = try value.text(1...Limits.spaceText)
    if words == "plane" {
      if let group = fields.optional("group") { throw group.error("no group, as the space is the plane") }
      return (.plane, nil)
    }
    let named = try fields.value("group")
    let name = try groups.name(named)
    let group = try groups.group(named)
    if group.dimension != dimension {
      throw named.error(
        "a group that acts on \(dimension) axes", showing: "\(group.name), which acts on \(group.dimension)")
    }
    return (try space(words, of: group, value), name)
  }

  private func space(_ words: String, of group: PointGroup, _ value: DocumentValue) throws(NetworkError) -> SignalSpace
  {
    var bytes = Array(words.utf8)
    let space: SignalSpace
    do throws(TextError) {
      space = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(TextError) in
        try SignalSpace(word: UnsafeBufferPointer(buffer), of: group)
      }
    } catch { throw NetworkError(error, place: value.place.description) }
    if case .quotient(let stabilizer) = space {
      do throws(GroupError) { try group.checkSubgroup(stabilizer) } catch {
        throw .group(error, place: value.place.description)
      }
    }
    return space
  }

  private func normalization(
    _ value: DocumentValue, channels: Int
  ) throws(NetworkError) -> NetworkDocument.Normalization {
    let fields = try DocumentObject(value, keys: ["scale", "mean", "deviation"])
    let scale = try fields.value("scale")
    let factor = try scale.number()
    if factor == 0 { throw scale.error("a number other than 0") }
    return NetworkDocument.Normalization(
      scale: factor, mean: try fields.value("mean").numbers(channels),
      deviation: try positive(try fields.value("deviation"), channels))
  }

  private func positive(_ value: DocumentValue, _ count: Int) throws(NetworkError) -> [Double] {
    let numbers = try value.numbers(count)
    if let index = numbers.firstIndex(where: { !($0 > 0) }) {
      throw .invalid(
        .document, place: "\(value.place)[\(index)]", value: "\(numbers[index])", expected: "a positive number")
    }
    return numbers
  }
}
