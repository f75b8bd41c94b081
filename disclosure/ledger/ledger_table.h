#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "disclosure/ledger/value_set.h"
#include "disclosure/rules/rules.h"

// A table as the ledger knows it: not by names, which differ between permits, but by which records each cell holds.

namespace sluis::disclosure {

// One classification: for each of its codes the set of values of a base variable. A restriction of the population is an
// axis of one code. Two axes over one variable restrict it both.
struct LedgerAxis {
  std::string variable{};
  std::vector<ValueSet> codes{};
  // What it is made of: columns of registers, ascending. Different variables that share one may hold sets within each
  // other that nobody can see here (IsComparable).
  std::vector<std::string> columns{};
  // How `codes` refine values of `variable` by other columns; empty if they do not.
  std::string refinement{};
  // Variables that differ in nothing but a date have the same, not empty: none is part of the other.
  std::string apart{};
};

// How a response variable is protected when it is released.
inline constexpr char kBySuppression[] = "suppression";

// One response variable. Every vector has one entry a cell, `top` top_per_cell entries.
struct LedgerMeasure {
  std::string key{};  // its definition: equal for measures that are the same number
  MeasureKind kind = MeasureKind::kCount;
  std::vector<std::int64_t> value{};         // any number in cells whose value is not kept
  std::vector<std::int64_t> contributors{};  // not above the distinct ones; empty: not known any more
  std::int32_t top_per_cell = 0;
  std::vector<std::int64_t> top{};                         // largest contributions, descending
  std::vector<std::int64_t> lower_level{}, upper_level{};  // of suppressed primary cells; empty: none
  std::vector<std::uint8_t>
      published{};  // per cell: 1 published, 0 suppressed; 2 with another value, which says nothing
  std::string method = kBySuppression;
  bool once = false;     // the method gives the same records other values in another release
  std::string column{};  // of a register that is summed; empty: records are counted
  std::string apart{};   // as LedgerAxis::apart
};

struct LedgerTable {
  std::string release{};
  // Whose records: equal for tables of the same units at the same time. Tables of different populations say nothing
  // about each other.
  std::string population{};
  // Cells are mixed-radix numbers of the axes' codes, the last axis running fastest.
  std::vector<LedgerAxis> axes{};
  // False: the project's keys are destroyed. Values of suppressed cells are gone, those of published cells are not.
  bool values_kept = true;
  std::vector<LedgerMeasure> measures{};

  [[nodiscard]] std::int64_t Cells() const {
    std::int64_t cells = 1;
    for (const LedgerAxis& axis : axes) cells *= static_cast<std::int64_t>(axis.codes.size());
    return cells;
  }
};

}  // namespace sluis::disclosure
