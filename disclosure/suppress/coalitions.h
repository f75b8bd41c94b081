#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/deviation.h"
#include "disclosure/system/contributors.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

// One protection level and the deviations that are offered as its proof. The first reaches the level for outsiders.
struct Offer {
  Direction direction = Direction::kLower;
  int64_t level = 0;
  std::vector<const Deviation*> deviations;
};

// Who of the contributors of a system stands together, what they know, and against whom deviations prove nothing.
//
// A deviation proves to a coalition that a cell may lie at some distance if the part of it that the coalition must hold
// possible goes as far: none of it if it moves a cell that the coalition knows; and not so far that a cell falls below
// what the coalition contributes to it. (Feasible tables are a convex set: with a deviation each part of it is one.)
class Coalitions {
 public:
  using Members = std::vector<int32_t>;  // ascending

  // `system` must outlive this object, and not change.
  explicit Coalitions(const CellSystem& system);

  [[nodiscard]] bool protects() const { return system_.contributors.protects(); }

  // How far `cell` must be able to move, to `members`, if it is `level` to outsiders; 0: nothing is owed. With kLevel
  // the level, downwards no further than what the members contribute; with kExact one unit. 0 if they know the cell.
  [[nodiscard]] int64_t Due(const Members& members, int32_t measure, int32_t cell, Direction direction,
                            int64_t level) const;

  // Whether `deviation`, or a part of it, moves `cell` by `due` (at least 1) for `members`.
  [[nodiscard]] bool Proves(const Deviation& deviation, const Members& members, int32_t cell, Direction direction,
                            int64_t due) const;

  // Whether `members` are all contributors of `cell`.
  [[nodiscard]] bool Know(const Members& members, int32_t cell) const { return index_.Know(members, cell); }

  // What `members` know cells of `measure` not to be below, above 0; cells whose value they know are left out.
  [[nodiscard]] LeastValues LeastOf(const Members& members, int32_t measure) const;

  // Returns a coalition to which `cell` is owed something that none of the deviations proves, or nothing if there is
  // none: the smallest there is, the first of those. `offers`: with kLevel one level; with kExact all levels of the
  // cell, of which one is enough.
  [[nodiscard]] std::optional<Members> FindUnserved(int32_t measure, int32_t cell, std::span<const Offer> offers) const;

 private:
  enum class Verdict { kNothingDue, kServed, kUnserved };
  // kServed: `served_by` is the deviation.
  [[nodiscard]] Verdict Judge(const Members& members, int32_t measure, int32_t cell, std::span<const Offer> offers,
                              const Deviation** served_by) const;
  [[nodiscard]] std::optional<Members> Extend(const Members& members, size_t size, int32_t measure, int32_t cell,
                                              std::span<const Offer> offers) const;

  // The contributors of `cells`, each once, ascending.
  [[nodiscard]] Members Among(std::span<const int32_t> cells) const;

  const CellSystem& system_;
  const ContributorIndex index_;
};

}  // namespace sluis::disclosure
