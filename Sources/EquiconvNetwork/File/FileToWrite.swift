// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

/// A new file that takes its name when all of it is written: readers see the old file or the new one, whole.
///
/// It is written beside its place under another name, and removed if it is not finished.
struct FileToWrite: ~Copyable {
  private let descriptor: Int32
  /// With links followed: a link keeps pointing at the file.
  private let path: String
  private let temporary: String
  private var isFinished = false

  private static let expected = "a place for a file that can be written"

  /// - Throws: `file`, with the words of the system, or for a path of something else than a file.
  init(_ path: String) throws(NetworkError) {
    try checkPath(path)
    var target = path
    var status = stat()
    let isThere = lstat(path, &status) == 0
    if isThere, equiconv_file_type(&status) == S_IFLNK {
      guard let resolved = realpath(path, nil) else { throw systemError(path, Self.expected) }
      target = String(cString: resolved)
      free(resolved)
    }
    let replaces = isThere && stat(target, &status) == 0
    if replaces, equiconv_file_type(&status) != S_IFREG {
      throw .invalid(.file, place: path, value: "no regular file", expected: Self.expected)
    }
    let temporary = "\(target).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).part"
    let descriptor = retried { equiconv_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    if descriptor < 0 { throw systemError(path, Self.expected) }
    // A file that is replaced keeps who may read it.
    if replaces { fchmod(descriptor, status.st_mode & 0o777) }
    (self.descriptor, self.path, self.temporary) = (descriptor, target, temporary)
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporary) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(NetworkError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let count = retried { Self.write(descriptor, piece) }
      if count < 0 { throw systemError(path, Self.expected) }
      rest = rest.dropFirst(count)
    }
  }

  private static func write(_ descriptor: Int32, _ piece: UnsafeRawBufferPointer) -> Int {
    _EquiconvPlatform.write(descriptor, piece.baseAddress, piece.count)
  }

  /// Makes sure that the file is on the disk, and gives it its name.
  consuming func finish() throws(NetworkError) {
    if fsync(descriptor) != 0 || rename(temporary, path) != 0 { throw systemError(path, Self.expected) }
    isFinished = true
    syncFolder()
  }

  /// The name is kept by the folder. Some file systems cannot be asked for this, and the file is there without it.
  private func syncFolder() {
    let name = path.lastIndex(of: "/")
    let folder = name.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = retried { equiconv_open(folder, O_RDONLY | O_CLOEXEC, 0) }
    if descriptor < 0 { return }
    fsync(descriptor)
    close(descriptor)
  }
}
