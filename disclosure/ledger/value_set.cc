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

Partition MakePartition(std::span<const ValueSet> sets) {
  // Each distinct code and each stretch between neighbouring range ends, with the sets that it is in.
  std::map<std::string, std::set<std::size_t>> members_of_code;
  std::set<std::int64_t> ends;
  for (std::size_t s = 0; s < sets.size(); ++s) {
    if (sets[s].everything) continue;
    for (const std::string& code : sets[s].codes) members_of_code[code].insert(s);
    for (const ValueRange& range : sets[s].ranges) {
      if (range.from < range.to) ends.insert({range.from, range.to});
    }
  }
  const std::vector<std::int64_t> cuts(ends.begin(), ends.end());
  std::vector<std::set<std::size_t>> members_of_stretch(cuts.size());
  for (std::size_t s = 0; s < sets.size(); ++s) {
    if (sets[s].everything) continue;
    for (const ValueRange& range : sets[s].ranges) {
      const auto from = std::lower_bound(cuts.begin(), cuts.end(), range.from);
      for (auto cut = from; cut != cuts.end() && *cut < range.to; ++cut) {
        members_of_stretch[static_cast<std::size_t>(cut - cuts.begin())].insert(s);
      }
    }
  }
  std::map<std::set<std::size_t>, std::size_t> atoms = {{{}, 0}};
  for (const auto& [code, members] : members_of_code) atoms.emplace(members, atoms.size());
  for (const std::set<std::size_t>& members : members_of_stretch) atoms.emplace(members, atoms.size());

  Partition result;
  result.num_atoms = atoms.size();
  const AtomSet everything = result.Everything();
  for (const ValueSet& set : sets) result.sets.push_back(set.everything ? everything : AtomSet(everything.size(), 0));
  for (const auto& [members, atom] : atoms) {
    for (const std::size_t s : members) Insert(atom, result.sets[s]);
  }
  return result;
}

}  // namespace sluis::disclosure
