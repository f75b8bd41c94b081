#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "linker/cluster/cluster.h"

namespace sluis::linker {

// Input that owns its lists, for tests.
struct OwnedInput {
  std::vector<ClusterSource> sources;
  struct List {
    std::uint32_t source_a;
    std::uint32_t source_b;
    std::vector<ScoredPair> pairs;
  };
  std::vector<List> lists;
  std::vector<FixedPair> fixed;
  std::vector<ApartPair> apart;

  // Valid as long as this is neither changed nor destroyed.
  ClusterInput View();

 private:
  std::vector<SourcePairs> views_;
};

struct NaiveEntity {
  std::uint64_t pairs = 0;
  std::uint64_t scored_pairs = 0;
  double mean = 0;
  double least = 0;
};

struct NaiveClustering {
  std::vector<std::uint32_t> label;  // by record number, the smallest record of its cluster
  std::vector<Conflict> conflicts;
  std::map<std::uint32_t, NaiveEntity> entities;  // by label
  // By merge, in order: the records of the cluster that came out of it.
  std::vector<std::vector<std::uint32_t>> merges;
};

// ClusterRecords with kAverageLinkage from its definition: all pairs of clusters are looked at anew before every merge.
NaiveClustering NaiveCluster(const OwnedInput& input, const ClusterOptions& options);

// The same labels for the result of ClusterRecords or ClusterInto.
std::vector<std::uint32_t> LabelsOf(const Clustering& clustering);

// Up to 4 sources of up to `max_records` records; scores out of few values, so that ties are common; fixed and apart
// pairs in some.
OwnedInput RandomInput(std::mt19937* random, std::uint32_t max_records, bool constraints);

}  // namespace sluis::linker
