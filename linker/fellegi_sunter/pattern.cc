#include "linker/fellegi_sunter/pattern.h"

#include <algorithm>

namespace sluis::linker {

void PatternCounts::Add(PatternCode pattern, std::uint64_t pairs) {
  if (pairs != 0) {
    counts_[pattern] += pairs;
    total_ += pairs;
  }
}

void PatternCounts::Merge(const PatternCounts& other) {
  for (const auto& [pattern, pairs] : other.counts_) {
    Add(pattern, pairs);
  }
}

std::vector<PatternCount> PatternCounts::Sorted() const {
  std::vector<PatternCount> sorted;
  sorted.reserve(counts_.size());
  for (const auto& [pattern, pairs] : counts_) {
    sorted.push_back({pattern, pairs});
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const PatternCount& x, const PatternCount& y) { return x.pattern < y.pattern; });
  return sorted;
}

}  // namespace sluis::linker
