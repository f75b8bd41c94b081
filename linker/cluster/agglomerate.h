#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace sluis::linker {

inline constexpr std::uint32_t kMaxSources = 63;

// A set of sources, one bit each. Bit kMaxSources marks a unit that may not be merged with another one that has it.
using SourceSet = std::uint64_t;

// What is clustered: disjoint groups of records ("units") that stay together.
struct Units {
  // Records of unit i: records[start[i]] to records[start[i + 1] - 1], ascending.
  std::vector<std::uint32_t> start;
  std::vector<std::uint32_t> records;
  // Source of every record, by record number.
  std::vector<std::uint8_t> source_of;
  // By unit; includes bit kMaxSources where it is to be kept apart from its like.
  std::vector<SourceSet> present;

  std::uint32_t size() const { return static_cast<std::uint32_t>(present.size()); }
  std::span<const std::uint32_t> members(std::uint32_t unit) const {
    return std::span(records).subspan(start[unit], start[unit + 1] - start[unit]);
  }
};

// All that is known about the record pairs between two units.
struct UnitEdge {
  std::uint32_t a;  // a < b
  std::uint32_t b;
  std::uint32_t scored;  // pairs with log odds
  bool apart;            // some pair must not be linked
  std::int64_t sum;      // of their log odds, in units of 1 / kLogOddsUnits
};

struct LinkageRules {
  SourceSet exclusive = 0;  // sources (and bit kMaxSources) of which an entity has one at most
  std::array<SourceSet, kMaxSources + 1> compared = {};  // by source: the sources that it was compared with; symmetric
  std::int64_t threshold = 0;                            // the average must exceed it
  std::int64_t missing = 0;  // log odds of a pair that was compared but not scored; <= threshold
};

struct AgglomerationStats {
  std::uint64_t components = 0;         // connected components of the edges whose average exceeds the threshold
  std::uint64_t largest_component = 0;  // units in the largest
  std::uint64_t merges = 0;
  std::uint64_t queue_steps = 0;
  bool cancelled = false;  // a stop was requested; the result is not complete
};

// The average log odds, rounded down to whole units, over `compared` pairs of which `scored` have a sum of `sum` and
// the others count as `missing`. `compared` > 0.
[[nodiscard]] std::int64_t AverageLinkage(std::int64_t sum, std::uint64_t scored, std::uint64_t compared,
                                          std::int64_t missing);

// Returns, for every unit, the smallest unit of its cluster, after average-linkage clustering from the units upwards.
//
// As long as there are two clusters that may be merged and whose average exceeds the threshold, those with the largest
// average are merged. The average is taken over all pairs of a record here and a record there whose sources were
// compared. Two clusters may not be merged if both have a source in `exclusive` or if an edge between them says apart.
// Equal averages: first the pair whose later cluster comes first, then whose earlier one does; a cluster's place is its
// largest record number.
//
// `edges`: ascending by (a, b), each pair of units once; pairs only of sources that were compared, or apart.
// Exact: since the average of a merged pair of clusters with a third is at most the larger of the two averages, an
// entry of the queue that is out of date is never too low, and is put right when it comes up (a lazy heap). Equal
// averages keep this true, as places only grow.
// Memory: 24 bytes a unit, 36 an edge, and about 150 bytes an edge of the largest component.
// Time: O(m log^2 n) for a component of m edges and n units, and O(log n) for every entry that is put right.
[[nodiscard]] std::vector<std::uint32_t> AgglomerateUnits(const Units& units, std::span<const UnitEdge> edges,
                                                          const LinkageRules& rules, const std::stop_token& stop,
                                                          AgglomerationStats* stats);

}  // namespace sluis::linker
