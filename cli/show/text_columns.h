#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluis::cli {

// Returns `rows` as lines of left-aligned columns, each as wide as its widest text, two blanks between them, `indent`
// blanks before. Rows may have fewer columns than others. Control characters become blanks: what a service or a
// document says cannot move the cursor.
[[nodiscard]] std::string TextColumns(const std::vector<std::vector<std::string>>& rows, std::size_t indent);

// 1234567 -> "1 234 567".
[[nodiscard]] std::string GroupedNumber(std::int64_t n);

}  // namespace sluis::cli
