#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cli/tables/cell_table.h"

namespace sluis::cli {

// Puts a generic system together, cell by cell and row by row.
class SystemBuilder {
 public:
  struct Cell {
    std::string id;
    std::int64_t value = 0;
    bool known = true;
    bool primary = false;
    std::int64_t lower = 0;
    std::int64_t upper = 0;
    DeclaredStatus status = DeclaredStatus::kNone;
  };
  // The sum of sign * cell is 0.
  struct Row {
    std::string name;  // for messages: file and line, or the like
    std::vector<std::pair<std::int32_t, int>> terms;
  };

  bool with_levels = false;

  // False if the id is there already.
  [[nodiscard]] bool AddCell(Cell cell);
  // -1 if there is none.
  [[nodiscard]] std::int32_t Find(std::string_view id) const;
  [[nodiscard]] std::int32_t size() const { return static_cast<std::int32_t>(cells_.size()); }
  // Call after the last cell. Errors: INVALID_ARGUMENT if a cell stands in it twice or all signs are the same.
  [[nodiscard]] absl::Status AddRow(const Row& row);
  // Optional: per cell, what the attacker knows beforehand, and what its suppression costs.
  std::vector<std::int64_t> upper_bound;
  std::vector<std::int64_t> cost;

  [[nodiscard]] CellTable Finish();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::vector<Cell> cells_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> index_;
  disclosure::Relations relations_;
  std::vector<std::pair<std::int64_t, bool>> auxiliary_;  // value, and whether all its parts are known
};

}  // namespace sluis::cli
