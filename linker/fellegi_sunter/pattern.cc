#include "linker/fellegi_sunter/pattern.h"

#include <algorithm>

namespace sluis::linker {
namespace {

constexpr unsigned kFirstShift = 64 - 8;
constexpr std::uint64_t kHashFactor = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio (Knuth, TAOCP 3, 6.4)

}  // namespace

// The slot of `pattern`, or the free one where it belongs.
std::size_t PatternCounts::SlotOf(PatternCode pattern) const {
  std::size_t slot = pattern * kHashFactor >> shift_;
  while (slots_[slot].pairs != 0 && slots_[slot].pattern != pattern) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

void PatternCounts::Grow() {
  std::vector<PatternCount> old = std::move(slots_);
  shift_ = old.empty() ? kFirstShift : shift_ - 1;
  slots_.assign(std::size_t{1} << (64 - shift_), PatternCount{0, 0});
  for (const PatternCount& entry : old) {
    if (entry.pairs != 0) slots_[SlotOf(entry.pattern)] = entry;
  }
}

void PatternCounts::Add(PatternCode pattern, std::uint64_t pairs) {
  if (pairs == 0) return;
  if (2 * used_ >= slots_.size()) Grow();
  PatternCount& entry = slots_[SlotOf(pattern)];
  used_ += entry.pairs == 0 ? 1 : 0;
  entry.pattern = pattern;
  entry.pairs += pairs;
  total_ += pairs;
}

void PatternCounts::AddAll(std::span<const PatternCode> patterns) {
  for (const PatternCode pattern : patterns) Add(pattern);
}

void PatternCounts::Merge(const PatternCounts& other) {
  for (const PatternCount& entry : other.slots_) {
    Add(entry.pattern, entry.pairs);
  }
}

std::uint64_t PatternCounts::pairs(PatternCode pattern) const {
  return slots_.empty() ? 0 : slots_[SlotOf(pattern)].pairs;
}

std::vector<PatternCount> PatternCounts::Sorted() const {
  std::vector<PatternCount> sorted;
  sorted.reserve(used_);
  for (const PatternCount& entry : slots_) {
    if (entry.pairs != 0) sorted.push_back(entry);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const PatternCount& x, const PatternCount& y) { return x.pattern < y.pattern; });
  return sorted;
}

}  // namespace sluis::linker
