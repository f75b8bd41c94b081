#pragma once

#include "disclosure/release/released_table.h"

namespace sluis::disclosure::testing {

// Two dimensions with awkward labels, two measures, three suppressed values.
inline ReleasedTable SampleTable() {
  ReleasedTable table;
  table.name = "work";
  table.dimensions = {{"origin",
                       {{"TOT", "Total", 0},
                        {"NLD", "The \"Netherlands\", proper", 1},
                        {"XNL", "Abroad\xE2\x80\xA8(all)", 1},
                        {"TUR", "Türkiye", 2},
                        {"MAR", "", 2}}},
                      {"sex", {{"T", "Total", 0}, {"F", "Women\nand girls", 1}, {"M", "Men", 1}}}};
  table.measures = {{"people", "persons"}, {"wages", "EUR/month"}};
  for (std::int64_t i = 0; i < 30; ++i) table.values.emplace_back(i * 1'000'003);
  table.values[8] = std::nullopt;   // NLD, F, people
  table.values[9] = std::nullopt;   // NLD, F, wages
  table.values[29] = std::nullopt;  // MAR, M, wages
  table.values[2] = std::int64_t{1} << 50;
  return table;
}

// A linkage rate by origin; the rate of Turkey lacks its complement.
inline ReleasedTable SampleRates() {
  ReleasedTable table;
  table.name = "linkage_benefits_by_origin";
  table.dimensions = {
      {"origin", {{"TOT", "Total", 0}, {"NLD", "Netherlands", 1}, {"TUR", "Turkey", 1}, {"X", "None", 1}}},
      {"link_status", {{"_T", "Records", 0}, {"linked", "Found", 1}, {"unlinked", "Not found", 1}}}};
  table.measures = {{"people", "records"}};
  table.values = {1'200, 1'100, 100, 1'000, 925, 75, 200, std::nullopt, std::nullopt, 0, 0, 0};
  return table;
}

}  // namespace sluis::disclosure::testing
