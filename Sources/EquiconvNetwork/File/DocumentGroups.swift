// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// The groups of a document, each with its tables made once, for all layers whose texts name it.
struct DocumentGroups {
  private(set) var byName: [String: PointGroup] = [:]
  /// For the texts of layers.
  private(set) var known: [KnownGroup] = []

  /// How far the entries of matrices may be from those of the group.
  private static let tolerance = 1e-9

  /// - Throws: `document` for matrices that are not those of the text, `group` for a text of no group, `limit`.
  init(_ value: DocumentValue) throws(NetworkError) {
    guard case .object(let members) = value.value else { throw value.error("an object of groups") }
    if members.count > Limits.groups {
      throw value.error("at most \(Limits.groups) groups", .limit, showing: "an object of \(members.count)")
    }
    var entries = 0
    for (key, item) in members {
      let place = DocumentPlace.name(key.shown, of: value.place)
      let name = try DocumentValue(.text(key), place).name()
      try add(name, DocumentValue(item, place), &entries)
    }
  }

  private mutating func add(_ name: String, _ value: DocumentValue, _ entries: inout Int) throws(NetworkError) {
    let fields = try DocumentObject(value, keys: ["text", "matrices"])
    let matrices = try fields.value("matrices")
    guard case .list(let list) = matrices.value else { throw matrices.error("a list of matrices") }
    // The order is known before tables of its square are made.
    let order = min(list.count, PointGroup.largestOrder)
    entries += order * order
    if entries > Limits.groupTables {
      throw matrices.error("tables of at most 2^26 numbers of all groups", .limit, showing: "a list of \(list.count)")
    }
    let text = try fields.value("text")
    guard case .text(let words) = text.value else { throw text.error("the text of a group") }
    let bytes = try words.decoded()
    let group: PointGroup
    do throws(TextError) { group = try PointGroup(text: bytes.elements) } catch {
      throw NetworkError(error, place: text.place.description)
    }
    try check(matrices, list, group)
    if byName.updateValue(group, forKey: name) != nil { throw value.error("each group once", showing: "there twice") }
    known.append(KnownGroup(text: bytes, group))
  }

  private func check(_ value: DocumentValue, _ list: JSON.List, _ group: PointGroup) throws(NetworkError) {
    if list.count != group.order {
      throw value.error("the \(group.order) matrices of \(group.name)")
    }
    let size = group.dimension * group.dimension
    for (element, item) in list.enumerated() {
      let place = DocumentPlace.item(element, of: value.place)
      let (entries, expected) = (try DocumentValue(item, place).numbers(size), group.matrix(element))
      for (index, entry) in entries.enumerated() where !(abs(entry - expected[index]) <= Self.tolerance) {
        throw .invalid(
          .document, place: "\(place)[\(index)]", value: "\(entry)", expected: "\(expected[index]), as in \(group.name)"
        )
      }
    }
  }

  /// The name of a group of the document.
  func name(_ value: DocumentValue) throws(NetworkError) -> String {
    let name = try value.name()
    if byName[name] == nil { throw value.error("the name of a group of the document") }
    return name
  }

  /// The group of a name.
  func group(_ value: DocumentValue) throws(NetworkError) -> PointGroup {
    guard let group = byName[try value.name()] else { throw value.error("the name of a group of the document") }
    return group
  }
}

extension NetworkError {
  /// What is wrong with a text in a document.
  init(_ error: TextError, place: String) {
    switch error {
    case .layer(let error): self = .layer(error, place: place)
    case .group(let error): self = .group(error, place: place)
    case .basis(let error): self = .basis(error, place: place)
    }
  }
}
