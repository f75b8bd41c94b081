#include "disclosure/round/random_rounding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

absl::StatusOr<std::vector<int64_t>> RoundRandomly(std::span<const int64_t> counts, std::span<const uint64_t> cell_keys,
                                                   std::span<const RoundingRange> ranges, const DrawSource& draws) {
  if (counts.size() != cell_keys.size()) {
    return absl::InvalidArgumentError("random rounding: one cell key for each count is expected");
  }
  if (ranges.empty() || ranges.front().from != 0) {
    return absl::InvalidArgumentError("random rounding: ranges from 0 on are expected");
  }
  for (size_t k = 0; k < ranges.size(); ++k) {
    if (ranges[k].base < 2 || ranges[k].base > 1'000'000 || (k > 0 && ranges[k].from <= ranges[k - 1].from)) {
      return absl::InvalidArgumentError(
          absl::StrCat("random rounding, range ", k, ": a base of 2 .. 1000000 and ascending ranges are expected"));
    }
  }
  std::vector<int64_t> result;
  result.reserve(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || counts[i] > kMaxAmount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": a count of 0 .. 2^50 is expected"));
    }
    const auto next = std::upper_bound(ranges.begin(), ranges.end(), counts[i],
                                       [](int64_t count, const RoundingRange& range) { return count < range.from; });
    const int64_t base = (next - 1)->base;
    const int64_t rest = counts[i] % base;
    const bool up = rest != 0 && ScaleDraw(draws.Draw(cell_keys[i]), base) < rest;
    result.push_back(counts[i] - rest + (up ? base : 0));
  }
  return result;
}

}  // namespace sluis::disclosure
