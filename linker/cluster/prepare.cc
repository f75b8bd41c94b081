#include "linker/cluster/prepare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/cluster/log_odds.h"

namespace sluis::linker {
namespace {

constexpr std::uint64_t kLimit = std::numeric_limits<std::uint32_t>::max();

absl::Status CheckOptions(const ClusterOptions& options) {
  if (!(options.max_log_odds > 0 && options.max_log_odds <= 1000)) {
    return absl::InvalidArgumentError("max_log_odds: must be above 0 and at most 1,000");
  }
  if (!(std::abs(options.threshold) <= options.max_log_odds)) {
    return absl::InvalidArgumentError("threshold: must be a number within +-max_log_odds");
  }
  if (!(std::abs(options.missing_log_odds) <= options.max_log_odds && options.missing_log_odds <= options.threshold)) {
    return absl::InvalidArgumentError("missing_log_odds: must be within +-max_log_odds and at most threshold");
  }
  return absl::OkStatus();
}

absl::Status Misplaced(const char* list, std::size_t position, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(list, " pair ", position, ": ", what));
}

// Numbers the records of a pair, the lower first.
absl::Status Number(const NumberedInput& numbered, const RecordRef& x, const RecordRef& y, const char* list,
                    std::size_t position, NumberedPair* pair) {
  const std::size_t sources = numbered.first.size() - 1;
  for (const RecordRef& record : {x, y}) {
    if (record.source >= sources || record.row >= numbered.first[record.source + 1] - numbered.first[record.source]) {
      return Misplaced(list, position, "source or row out of range");
    }
  }
  const std::uint32_t a = numbered.first[x.source] + x.row;
  const std::uint32_t b = numbered.first[y.source] + y.row;
  if (a == b) {
    return Misplaced(list, position, "a record is paired with itself");
  }
  pair->a = std::min(a, b);
  pair->b = std::max(a, b);
  return absl::OkStatus();
}

absl::Status NumberScored(const ClusterInput& input, NumberedInput* numbered) {
  std::uint64_t total = 0;
  for (const SourcePairs& list : input.pairs) {
    total += list.pairs.size();
  }
  if (total >= kLimit) {
    return absl::InvalidArgumentError("clustering is limited to 2^32 - 2 pairs: raise the threshold of candidates");
  }
  numbered->scored.reserve(total);
  for (std::size_t i = 0; i < input.pairs.size(); ++i) {
    const SourcePairs& list = input.pairs[i];
    if (list.source_a >= input.sources.size() || list.source_b >= input.sources.size()) {
      return absl::InvalidArgumentError(absl::StrCat("list ", i, " of scored pairs: no such source"));
    }
    numbered->within_source |= list.source_a == list.source_b;
    numbered->rules.compared[list.source_a] |= SourceSet{1} << list.source_b;
    numbered->rules.compared[list.source_b] |= SourceSet{1} << list.source_a;
    const std::string name = absl::StrCat("list ", i, " of scored pairs,");
    for (std::size_t j = 0; j < list.pairs.size(); ++j) {
      const ScoredPair& scored = list.pairs[j];
      NumberedPair pair{0, 0, scored.log_odds, false};
      SLUIS_RETURN_IF_ERROR(
          Number(*numbered, {list.source_a, scored.a}, {list.source_b, scored.b}, name.c_str(), j, &pair));
      if (!IsUsable(scored.log_odds)) {
        return Misplaced(name.c_str(), j, "log odds must be a number within +-1,000,000; NaN is not");
      }
      numbered->scored.push_back(pair);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NumberedInput> NumberRecords(const ClusterInput& input, const ClusterOptions& options) {
  SLUIS_RETURN_IF_ERROR(CheckOptions(options));
  if (input.sources.empty() || input.sources.size() > kMaxSources) {
    return absl::InvalidArgumentError(absl::StrCat("clustering takes 1 to ", kMaxSources, " sources"));
  }
  NumberedInput numbered;
  std::uint64_t records = 0;
  numbered.first.push_back(0);
  for (const ClusterSource& source : input.sources) {
    records += source.records;
    if (records >= kLimit) {
      return absl::InvalidArgumentError("clustering is limited to 2^32 - 2 records: split the input");
    }
    numbered.first.push_back(static_cast<std::uint32_t>(records));
  }
  numbered.source_of.reserve(records);
  for (std::size_t i = 0; i < input.sources.size(); ++i) {
    numbered.source_of.resize(numbered.first[i + 1], static_cast<std::uint8_t>(i));
    if (input.sources[i].one_per_person) {
      numbered.rules.exclusive |= SourceSet{1} << i;
    }
  }
  numbered.rules.threshold = ToUnits(options.threshold);
  numbered.rules.missing = ToUnits(options.missing_log_odds);
  SLUIS_RETURN_IF_ERROR(NumberScored(input, &numbered));
  for (std::size_t i = 0; i < input.fixed.size(); ++i) {
    NumberedPair pair{0, 0, 0, true};
    SLUIS_RETURN_IF_ERROR(Number(numbered, input.fixed[i].a, input.fixed[i].b, "fixed", i, &pair));
    numbered.fixed.push_back(pair);
  }
  for (std::size_t i = 0; i < input.apart.size(); ++i) {
    NumberedPair pair{0, 0, 0, false};
    SLUIS_RETURN_IF_ERROR(Number(numbered, input.apart[i].a, input.apart[i].b, "apart", i, &pair));
    numbered.apart.push_back(pair);
  }
  return numbered;
}

void SortAndDeduplicate(std::vector<NumberedPair>* pairs) {
  const auto before = [](const NumberedPair& x, const NumberedPair& y) {
    return std::tie(x.a, x.b, y.fixed, y.log_odds) < std::tie(y.a, y.b, x.fixed, x.log_odds);
  };
  if (!std::is_sorted(pairs->begin(), pairs->end(), before)) {
    std::sort(pairs->begin(), pairs->end(), before);
  }
  const auto same = [](const NumberedPair& x, const NumberedPair& y) { return x.a == y.a && x.b == y.b; };
  pairs->erase(std::unique(pairs->begin(), pairs->end(), same), pairs->end());
}

}  // namespace sluis::linker
