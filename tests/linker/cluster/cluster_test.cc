#include "linker/cluster/cluster.h"

#include <algorithm>
#include <limits>
#include <random>
#include <stop_token>
#include <vector>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linker/cluster/assignment.h"
#include "naive_cluster.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ClusterOptions kAverage{.method = ClusterMethod::kAverageLinkage};

std::vector<std::uint32_t> Labels(OwnedInput input, const ClusterOptions& options = {}) {
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View(), options);
  EXPECT_THAT(result, common::testing::IsOk());
  return result.ok() ? LabelsOf(*result) : std::vector<std::uint32_t>();
}

void ExpectSameConflicts(const std::vector<Conflict>& actual, const std::vector<Conflict>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].pair, expected[i].pair);
    EXPECT_EQ(actual[i].reason, expected[i].reason);
  }
}

TEST(ClusterRecords, EqualsTheDefinitionOnRandomInput) {
  std::mt19937 random(20251122);
  std::size_t conflicts = 0;
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    OwnedInput input = RandomInput(&random, 6, round % 2 == 0);
    ClusterOptions options = kAverage;
    options.missing_log_odds = round % 3 == 0 ? -1 : -3;
    options.threshold = round % 5 == 0 ? 1.25 : 0;
    const absl::StatusOr<Clustering> result = ClusterRecords(input.View(), options);
    SLUIS_ASSERT_OK(result);
    const NaiveClustering naive = NaiveCluster(input, options);
    const std::vector<std::uint32_t> labels = LabelsOf(*result);
    ASSERT_EQ(labels, naive.label);
    ExpectSameConflicts(result->conflicts, naive.conflicts);
    conflicts += naive.conflicts.size();
    ASSERT_EQ(result->entities.size(), naive.entities.size());
    std::size_t entity = 0;  // both in the order of first records
    for (const auto& [label, expected] : naive.entities) {
      const Entity& actual = result->entities[entity++];
      EXPECT_EQ(actual.pairs, expected.pairs);
      EXPECT_EQ(actual.scored_pairs, expected.scored_pairs);
      EXPECT_NEAR(actual.mean_log_odds, expected.mean, 2e-6);
      EXPECT_EQ(actual.min_log_odds, expected.least);
    }
    for (OwnedInput::List& list : input.lists) {
      std::shuffle(list.pairs.begin(), list.pairs.end(), random);
    }
    std::shuffle(input.lists.begin(), input.lists.end(), random);
    EXPECT_EQ(Labels(input, options), labels);
  }
  EXPECT_GT(conflicts, 100u);
}

// Larger components, where clusters of many records meet and queue entries go out of date.
TEST(ClusterRecords, EqualsTheDefinitionOnLargerComponents) {
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    OwnedInput input = RandomInput(&random, 25, round % 2 == 0);
    ASSERT_EQ(Labels(input, kAverage), NaiveCluster(input, kAverage).label);
  }
}

TEST(ClusterRecords, DoesNotChain) {
  // Each record resembles the next only.
  OwnedInput input;
  input.sources = {{6, false}};
  input.lists = {{0, 0, {{0, 1, 4}, {1, 2, 3.5}, {2, 3, 4}, {3, 4, 3.5}, {4, 5, 4}}}};
  EXPECT_THAT(Labels(input), ElementsAre(0, 0, 2, 2, 4, 4));
}

TEST(ClusterRecords, ToleratesAMissingPairAmongGoodOnes) {
  OwnedInput input;
  input.sources = {{1}, {1}, {1}};
  input.lists = {{0, 1, {{0, 0, 8}}}, {1, 2, {{0, 0, 8}}}, {0, 2, {}}};
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 0, 0));
  ASSERT_EQ(result->entities.size(), 1u);
  EXPECT_EQ(result->entities[0].records, 3u);
  EXPECT_EQ(result->entities[0].pairs, 3u);
  EXPECT_EQ(result->entities[0].scored_pairs, 2u);
  EXPECT_NEAR(result->entities[0].mean_log_odds, 13.0 / 3, 1e-5);
  EXPECT_EQ(result->entities[0].min_log_odds, -3);
  EXPECT_FALSE(result->stats.assigned);
}

