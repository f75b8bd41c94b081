#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linker/cluster/cluster.h"
#include "linker/fuzzy/match_source.h"

// Counts over the entities of a clustering.

namespace sluis::linker {

// Pairs of records in one entity, by source: element (a, b), a <= b, is at a * sources + b.
class LinkCounts {
 public:
  LinkCounts(const Clustering& clustering, std::size_t sources);

  std::uint64_t between(std::size_t a, std::size_t b) const {
    return a <= b ? counts_[a * sources_ + b] : counts_[b * sources_ + a];
  }
  std::uint64_t total() const;

 private:
  std::size_t sources_;
  std::vector<std::uint64_t> counts_;
};

// Returns how many pairs of records in one entity have different values of exact pass `pass`, neither missing.
[[nodiscard]] std::uint64_t ContradictedLinks(const Clustering& clustering, std::span<const MatchSource> sources,
                                              std::size_t pass);

// Returns by record of source `of` whether a record of source `with`, another one, is in its entity.
[[nodiscard]] std::vector<bool> LinkedWith(const Clustering& clustering, std::size_t of, std::size_t with);

}  // namespace sluis::linker
