// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import EquiconvNetwork
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The largest headers, made to take long or much memory: opening each takes less than a second of the processor and, beside
/// the tables of groups, at most 64 times the header. Making its network and running it takes less than a second more.
@Suite struct WorstCaseTests {
  #if os(Linux)
    @Test func opening_takesASecondAnd64TimesTheHeader() async {
      let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
        for (name, make) in WorstCases.all {
          let bytes = make()
          giveBackMemory()
          resetPeak()
          let (before, start) = (memory("VmRSS"), seconds())
          var words = "opened"
          var file: NetworkFile?
          do { file = try SampleFile.open(bytes) } catch { words = "\(error)" }
          let (took, peak) = (seconds() - start, memory("VmHWM") - before)
          let began = seconds()
          if let file {
            do { words = "\(try SmallRun(file))" } catch { words = "\(error)" }
          }
          let ran = seconds() - began
          let multiple = Double(peak) / Double(bytes.count)
          report(
            "\(took > 1 || multiple > 64 || ran > 1 ? "TOO MUCH " : "")\(name): \(bytes.count) bytes, \(took) s, \(multiple) times the file; \(ran) s: \(words.prefix(120))\n"
          )
        }
      }
      let lines = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == WorstCases.all.count)
      for line in lines where line.hasPrefix("TOO MUCH") { Issue.record("\(line)") }
      if getenv("EQUICONV_VERBOSE") != nil { print(lines.joined(separator: "\n")) }
    }

    /// Wherever memory ends, opening is an error or succeeds, and the process goes on.
    @Test func lackOfMemory_isAnError() async {
      await #expect(processExitsWith: .success) {
        let cases = WorstCases.all.filter { ["zeros in a document", "keys", "channels", "operations"].contains($0.0) }
        var refused = 0
        for (_, file) in cases {
          let bytes = file()
          for room in stride(from: 1, to: 160, by: 6) {
            giveBackMemory()
            let size = rlim_t(memory("VmSize") + room << 20)
            var limit = rlimit(rlim_cur: size, rlim_max: .max)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            let words = message { try SampleFile.open(bytes) }
            limit.rlim_cur = .max
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            if words.hasSuffix("expected memory for them") { refused += 1 }
          }
        }
        if refused < 8 { exit(1) }
      }
    }
  #endif
}

private func report(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) } }

private func seconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A number of /proc/self/status, in bytes.
private func memory(_ key: String) -> Int {
  guard let text = try? String(decoding: contentsOfStream("/proc/self/status"), as: UTF8.self) else { return 0 }
  for line in text.split(separator: "\n") where line.hasPrefix(key) {
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
  }
  return 0
}

/// Lets the C library give freed memory back, so that using it again is seen.
private func giveBackMemory() {
  guard let trim = dlsym(nil, "malloc_trim") else { return }
  _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> CInt).self)(0)
}

/// Lets `VmHWM` begin anew.
private func resetPeak() { try? write([UInt8(ascii: "5")], to: "/proc/self/clear_refs") }

/// The largest headers, by what they are made of.
private enum WorstCases {
  static let most = 8 << 20

  /// Functions, because each is of some megabytes.
  static let all: [(String, @Sendable () -> [UInt8])] = [
    ("zeros in a document", { document("[" + repeated("0,", most - 200) + "0]") }),
    ("lists in a document", { document("[" + repeated("[],", most - 200) + "0]") }),
    ("zeros in a header", { header("{\"a\":[" + repeated("0,", most - 200) + "0]}") }),
    ("numbers in a header", { header("{\"a\":[" + repeated("1e-300,", most - 200) + "0]}") }),
    ("long numbers", { header("{\"a\":[" + repeated("1." + repeated("7", 124) + ",", most - 200) + "0]}") }),
    ("keys", { document(keys(most / 2)) }),
    ("keys with one beginning", { document(keys(most / 2, beginning: repeated("a", 1000))) }),
    ("small objects", { header("{\"a\":[" + repeated("{\"a\":0,\"b\":0},", most - 200) + "0]}") }),
    ("objects of twelve keys", { header("{\"a\":[" + repeated(keys(100) + ",", most - 200) + "0]}") }),
    ("escapes", { header("{\"__metadata__\":{\"equiconv-network\":\"" + repeated("\\u0020", most - 200) + "\"}}") }),
    ("an escaped name", { header("{\"" + repeated("\\u0020", most - 200) + "\":0}") }),
    ("tensors", { header("{" + tensors(16_384) + "}") }),
    ("metadata", { header("{\"__metadata__\":{" + pairs(most - 200) + "}}") }),
    ("operations", { network(operations: { operation($0, repeated("n", 900)) }) }),
    ("inputs", { network(operations: { sum($0) }) }),
    ("layers", { network(operations: { layer($0, "basis=none") }) }),
    ("harmonics", { network(operations: { layer($0, "basis=circular_harmonics(101,all)") }) }),
    ("splines", { network(operations: { layer($0, "basis=round_bspline([101,101],3,default)") }) }),
    ("derivatives", { network(operations: { layer($0, "basis=gaussian_derivatives([99,99],8,1.5)") }) }),
    ("classes", { network(classes: 65_536) }),
    ("channels", { network(channels: 1 << 20) }),
    ("a large group", { network(group: 4096, operations: { layer($0, "basis=none", 4096) }) }),
    ("large subgroups", { network(group: 4096, operations: { restriction($0, 2048) }) }),
    (
      "a chain of layers",
      { network(last: 4095, operations: { layer($0, "basis=none", read: before($0)) }, weight: true) }
    ),
    ("a chain of functions", { network(last: 4095, operations: { operation($0, "n", read: before($0)) }) }),
    ("large stabilizers", { network(group: 2048, operations: { quotient($0, 2048) }) }),
  ]

