#include "linker/cluster/source_counts.h"

namespace sluis::linker {

SourceCounts::SourceCounts(const Units& units) : units_(units) {
  start_.reserve(units.size());
  for (std::uint32_t unit = 0; unit < units.size(); ++unit) {
    start_.push_back(counts_.size());
    if (units.members(unit).size() == 1) {
      continue;
    }
    const SourceSet present = units.present[unit] & kAllSources;
    counts_.resize(counts_.size() + static_cast<std::size_t>(std::popcount(present)));
    for (const std::uint32_t record : units.members(unit)) {
      ++counts_[start_.back() + Rank(present, units.source_of[record])];
    }
  }
}

std::uint64_t SourceCounts::ComparedPairs(std::uint32_t a, std::uint32_t b, const LinkageRules& rules) const {
  std::uint64_t compared = 0;
  ForEachSource(units_.present[a], [&](std::uint32_t source_a) {
    ForEachSource(units_.present[b] & rules.compared[source_a],
                  [&](std::uint32_t source_b) { compared += Count(a, source_a) * Count(b, source_b); });
  });
  return compared;
}

}  // namespace sluis::linker
