#include "linker/match/report.h"

#include <algorithm>

namespace sluis::linker {
namespace {

constexpr std::uint32_t kPercent = 10'000;  // in millionths
constexpr std::uint32_t kWhole = 100 * kPercent;

EstimatedShare ToPercents(const EstimatedShare& share) {
  const auto up = [](std::uint32_t value) { return std::min(kWhole, (value + kPercent - 1) / kPercent * kPercent); };
  return {.value = (share.value + kPercent / 2) / kPercent * kPercent,
          .low = share.low / kPercent * kPercent,
          .high = up(share.high)};
}

}  // namespace

std::optional<LinkageReport> RoundedReport(const LinkageReport& report, std::uint64_t rounding,
                                           std::uint64_t minimum_records) {
  if (report.records < minimum_records) {
    return std::nullopt;
  }
  // The remainder decides, so that counts near 2^64 do not overflow before they are rounded.
  const auto round = [rounding](std::uint64_t& count) {
    const std::uint64_t remainder = count % rounding;
    count -= remainder;
    if (remainder >= rounding - remainder) {
      count += rounding;
    }
  };
  LinkageReport rounded = report;
  for (std::uint64_t* count : {&rounded.records, &rounded.entities, &rounded.unlinked, &rounded.unlinked_records}) {
    round(*count);
  }
  for (PassReport& pass : rounded.passes) {
    for (std::uint64_t* count :
         {&pass.links, &pass.linked_records, &pass.conflicts, &pass.ambiguous, &pass.unavailable}) {
      round(*count);
    }
  }
  if (rounded.similarity) {
    SimilarityReport& similarity = *rounded.similarity;
    std::uint64_t residue = report.unlinked + similarity.links;
    round(residue);
    if (residue == 0) {
      similarity.outcome = SimilarityOutcome::kNothingLeft;
      similarity.precision = similarity.recall = {};
    } else if (similarity.outcome == SimilarityOutcome::kNothingLeft) {
      similarity.outcome = SimilarityOutcome::kNotCredible;
    }
    round(similarity.links);
    round(similarity.linked_records);
    similarity.precision = ToPercents(similarity.precision);
    similarity.recall = ToPercents(similarity.recall);
  }
  return rounded;
}

}  // namespace sluis::linker
