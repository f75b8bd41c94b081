#include "disclosure/bound/capacity_cut.h"

#include <algorithm>
#include <limits>

#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

CutMaker::CutMaker(const ProtectionModel& model) : model_(model), times_(Index(model.num_cells()), 0) {}

std::vector<CutMaker::Coefficient> CutMaker::Expand(const Aggregate& aggregate) {
  touched_.clear();
  for (const Aggregate::Entry& entry : aggregate.entries) {
    for (const ProtectionModel::Entry& member : model_.CellsOf(entry.relation)) {
      int64_t& times = times_[Index(member.id)];
      if (times == 0) touched_.push_back(member.id);
      times += member.sign * entry.times;
    }
  }
  std::sort(touched_.begin(), touched_.end());
  std::vector<Coefficient> coefficients;
  coefficients.reserve(touched_.size());
  for (const int32_t cell : touched_) {
    if (times_[Index(cell)] != 0) coefficients.push_back({.cell = cell, .times = times_[Index(cell)]});
    times_[Index(cell)] = 0;  // a cell that came back to 0 may stand here twice
  }
  return coefficients;
}

std::optional<CapacityCut> CutMaker::Make(const Attacker& attacker, const Aggregate& aggregate,
                                          std::span<const uint8_t> present) {
  return MakeExpanded(attacker, Expand(aggregate), present);
}

std::optional<CapacityCut> CutMaker::MakeExpanded(const Attacker& attacker, std::span<const Coefficient> coefficients,
                                                  std::span<const uint8_t> present) const {
  const auto own = std::lower_bound(coefficients.begin(), coefficients.end(), attacker.cell,
                                    [](const Coefficient& c, int32_t cell) { return c.cell < cell; });
  if (own == coefficients.end() || own->cell != attacker.cell) return std::nullopt;
  // The others' deviations times their coefficients make up for the attacker's cell's.
  const bool negate = (own->times > 0) == attacker.up;
  const Int128 owed = Int128{own->times < 0 ? -own->times : own->times} * attacker.need;
  Int128 left = owed;
  const auto supply = [&](const Coefficient& c) -> Int128 {
    const bool up = (c.times > 0) != negate;
    const int64_t reach = model_.Reach(attacker.measure, c.cell, up);
    if (reach == kNoUpperBound) return owed;
    return std::min(owed, Int128{c.times < 0 ? -c.times : c.times} * reach);
  };
  const auto given = [&](int32_t cell) {
    return model_.state(cell) == CellState::kSuppressed || (!present.empty() && present[Index(cell)] != 0);
  };
  for (const Coefficient& c : coefficients) {
    if (c.cell == attacker.cell || !given(c.cell)) continue;
    left -= supply(c);
    if (left <= 0) return std::nullopt;
  }
  if (left > std::numeric_limits<int64_t>::max()) return std::nullopt;
  CapacityCut cut;
  cut.need = static_cast<int64_t>(left);
  for (const Coefficient& c : coefficients) {
    if (c.cell == attacker.cell || given(c.cell)) continue;
    const Int128 s = std::min(left, supply(c));
    if (s == 0) continue;
    cut.cell.push_back(c.cell);
    cut.coefficient.push_back(static_cast<int64_t>(s));
  }
  return cut;
}

}  // namespace sluis::disclosure
