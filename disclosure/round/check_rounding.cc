#include "disclosure/round/check_rounding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "disclosure/add_up/add_up.h"

namespace sluis::disclosure {

absl::StatusOr<RoundingFacts> CheckRounding(const Relations& relations, std::span<const int64_t> values, int64_t base,
                                            std::span<const int64_t> rounded) {
  if (base < 2) return absl::InvalidArgumentError("rounding: a base of 2 or more is expected");
  if (values.size() != rounded.size()) return absl::InvalidArgumentError("rounding: one result a value is expected");
  RoundingFacts facts{.multiples = true, .zeros_stay = true};
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] > kMaxAmount || rounded[i] < -kMaxAmount || rounded[i] > kMaxAmount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": values of 0 .. 2^50 are expected"));
    }
    const int64_t distance = rounded[i] > values[i] ? rounded[i] - values[i] : values[i] - rounded[i];
    facts.multiples = facts.multiples && rounded[i] % base == 0 && rounded[i] >= 0;
    facts.zeros_stay = facts.zeros_stay && (values[i] != 0 || rounded[i] == 0);
    facts.max_distance = std::max(facts.max_distance, distance);
    facts.max_steps = std::max(facts.max_steps, distance / base);
    facts.moved_cells += distance >= base ? 1 : 0;
    facts.total_distance += distance;
  }
  facts.zero_restricted = facts.multiples && facts.max_steps == 0;
  facts.additive = FirstBrokenRelation(relations, rounded) < 0;
  return facts;
}

}  // namespace sluis::disclosure
