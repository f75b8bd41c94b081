#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/csv/byte_source.h"

namespace sluis::common {

enum class Encoding { kUtf8, kWindows1252 };

// Accepts utf-8 and windows-1252 (also called cp1252), in any case. Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::StatusOr<Encoding> ParseEncoding(std::string_view name);

// Turns bytes into UTF-8, block by block. A UTF-8 byte order mark is dropped, also if windows-1252 was declared: its
// three bytes are a mark, not text, and what follows is then UTF-8.
class TextSource {
 public:
  TextSource(std::unique_ptr<ByteSource> bytes, Encoding encoding);

  // Returns the next block, at most 48 KiB, valid until the next call; empty only at the end. UTF-8 is passed on
  // unchecked, because the readers check it field by field and can say where it is wrong; the five bytes that
  // windows-1252 leaves undefined become the byte 0xFF, which no valid UTF-8 holds.
  // Errors: those of the byte source; INVALID_ARGUMENT with reason FILE_ENCODING if the file is UTF-16 or UTF-32.
  [[nodiscard]] absl::StatusOr<std::string_view> NextBlock();

 private:
  [[nodiscard]] absl::StatusOr<std::string_view> ReadRaw();

  std::unique_ptr<ByteSource> bytes_;
  Encoding encoding_;
  bool started_ = false;
  std::string raw_;
  std::string text_;
};

// True if `text` has neither NUL nor bytes above 0x7F. Reads eight bytes at a time.
[[nodiscard]] bool IsPlainAscii(std::string_view text);
// True if `text` is well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms).
[[nodiscard]] bool IsValidUtf8(std::string_view text);

}  // namespace sluis::common
