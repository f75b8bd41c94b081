#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "disclosure/system/contributors.h"

// The cells of one request and everything that an outsider can add up: what suppression protects and what the attack
// attacks. Values are integers (counts, or amounts in a declared unit), so that every check is exact.

namespace sluis::disclosure {

// An upper bound that no attacker has.
inline constexpr int64_t kNoUpperBound = std::numeric_limits<int64_t>::max();

// No measure, level or bound may exceed this: sums over relations then fit Int128 with room to spare, and linear
// programs in double precision keep whole units.
inline constexpr int64_t kMaxAmount = int64_t{1} << 50;

// Additive relations over cells in compressed rows: value[total] = sum of value[part] for each relation.
struct Relations {
  std::vector<int32_t> total;
  std::vector<int64_t> part_begin = {
      0};  // size() + 1 entries; relation r owns part[part_begin[r] .. part_begin[r + 1])
  std::vector<int32_t> part;

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(total.size()); }
  [[nodiscard]] std::span<const int32_t> parts(int64_t relation) const {
    const auto begin = static_cast<size_t>(part_begin[static_cast<size_t>(relation)]);
    const auto end = static_cast<size_t>(part_begin[static_cast<size_t>(relation) + 1]);
    return std::span(part).subspan(begin, end - begin);
  }
  void Add(int32_t total_cell, std::span<const int32_t> part_cells);
};

// For each cell the relations it stands in, with the sign it has in "sum of parts - total = 0".
struct Incidence {
  std::vector<int64_t> begin;     // num_cells + 1 entries
  std::vector<int32_t> relation;  // ascending within a cell
  std::vector<int8_t> sign;       // +1 as a part, -1 as the total
};

// Returns the incidence of `relations` over cells 0 .. num_cells - 1. Precondition: every cell index is in range.
[[nodiscard]] Incidence BuildIncidence(const Relations& relations, int32_t num_cells);

// Why a cell is primary. The order is the order of precedence when several rules hold.
enum class PrimaryReason : uint8_t {
  kNone = 0,  // not primary
  kFrequency = 1,
  kDominance = 2,
  kPPercent = 3,
  kPriorPosterior = 4,
  kDeclared = 5,  // the data owner said so
  kRequest = 6,   // a large contributor asked for protection
  kZero = 7,      // a 0 that is not known beforehand
  kGroup = 8,     // what is outside a category that holds all, or nearly all, of a total
};

// One response variable over all cells of the system: a count, or a sum of amounts. Every vector has one entry a cell.
struct Measure {
  std::string name;
  std::vector<int64_t> value;         // 0 .. kMaxAmount
  std::vector<PrimaryReason> reason;  // kNone: not primary in this measure
  std::vector<int64_t> lower_level;   // an attacker must consider value - lower_level possible; at most value
  std::vector<int64_t> upper_level;   // and value + upper_level too
  std::vector<int64_t> upper_bound;   // what the attacker knows beforehand: 0 <= cell <= upper_bound
};

struct CellSystem {
  int32_t num_cells = 0;
  Relations relations;
  std::vector<uint8_t> suppressible;  // 0: published in any case (an empty cell, or a cell released before)
  std::vector<int64_t> cost;          // what the suppression of this cell loses, >= 0, at most kMaxAmount
  std::vector<Measure> measures;      // at least one; the same cells and relations hold for each
  Contributors contributors = {};     // attackers who know some cells; without any, outsiders are the only attackers

  [[nodiscard]] bool IsPrimary(int32_t measure, int32_t cell) const {
    return measures[static_cast<size_t>(measure)].reason[static_cast<size_t>(cell)] != PrimaryReason::kNone;
  }
  // True if the cell is primary in any measure.
  [[nodiscard]] bool IsPrimary(int32_t cell) const;
};

// Returns a system of `num_cells` cells without relations: every value, level and cost 0, nothing primary, nothing
// suppressible, and no upper bounds. The caller fills in values, relations and levels, then calls MarkEmptyCells and
// SetUpperBounds.
[[nodiscard]] CellSystem MakeCellSystem(int32_t num_cells, std::span<const std::string> measure_names);

// Makes each cell suppressible unless it is 0 in every measure and not primary: an empty cell is published, and the
// attacker knows it. (A cell of contributors who all contribute 0 may be primary.)
void MarkEmptyCells(CellSystem& system);

// Sets the attacker's upper bound of all cells of each measure to the largest value in it (the grand total, where the
// system has one), or to the largest value + upper level where that is more: who does not see the grand total, because
// it is itself primary, cannot use it as a bound.
void SetUpperBounds(CellSystem& system);

// Appends `other` as a separate block: its cell i becomes cell n + i, where n is the number of cells before the call.
// A cell that both tables show is then tied by a relation of one part. Contributors of both stay apart: join those of
// the union afterwards. Errors: INVALID_ARGUMENT if the measures differ in number or names, or if the union has more
// than 2^31 - 1 cells; `system` is then unchanged.
[[nodiscard]] absl::Status AppendSystem(CellSystem& system, const CellSystem& other);

// Returns OK if `system` is well-formed and additive. Exact, O(cells * measures + entries of relations).
//
// Errors (the message names the index of cell, relation and measure, never a value):
//   INVALID_ARGUMENT  a vector of the wrong length; a cell index out of range; a relation without parts, or with a cell
//                     twice; a value, level, bound or cost outside its range; a relation that does not add up; a
//                     primary cell that is not suppressible, or has both levels 0; a lower level above the value; a
//                     value above its upper bound; a level at a cell that is not primary; contributors of the wrong
//                     length or order, more of them than a cell has, an amount above the cell's value, or other ones in
//                     two cells that a relation of one part makes the same number
[[nodiscard]] absl::Status Validate(const CellSystem& system);

}  // namespace sluis::disclosure
