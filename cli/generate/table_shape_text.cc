#include "cli/generate/table_shape_text.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace sluis::cli {
namespace {

constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kMaxLevels = 8;
constexpr int kMaxBranches = 26 * 26;
constexpr std::int64_t kMaxCodes = 1'000'000;

absl::Status Malformed() {
  return absl::InvalidArgumentError(
      "shape: numbers of branches are expected, levels parted by . and dimensions by x, as 20x50 or 4.5x5.5.2; at most "
      "8 "
      "dimensions, 8 levels, 676 branches, 1,000,000 codes a dimension");
}

absl::StatusOr<std::vector<int>> ParseLevels(std::string_view text) {
  std::vector<int> levels;
  std::int64_t codes = 1;
  std::int64_t width = 1;
  for (;;) {
    const std::size_t end = std::min(text.find('.'), text.size());
    int branches = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + end, branches);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + end || branches < 1 || branches > kMaxBranches) {
      return Malformed();
    }
    levels.push_back(branches);
    width *= branches;
    codes += width;
    if (levels.size() > kMaxLevels || codes > kMaxCodes) return Malformed();
    if (end == text.size()) return levels;
    text.remove_prefix(end + 1);
  }
}

GeneratedDimension MakeDimension(char letter, const std::vector<int>& levels) {
  GeneratedDimension dimension;
  dimension.codes.push_back({.name = "T"});
  const std::function<void(std::int32_t, const std::string&, std::size_t)> add =
      [&](std::int32_t parent, const std::string& prefix, std::size_t level) {
        for (int b = 0; b < levels[level]; ++b) {
          std::string name = prefix;
          if (levels[level] > 26) {
            name.push_back(static_cast<char>('A' + b / 26));
            name.push_back(static_cast<char>('a' + b % 26));
          } else {
            name.push_back(static_cast<char>('A' + b));
          }
          const std::int32_t index = static_cast<std::int32_t>(dimension.codes.size());
          const bool leaf = level + 1 == levels.size();
          dimension.codes.push_back({.name = name,
                                     .parent = parent,
                                     .depth = static_cast<std::int32_t>(level) + 1,
                                     .leaf = leaf ? dimension.leaves++ : -1});
          if (!leaf) add(index, name, level + 1);
        }
      };
  add(0, std::string(1, letter), 0);
  return dimension;
}

}  // namespace

const std::vector<TablePreset>& TablePresets() {
  static const std::vector<TablePreset> kPresets = {
      {"flat2d", "20x50", 20'000, 60},
      {"hier2d", "10.11x7.16", 380'000, 60},
      {"flat3d", "10x20x30", 127'000, 60},
      {"hier3d", "8.7x6.7x3.3", 255'000, 60},
      {"hier3d-million", "8.8x10.10x11.11", 20'000'000, 50},
  };
  return kPresets;
}

absl::StatusOr<std::vector<GeneratedDimension>> ParseTableShape(std::string_view shape) {
  std::vector<GeneratedDimension> dimensions;
  for (;;) {
    const std::size_t end = std::min(shape.find('x'), shape.size());
    const absl::StatusOr<std::vector<int>> levels = ParseLevels(shape.substr(0, end));
    if (!levels.ok()) return levels.status();
    if (dimensions.size() >= kMaxDimensions) return Malformed();
    dimensions.push_back(MakeDimension(static_cast<char>('a' + dimensions.size()), *levels));
    if (end == shape.size()) return dimensions;
    shape.remove_prefix(end + 1);
  }
}

}  // namespace sluis::cli
