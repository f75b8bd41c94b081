#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/fellegi_sunter/plan.h"

namespace sluis::linker {

// How the two values of a field agree. 0 is missing in one record or both, 1 disagreement, then the similarity levels,
// and last, at LevelCount(rule), equal encodings.
using AgreementLevel = std::uint8_t;
inline constexpr AgreementLevel kMissingLevel = 0;
inline constexpr AgreementLevel kDisagreeLevel = 1;

// The agreement levels of all fields of a pair: field f in bits 3f to 3f + 2.
using PatternCode = std::uint64_t;

inline AgreementLevel LevelOf(PatternCode pattern, std::size_t field) {
  return static_cast<AgreementLevel>(pattern >> (3 * field) & 7);
}
inline PatternCode AtField(AgreementLevel level, std::size_t field) { return PatternCode{level} << (3 * field); }

// Levels of a field other than missing; also the number of its highest level.
inline std::size_t LevelCount(const FieldRule& rule) { return rule.similarity_cuts.size() + 2; }

struct PatternCount {
  PatternCode pattern;
  std::uint64_t pairs;

  friend bool operator==(const PatternCount&, const PatternCount&) = default;
};

// A pattern with a weight that need not be whole.
struct WeightedPattern {
  PatternCode pattern;
  double weight;
};

// How many pairs show each pattern: all that estimation needs of the pairs. Memory grows with the patterns seen (at
// most the product of the levels), not with the pairs. Not thread-safe: count in parts, then Merge.
class PatternCounts {
 public:
  void Add(PatternCode pattern, std::uint64_t pairs = 1);
  void AddAll(std::span<const PatternCode> patterns);  // one pair each
  void Merge(const PatternCounts& other);
  std::uint64_t total() const { return total_; }
  // Pairs that show the pattern; 0 if none does.
  std::uint64_t pairs(PatternCode pattern) const;
  // By pattern code, so that sums over it do not depend on the order of counting.
  [[nodiscard]] std::vector<PatternCount> Sorted() const;

 private:
  std::size_t SlotOf(PatternCode pattern) const;
  void Grow();

  // Hash table with linear probing, a power of two long and at most half full; a slot without pairs is free.
  std::vector<PatternCount> slots_;
  unsigned shift_ = 64;  // 64 less the logarithm of its length
  std::size_t used_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace sluis::linker