  static func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: max(1, count / text.utf8.count))
  }

  static func header(_ text: String) -> [UInt8] {
    SampleFile.bytes(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  static func document(_ text: String) -> [UInt8] {
    header("{\"__metadata__\":{\"equiconv-network\":\(SampleFile.quoted(text))}}")
  }

  static func keys(_ bytes: Int, beginning: String = "") -> String {
    var (text, number) = ("{", 0)
    while text.utf8.count < bytes {
      text += "\"\(beginning)\(String(number, radix: 36))\":0,"
      number += 1
    }
    return text + "\"\":0}"
  }

  static func pairs(_ bytes: Int) -> String {
    (0..<bytes / 12).map { "\"\(String($0, radix: 36))\":\"\"" }.joined(separator: ",")
  }

  static func tensors(_ count: Int) -> String {
    (0..<count).map { "\"\(repeated("t", 400))\($0)\":\(SampleFile.entry("U8", "[0]", "[0,0]"))" }.joined(
      separator: ",")
  }

  // MARK: - Networks

  /// As many operations as fit, or 4096.
  ///
  /// - Parameters:
  ///   - last: whose value is the output.
  ///   - weight: whether there is a tensor "w", the weight of `layer` for a group of order 4.
  static func network(
    channels: Int = 1, classes: Int = 0, group order: Int = 4, last: Int = 0,
    operations: (Int) -> String = { operation($0, "n") }, weight: Bool = false
  ) -> [UInt8] {
    var steps = ""
    for index in 0..<4096 where steps.utf8.count < most * 3 / 4 { steps += (index > 0 ? "," : "") + operations(index) }
    let names = (0..<classes).map { "\"\($0)\"" }.joined(separator: ",")
    let ones = repeated("1,", 2 * channels - 1).dropLast() + (channels == 1 ? "" : ",1")
    let text =
      """
      {"format":"equiconv-network/1","name":"n","dtype":"float32","groups":{"C":\(group(order))},"input":{"name":"x",\
      "dimension":2,"space":"group","group":"C","channels":\(channels),"extents":[null,null],\
      "normalization":{"scale":1,"mean":[\(ones)],"deviation":[\(ones)]}},"operations":[\(steps)],\
      "outputs":[{"name":"o","value":"v\(last)"\(classes > 0 ? ",\"classes\":[\(names)]" : "")}]}
      """
    if !weight { return document(text) }
    var file = SampleFile(text, [])
    file.entries = [("w", SampleFile.entry("F32", "[1, 1, 4, 1, 1]", "[0, 16]"))]
    file.data = Array(repeating: 0, count: 16)
    return file.bytes
  }

  /// The value before that of an operation.
  static func before(_ index: Int) -> String { index == 0 ? "x" : "v\(index - 1)" }

  static func group(_ order: Int) -> String {
    let group = try? PointGroup.cyclic(order)
    let matrices = (0..<order).map { "\(group?.matrix($0) ?? [])" }.joined(separator: ",")
    return "{\"text\":\"equiconv-group/1 cyclic(\(order))\",\"matrices\":[\(matrices)]}"
  }

  static func operation(_ index: Int, _ name: String, read: String = "x") -> String {
    "{\"kind\":\"softmax\",\"name\":\"\(name)\",\"inputs\":[\"\(read)\"],\"output\":\"v\(index)\"}"
  }

  static func sum(_ index: Int) -> String {
    "{\"kind\":\"add\",\"name\":\"n\",\"inputs\":[\(Array(repeating: "\"x\"", count: 64).joined(separator: ","))],"
      + "\"output\":\"v\(index)\"}"
  }

  static func restriction(_ index: Int, _ count: Int) -> String {
    "{\"kind\":\"restrict\",\"name\":\"n\",\"inputs\":[\"x\"],\"output\":\"v\(index)\",\"subgroup\":\(Array(0..<count))}"
  }

  static func layer(
    _ index: Int, _ basis: String, _ order: Int = 4, input: String = "group", read: String = "x"
  ) -> String {
    "{\"kind\":\"convolution\",\"name\":\"n\",\"inputs\":[\"\(read)\"],\"output\":\"v\(index)\",\"weight\":\"w\",\"layer\":"
      + "\"equiconv-layer/1 group=cyclic(\(order)) input=\(input) output=group stride=[1,1] padding=[0,0] dilation=[1,1]"
      + " padding_mode=zeros algorithm=auto interpolation=bilinear \(basis) group_basis=full quadrature=no channel_groups=1\"}"
  }

  /// From a quotient by every second element.
  static func quotient(_ index: Int, _ order: Int) -> String {
    let elements = stride(from: 0, to: order, by: 2).map { "\($0)" }.joined(separator: ",")
    return layer(index, "basis=none", order, input: "quotient([\(elements)])")
  }
}
