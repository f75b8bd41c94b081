#pragma once

#include <string>
#include <string_view>

namespace sluis::cli {

// Returns a code or id as a message shows it: control characters, which could steer a terminal, as `?`, and no more
// than its first 100 bytes, then `...`. `text`: UTF-8.
[[nodiscard]] std::string Printable(std::string_view text);

}  // namespace sluis::cli
