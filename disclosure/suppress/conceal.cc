#include <algorithm>
#include <cmath>

#include "common/status/status.h"
#include "disclosure/suppress/engine.h"

namespace sluis::disclosure {
namespace {

// Each round may hide cells behind new ones that can themselves be recomputed; more rounds have never been needed.
constexpr int kMaxConcealRounds = 8;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Marks the cells of `measure` that `deviation` moves by a whole unit or more.
void MarkMoved(const Deviation& deviation, std::vector<uint8_t>& moved) {
  for (size_t k = 0; k < deviation.cell.size(); ++k) {
    if (std::abs(deviation.numerator[k]) >= deviation.denominator) moved[Index(deviation.cell[k])] = 1;
  }
}

}  // namespace

absl::Status SuppressionEngine::Conceal() {
  for (int round = 0; round < kMaxConcealRounds; ++round) {
    recomputable_.clear();
    bool grew = false;
    for (int32_t m = 0; m < static_cast<int32_t>(system_.measures.size()); ++m) {
      SLUIS_ASSIGN_OR_RETURN(const std::vector<uint8_t> concealed, FindConcealed(m));
      for (int32_t i = 0; i < system_.num_cells; ++i) {
        if (concealed[Index(i)] != 0) continue;
        const bool given = GiveCompany(m, i);
        grew = grew || given;
        if (!given) recomputable_.emplace_back(m, i);
      }
      if (grew) break;  // the other measures are looked at under the pattern as it is now
    }
    if (!grew) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> SuppressionEngine::FindConcealed(int32_t measure) {
  std::vector<uint8_t> concealed(Index(system_.num_cells), 1);
  for (int32_t i = 0; i < system_.num_cells; ++i) concealed[Index(i)] = !state_.suppressed(i);
  for (const Deviation& deviation : state_.witnesses()) {
    if (deviation.measure == measure) MarkMoved(deviation, concealed);
  }
  const auto price = [&](int32_t cell) { return state_.suppressed(cell) ? 1 : kForbidden; };
  for (int32_t i = 0; i < system_.num_cells; ++i) {
    if (concealed[Index(i)] != 0) continue;
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kConceal, i, system_.num_cells));
    for (const Direction direction : {Direction::kUpper, Direction::kLower}) {
      const SearchResult found =
          Searcher(0).Find({.measure = measure, .cell = i, .direction = direction, .level = 1}, price, price, {});
      result_.conceal_lps += found.lps;
      if (found.outcome != SearchOutcome::kFound) continue;
      MarkMoved(found.deviation, concealed);
      break;
    }
  }
  return concealed;
}

bool SuppressionEngine::GiveCompany(int32_t measure, int32_t cell) {
  const auto price = [&](int32_t other) { return Price(other); };
  const auto entry = [&](int32_t other) { return EntryPrice(other); };
  for (const Direction direction : {Direction::kUpper, Direction::kLower}) {
    const SearchResult found =
        Searcher(0).Find({.measure = measure, .cell = cell, .direction = direction, .level = 1}, price, entry, {});
    result_.conceal_lps += found.lps;
    if (found.outcome != SearchOutcome::kFound) continue;
    const bool grew = found.price > 0;
    for (const int32_t moved : found.deviation.cell) state_.Suppress(moved);
    return grew;
  }
  return false;
}

}  // namespace sluis::disclosure
