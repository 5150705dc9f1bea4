// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The time of the processor that this thread has used.
func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Whatever a file holds, opening it is an error, or the file is what it says; its network is refused, or it runs; and
/// none of these takes long.
///
/// `EQUICONV_MUTATIONS=100000` opens more files than by default, `EQUICONV_MUTATION_SEED=2` others.
@Suite struct MutationTests {
  private static func setting(_ name: String, default value: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? value
  }

  @Test func mutatedFiles_areErrorsOrWhatTheySay() throws {
    let count = Self.setting("EQUICONV_MUTATIONS", default: 20_000)
    var mutations = try Mutations(seed: UInt64(Self.setting("EQUICONV_MUTATION_SEED", default: 1)))
    var (opened, networks, ran) = (0, 0, 0)
    var kinds: [String: Int] = [:]
    for number in 0..<count {
      let bytes = mutations.next()
      var start = threadSeconds()
      do {
        let file = try SampleFile.open(bytes)
        opened += 1
        try expectWhatItSays(file, bytes, number)
        #expect(threadSeconds() - start < 1, "file \(number) of \(bytes.count) bytes")
        start = threadSeconds()
        switch try SmallRun(file) {
        case .refused(let error): kinds[kindName(error), default: 0] += 1
        case .tooMuch: networks += 1
        case .ran: (networks, ran) = (networks + 1, ran + 1)
        }
      } catch let error as NetworkError { kinds[kindName(error), default: 0] += 1 }
      #expect(threadSeconds() - start < 1, "file \(number) of \(bytes.count) bytes")
    }
    #expect(networks > count / 50 && ran > networks / 2, "\(networks) of \(count) are networks, \(ran) ran")
    if getenv("EQUICONV_VERBOSE") != nil {
      print("\(count) files: \(opened) opened, \(networks) are networks, \(ran) ran; errors \(kinds)")
    }
    // The mutations are neither all refused for one reason, nor harmless.
    #expect(opened > count / 50 && opened < count / 2, "\(opened) of \(count) files were opened")
    for kind in ["format", "document", "version", "operation", "limit", "layer"] {
      #expect(kinds[kind, default: 0] > 0, "no error of the kind \(kind): \(kinds)")
    }
  }

  private func kindName(_ error: NetworkError) -> String {
    switch error {
    case .invalid(let kind, _, _, _): "\(kind)"
    case .layer: "layer"
    case .group: "group"
    case .basis: "basis"
    }
  }

  /// The document and the tensors come back from what the library writes of them, and the numbers are those of the bytes.
  private func expectWhatItSays(_ file: NetworkFile, _ bytes: [UInt8], _ number: Int) throws {
    let text = String(decoding: try file.documentText(), as: UTF8.self)
    let tensors = file.tensorNames.compactMap { file.tensor($0) }
    let again = try SampleFile(text, tensors).open()
    #expect(again.document == file.document && again.geometry == file.geometry, "file \(number)")
    #expect(again.tensorNames == file.tensorNames, "file \(number)")
    for tensor in tensors {
      let same = again.tensor(tensor.name).map {
        $0.shape == tensor.shape && $0.type == tensor.type && $0.bytes.elementsEqual(tensor.bytes)
      }
      #expect(same == true, "file \(number), \(tensor.name)")
    }
    let count = tensors.reduce(0) { $0 + $1.bytes.count }
    let header = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(8 + header + count == bytes.count, "file \(number)")
  }
}
