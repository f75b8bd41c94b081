#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sluis::linker {

// Writes to `out` the letters and digits of `value` as all registers spell them: NFKD, combining marks dropped, letters
// that do not decompose spelled out, digits of any script as 0-9, case folded; an apostrophe vanishes, anything else
// separates words, between which one space stands. Empty if there is neither letter nor digit. UTF-8.
// Errors: INVALID_ARGUMENT if `value` is no valid UTF-8. Thread-safe; allocates only beyond ASCII and to grow `out`.
[[nodiscard]] absl::Status FoldText(std::string_view value, std::string& out);

}  // namespace sluis::linker
