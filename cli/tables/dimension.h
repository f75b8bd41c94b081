#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/tables/hierarchy_file.h"
#include "disclosure/system/table_shape.h"

namespace sluis::cli {

// The codes of one dimension and what adds up among them: all hierarchies over it together, which need not be one tree;
// or, where there is none, the codes that the tables name, of which one may be the total of all others.
class Dimension {
 public:
  explicit Dimension(std::string name) : name_(std::move(name)) {}

  // Adds the codes and sums of a further hierarchy; codes of the same name are the same. Errors: INVALID_ARGUMENT if a
  // code is a part of itself over several hierarchies (`path` is then named).
  [[nodiscard]] absl::Status AddHierarchy(const HierarchyFile& file, const std::string& path);

  // Makes `total` the sum of all other codes. For a dimension without hierarchy, after its codes are known.
  void AddTotalOfAll(std::int32_t total);

  // -1 if there is no such code.
  [[nodiscard]] std::int32_t Find(std::string_view code) const;
  [[nodiscard]] std::int32_t AddOrFind(std::string_view code);

  // The one code that is a part of nothing, while others are parts of it; -1 if there is none or several.
  [[nodiscard]] std::int32_t Total() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has_hierarchy() const { return has_hierarchy_; }
  [[nodiscard]] const std::vector<std::string>& codes() const { return codes_; }
  [[nodiscard]] const std::vector<disclosure::CodeSum>& sums() const { return sums_; }
  // Per code: whether it is the total of a sum.
  [[nodiscard]] std::vector<std::uint8_t> IsTotal() const;

  // Keeps the codes of `used` (one entry a code) and those that stand beside them in a sum: the others are in no table,
  // and sums of which no total or no part is used say nothing. Returns the new index of each code, -1 if it is gone.
  std::vector<std::int32_t> Restrict(const std::vector<std::uint8_t>& used);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::string name_;
  bool has_hierarchy_ = false;
  std::vector<std::string> codes_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> index_;
  std::vector<disclosure::CodeSum> sums_;
};

}  // namespace sluis::cli
