// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import _EquiconvPlatform

/// The message of the last call that failed, one for each thread.
///
/// A buffer of the C library: its capacity in bytes (one Int), then the text. It grows as messages need, and
/// the end of its thread frees it.
enum LastError {
  private static let header = MemoryLayout<Int>.size

  /// Nil if the process has no thread-specific keys left; messages are then lost, statuses are not.
  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    return pthread_key_create(&key, { free($0) }) == 0 ? key : nil
  }()

  /// The text, never nil.
  static var message: UnsafePointer<CChar> {
    guard let key, let buffer = pthread_getspecific(key) else { return cString("") }
    return UnsafePointer((buffer + header).assumingMemoryBound(to: CChar.self))
  }

  static func set(_ message: String) {
    let text = message.utf8
    // Without memory for all of it, as much as fits in place of the older message, which is no longer true.
    guard let key, let buffer = buffer(for: text.count + 1) ?? pthread_getspecific(key) else { return }
    let whole = wholeCharacters(message, atMost: buffer.load(as: Int.self) - 1)
    UnsafeMutableRawBufferPointer(start: buffer + header, count: whole.count).copyBytes(from: whole)
    (buffer + header + whole.count).storeBytes(of: 0, as: UInt8.self)
  }

  /// This thread's buffer with room for `count` bytes, or nil without memory.
  private static func buffer(for count: Int) -> UnsafeMutableRawPointer? {
    guard let key else { return nil }
    let old = pthread_getspecific(key)
    if let old, old.load(as: Int.self) >= count { return old }
    let capacity = max(count, 248)
    guard let new = realloc(old, header + capacity) else { return nil }
    new.storeBytes(of: capacity, as: Int.self)
    guard pthread_setspecific(key, new) == 0 else {
      free(new)
      return nil
    }
    return new
  }
}

/// The UTF-8 of as many whole characters as fit.
func wholeCharacters(_ text: String, atMost limit: Int) -> Substring.UTF8View {
  var end = text.utf8.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex) ?? text.endIndex
  // A byte 10xxxxxx continues a character.
  while end > text.startIndex && end < text.endIndex && text.utf8[end] & 0xC0 == 0x80 {
    end = text.utf8.index(before: end)
  }
  return text.utf8[..<end]
}

/// The C string of a literal.
func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}

// MARK: Entry points

@_cdecl("equiconv_last_error_message") @implementation
public func equiconv_last_error_message() -> UnsafePointer<CChar>? {
  inCall { LastError.message }
}
