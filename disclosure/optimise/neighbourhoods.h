#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/closing.h"
#include "disclosure/bound/protection_model.h"
#include "disclosure/bound/relaxation.h"

namespace sluis::disclosure {

// Looks for cheaper patterns near one that protects: some secondary cells that lie together are freed, all others stay,
// and of the cells published around them those may be suppressed that the relaxation holds to be cheapest. What remains
// is an integer program that Closing can mostly solve. Neighbourhoods grow while that is easy, and shrink when it is
// not. Not thread-safe; deterministic for any number of threads, as long as `stop` is.
//
// Source: large neighbourhood search, Shaw, CP 1998.
class Neighbourhoods {
 public:
  // All must outlive this object. `closing` should hold the relaxation's cuts.
  Neighbourhoods(const ProtectionModel& model, const Relaxation& relaxation, Closing& closing)
      : model_(model), relaxation_(relaxation), closing_(closing) {}

  struct Answer {
    std::vector<uint8_t> pattern;  // cheaper than `best`; empty: none was found
    int64_t cost = 0;
    bool searched = false;  // the neighbourhood was searched to its end
    int64_t integer_programs = 0;
    RelaxationStatistics work;
  };
  // Searches one more neighbourhood of `best`, a pattern with at least one secondary cell under which nobody falls
  // short, of cost `best_cost`. Under the pattern returned nobody does either, in floating point.
  // `max_steps`: no further round is begun after so many. Errors: those of Closing::Round.
  [[nodiscard]] absl::StatusOr<Answer> Search(std::span<const uint8_t> best, int64_t best_cost, int64_t max_steps,
                                              int32_t threads, const std::function<bool()>& stop);

 private:
  struct Bounds {
    std::vector<uint8_t> lower, upper;  // per cell
  };
  // Draws a neighbourhood.
  [[nodiscard]] Bounds Draw(std::span<const uint8_t> best);
  // The suppressed cells near `centre`, until `freed` secondary ones are among them: 1 for each, per cell.
  [[nodiscard]] std::vector<uint8_t> Region(std::span<const uint8_t> best, int32_t centre, size_t freed);
  // A number from 0 to 1.
  [[nodiscard]] double Draw01() { return static_cast<double>(random_() >> 11) / 9007199254740992.0; }

  const ProtectionModel& model_;
  const Relaxation& relaxation_;
  Closing& closing_;
  std::mt19937_64 random_{1};
  double scale_ = 1;  // of the neighbourhoods
};

}  // namespace sluis::disclosure
