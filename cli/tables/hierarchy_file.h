#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/system/table_shape.h"

namespace sluis::cli {

// The codes of one classification and what adds up among them, as one file says.
struct HierarchyFile {
  std::vector<std::string> codes;         // in the order of the file, an implied total first
  std::vector<disclosure::CodeSum> sums;  // over indices into `codes`, in the order of their totals
  std::vector<std::uint64_t> line;        // per code: where it stands, from 1; 0: an implied total
};

// Returns the tree (or trees) that `text` describes, in one of four forms that are told apart by content:
//   level;code       `@;T`, `@@;aA`: as many `@` as the level is deep, top down; the first line is the total
//   parent and child CSV with a header that names `child` (or `code`) and `parent`, any order; a root has an empty
//                    parent or never stands as a child; other columns are not read
//   indented, total  `@T`, `@@aA`: every line has a mark; the first line is the total
//   indented (.hrc)  `A`, `@A1`, `.A2`: the marks `@` or `.` before the code give the depth; codes without a mark are
//                    parts of a total that is not in the file: `implied_total`
// A byte order mark, CR, blank lines and spaces around codes are taken off. `name`: what messages call the file.
//
// Errors (INVALID_ARGUMENT, with line and code): an empty file; a line without a code; a depth that leaps; a code in
// two places, or that is a part of itself; more than one total in the first form; text that is not UTF-8.
[[nodiscard]] absl::StatusOr<HierarchyFile> ParseHierarchy(std::string_view text, const std::string& name,
                                                           const std::string& implied_total);

}  // namespace sluis::cli
