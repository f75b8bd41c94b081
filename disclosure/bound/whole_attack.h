#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

// Tells who falls short under whole patterns, one after the other. The deviation that proves an attacker's level is one
// that moves little, so that it serves under all patterns that suppress the few cells it needs: from one pattern to the
// next only those attackers are asked again whose cells are gone. Not thread-safe; deterministic for any number of
// threads, as long as `stop` is.
class WholeAttack {
 public:
  // `model` must outlive this object.
  explicit WholeAttack(const ProtectionModel& model);

  struct Answer {
    // Indices into ProtectionModel::attackers(), ascending: in floating point, these do not reach their level.
    std::vector<int32_t> fall_short;
    bool complete = true;  // false: `stop` came before some of the attackers were asked; they are not in fall_short
    int64_t programs = 0;  // linear programs solved
    int64_t iterations = 0;
  };
  // `pattern`: per cell, primary ones included. `among`: the attackers to ask.
  // Errors: those of lp::Solver::Load.
  [[nodiscard]] absl::StatusOr<Answer> Ask(std::span<const uint8_t> pattern, std::span<const int32_t> among,
                                           int32_t threads, const std::function<bool()>& stop);

 private:
  using Cells = std::vector<int32_t>;
  class Program;
  struct Lane;
  [[nodiscard]] bool Known(int32_t attacker, std::span<const uint8_t> pattern) const;
  [[nodiscard]] absl::Status RunLane(std::span<const uint8_t> pattern, const std::function<bool()>& stop,
                                     Lane& lane) const;

  const ProtectionModel& model_;
  // Per attacker: sets of cells by which he reaches his level, the latest first.
  std::vector<std::vector<std::shared_ptr<const Cells>>> suffices_;
};

}  // namespace sluis::disclosure
