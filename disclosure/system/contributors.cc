#include "disclosure/system/contributors.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/sets/disjoint_sets.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Contributors by cell, to be added to; in the end by contributor again.
class Names {
 public:
  explicit Names(CellSystem& system)
      : system_(system), people_(system.contributors.contributor.size()), named_(Index(system.num_cells)) {
    for (size_t k = 0; k < people_; ++k) {
      const Contributor& contributor = system.contributors.contributor[k];
      for (size_t c = 0; c < contributor.cell.size(); ++c) {
        const auto from = contributor.amount.begin() + static_cast<std::ptrdiff_t>(c * Measures());
        named_[Index(contributor.cell[c])].push_back(
            {.member = static_cast<int32_t>(k), .amount = {from, from + static_cast<std::ptrdiff_t>(Measures())}});
      }
    }
  }

  void Complete() {
    for (bool changed = true; changed;) {
      changed = false;
      for (int64_t r = 0; r < system_.relations.size(); ++r) {
        changed = FromParts(r) || changed;
        changed = FromTotal(r) || changed;
      }
    }
  }

  // New contributors for the cells with `size` of them, none named.
  void NameUnknown(int64_t size) {
    common::DisjointSets same(static_cast<uint32_t>(system_.num_cells));
    for (int64_t r = 0; r < system_.relations.size(); ++r) {
      const int32_t total = system_.relations.total[Index(r)];
      if (!Unnamed(total, size)) continue;
      for (const int32_t part : system_.relations.parts(r)) {
        if (Unnamed(part, size)) same.Unite(static_cast<uint32_t>(total), static_cast<uint32_t>(part));
      }
    }
    std::vector<int32_t> first(Index(system_.num_cells), -1);
    for (int32_t i = 0; i < system_.num_cells; ++i) {
      if (!Unnamed(i, size)) continue;
      int32_t& member = first[Index(same.Root(static_cast<uint32_t>(i)))];
      if (member < 0) {
        member = static_cast<int32_t>(people_);
        people_ += Index(size);
      }
      pending_.emplace_back(i, member);
    }
    for (const auto& [cell, member] : pending_) {
      for (int32_t k = 0; k < static_cast<int32_t>(size); ++k)
        Add(cell, member + k, std::vector<int64_t>(Measures(), 0));
    }
    pending_.clear();
  }

  void Store() {
    std::vector<Contributor> contributor(people_);
    for (int32_t i = 0; i < system_.num_cells; ++i) {
      for (Named& named : named_[Index(i)]) {
        Contributor& to = contributor[Index(named.member)];
        to.cell.push_back(i);
        to.amount.insert(to.amount.end(), named.amount.begin(), named.amount.end());
      }
    }
    system_.contributors.contributor = std::move(contributor);
  }

 private:
  struct Named {
    int32_t member = 0;
    std::vector<int64_t> amount;  // per measure
  };

  [[nodiscard]] size_t Measures() const { return system_.measures.size(); }
  [[nodiscard]] int64_t& Count(int32_t cell) { return system_.contributors.in_cell[Index(cell)]; }
  [[nodiscard]] bool Empty(int32_t cell) const {
    return std::all_of(system_.measures.begin(), system_.measures.end(),
                       [cell](const Measure& measure) { return measure.value[Index(cell)] == 0; });
  }
  [[nodiscard]] bool Few(int32_t cell) { return Count(cell) > 0 && Count(cell) <= system_.contributors.coalition; }
  // All contributors of the cell are named.
  [[nodiscard]] bool Full(int32_t cell) {
    return Count(cell) == 0 ? Empty(cell) : Count(cell) == static_cast<int64_t>(named_[Index(cell)].size());
  }
  [[nodiscard]] bool Unnamed(int32_t cell, int64_t size) { return Count(cell) == size && named_[Index(cell)].empty(); }

  void Add(int32_t cell, int32_t member, std::vector<int64_t> amount) {
    if (Count(cell) == 1) {
      for (size_t m = 0; m < Measures(); ++m) amount[m] = system_.measures[m].value[Index(cell)];
    }
    for (size_t m = 0; m < Measures(); ++m) amount[m] = std::min(amount[m], system_.measures[m].value[Index(cell)]);
    named_[Index(cell)].push_back({.member = member, .amount = std::move(amount)});
  }

