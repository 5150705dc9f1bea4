// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvPlatform

/// An open regular file, whose size was looked up when it was opened.
struct FileToRead: ~Copyable {
  private let descriptor: Int32
  private let path: String
  let count: Int

  /// - Throws: `file`, with the words of the system, or for what is no regular file.
  init(_ path: String) throws(NetworkError) {
    try checkPath(path)
    // Opening a pipe that nobody writes to would wait.
    let descriptor = retried { equiconv_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0) }
    if descriptor < 0 { throw systemError(path, "a file that can be read") }
    var status = stat()
    if fstat(descriptor, &status) != 0 {
      let error = systemError(path, "a file that can be read")
      close(descriptor)
      throw error
    }
    guard equiconv_file_type(&status) == S_IFREG else {
      close(descriptor)
      throw .invalid(.file, place: path, value: "no regular file", expected: "a file")
    }
    self.descriptor = descriptor
    self.path = path
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads bytes at a place, as many as there is room for.
  /// - Throws: `file` where the file has fewer: it became shorter since it was opened.
  func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(NetworkError) {
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let got = retried { pread(descriptor, rest.baseAddress, min(rest.count, 1 << 30), off_t(offset + done)) }
      if got < 0 { throw systemError(path, "a file that can be read") }
      if got == 0 {
        throw .invalid(
          .file, place: path, value: "of \(offset + done) bytes, and was of \(count) when it was opened",
          expected: "a file that nobody changes")
      }
      done += got
    }
  }

  /// The bytes in a range.
  /// - Throws: `file`, `outOfMemory`.
  func bytes(_ range: Range<Int>) throws(NetworkError) -> FixedArray<UInt8> {
    let bytes = try CheckedArray<UInt8, NetworkError>(repeating: 0, count: range.count)
    try read(into: UnsafeMutableRawBufferPointer(bytes.elements), at: range.lowerBound)
    return bytes.frozen()
  }

  /// The whole file in memory, without reading it.
  ///
  /// - Precondition: the file is not empty.
  /// - Throws: `file`.
  func mapped() throws(NetworkError) -> UnsafeRawBufferPointer {
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), equiconv_is_map_failed(base) == 0 else {
      throw systemError(path, "a file that can be mapped")
    }
    return UnsafeRawBufferPointer(start: base, count: count)
  }
}

/// Throws for a path that the system would read only in part.
func checkPath(_ path: String) throws(NetworkError) {
  if path.isEmpty || path.utf8.contains(0) {
    throw .invalid(
      .file, place: "path", value: path.isEmpty ? "empty" : "with a zero byte", expected: "the path of a file")
  }
}

/// Repeats a system call that a signal interrupted.
func retried<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || equiconv_error_code() != EINTR { return result }
  }
}

/// What the system says about its last call.
func systemError(_ path: String, _ expected: String) -> NetworkError {
  let code = equiconv_error_code()
  let words = strerror(code).map { String(cString: $0) } ?? "error \(code)"
  return .invalid(.file, place: path, value: "refused by the system (\(words))", expected: expected)
}
