#include "disclosure/ledger/line.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace sluis::disclosure {
namespace {

constexpr std::int64_t kPrime = 2'147'483'647;
constexpr std::int64_t kMaxTimes = 1'000;  // of one set in a combination

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

absl::Status Tangled() {
  return absl::ResourceExhaustedError("the sets of values of one variable overlap in too tangled a way");
}

std::int64_t Power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  for (; exponent > 0; exponent >>= 1, base = base * base % kPrime) {
    if ((exponent & 1) != 0) result = result * base % kPrime;
  }
  return result;
}

// The rank over the numbers modulo a prime, which is at most the rank over the fractions: a lack is never overlooked.
std::size_t Rank(std::vector<std::vector<std::int64_t>> rows) {
  std::size_t rank = 0;
  const std::size_t width = rows.empty() ? 0 : rows[0].size();
  for (std::size_t column = 0; column < width && rank < rows.size(); ++column) {
    const auto pivot = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(rank), rows.end(),
                                    [column](const auto& row) { return row[column] != 0; });
    if (pivot == rows.end()) continue;
    std::swap(rows[rank], *pivot);
    const std::int64_t inverse = Power(rows[rank][column], kPrime - 2);
    for (std::size_t r = rank + 1; r < rows.size(); ++r) {
      if (rows[r][column] == 0) continue;
      const std::int64_t factor = rows[r][column] * inverse % kPrime;
      for (std::size_t c = column; c < width; ++c) {
        rows[r][c] = (rows[r][c] + (kPrime - factor) * rows[rank][c]) % kPrime;
      }
    }
    ++rank;
  }
  return rank;
}

class LineCloser {
 public:
  LineCloser(std::span<const AtomSet> family, const LineLimits& limits) : limits_(limits) {
    plan_.sets.assign(family.begin(), family.end());
  }

  absl::StatusOr<LinePlan> Close() {
    Refresh();
    if (!Disjoint()) AddAtoms();
    if (plan_.sets.size() > limits_.max_sets) return Tangled();
    for (;;) {
      Refresh();
      std::vector<LineDifference> found = SmallestDifferences();
      if (found.empty() && !Disjoint() && !FindCover(found)) return Tangled();
      if (found.empty()) break;
      if (plan_.sets.size() + found.size() > limits_.max_sets) return Tangled();
      for (LineDifference& difference : found) Add(std::move(difference));
    }
    return AddSums() ? absl::StatusOr<LinePlan>(std::move(plan_)) : absl::StatusOr<LinePlan>(Tangled());
  }

 private:
  void Add(LineDifference difference) {
    AtomSet set(plan_.sets[0].size(), 0);
    for (const auto& [term, times] : difference.terms) {
      if (times < 0) set = Minus(set, plan_.sets[At(term)]);
      for (std::size_t w = 0; times > 0 && w < set.size(); ++w) set[w] |= plan_.sets[At(term)][w];
    }
    plan_.sets.push_back(std::move(set));
    plan_.differences.push_back(std::move(difference));
  }

