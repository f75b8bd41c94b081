#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "disclosure/ledger/ledger_table.h"
#include "disclosure/ledger/value_set.h"

namespace sluis::disclosure {

// A set of records: for each variable of its space the number of a set of values. All must hold.
using Region = std::vector<std::int32_t>;

// The regions of all tables of one population. Equal regions are equal sets of records, whichever table shows them.
class RegionSpace {
 public:
  static constexpr std::int32_t kEverything = 0;  // number of the unrestricted set, in each variable

  // `tables`: of one population. They outlive the space.
  explicit RegionSpace(std::span<const LedgerTable* const> tables);

  [[nodiscard]] std::size_t num_variables() const { return variables_.size(); }
  [[nodiscard]] const AtomSet& Set(std::size_t variable, std::int32_t number) const {
    return variables_[variable].sets[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] std::int32_t NumSets(std::size_t variable) const {
    return static_cast<std::int32_t>(variables_[variable].sets.size());
  }
  // Returns the number of a set, a new one if it is new.
  [[nodiscard]] std::int32_t Number(std::size_t variable, const AtomSet& set);
  // Returns the regions of the cells of a table; nothing for a cell in which no record can be.
  [[nodiscard]] std::vector<std::optional<Region>> RegionsOf(std::size_t table);
  // True if the region holds values only that no table names: nobody is there as far as the tables can say.
  [[nodiscard]] bool IsUnnamed(const Region& region) const;

 private:
  struct Variable {
    std::vector<AtomSet> sets;
    std::map<AtomSet, std::int32_t> number;
    bool has_others = false;  // sets name what no other names
  };
  struct Axis {
    std::size_t variable = 0;
    std::vector<std::int32_t> codes;
  };

  std::vector<Variable> variables_;
  std::vector<std::vector<Axis>> axes_;  // of each table
};

}  // namespace sluis::disclosure