TEST(ClusterRecords, CountsPairsOnlyOfSourcesThatWereCompared) {
  // Two satellites with several records of a person, each compared with the backbone only.
  OwnedInput input;
  input.sources = {{1, true}, {4, false}, {1, true}};
  input.lists = {{0, 1, {{0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {0, 3, -1}}}, {0, 2, {{0, 0, 1}}}};
  EXPECT_THAT(Labels(input), ElementsAre(0, 0, 0, 0, 4, 0));
}

TEST(ClusterRecords, KeepsASourceConsistent) {
  // Rows 0 and 1 of the first source are alike and both like the record of the second; a person has one of them.
  OwnedInput input;
  input.sources = {{2, true}, {1, true}, {1, true}};
  input.lists = {{0, 1, {{0, 0, 5}, {1, 0, 5.5}}}, {0, 2, {{0, 0, 9}, {1, 0, 8}}}, {1, 2, {{0, 0, 7}}}};
  EXPECT_THAT(Labels(input), ElementsAre(0, 1, 0, 0));
  input.sources[0].one_per_person = false;
  EXPECT_THAT(Labels(input), ElementsAre(0, 0, 0, 0));
}

TEST(ClusterRecords, LinksTwoSourcesByAssignment) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t rows_a = 1 + random() % 8;
    const std::uint32_t rows_b = 1 + random() % 8;
    OwnedInput input;
    input.sources = {{rows_a, round % 3 != 1}, {rows_b, round % 3 != 2}};
    input.lists = {{0, 1, {}}};
    for (int i = 0; i < 24; ++i) {
      input.lists[0].pairs.push_back({static_cast<std::uint32_t>(random() % rows_a),
                                      static_cast<std::uint32_t>(random() % rows_b),
                                      static_cast<float>(random() % 160) * 0.25f - 10});
    }
    std::vector<ScoredPair> pairs = input.lists[0].pairs;
    AssignmentOptions options;
    std::vector<std::uint32_t> expected;
    if (round % 3 == 1) {  // many rows of the first source to one of the second
      for (ScoredPair& pair : pairs) {
        std::swap(pair.a, pair.b);
      }
    }
    options.cardinality = round % 3 == 0 ? Cardinality::kOneToOne : Cardinality::kOneToMany;
    const std::uint32_t ones = round % 3 == 1 ? rows_b : rows_a;
    const std::uint32_t others = round % 3 == 1 ? rows_a : rows_b;
    const absl::StatusOr<Assignment> assignment = AssignPairs(ones, others, pairs, options);
    SLUIS_ASSERT_OK(assignment);
    const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
    SLUIS_ASSERT_OK(result);
    EXPECT_TRUE(result->stats.assigned);
    EXPECT_EQ(result->stats.merges, assignment->pairs.size());
    EXPECT_EQ(result->entities.size(), rows_a + rows_b - assignment->pairs.size());
    for (const ScoredPair& pair : assignment->pairs) {
      const std::uint32_t a = round % 3 == 1 ? pair.b : pair.a;
      const std::uint32_t b = round % 3 == 1 ? pair.a : pair.b;
      EXPECT_EQ(result->entity_of[0][a], result->entity_of[1][b]);
      EXPECT_EQ(result->status[0][a], LinkStatus::kLinked);
    }
  }
}

TEST(ClusterRecords, AssignsWhatFixedPairsLeave) {
  OwnedInput input;
  input.sources = {{2}, {2}};
  input.lists = {{0, 1, {{0, 0, 9}, {0, 1, 1}, {1, 0, 1}}}};
  input.fixed = {{{0, 0}, {1, 1}}};
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 1, 0));
  EXPECT_EQ(result->stats.fixed_merges, 1u);
  EXPECT_EQ(result->entities[0].mean_log_odds, 12);
  EXPECT_THAT(result->conflicts, IsEmpty());
}

