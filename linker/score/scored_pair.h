#pragma once

#include <cstdint>

namespace sluis::linker {

// A pair of records and how probable it is that they are one person. Rows are numbered from 0 per source, in the order
// of its encodings.
struct ScoredPair {
  std::uint32_t a;
  std::uint32_t b;
  float log_odds;  // natural logarithm of the posterior odds of a match; > 0: rather one person than two. Finite.

  friend bool operator==(const ScoredPair&, const ScoredPair&) = default;
};

}  // namespace sluis::linker
