// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system refuses is an error with its words; files are replaced whole, or not at all.
@Suite struct FileSystemTests {
  private func digits() throws -> NetworkFile {
    try NetworkFile(SampleDocuments.digits(), tensors: SampleTensors.digits().tensors)
  }

  @Test func pathsThatAreNoFiles_areErrors() throws {
    try withTemporaryFolder { folder in
      mkfifo("\(folder)/pipe", 0o600)
      try write([], to: "\(folder)/empty")
      for (path, words) in [
        ("\(folder)/missing", "refused by the system (No such file or directory)"), (folder, "no regular file"),
        // Nobody writes to it, and nobody waits.
        ("\(folder)/pipe", "no regular file"), ("/dev/null", "no regular file"), ("", "empty"),
        ("a\0b", "with a zero byte"),
      ] {
        #expect(message { try NetworkFile(path: path) }.contains(words), "\(path)")
        #expect(kind { try NetworkFile(path: path) } == .file)
      }
      #expect(
        message { try NetworkFile(path: "\(folder)/empty") } == "file is of 0 bytes, expected 8 bytes and a header")
    }
  }

  @Test func placesThatCannotBeWritten_areErrors_andNothingIsLeftThere() throws {
    let file = try digits()
    try withTemporaryFolder { folder in
      mkdir("\(folder)/folder", 0o700)
      defer { rmdir("\(folder)/folder") }
      symlink("\(folder)/nowhere/a", "\(folder)/dangling")
      for path in ["\(folder)/no/a", "\(folder)/folder", "/dev/null", "", "\(folder)/dangling", "\(folder)/a\0"] {
        #expect(kind { try file.write(to: path) } == .file, "\(path)")
      }
      #expect(names(in: folder) == ["dangling", "folder"])
    }
  }

  @Test func files_areReplacedWhole() throws {
    let file = try digits()
    try withTemporaryFolder { folder in
      let path = "\(folder)/a"
      try write([1, 2, 3], to: path)
      _ = chmod(path, 0o640)
      let before = open(path, O_RDONLY)
      defer { close(before) }
      symlink("a", "\(folder)/link")
      try file.write(to: "\(folder)/link")
      #expect(names(in: folder) == ["a", "link"])
      var status = stat()
      #expect(lstat("\(folder)/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
      #expect(try NetworkFile(path: path).document == file.document)
      // Who had opened the old file still reads it.
      #expect(lseek(before, 0, SEEK_END) == 3)
    }
  }

  /// On a full disk, or here beyond the largest file that a process may write.
  @Test func fileThatCannotBeFinished_isRemoved_andTheOldOneStays() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      try withTemporaryFolder { folder in
        let file = try NetworkFile(SampleDocuments.digits(), tensors: SampleTensors.digits().tensors)
        try write([1, 2, 3], to: "\(folder)/a")
        var limit = rlimit(rlim_cur: 100, rlim_max: 100)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let words = message { try file.write(to: "\(folder)/a") }
        guard words.contains("refused by the system (File too large)") else { exit(2) }
        guard names(in: folder) == ["a"], try contents(of: "\(folder)/a") == [1, 2, 3] else { exit(3) }
      }
    }
  }

  /// A file of less than 64 MiB is a copy; a mapped one is replaced beside the old one.
  @Test(arguments: [1 << 20, 65 << 20])
  func openFile_doesNotChange_whenItsFileIsReplaced(_ count: Int) throws {
    let samples = SampleTensors.digits()
    let large = SampleTensors([("large", .u8, [count])])
    let file = try NetworkFile(SampleDocuments.digits(), tensors: samples.tensors + large.tensors)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a")
      let opened = try NetworkFile(path: "\(folder)/a")
      try digits().write(to: "\(folder)/a")
      #expect(try #require(opened.tensor("large")).bytes.elementsEqual(large.tensors[0].bytes))
      #expect(opened.tensor("layers.0.bias").map { UInt(bitPattern: $0.bytes.baseAddress) % 4 } == 0)
    }
  }

  @Test func smallFileThatIsCutShort_keepsItsNumbers() throws {
    let file = try digits()
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a")
      let opened = try NetworkFile(path: "\(folder)/a")
      truncate("\(folder)/a", 0)
      #expect(
        opened.tensor("layers.4.bias")?.bytes.elementsEqual(try #require(file.tensor("layers.4.bias")).bytes) == true)
    }
  }

  /// The best of ten times, in time of the processor: others may use it too.
  @Test func fileOfTenMegabytes_isOpenedIn20Milliseconds() throws {
    let samples = SampleTensors.digits()
    let large = SampleTensors((0..<100).map { ("large \($0)", .f32, [25, 1000]) })
    let file = try NetworkFile(SampleDocuments.digits(), tensors: samples.tensors + large.tensors)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a")
      let times = try (0..<10).map { _ in
        let start = threadSeconds()
        _ = try NetworkFile(path: "\(folder)/a")
        return threadSeconds() - start
      }
      let best = times.min() ?? 1
      #expect(best < 0.02, "\(best) s")
    }
  }
}
