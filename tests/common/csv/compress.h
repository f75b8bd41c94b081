#pragma once

#include <string>
#include <string_view>

namespace sluis::common::testing {

// Return `text` as one gzip member or one Zstandard frame.
[[nodiscard]] std::string Gzip(std::string_view text);
[[nodiscard]] std::string Zstd(std::string_view text, int window_log = 0);

}  // namespace sluis::common::testing
