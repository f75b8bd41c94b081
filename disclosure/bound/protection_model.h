#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "disclosure/system/system.h"

// Cell suppression as a covering problem: who attacks, what he knows, and in which relations the cells stand.

namespace sluis::disclosure {

// One protection level of one cell: the attacker must hold it possible that `cell` is off by `need` in this direction.
struct Attacker {
  int32_t measure = 0;
  int32_t cell = 0;
  bool up = false;
  int64_t need = 0;  // >= 1

  friend bool operator==(const Attacker&, const Attacker&) = default;
};

// What the program knows of a cell's suppression beforehand.
enum class CellState : uint8_t {
  kPublished,   // not suppressible: it never moves
  kFree,        // to be decided
  kSuppressed,  // primary in some measure
};

// A system laid out for cut generation: relations without the cells that never move, in both directions.
class ProtectionModel {
 public:
  // `system` must outlive the model. Precondition: Validate(system) is OK.
  explicit ProtectionModel(const CellSystem& system);

  [[nodiscard]] const CellSystem& system() const { return system_; }
  [[nodiscard]] int32_t num_cells() const { return system_.num_cells; }
  [[nodiscard]] int64_t num_relations() const { return system_.relations.size(); }
  // Ordered by measure, cell, direction (down before up).
  [[nodiscard]] std::span<const Attacker> attackers() const { return attackers_; }
  // Attackers of one measure and cell: indices begin .. end of attackers(); at most two.
  struct Range {
    int32_t begin = 0;
    int32_t end = 0;
  };
  [[nodiscard]] Range AttackersOf(int32_t measure, int32_t cell) const;

  [[nodiscard]] CellState state(int32_t cell) const { return state_[static_cast<size_t>(cell)]; }
  // How far `cell` may move up (or down) in `measure` if it is suppressed; kNoUpperBound: as far as it likes.
  [[nodiscard]] int64_t Reach(int32_t measure, int32_t cell, bool up) const {
    const Measure& m = system_.measures[static_cast<size_t>(measure)];
    const auto i = static_cast<size_t>(cell);
    if (!up) return m.value[i];
    return m.upper_bound[i] == kNoUpperBound ? kNoUpperBound : m.upper_bound[i] - m.value[i];
  }

  // What the secondary cells of `pattern` cost.
  [[nodiscard]] int64_t CostOf(std::span<const uint8_t> pattern) const;

  // An entry of a relation seen from the relation (id: the cell), or from the cell (id: the relation).
  struct Entry {
    int32_t id = 0;
    int32_t sign = 0;  // +1 as a part, -1 as the total
  };
  // Cells that may move only; ascending by cell but for the total, which stands last.
  [[nodiscard]] std::span<const Entry> CellsOf(int32_t relation) const {
    return Slice(relation_begin_, cells_, relation);
  }
  [[nodiscard]] std::span<const Entry> RelationsOf(int32_t cell) const { return Slice(cell_begin_, relations_, cell); }

 private:
  static std::span<const Entry> Slice(const std::vector<int64_t>& begin, const std::vector<Entry>& entries, int32_t i) {
    const auto at = static_cast<size_t>(begin[static_cast<size_t>(i)]);
    return std::span(entries).subspan(at, static_cast<size_t>(begin[static_cast<size_t>(i) + 1]) - at);
  }

  const CellSystem& system_;
  std::vector<CellState> state_;
  std::vector<Attacker> attackers_;
  std::vector<int64_t> relation_begin_, cell_begin_;
  std::vector<Entry> cells_, relations_;
};

}  // namespace sluis::disclosure
