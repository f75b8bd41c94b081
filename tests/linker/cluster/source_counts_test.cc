#include "linker/cluster/source_counts.h"

#include <algorithm>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "naive_cluster.h"

namespace sluis::linker {
namespace {

TEST(SourceCounts, ComparesAsManyPairsAsAWalkOverAllRecordsFinds) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    constexpr std::uint32_t kSources = 5;
    Units units;
    units.start = {0};
    const std::uint32_t count = 2 + random() % 6;
    for (std::uint32_t unit = 0; unit < count; ++unit) {
      units.present.push_back(random() % 2 == 0 ? SourceSet{1} << kMaxSources : 0);
      for (std::uint32_t left = 1 + random() % 7; left > 0; --left) {
        units.records.push_back(static_cast<std::uint32_t>(units.records.size()));
        units.source_of.push_back(static_cast<std::uint8_t>(random() % kSources));
        units.present.back() |= SourceSet{1} << units.source_of.back();
      }
      units.start.push_back(static_cast<std::uint32_t>(units.records.size()));
    }
    LinkageRules rules;
    for (std::uint32_t a = 0; a < kSources; ++a) {
      for (std::uint32_t b = a; b < kSources; ++b) {
        if (random() % 2 == 0) continue;
        rules.compared[a] |= SourceSet{1} << b;
        rules.compared[b] |= SourceSet{1} << a;
      }
    }
    const SourceCounts counts(units);
    for (std::uint32_t a = 0; a < count; ++a) {
      for (std::uint32_t b = 0; b < count; ++b) {
        std::uint64_t expected = 0;
        for (const std::uint32_t x : units.members(a)) {
          for (const std::uint32_t y : units.members(b)) {
            expected += rules.compared[units.source_of[x]] >> units.source_of[y] & 1;
          }
        }
        EXPECT_EQ(counts.ComparedPairs(a, b, rules), expected);
      }
    }
  }
}

// A walk over the large entity for each of its edges would be 2 * 10^10 steps.
TEST(ClusterRecords, DoesNotWalkOverALargeEntityForEachOfItsEdges) {
  constexpr std::uint32_t kLarge = 150'000, kOthers = 150'000;
  OwnedInput input;
  input.sources = {{kLarge + kOthers, false}};
  input.lists = {{0, 0, {}}};
  for (std::uint32_t i = 1; i < kLarge; ++i) input.fixed.push_back({{0, i - 1}, {0, i}});
  for (std::uint32_t i = 0; i < kOthers; ++i) input.lists[0].pairs.push_back({i % kLarge, kLarge + i, 8});
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->entities.size(), 1u + kOthers);
  EXPECT_EQ(result->entities[0].records, kLarge);
}

}  // namespace
}  // namespace sluis::linker
