#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/cluster/agglomerate.h"
#include "linker/cluster/cluster.h"

namespace sluis::linker {

// Two records by number, a < b.
struct NumberedPair {
  std::uint32_t a;
  std::uint32_t b;
  float log_odds;  // of fixed pairs without meaning
  bool fixed;
};

// ClusterInput, checked, with records of all sources numbered through: by source, then row.
struct NumberedInput {
  std::vector<std::uint32_t> first;  // number of each source's row 0; at the end the number of records
  std::vector<std::uint8_t> source_of;
  LinkageRules rules;                // without kMaxSources's bit
  std::vector<NumberedPair> scored;  // as given
  std::vector<NumberedPair> fixed;   // as given
  std::vector<NumberedPair> apart;   // as given
  bool within_source = false;        // a source was compared with itself

  std::uint32_t records() const { return first.back(); }
};

// Errors: as ClusterRecords, but for the method.
[[nodiscard]] absl::StatusOr<NumberedInput> NumberRecords(const ClusterInput& input, const ClusterOptions& options);

// Sorts by (a, b) and keeps of equal pairs the fixed one, else the one with the largest log odds.
void SortAndDeduplicate(std::vector<NumberedPair>* pairs);

}  // namespace sluis::linker
