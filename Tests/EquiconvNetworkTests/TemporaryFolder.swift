// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs `body` with an empty folder, which is removed afterwards with all that is in it.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  var template = Array("/tmp/equiconv-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw TestFailure(what: "mkdtemp") }
  let folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  defer {
    for name in names(in: folder) { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
  return try body(folder)
}

/// The names in a folder, in order.
func names(in folder: String) -> [String] {
  guard let directory = opendir(folder) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}

func contents(of path: String) throws -> [UInt8] {
  guard let file = fopen(path, "r") else { throw TestFailure(what: "fopen \(path)") }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  let count = ftell(file)
  rewind(file)
  return [UInt8](unsafeUninitializedCapacity: count) { buffer, done in done = fread(buffer.baseAddress, 1, count, file)
  }
}

/// The bytes of a file whose size the system does not know before.
func contentsOfStream(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "r") else { throw TestFailure(what: "fopen \(path)") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  while true {
    let byte = getc(file)
    if byte == EOF { return bytes }
    bytes.append(UInt8(truncatingIfNeeded: byte))
  }
}

func write(_ bytes: [UInt8], to path: String) throws {
  guard let file = fopen(path, "w") else { throw TestFailure(what: "fopen \(path)") }
  defer { fclose(file) }
  if bytes.withUnsafeBytes({ fwrite($0.baseAddress, 1, bytes.count, file) }) != bytes.count {
    throw TestFailure(what: "fwrite \(path)")
  }
}

struct TestFailure: Error { let what: String }
