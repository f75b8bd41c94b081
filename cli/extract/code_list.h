#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"

namespace sluis::cli {

// Strings by hash, looked up without making a std::string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

// What each value of a source becomes.
using CodeList = TextMap<std::string>;
// By the permit's attachment name.
using CodeLists = std::map<std::string, CodeList>;

// Reads a CSV with the header from,to. Errors: INVALID_ARGUMENT with the row if the header differs, a row is malformed
// or a `from` occurs twice.
[[nodiscard]] absl::StatusOr<CodeList> ParseCodeList(std::string_view bytes);

}  // namespace sluis::cli
