#include "linker/fuzzy/weigh_stable.h"

#include <algorithm>

#include "common/status/status.h"
#include "linker/score/row_sample.h"
#include "linker/score/stable_weight.h"

namespace sluis::linker {
namespace {

constexpr std::uint64_t kFewPairs = 30'000'000;
constexpr std::uint64_t kSamplePairs = 60'000'000;
constexpr std::size_t kFewestRows = 500;
constexpr double kUsualBetween = 2.5;
constexpr double kUsualWithin = 4;

}  // namespace

absl::StatusOr<double> WeighStable(const EncodingTable& a, const EncodingTable* b, bool exhaustive,
                                   const RecordLevelOptions& options, const ExhaustiveOptions& run) {
  if (options.stable_begin == 0) return 1;
  if (b == nullptr) {
    return exhaustive ? ChooseStableWeight(a, nullptr, options, run) : kUsualWithin;
  }
  if (std::uint64_t{a.rows()} * b->rows() <= kFewPairs) return ChooseStableWeight(a, b, options, run);
  const std::size_t size = std::min<std::size_t>(a.rows(), kSamplePairs / b->rows());
  if (size < std::min(kFewestRows, a.rows())) return kUsualBetween;
  SLUIS_ASSIGN_OR_RETURN(const RowSample sample, SampleRows(a, size, options.fit.seed));
  return ChooseStableWeight(sample.table, b, options, run);
}

}  // namespace sluis::linker
