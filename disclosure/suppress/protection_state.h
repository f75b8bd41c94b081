#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/deviation.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// The state of one run of Suppress: the pattern so far, and for each protection level the deviation (its *witness*)
// that reaches it. While nothing changes it, any number of threads may read it.
class ProtectionState {
 public:
  // Suppressed are the primary cells and, of `start` (empty, or one entry per cell), what is suppressible.
  ProtectionState(const CellSystem& system, const Pattern& start);

  [[nodiscard]] const CellSystem& system() const { return system_; }
  [[nodiscard]] const Incidence& incidence() const { return incidence_; }
  [[nodiscard]] const Pattern& pattern() const { return pattern_; }
  [[nodiscard]] bool suppressed(int32_t cell) const { return pattern_[static_cast<size_t>(cell)] != 0; }
  [[nodiscard]] bool primary(int32_t cell) const { return primary_[static_cast<size_t>(cell)] != 0; }
  // Ordered by measure, cell and direction.
  [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
  // Deviations that serve no level any more are empty.
  [[nodiscard]] const std::vector<Deviation>& witnesses() const { return witnesses_; }

  // Keeps `deviation`, suppresses its cells, and gives it, and those of its multiples that the bounds allow, forwards
  // and backwards and in all measures, to every level that has no witness and is reached.
  void Absorb(Deviation deviation);

  // The witnesses of a level: the one that reaches it for outsiders, then those for contributors.
  [[nodiscard]] std::vector<int64_t> WitnessesOf(int64_t target) const;
  // Some witnesses that move `cell`, at most `most`.
  [[nodiscard]] std::vector<int64_t> WitnessesThatMove(int32_t cell, size_t most) const;
  // Whether the first witness of the level moves `cell`.
  [[nodiscard]] bool Rests(int64_t target, int32_t cell) const;

  // Keeps `deviation` as a further witness of the level, for contributors, and suppresses its cells.
  void AddFurther(Deviation deviation, int64_t target);
  // Forgets the further witnesses of the level that move `cell`.
  void DropFurther(int64_t target, int32_t cell);

  // The levels of which a witness moves `cell`, ascending.
  [[nodiscard]] std::vector<int64_t> UsersOf(int32_t cell) const;

  // Gives `deviation` to the levels `targets` in the place of their witnesses. Precondition: it serves each of them,
  // keeps relations and bounds, and moves suppressed cells only.
  void Replace(Deviation deviation, const std::vector<int64_t>& targets);

  void Suppress(int32_t cell) { pattern_[static_cast<size_t>(cell)] = 1; }
  // Precondition: no witness moves `cell`.
  void Publish(int32_t cell);

  // The claims, with the witnesses moved out. Precondition: each level has one. The state is of no use afterwards.
  [[nodiscard]] Certificate TakeCertificate();

 private:
  void CollectTargets();
  // The first level of `cell` in `measure`: those of one cell are neighbours.
  [[nodiscard]] int64_t FirstTarget(int32_t measure, int32_t cell) const;
  [[nodiscard]] int64_t Keep(Deviation deviation);
  void Assign(int64_t target, int64_t witness);
  void EnterUser(int64_t target, int64_t witness);
  void Release(int64_t witness);
  void Stretch(int64_t kept);

  const CellSystem& system_;
  const Incidence incidence_;
  Pattern pattern_;
  std::vector<uint8_t> primary_;
  std::vector<Target> targets_;
  std::vector<Deviation> witnesses_;
  std::unordered_map<int64_t, std::vector<int64_t>> further_;  // per level that has any
  std::vector<int64_t> witness_uses_;                          // how many levels each serves; emptied at 0
  std::vector<int64_t> free_witnesses_;                        // emptied ones, to be filled again
  std::vector<std::vector<int32_t>> users_;  // per cell: levels whose witness moves it, or once moved it
};

}  // namespace sluis::disclosure
