#include "cli/tables/printable.h"

#include <cstddef>

namespace sluis::cli {

std::string Printable(std::string_view text) {
  constexpr std::size_t kMaxBytes = 100;
  constexpr auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  std::size_t end = text.size();
  if (end > kMaxBytes) {
    for (end = kMaxBytes; end > 0 && is_continuation(text[end]);) --end;
  }
  std::string shown;
  for (std::size_t i = 0; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
    const bool second_control = byte == 0xC2 && i + 1 < end && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    shown += byte < 0x20 || byte == 0x7F || second_control ? '?' : text[i];
    if (second_control) ++i;
  }
  if (end < text.size()) shown += "...";
  return shown;
}

}  // namespace sluis::cli
