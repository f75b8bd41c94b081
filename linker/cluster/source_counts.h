#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "linker/cluster/agglomerate.h"

namespace sluis::linker {

inline constexpr SourceSet kAllSources = (SourceSet{1} << kMaxSources) - 1;

// Calls `visit` with each source of `set`, ascending.
template <typename Visitor>
void ForEachSource(SourceSet set, Visitor visit) {
  for (set &= kAllSources; set != 0; set &= set - 1) {
    visit(static_cast<std::uint32_t>(std::countr_zero(set)));
  }
}

// The records of each unit by source, counted once: with a walk over the records of a unit for each edge at it, units
// of many records would cost the square of their size. 8 bytes a unit, and 4 for each source of a unit of several
// records.
class SourceCounts {
 public:
  // `units` must outlive this.
  explicit SourceCounts(const Units& units);

  // How many pairs of a record of the one and a record of the other have sources that were compared.
  [[nodiscard]] std::uint64_t ComparedPairs(std::uint32_t a, std::uint32_t b, const LinkageRules& rules) const;

 private:
  // The place of `source` among those of `present`, which has it.
  static std::size_t Rank(SourceSet present, std::uint32_t source) {
    return static_cast<std::size_t>(std::popcount(present & ((SourceSet{1} << source) - 1)));
  }
  std::uint64_t Count(std::uint32_t unit, std::uint32_t source) const {
    return units_.members(unit).size() == 1 ? 1 : counts_[start_[unit] + Rank(units_.present[unit], source)];
  }

  const Units& units_;
  std::vector<std::size_t> start_;     // by unit: its place in counts_
  std::vector<std::uint32_t> counts_;  // of units of several records, by source that they have, ascending
};

}  // namespace sluis::linker