  // Adds every atom that is a linear combination of the sets: classes of age with limits of their own in each release
  // give each year between two limits away, through chains that are long to search for. By elimination; each
  // combination found is checked in whole numbers.
  void AddAtoms() {
    const std::size_t n = plan_.sets.size(), atoms = plan_.sets[0].size() * 64;
    std::vector<std::vector<std::int64_t>> rows(n, std::vector<std::int64_t>(atoms + n, 0));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t a = 0; a < atoms; ++a) rows[i][a] = HasAtom(plan_.sets[i], a);
      rows[i][atoms + i] = 1;
    }
    std::size_t rank = 0;
    for (std::size_t a = 0; a < atoms && rank < n; ++a) {
      const auto pivot = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(rank), rows.end(),
                                      [a](const auto& row) { return row[a] != 0; });
      if (pivot == rows.end()) continue;
      std::swap(rows[rank], *pivot);
      const std::int64_t inverse = Power(rows[rank][a], kPrime - 2);
      for (std::int64_t& entry : rows[rank]) entry = entry * inverse % kPrime;
      for (std::size_t r = 0; r < n; ++r) {
        const std::int64_t factor = rows[r][a];
        if (r == rank || factor == 0) continue;
        for (std::size_t c = a; c < rows[r].size(); ++c) {
          if (rows[rank][c] != 0) rows[r][c] = (rows[r][c] + (kPrime - factor) * rows[rank][c]) % kPrime;
        }
      }
      ++rank;
    }
    std::set<AtomSet> known(plan_.sets.begin(), plan_.sets.end());
    for (std::size_t r = 0; r < rank; ++r) {
      AtomSet atom(plan_.sets[0].size(), 0);
      for (std::size_t a = 0; a < atoms; ++a) {
        if (rows[r][a] != 0) atom[a / 64] |= std::uint64_t{1} << (a % 64);
      }
      if (CountAtoms(atom) != 1 || known.contains(atom)) continue;
      LineDifference difference;
      std::vector<std::int64_t> sum(atoms, 0);
      for (std::size_t i = 0; i < n; ++i) {
        std::int64_t times = rows[r][atoms + i];
        if (times == 0) continue;
        if (times > kPrime / 2) times -= kPrime;
        if (times < -kMaxTimes || times > kMaxTimes) break;
        difference.terms.emplace_back(static_cast<std::int32_t>(i), times);
        for (std::size_t a = 0; a < atoms; ++a) sum[a] += times * HasAtom(plan_.sets[i], a);
      }
      bool is_atom = true;
      for (std::size_t a = 0; a < atoms; ++a) is_atom = is_atom && sum[a] == HasAtom(atom, a);
      if (!is_atom) continue;
      plan_.sets.push_back(std::move(atom));
      plan_.differences.push_back(std::move(difference));
    }
  }

  static std::int64_t HasAtom(const AtomSet& set, std::size_t atom) {
    return static_cast<std::int64_t>(set[atom / 64] >> (atom % 64) & 1);
  }

  // Looks for disjoint sets that together hold another set, though none of them does, and leave something that is no
  // union of sets: {12} and {34} without {23}. Adds them together, then what they leave. False: the search is too long.
  bool FindCover(std::vector<LineDifference>& found) const {
    for (const std::int32_t removed : by_size_) {
      const AtomSet& inner = plan_.sets[At(removed)];
      std::vector<std::int32_t> touching;
      for (const std::int32_t i : by_size_) {
        if (i != removed && !AreDisjoint(plan_.sets[At(i)], inner)) touching.push_back(i);
      }
      std::size_t steps = 0;
      std::vector<std::int32_t> wholes;
      if (!SearchCover(touching, inner, inner, AtomSet(inner.size(), 0), steps, wholes)) return false;
      if (wholes.empty()) continue;
      LineDifference& together = found.emplace_back();
      for (const std::int32_t whole : wholes) together.terms.emplace_back(whole, 1);
      found.push_back({{{static_cast<std::int32_t>(plan_.sets.size()), 1}, {removed, -1}}});
      return true;
    }
    return true;
  }

  // Fills in `wholes` if there are any. `rest`: of `inner`, what is not yet held; `held`: together so far.
  bool SearchCover(const std::vector<std::int32_t>& touching, const AtomSet& inner, const AtomSet& rest,
                   const AtomSet& held, std::size_t& steps, std::vector<std::int32_t>& wholes) const {
    if (++steps > limits_.max_search) return false;
    if (IsEmpty(rest)) {
      const AtomSet left = Minus(held, inner);
      if (wholes.size() < 2 || IsEmpty(left) || Tile(left, CountAtoms(left) + 1)) wholes.clear();
      return true;
    }
    const std::size_t w = FirstWord(rest);
    const std::uint64_t first = rest[w] & (~rest[w] + 1);
    for (const std::int32_t i : touching) {
      const AtomSet& set = plan_.sets[At(i)];
      if ((set[w] & first) == 0 || !AreDisjoint(set, held)) continue;
      AtomSet more = held;
      for (std::size_t k = 0; k < more.size(); ++k) more[k] |= set[k];
      std::vector<std::int32_t> longer = wholes;
      longer.push_back(i);
      if (!SearchCover(touching, inner, Minus(rest, set), more, steps, longer)) return false;
      if (longer.empty()) continue;
      wholes = std::move(longer);
      return true;
    }
    wholes.clear();
    return true;
  }

  static std::size_t FirstWord(const AtomSet& set) {
    const auto word = std::find_if(set.begin(), set.end(), [](std::uint64_t w) { return w != 0; });
    return static_cast<std::size_t>(word - set.begin());
  }

  // Orders the sets by size and finds those that are no disjoint unions of others.
  void Refresh() {
    const std::size_t n = plan_.sets.size();
    size_.resize(n);
    for (std::size_t i = 0; i < n; ++i) size_[i] = CountAtoms(plan_.sets[i]);
    by_size_.resize(n);
    std::iota(by_size_.begin(), by_size_.end(), 0);
    std::stable_sort(by_size_.begin(), by_size_.end(), [this](auto a, auto b) { return size_[At(a)] > size_[At(b)]; });
    parts_.assign(n, {});
    generators_.clear();
    for (auto i = by_size_.rbegin(); i != by_size_.rend(); ++i) {
      const std::optional<std::vector<std::int32_t>> parts = Tile(plan_.sets[At(*i)], size_[At(*i)]);
      if (parts) {
        parts_[At(*i)] = *parts;
      } else {
        generators_.push_back(*i);
      }
    }
    // A set is clean if the generators within it are disjoint: then all differences within it are unions of them.
    clean_.assign(n, 1);
    for (std::size_t i = 0; i < n; ++i) {
      AtomSet seen(plan_.sets[i].size(), 0);
      for (const std::int32_t g : generators_) {
        const AtomSet& set = plan_.sets[At(g)];
        if (!IsSubset(set, plan_.sets[i])) continue;
        if (!AreDisjoint(set, seen)) clean_[i] = 0;
        for (std::size_t w = 0; w < seen.size(); ++w) seen[w] |= set[w];
      }
    }
  }

  // Returns disjoint sets of fewer than `below` atoms whose union is `target`, if the search finds any.
  std::optional<std::vector<std::int32_t>> Tile(const AtomSet& target, std::size_t below) const {
    std::vector<std::int32_t> inside;
    for (const std::int32_t i : by_size_) {
      if (size_[At(i)] < below && IsSubset(plan_.sets[At(i)], target)) inside.push_back(i);
    }
    // The largest that fits, first: nearly always enough. Then the smallest.
    std::vector<std::int32_t> parts;
    if (Pack(inside, target, parts)) return parts;
    std::vector<std::int32_t> smallest(inside.rbegin(), inside.rend());
    if (Pack(smallest, target, parts)) return parts;
    AtomSet reach(target.size(), 0);
    for (const std::int32_t i : inside) {
      for (std::size_t w = 0; w < reach.size(); ++w) reach[w] |= plan_.sets[At(i)][w];
    }
    if (reach != target) return std::nullopt;
    parts.clear();
    std::size_t steps = 0;
    if (Search(inside, target, steps, parts)) return parts;
    return std::nullopt;
  }

  // Takes what fits in the order of `inside`. Returns whether that is all.
  bool Pack(const std::vector<std::int32_t>& inside, AtomSet rest, std::vector<std::int32_t>& parts) const {
    parts.clear();
    for (const std::int32_t i : inside) {
      if (!IsSubset(plan_.sets[At(i)], rest)) continue;
      parts.push_back(i);
      rest = Minus(rest, plan_.sets[At(i)]);
    }
    return IsEmpty(rest);
  }

  bool Search(const std::vector<std::int32_t>& inside, const AtomSet& rest, std::size_t& steps,
              std::vector<std::int32_t>& parts) const {
    if (IsEmpty(rest)) return true;
    const std::size_t w = FirstWord(rest);
    const std::uint64_t first = rest[w] & (~rest[w] + 1);
    for (const std::int32_t i : inside) {
      const AtomSet& set = plan_.sets[At(i)];
      if ((set[w] & first) == 0 || !IsSubset(set, rest)) continue;
      if (++steps > limits_.max_search) return false;
      parts.push_back(i);
      if (Search(inside, Minus(rest, set), steps, parts)) return true;
      parts.pop_back();
    }
    return false;
  }

  // Returns, of all differences that are no union of sets, those with the fewest atoms.
  std::vector<LineDifference> SmallestDifferences() const {
    std::vector<LineDifference> found;
    std::set<AtomSet> seen;
    std::size_t least = 0;
    for (const std::int32_t whole : by_size_) {
      if (clean_[At(whole)] != 0) continue;
      for (const std::int32_t removed : by_size_) {
        if (removed == whole || !IsSubset(plan_.sets[At(removed)], plan_.sets[At(whole)])) continue;
        const std::size_t size = size_[At(whole)] - size_[At(removed)];
        if (!found.empty() && size > least) continue;
        AtomSet difference = Minus(plan_.sets[At(whole)], plan_.sets[At(removed)]);
        if (seen.contains(difference) || Tile(difference, size + 1)) continue;
        if (!found.empty() && size < least) found.clear();
        least = size;
        found.push_back({{{whole, 1}, {removed, -1}}});
        seen.insert(std::move(difference));
      }
    }
    return found;
  }

  // Returns whether the sums say all that holds.
  bool AddSums() {
    std::set<std::vector<std::int32_t>> known;
    const auto add = [&](std::int32_t whole, std::vector<std::int32_t> parts) {
      std::sort(parts.begin(), parts.end());
      std::vector<std::int32_t> key = parts;
      key.push_back(whole);
      if (!known.insert(std::move(key)).second) return false;
      plan_.sums.push_back({whole, std::move(parts)});
      return true;
    };
    const std::size_t n = plan_.sets.size();
    for (std::size_t i = 0; i < n; ++i) {
      if (!parts_[i].empty()) add(static_cast<std::int32_t>(i), parts_[i]);
    }
    if (std::all_of(clean_.begin(), clean_.end(), [](std::uint8_t clean) { return clean != 0; }) && Disjoint()) {
      return true;
    }
    // Each set in terms of the generators; then what further sums say about the generators alone.
    std::vector<std::vector<std::int64_t>> in_generators(n, std::vector<std::int64_t>(generators_.size(), 0));
    for (std::size_t g = 0; g < generators_.size(); ++g) in_generators[At(generators_[g])][g] = 1;
    const auto expand = [&](const std::vector<std::int32_t>& parts, std::vector<std::int64_t>& out) {
      for (const std::int32_t part : parts) {
        for (std::size_t g = 0; g < out.size(); ++g) out[g] = (out[g] + in_generators[At(part)][g]) % kPrime;
      }
    };
    for (auto i = by_size_.rbegin(); i != by_size_.rend(); ++i) expand(parts_[At(*i)], in_generators[At(*i)]);
    std::vector<std::vector<std::int64_t>> further, indicators;
    for (const std::int32_t whole : by_size_) {
      if (clean_[At(whole)] != 0) continue;
      for (const std::int32_t part : by_size_) {
        if (part == whole || !IsSubset(plan_.sets[At(part)], plan_.sets[At(whole)])) continue;
        const AtomSet rest = Minus(plan_.sets[At(whole)], plan_.sets[At(part)]);
        std::optional<std::vector<std::int32_t>> parts = Tile(rest, size_[At(whole)]);
        if (!parts) return false;
        parts->push_back(part);
        std::vector<std::int64_t> row(generators_.size(), 0);
        expand(*parts, row);
        for (std::size_t g = 0; g < row.size(); ++g) {
          row[g] = (row[g] + kPrime - in_generators[At(whole)][g]) % kPrime;
        }
        if (std::all_of(row.begin(), row.end(), [](std::int64_t entry) { return entry == 0; })) continue;
        if (add(whole, std::move(*parts))) further.push_back(std::move(row));
      }
    }
    for (const std::int32_t g : generators_) {
      std::vector<std::int64_t>& row = indicators.emplace_back();
      for (const std::uint64_t word : plan_.sets[At(g)]) {
        for (int bit = 0; bit < 64; ++bit) row.push_back(static_cast<std::int64_t>(word >> bit & 1));
      }
    }
    return Rank(std::move(further)) + Rank(std::move(indicators)) == generators_.size();
  }

  bool Disjoint() const {
    if (generators_.empty()) return true;
    AtomSet seen(plan_.sets[0].size(), 0);
    for (const std::int32_t g : generators_) {
      if (!AreDisjoint(plan_.sets[At(g)], seen)) return false;
      for (std::size_t w = 0; w < seen.size(); ++w) seen[w] |= plan_.sets[At(g)][w];
    }
    return true;
  }

  const LineLimits& limits_;
  LinePlan plan_;
  std::vector<std::size_t> size_;
  std::vector<std::int32_t> by_size_;             // largest first
  std::vector<std::vector<std::int32_t>> parts_;  // of each set that is a union
  std::vector<std::int32_t> generators_;          // the others, smallest first
  std::vector<std::uint8_t> clean_;
};

}  // namespace

absl::StatusOr<LinePlan> CloseLine(std::span<const AtomSet> family, const LineLimits& limits) {
  return LineCloser(family, limits).Close();
}

}  // namespace sluis::disclosure
