#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "linker/encode/encoding_plan.h"
#include "linker/match/token.h"

// What `MatchRecords` is told beside the records.

namespace sluis::linker {

enum class MatchMode {
  kLink,           // each source has a person at most once; several sources
  kDedupe,         // the records of each source among themselves; sources do not meet
  kLinkAndDedupe,  // both
};

// Which values an exact pass takes for equal: those whose normalised forms are (normalise.h).
enum class ExactNormaliser { kText, kBsn };

// Records that agree in `field` are one person: a pass before all estimation. A missing value agrees with nothing.
struct ExactPass {
  std::string field;
  ExactNormaliser normaliser = ExactNormaliser::kText;

  friend bool operator==(const ExactPass&, const ExactPass&) = default;
};

// What is known beforehand of the share of records of the smaller source that have a match in the other (within a
// source: matches per record), of those compared. A fit beyond it is not credible.
struct ShareBounds {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();

  friend bool operator==(const ShareBounds&, const ShareBounds&) = default;
};

struct MatchPlan {
  EncodingPlan encoding;
  std::vector<ExactPass> passes;                        // in their order
  std::uint64_t exhaustive_pairs = 200'000'000;         // two sources of at most so many pairs are compared in full
  std::uint32_t max_block = 0;                          // of LSH; 0: chosen from the sizes. See linker/candidate
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;  // for candidate pairs
  // Names of sources that may hold a person more than once although the mode is kLink: records of others may then be
  // linked with several of theirs, which are not compared with each other.
  std::vector<std::string> repeats;
  ShareBounds match_share;
  std::uint64_t review_min_pairs = 10;  // field level: an agreement pattern that fewer pairs share is never reviewed
};

}  // namespace sluis::linker
