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
};

// One response variable. Every vector has one entry a cell, `top` top_per_cell entries.
struct LedgerMeasure {
  std::string key{};  // its definition: equal for measures that are the same number
  MeasureKind kind = MeasureKind::kCount;
  std::vector<std::int64_t> value{};
  std::vector<std::int64_t> contributors{};  // not above the distinct ones; empty: not known any more
  std::int32_t top_per_cell = 0;
  std::vector<std::int64_t> top{};                         // largest contributions, descending
  std::vector<std::int64_t> lower_level{}, upper_level{};  // of suppressed primary cells; empty: none
};

struct LedgerTable {
  std::string release{};
  // Whose records: equal for tables of the same units at the same time. Tables of different populations say nothing
  // about each other.
  std::string population{};
  std::string method = "suppression";  // by which it was protected
  // Cells are mixed-radix numbers of the axes' codes, the last axis running fastest.
  std::vector<LedgerAxis> axes{};
  std::vector<std::uint8_t> published{};  // per cell: 1 published, 0 suppressed (in all measures)
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