TEST(ClusterRecords, MergesNothingOfAContradictoryGroup) {
  // Pass 0 gives row 0 of the first source two partners in the second; pass 1 is right about one of them.
  OwnedInput input;
  input.sources = {{2}, {3}};
  input.lists = {{0, 1, {{0, 2, 5}}}};
  input.fixed = {{{0, 0}, {1, 0}, 0}, {{0, 0}, {1, 1}, 0}, {{0, 1}, {1, 1}, 1}, {{0, 1}, {1, 0}, 2}};
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 2, 1, 0));
  ExpectSameConflicts(result->conflicts, {{input.fixed[0], ConflictReason::kOnePerPerson},
                                          {input.fixed[1], ConflictReason::kOnePerPerson},
                                          {input.fixed[3], ConflictReason::kOnePerPerson}});
  EXPECT_THAT(result->status[0], ElementsAre(LinkStatus::kConflict, LinkStatus::kConflict));
  EXPECT_THAT(result->status[1], ElementsAre(LinkStatus::kConflict, LinkStatus::kConflict, LinkStatus::kLinked));
}

TEST(ClusterRecords, KeepsApartWhatMustBe) {
  OwnedInput input;
  input.sources = {{3, false}};
  input.lists = {{0, 0, {{0, 1, 9}, {1, 2, 8}, {0, 2, 9}}}};
  input.apart = {{{0, 2}, {0, 0}}};
  EXPECT_THAT(Labels(input), ElementsAre(0, 0, 2));
  input.fixed = {{{0, 1}, {0, 2}, 4}};
  EXPECT_THAT(Labels(input), ElementsAre(0, 1, 1));
  input.fixed.push_back({{0, 0}, {0, 1}, 5});
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  ExpectSameConflicts(result->conflicts, {{input.fixed[1], ConflictReason::kApart}});
  OwnedInput linked;
  linked.sources = {{1}, {1}};
  linked.lists = {{0, 1, {{0, 0, 9}}}};
  linked.apart = {{{0, 0}, {1, 0}}};
  EXPECT_THAT(Labels(linked), ElementsAre(0, 1));
}

TEST(ClusterRecords, LetsNoPairCountForMoreThanTheLimit) {
  OwnedInput input;
  input.sources = {{6, false}};
  // Records 0 to 4 are one person; record 5 resembles record 0 beyond all doubt, the others not at all.
  std::vector<ScoredPair> pairs = {{0, 5, 1000}};
  for (std::uint32_t a = 0; a < 5; ++a) {
    for (std::uint32_t b = a + 1; b < 5; ++b) {
      pairs.push_back({a, b, 13});
    }
  }
  input.lists = {{0, 0, pairs}};
  const std::vector<std::uint32_t> together = {0, 0, 0, 0, 0, 0};
  EXPECT_EQ(Labels(input, {.max_log_odds = 1000}), together);
  EXPECT_NE(Labels(input), together);
}

TEST(ClusterRecords, HandlesAHubOf100000Records) {
  constexpr std::uint32_t kRecords = 100'000;
  OwnedInput input;
  input.sources = {{kRecords, false}};
  input.lists = {{0, 0, {}}};
  for (std::uint32_t i = 1; i < kRecords; ++i) {
    input.lists[0].pairs.push_back({0, i, 8});
    input.lists[0].pairs.push_back({i, i % (kRecords - 1) + 1, static_cast<float>(i % 7)});
  }
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_EQ(result->stats.largest_component, kRecords);
  std::uint32_t largest = 0;
  for (const Entity& entity : result->entities) {
    largest = std::max(largest, entity.records);
  }
  // Every merge has a positive average, so the pairs within an entity have a positive sum: for k records at most
  // 8 (k - 1) + 6 k - 3 (k (k - 1) / 2 - 2 k + 1), which is negative from 15 on.
  EXPECT_LE(largest, 14u);
}

TEST(ClusterRecords, HandlesACliqueOfTies) {
  constexpr std::uint32_t kRecords = 700;
  OwnedInput input;
  input.sources = {{kRecords, false}};
  input.lists = {{0, 0, {}}};
  for (std::uint32_t a = 0; a < kRecords; ++a) {
    for (std::uint32_t b = a + 1; b < kRecords; ++b) {
      input.lists[0].pairs.push_back({a, b, 1});
    }
  }
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  ASSERT_EQ(result->entities.size(), 1u);
  EXPECT_EQ(result->entities[0].mean_log_odds, 1);
  EXPECT_EQ(result->entities[0].pairs, kRecords * (kRecords - 1) / 2);
}

