#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Sets of values of a base variable, and the finest partition that tells all sets apart that any release used.

namespace sluis::disclosure {

// Whole numbers from <= x < to, such as the days of birth of an age class.
struct ValueRange {
  std::int64_t from = 0, to = 0;

  friend auto operator<=>(const ValueRange&, const ValueRange&) = default;
};

// A set of values of one base variable: by code, by range, or both (those born after a date, and those whose date of
// birth is missing). `everything`: no restriction at all, also not to values that no table names.
struct ValueSet {
  bool everything = false;
  std::vector<std::string> codes{};
  std::vector<ValueRange> ranges{};
};

// A set of atoms of a partition: one bit each, least significant first. Sets of one partition have one length.
using AtomSet = std::vector<std::uint64_t>;

[[nodiscard]] bool IsEmpty(const AtomSet& set);
[[nodiscard]] bool IsSubset(const AtomSet& inner, const AtomSet& outer);
[[nodiscard]] bool AreDisjoint(const AtomSet& a, const AtomSet& b);
[[nodiscard]] AtomSet Minus(const AtomSet& a, const AtomSet& b);
[[nodiscard]] AtomSet Intersection(const AtomSet& a, const AtomSet& b);
[[nodiscard]] std::size_t CountAtoms(const AtomSet& set);

// The finest common partition of some sets of values: two values are in one atom if every set has both or neither. Atom
// 0 is what no set names (it is in `everything` only).
struct Partition {
  std::vector<AtomSet> sets;  // of the sets given, in their order
  std::size_t num_atoms = 1;
  [[nodiscard]] AtomSet Everything() const;
};

// Returns the partition of `sets`. Ranges with from >= to are empty; codes and ranges may repeat and overlap. Atoms are
// numbered in the order of codes, then ranges. Cost: O(n * m) for n sets with m distinct codes and range ends.
[[nodiscard]] Partition MakePartition(std::span<const ValueSet> sets);

}  // namespace sluis::disclosure
