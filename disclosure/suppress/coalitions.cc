#include "disclosure/suppress/coalitions.h"

#include <algorithm>

#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

Coalitions::Coalitions(const CellSystem& system) : system_(system), index_(system) {}

int64_t Coalitions::Due(const Members& members, int32_t measure, int32_t cell, Direction direction,
                        int64_t level) const {
  if (!protects() || level == 0 || index_.Know(members, cell)) return 0;
  const int64_t due = system_.contributors.protection == ContributorProtection::kExact ? 1 : level;
  if (direction == Direction::kUpper) return due;
  return std::min(due, system_.measures[Index(measure)].value[Index(cell)] - index_.Least(members, measure, cell));
}

bool Coalitions::Proves(const Deviation& deviation, const Members& members, int32_t cell, Direction direction,
                        int64_t due) const {
  const auto at = std::lower_bound(deviation.cell.begin(), deviation.cell.end(), cell);
  if (at == deviation.cell.end() || *at != cell) return false;
  const int64_t signed_reach = deviation.numerator[static_cast<size_t>(at - deviation.cell.begin())];
  if ((signed_reach > 0) != (direction == Direction::kUpper)) return false;
  const Int128 reach = signed_reach > 0 ? Int128{signed_reach} : -Int128{signed_reach};
  if (reach < Int128{due} * deviation.denominator) return false;
  // The part due * denominator / reach of the deviation is asked for: by it a cell moves numerator * due / reach.
  const std::vector<int64_t>& value = system_.measures[Index(deviation.measure)].value;
  for (size_t k = 0; k < deviation.cell.size(); ++k) {
    const int32_t moved = deviation.cell[k];
    if (index_.Of(moved).empty()) continue;
    if (index_.Know(members, moved)) return false;
    if (deviation.numerator[k] > 0) continue;
    const int64_t least = index_.Least(members, deviation.measure, moved);
    if (least == 0) continue;
    if (-Int128{deviation.numerator[k]} * due > Int128{value[Index(moved)] - least} * reach) return false;
  }
  return true;
}

Coalitions::Verdict Coalitions::Judge(const Members& members, int32_t measure, int32_t cell,
                                      std::span<const Offer> offers, const Deviation** served_by) const {
  bool owed = false;
  for (const Offer& offer : offers) {
    const int64_t due = Due(members, measure, cell, offer.direction, offer.level);
    if (due == 0) continue;
    owed = true;
    for (const Deviation* const deviation : offer.deviations) {
      if (!Proves(*deviation, members, cell, offer.direction, due)) continue;
      *served_by = deviation;
      return Verdict::kServed;
    }
  }
  // With kExact a cell that can only rise is still owed that: `owed` is false only to those who know it, or to whom no
  // level is left.
  return owed ? Verdict::kUnserved : Verdict::kNothingDue;
}

std::optional<Coalitions::Members> Coalitions::Extend(const Members& members, size_t size, int32_t measure,
                                                      int32_t cell, std::span<const Offer> offers) const {
  const Deviation* served_by = nullptr;
  const Verdict verdict = Judge(members, measure, cell, offers, &served_by);
  // Who knows more is owed no more: with nothing due to these, nothing is to any larger coalition.
  if (verdict == Verdict::kNothingDue) return std::nullopt;
  if (verdict == Verdict::kUnserved) return members;
  if (members.size() == size) return std::nullopt;
  // Whoever is not served has a member who contributes to a cell of that deviation.
  for (const int32_t further : Among(served_by->cell)) {
    if (std::binary_search(members.begin(), members.end(), further)) continue;
    Members larger = members;
    larger.insert(std::upper_bound(larger.begin(), larger.end(), further), further);
    if (auto found = Extend(larger, size, measure, cell, offers)) return found;
  }
  return std::nullopt;
}

std::optional<Coalitions::Members> Coalitions::FindUnserved(int32_t measure, int32_t cell,
                                                            std::span<const Offer> offers) const {
  if (!protects()) return std::nullopt;
  for (size_t size = 1; size <= Index(system_.contributors.coalition); ++size) {
    if (auto found = Extend({}, size, measure, cell, offers)) return found;
  }
  return std::nullopt;
}

LeastValues Coalitions::LeastOf(const Members& members, int32_t measure) const {
  LeastValues least;
  for (const int32_t member : members) {
    for (const int32_t cell : system_.contributors.contributor[Index(member)].cell) {
      const int64_t value = index_.Know(members, cell) ? 0 : index_.Least(members, measure, cell);
      if (value > 0) least.emplace_back(cell, value);
    }
  }
  std::sort(least.begin(), least.end());
  least.erase(std::unique(least.begin(), least.end()), least.end());
  return least;
}

Coalitions::Members Coalitions::Among(std::span<const int32_t> cells) const {
  Members members;
  for (const int32_t cell : cells) {
    const std::span<const int32_t> of = index_.Of(cell);
    members.insert(members.end(), of.begin(), of.end());
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

}  // namespace sluis::disclosure