TEST(ClusterRecords, RefusesBadInput) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OwnedInput good;
  good.sources = {{2}, {2}, {2, false}};
  good.lists = {{0, 1, {{0, 0, 1}}}, {2, 2, {{0, 1, 1}}}};
  SLUIS_EXPECT_OK(ClusterRecords(good.View()));
  const auto expect = [&](auto change, const char* fragment) {
    OwnedInput bad = good;
    change(bad);
    EXPECT_THAT(ClusterRecords(bad.View()), StatusIs(invalid, fragment));
  };
  expect(
      [&](OwnedInput& bad) {
        bad.lists[0].pairs.push_back({1, 1, nan});
      },
      "list 0 of scored pairs, pair 1: log odds");
  expect([](OwnedInput& bad) { bad.lists[0].pairs[0].b = 2; }, "list 0 of scored pairs, pair 0: source or row");
  expect([](OwnedInput& bad) { bad.lists[1].pairs[0].b = 0; }, "list 1 of scored pairs, pair 0: a record is paired");
  expect([](OwnedInput& bad) { bad.lists[1].source_b = 3; }, "list 1 of scored pairs: no such source");
  expect([](OwnedInput& bad) { bad.fixed = {{{0, 0}, {1, 2}}}; }, "fixed pair 0: source or row");
  expect([](OwnedInput& bad) { bad.apart = {{{3, 0}, {1, 1}}}; }, "apart pair 0: source or row");
  expect([](OwnedInput& bad) { bad.sources.clear(); }, "1 to 63 sources");
  expect([](OwnedInput& bad) { bad.sources.resize(64); }, "1 to 63 sources");
  expect([](OwnedInput& bad) { bad.sources[0].records = bad.sources[1].records = 1u << 31; }, "2^32 - 2 records");
  const auto with = [&](const ClusterOptions& options) { return ClusterRecords(good.View(), options).status(); };
  EXPECT_THAT(with({.method = ClusterMethod::kAssignment}), StatusIs(invalid, "method: assignment takes two sources"));
  EXPECT_THAT(with({.threshold = nan}), StatusIs(invalid, "threshold"));
  EXPECT_THAT(with({.threshold = 13}), StatusIs(invalid, "threshold"));
  EXPECT_THAT(with({.threshold = -4}), StatusIs(invalid, "missing_log_odds"));
  EXPECT_THAT(with({.missing_log_odds = nan}), StatusIs(invalid, "missing_log_odds"));
  EXPECT_THAT(with({.max_log_odds = 0}), StatusIs(invalid, "max_log_odds"));
  EXPECT_THAT(with({.max_log_odds = nan}), StatusIs(invalid, "max_log_odds"));
}

TEST(ClusterRecords, TakesSourcesWithoutRecordsOrPairs) {
  OwnedInput input;
  input.sources = {{0}, {2}};
  const absl::StatusOr<Clustering> result = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1));
  EXPECT_THAT(result->status[1], ElementsAre(LinkStatus::kSingle, LinkStatus::kSingle));
  EXPECT_EQ(result->entities[0], (Entity{.records = 1}));
}

TEST(ClusterRecords, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  OwnedInput input;
  input.sources = {{400, false}};
  input.lists = {{0, 0, {}}};
  for (std::uint32_t a = 0; a < 400; ++a) {
    for (std::uint32_t b = a + 1; b < 400; ++b) {
      input.lists[0].pairs.push_back({a, b, 2});
    }
  }
  EXPECT_THAT(ClusterRecords(input.View(), {.stop = source.get_token()}),
              StatusIs(absl::StatusCode::kCancelled, "stopped"));
}

TEST(LinkStatusName, IsWhatLinksFilesSay) {
  EXPECT_EQ(LinkStatusName(LinkStatus::kSingle), "single");
  EXPECT_EQ(LinkStatusName(LinkStatus::kLinked), "linked");
  EXPECT_EQ(LinkStatusName(LinkStatus::kConflict), "conflict");
}

}  // namespace
}  // namespace sluis::linker
