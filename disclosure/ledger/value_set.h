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
struct BaseRange {
  std::int64_t from = 0, to = 0;

  friend auto operator<=>(const BaseRange&, const BaseRange&) = default;
};

// A set of values of one base variable: the union of what its lists name (those born after a date, and those whose date
// of birth is missing). `everything`: no restriction at all, also not to values that no table names.
struct ValueSet {
  bool everything = false;
  std::vector<std::string> codes{};
  std::vector<BaseRange> ranges{};
  std::vector<std::string> prefixes{};  // every code that begins so
  bool others = false;                  // and every value that begins with none of `but` and is none of them
  std::vector<std::string> but{};       // ascending

  friend auto operator<=>(const ValueSet&, const ValueSet&) = default;
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
// 0 is what no set names (it is in `everything`, and in sets of `others`).
struct Partition {
  std::vector<AtomSet> sets;  // of the sets given, in their order
  std::size_t num_atoms = 1;
  bool others = false;  // a set of `others` holds atom 0
  [[nodiscard]] AtomSet Everything() const;
};

// Returns the partition of `sets`. Ranges with from >= to are empty; what sets list may repeat and overlap. Atoms are
// numbered in the order of codes and prefixes, then ranges. What begins with a prefix and is listed no further is an
// atom too, whether or not anybody has such a value. Cost: O(n * m) for n sets with m distinct items and range ends.
[[nodiscard]] Partition MakePartition(std::span<const ValueSet> sets);

}  // namespace sluis::disclosure