  bool FromParts(int64_t r) {
    const int32_t total = system_.relations.total[Index(r)];
    const std::span<const int32_t> parts = system_.relations.parts(r);
    if ((Count(total) > 0 && (Full(total) || !Few(total))) || (Count(total) == 0 && Empty(total))) return false;
    if (!named_[Index(total)].empty()) return false;  // half named: whoever did so knows better
    std::vector<Named> together;
    const auto join = [&](int32_t part) {
      for (const Named& named : named_[Index(part)]) {
        const auto at = std::find_if(together.begin(), together.end(),
                                     [&](const Named& other) { return other.member == named.member; });
        if (at == together.end()) {
          together.push_back(named);
        } else {
          for (size_t m = 0; m < Measures(); ++m) at->amount[m] = std::min(at->amount[m] + named.amount[m], kMaxAmount);
        }
      }
    };
    // Of a part with as many contributors as the total the others need not be known.
    const auto same = std::find_if(parts.begin(), parts.end(), [&](int32_t part) {
      return Count(total) > 0 && Count(part) == Count(total) && Full(part);
    });
    if (same != parts.end()) {
      join(*same);
    } else {
      for (const int32_t part : parts) {
        if (!Full(part)) return false;
        join(part);
        if (static_cast<int64_t>(together.size()) > system_.contributors.coalition) return false;
      }
    }
    const auto size = static_cast<int64_t>(together.size());
    if (size == 0 || size > system_.contributors.coalition || (Count(total) > 0 && Count(total) != size)) return false;
    Count(total) = size;
    for (Named& named : together) Add(total, named.member, std::move(named.amount));
    return true;
  }

  bool FromTotal(int64_t r) {
    const int32_t total = system_.relations.total[Index(r)];
    if (!Few(total) || !Full(total)) return false;
    bool changed = false;
    for (const int32_t part : system_.relations.parts(r)) {
      const bool tied = system_.relations.parts(r).size() == 1;
      if (!Unnamed(part, Count(total)) && !(tied && Unnamed(part, 0))) continue;
      Count(part) = Count(total);
      for (const Named& named : named_[Index(total)]) Add(part, named.member, std::vector<int64_t>(Measures(), 0));
      changed = true;
    }
    return changed;
  }

  CellSystem& system_;
  size_t people_;
  std::vector<std::vector<Named>> named_;  // per cell
  std::vector<std::pair<int32_t, int32_t>> pending_;
};

}  // namespace

void CompleteContributors(CellSystem& system) {
  if (system.contributors.in_cell.empty()) return;
  system.contributors.in_cell.resize(Index(system.num_cells), 0);
  Names names(system);
  names.Complete();
  names.Store();
}

void NameUnknownContributors(CellSystem& system) {
  if (system.contributors.in_cell.empty()) return;
  system.contributors.in_cell.resize(Index(system.num_cells), 0);
  Names names(system);
  names.Complete();
  for (int64_t size = 1; size <= system.contributors.coalition; ++size) {
    names.NameUnknown(size);
    names.Complete();
  }
  names.Store();
}

ContributorIndex::ContributorIndex(const CellSystem& system) : system_(system), begin_(Index(system.num_cells) + 1, 0) {
  const std::vector<Contributor>& contributors = system.contributors.contributor;
  for (const Contributor& contributor : contributors) {
    for (const int32_t cell : contributor.cell) ++begin_[Index(cell) + 1];
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  holder_.resize(Index(begin_.back()));
  std::vector<int64_t> next(begin_.begin(), begin_.end() - 1);
  for (size_t k = 0; k < contributors.size(); ++k) {
    for (const int32_t cell : contributors[k].cell) holder_[Index(next[Index(cell)]++)] = static_cast<int32_t>(k);
  }
}

std::span<const int32_t> ContributorIndex::Of(int32_t cell) const {
  const size_t begin = Index(begin_[Index(cell)]);
  return std::span(holder_).subspan(begin, Index(begin_[Index(cell) + 1]) - begin);
}

bool ContributorIndex::Know(std::span<const int32_t> members, int32_t cell) const {
  const int64_t all = system_.contributors.in_cell[Index(cell)];
  const std::span<const int32_t> named = Of(cell);
  if (all == 0 || static_cast<int64_t>(named.size()) != all || all > static_cast<int64_t>(members.size())) return false;
  return std::includes(members.begin(), members.end(), named.begin(), named.end());
}

int64_t ContributorIndex::Least(std::span<const int32_t> members, int32_t measure, int32_t cell) const {
  int64_t sum = 0;
  for (const int32_t member : Of(cell)) {
    if (std::binary_search(members.begin(), members.end(), member)) sum += AmountOf(member, measure, cell);
  }
  return std::min(sum, system_.measures[Index(measure)].value[Index(cell)]);
}

int64_t ContributorIndex::AmountOf(int32_t member, int32_t measure, int32_t cell) const {
  const Contributor& contributor = system_.contributors.contributor[Index(member)];
  const auto at = std::lower_bound(contributor.cell.begin(), contributor.cell.end(), cell) - contributor.cell.begin();
  return contributor.amount[Index(at) * system_.measures.size() + Index(measure)];
}

}  // namespace sluis::disclosure
