#include "disclosure/ledger/value_set.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace sluis::disclosure {
namespace {

constexpr std::size_t kBits = 64;

void Insert(std::size_t atom, AtomSet& set) { set[atom / kBits] |= std::uint64_t{1} << (atom % kBits); }

}  // namespace

bool IsEmpty(const AtomSet& set) {
  return std::all_of(set.begin(), set.end(), [](std::uint64_t word) { return word == 0; });
}

bool IsSubset(const AtomSet& inner, const AtomSet& outer) {
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if ((inner[i] & ~outer[i]) != 0) return false;
  }
  return true;
}

bool AreDisjoint(const AtomSet& a, const AtomSet& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] & b[i]) != 0) return false;
  }
  return true;
}

AtomSet Minus(const AtomSet& a, const AtomSet& b) {
  AtomSet result = a;
  for (std::size_t i = 0; i < a.size(); ++i) result[i] &= ~b[i];
  return result;
}

AtomSet Intersection(const AtomSet& a, const AtomSet& b) {
  AtomSet result = a;
  for (std::size_t i = 0; i < a.size(); ++i) result[i] &= b[i];
  return result;
}

std::size_t CountAtoms(const AtomSet& set) {
  std::size_t count = 0;
  for (const std::uint64_t word : set) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

AtomSet Partition::Everything() const {
  AtomSet result((num_atoms + kBits - 1) / kBits, 0);
  for (std::size_t atom = 0; atom < num_atoms; ++atom) Insert(atom, result);
  return result;
}

namespace {

// A code, or all codes that begin with a prefix and are listed no further.
struct Item {
  std::string text;
  bool is_code = false;

  friend auto operator<=>(const Item&, const Item&) = default;
};

// The sets that list an item, by what lists them.
class ItemLists {
 public:
  explicit ItemLists(std::span<const ValueSet> sets) {
    for (std::size_t s = 0; s < sets.size(); ++s) {
      if (sets[s].everything) continue;
      for (const std::string& code : sets[s].codes) listed_[{code, true}].insert(s);
      for (const std::string& prefix : sets[s].prefixes) listed_[{prefix, false}].insert(s);
      if (!sets[s].others) continue;
      others_.insert(s);
      for (const std::string& prefix : sets[s].but) {
        but_[prefix].insert(s);
        listed_[{prefix, false}];
      }
    }
  }

  const std::set<std::size_t>& others() const { return others_; }
  const std::map<Item, std::set<std::size_t>>& items() const { return listed_; }

  std::set<std::size_t> MembersOf(const Item& item) const {
    std::set<std::size_t> members = others_, left_out;
    for (std::size_t length = 0; length <= item.text.size(); ++length) {
      const std::string prefix = item.text.substr(0, length);
      if (const auto but = but_.find(prefix); but != but_.end())
        left_out.insert(but->second.begin(), but->second.end());
    }
    for (const std::size_t set : left_out) members.erase(set);
    for (std::size_t length = 0; length <= item.text.size(); ++length) {
      const auto listed = listed_.find({item.text.substr(0, length), false});
      if (listed != listed_.end()) members.insert(listed->second.begin(), listed->second.end());
    }
    if (item.is_code) members.insert(listed_.at(item).begin(), listed_.at(item).end());
    return members;
  }

 private:
  std::map<Item, std::set<std::size_t>> listed_;
  std::map<std::string, std::set<std::size_t>> but_;
  std::set<std::size_t> others_;
};

}  // namespace

Partition MakePartition(std::span<const ValueSet> sets) {
  // Each distinct item and each stretch between neighbouring range ends, with the sets that it is in.
  const ItemLists lists(sets);
  std::set<std::int64_t> ends;
  for (const ValueSet& set : sets) {
    if (set.everything) continue;
    for (const BaseRange& range : set.ranges) {
      if (range.from < range.to) ends.insert({range.from, range.to});
    }
  }
  const std::vector<std::int64_t> cuts(ends.begin(), ends.end());
  std::vector<std::set<std::size_t>> members_of_stretch(cuts.size(), lists.others());
  for (std::size_t s = 0; s < sets.size(); ++s) {
    if (sets[s].everything) continue;
    for (const BaseRange& range : sets[s].ranges) {
      const auto from = std::lower_bound(cuts.begin(), cuts.end(), range.from);
      for (auto cut = from; cut != cuts.end() && *cut < range.to; ++cut) {
        members_of_stretch[static_cast<std::size_t>(cut - cuts.begin())].insert(s);
      }
    }
  }
  std::map<std::set<std::size_t>, std::size_t> atoms = {{lists.others(), 0}};
  for (const auto& [item, listed] : lists.items()) atoms.emplace(lists.MembersOf(item), atoms.size());
  for (const std::set<std::size_t>& members : members_of_stretch) atoms.emplace(members, atoms.size());

  Partition result;
  result.num_atoms = atoms.size();
  result.others = !lists.others().empty();
  const AtomSet everything = result.Everything();
  for (const ValueSet& set : sets) result.sets.push_back(set.everything ? everything : AtomSet(everything.size(), 0));
  for (const auto& [members, atom] : atoms) {
    for (const std::size_t s : members) Insert(atom, result.sets[s]);
  }
  return result;
}

}  // namespace sluis::disclosure
