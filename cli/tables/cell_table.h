#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "disclosure/system/system.h"
#include "disclosure/system/table_shape.h"

namespace sluis::cli {

// How cells are called in files and messages: by one code for each dimension, or by an id.
class CellNames {
 public:
  // Cells of a table: cell k has the codes of id cells[k] in `shape`. `codes`: per dimension.
  CellNames(std::vector<std::string> dimensions, std::vector<std::vector<std::string>> codes,
            disclosure::TableShape shape, std::vector<std::int32_t> cells);
  // Cells of a generic system.
  explicit CellNames(std::vector<std::string> ids);

  [[nodiscard]] std::int32_t size() const;
  // The names of the columns that say which cell a record is about.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  // One field for each of those columns.
  [[nodiscard]] std::vector<std::string_view> Fields(std::int32_t cell) const;
  // For messages: "d1=aA, d2=T", or "id 17".
  [[nodiscard]] std::string Describe(std::int32_t cell) const;
  // Of any id of the shape, also where there is no such cell. Precondition: not a generic system.
  [[nodiscard]] std::string DescribeId(std::int32_t id) const;
  // The cell with these fields, or -1. Cost: a search among the codes' names is prepared at the first call; not
  // thread-safe therefore.
  [[nodiscard]] std::int32_t Find(std::span<const std::string_view> fields) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> codes_;            // per dimension; of a generic system: one, the ids
  std::vector<disclosure::TableShape> shape_;              // one, or none for a generic system
  std::vector<std::int32_t> cells_;                        // ascending ids
  mutable std::vector<std::vector<std::int32_t>> sorted_;  // per column: its codes by name
};

// What the data owner wants of a cell, whatever the rules say.
enum class DeclaredStatus : std::uint8_t { kNone, kPublish, kSuppress };

// Cells as the files give them: nothing is judged but what reading needs.
struct CellTable {
  CellNames names;
  std::string measure;  // name of the value column
  // Over the cells of `names`, and auxiliary ones after them: sums that stand in no file and are never published.
  disclosure::Relations relations = {};
  std::int32_t num_cells = 0;
  // One entry a cell, auxiliary ones included.
  std::vector<std::int64_t> value = {};  // 0 where not known
  std::vector<std::uint8_t> known = {};  // 0: the file leaves the value out, as a published file does
  // Empty, or one entry a cell.
  std::vector<std::int64_t> contributors = {};
  // Who contributes to cells with few contributors; amounts where they are known, else 0.
  std::vector<disclosure::Contributor> contributor = {};
  bool from_records = false;           // all contributors that matter are there
  std::vector<std::int64_t> top = {};  // top_per_cell entries a cell, descending
  std::int32_t top_per_cell = 0;
  std::vector<std::int64_t> top_weight = {};  // as `top`; empty: no weights
  std::vector<std::uint8_t> primary = {};     // with lower and upper: declared protection levels
  std::vector<std::int64_t> lower = {};
  std::vector<std::int64_t> upper = {};
  std::vector<std::int64_t> cost = {};         // of the suppression of each cell
  std::vector<DeclaredStatus> status = {};     // must be published, or must be suppressed
  std::vector<std::int64_t> upper_bound = {};  // what the attacker knows of each cell beforehand
  std::vector<std::uint64_t> cell_key = {};    // sums of the keys of the records, if they have any

  [[nodiscard]] std::int32_t num_named() const { return names.size(); }
  [[nodiscard]] std::string Describe(std::int32_t cell) const {
    return cell < num_named() ? names.Describe(cell) : std::string("an auxiliary sum");
  }
};

}  // namespace sluis::cli
