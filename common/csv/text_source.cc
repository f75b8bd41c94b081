#include "common/csv/text_source.h"

#include <unicode/ucnv.h>
#include <unicode/utf8.h>

#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kBlockBytes = 16 << 10;
constexpr std::string_view kUtf8Mark("\xEF\xBB\xBF", 3);

struct Utf8Character {
  std::array<char, 4> bytes{};
  std::uint8_t size = 0;
};

// windows-1252 is a code page of single bytes, so ICU's converter is asked once for each byte.
std::array<Utf8Character, 256> BuildWindows1252() {
  std::array<Utf8Character, 256> table;
  UErrorCode error = U_ZERO_ERROR;
  UConverter* converter = ucnv_open("windows-1252", &error);
  for (int byte = 0; byte < 256; ++byte) {
    Utf8Character& entry = table[static_cast<std::size_t>(byte)];
    entry.bytes[0] = static_cast<char>(0xFF);
    entry.size = 1;
    if (U_FAILURE(error)) continue;  // ICU without its data: no byte decodes, and every record says so
    const bool undefined = byte == 0x81 || byte == 0x8D || byte == 0x8F || byte == 0x90 || byte == 0x9D;
    if (undefined) continue;
    const char input = static_cast<char>(byte);
    const char* position = &input;
    UErrorCode one = U_ZERO_ERROR;
    const UChar32 character = ucnv_getNextUChar(converter, &position, &input + 1, &one);
    if (U_FAILURE(one)) continue;
    std::uint8_t size = 0;
    U8_APPEND_UNSAFE(entry.bytes.data(), size, character);
    entry.size = size;
  }
  if (converter != nullptr) ucnv_close(converter);
  return table;
}

const std::array<Utf8Character, 256>& Windows1252() {
  static const std::array<Utf8Character, 256> table = BuildWindows1252();
  return table;
}

}  // namespace

absl::StatusOr<Encoding> ParseEncoding(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  if (lower == "utf-8" || lower == "utf8") return Encoding::kUtf8;
  if (lower == "windows-1252" || lower == "cp1252") return Encoding::kWindows1252;
  return absl::InvalidArgumentError("the encoding must be utf-8 or windows-1252");
}

TextSource::TextSource(std::unique_ptr<ByteSource> bytes, Encoding encoding)
    : bytes_(std::move(bytes)), encoding_(encoding), raw_(kBlockBytes, '\0') {}

absl::StatusOr<std::string_view> TextSource::ReadRaw() {
  std::size_t filled = 0;
  // The first block has at least four bytes, if the file has, so that a byte order mark is seen whole.
  const std::size_t least = started_ ? 1 : 4;
  while (filled < least) {
    SLUIS_ASSIGN_OR_RETURN(const std::size_t count, bytes_->Read(std::span(raw_).subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  std::string_view block(raw_.data(), filled);
  if (!started_) {
    started_ = true;
    if (block.starts_with(kUtf8Mark)) {
      encoding_ = Encoding::kUtf8;
      block.remove_prefix(kUtf8Mark.size());
      if (block.empty()) return ReadRaw();
    } else if (block.starts_with("\xFF\xFE") || block.starts_with("\xFE\xFF") ||
               block.starts_with(std::string_view("\0\0\xFE\xFF", 4))) {
      return WithReason(absl::InvalidArgumentError("the file is UTF-16 or UTF-32: save it as UTF-8"), "FILE_ENCODING");
    }
  }
  return block;
}

absl::StatusOr<std::string_view> TextSource::NextBlock() {
  SLUIS_ASSIGN_OR_RETURN(const std::string_view raw, ReadRaw());
  if (encoding_ == Encoding::kUtf8 || IsPlainAscii(raw)) return raw;
  const auto& table = Windows1252();
  text_.clear();
  for (const char c : raw) {
    const Utf8Character& character = table[static_cast<std::uint8_t>(c)];
    text_.append(character.bytes.data(), character.size);
  }
  return text_;
}

bool IsPlainAscii(std::string_view text) {
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    // Subtracting one from each byte borrows into the high bit of a zero byte.
    if (((word | (word - kOnes)) & kHigh) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if (text[i] == '\0' || (static_cast<std::uint8_t>(text[i]) & 0x80) != 0) return false;
  }
  return true;
}

bool IsValidUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t i = 0;
  while (i < text.size()) {
    UChar32 character;
    U8_NEXT(bytes, i, text.size(), character);
    if (character < 0) return false;
  }
  return true;
}

}  // namespace sluis::common
