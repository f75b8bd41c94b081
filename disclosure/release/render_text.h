#pragma once

#include <string>

#include "disclosure/release/released_table.h"

namespace sluis::disclosure {

struct RenderOptions {
  int width = 100;        // columns of the terminal, at least 40
  int max_sections = 12;  // combinations of the third and further dimensions; the totals come first
  int max_rows = 1'000;   // codes of the first dimension, at least 1; the upper levels come first
};

// Returns `table` for a person to read: codes of the first dimension down, indented by level, codes of the second
// across (in blocks, if they do not fit), a section for each combination of the others, one block a measure. Numbers
// are whole and grouped by blanks; a suppressed one is ":". Linkage rates are shown as such, with a percentage where
// all of numerator, complement and denominator are published. What was left out is said at the end. UTF-8; line feeds;
// methods other than suppression are
// named below; at most `width` wide unless a single label and column need more. Precondition:
// ValidateReleasedTable(table) is OK.
[[nodiscard]] std::string RenderText(const ReleasedTable& table, const RenderOptions& options);

}  // namespace sluis::disclosure
