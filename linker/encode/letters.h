#pragma once

#include <cstdint>
#include <string_view>

namespace sluis::linker {

// Returns the spelling in capital ASCII letters of a letter that compatibility decomposition (NFKD) leaves as it is (ß
// SS, ø O, ł L ...), or empty if it has none.
[[nodiscard]] std::string_view AsciiSpelling(std::int32_t code_point);

// Whether the code point, beyond ASCII, is written for an apostrophe.
[[nodiscard]] bool IsApostrophe(std::int32_t code_point);

}  // namespace sluis::linker
