#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "common/sets/disjoint_sets.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linker/cluster/cluster.h"
#include "naive_cluster.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;

const ClusterOptions kAverage{.method = ClusterMethod::kAverageLinkage};

// An input and the part of it that came first: of each source some first rows, possibly none.
struct Growth {
  OwnedInput all;
  OwnedInput before;  // trailing sources may be missing
  OwnedInput added;   // all sources; scores and fixed pairs with at least one new record; all apart pairs

  bool IsOld(const RecordRef& record) const {
    return record.source < before.sources.size() && record.row < before.sources[record.source].records;
  }
};

Growth Split(OwnedInput all, std::mt19937* random) {
  Growth growth;
  const std::size_t old_sources = 1 + (*random)() % all.sources.size();
  for (std::size_t i = 0; i < old_sources; ++i) {
    ClusterSource source = all.sources[i];
    source.records = static_cast<std::uint32_t>((*random)() % (source.records + 1));
    growth.before.sources.push_back(source);
  }
  growth.added.sources = all.sources;
  for (const OwnedInput::List& list : all.lists) {
    OwnedInput::List before{list.source_a, list.source_b, {}};
    OwnedInput::List added = before;
    for (const ScoredPair& pair : list.pairs) {
      const bool old = growth.IsOld({list.source_a, pair.a}) && growth.IsOld({list.source_b, pair.b});
      (old ? before : added).pairs.push_back(pair);
    }
    if (list.source_a < old_sources && list.source_b < old_sources) {
      growth.before.lists.push_back(before);
    }
    growth.added.lists.push_back(added);
  }
  for (const FixedPair& pair : all.fixed) {
    (growth.IsOld(pair.a) && growth.IsOld(pair.b) ? growth.before : growth.added).fixed.push_back(pair);
  }
  for (const ApartPair& pair : all.apart) {
    if (growth.IsOld(pair.a) && growth.IsOld(pair.b)) {
      growth.before.apart.push_back(pair);
    }
    growth.added.apart.push_back(pair);
  }
  growth.all = std::move(all);
  return growth;
}

std::vector<RecordRef> RecordsOf(const OwnedInput& input) {
  std::vector<RecordRef> records;
  for (std::uint32_t source = 0; source < input.sources.size(); ++source) {
    for (std::uint32_t row = 0; row < input.sources[source].records; ++row) {
      records.push_back({source, row});
    }
  }
  return records;
}

// The input that ClusterInto's documentation says is equivalent.
OwnedInput Constrained(const Growth& growth, const Clustering& existing) {
  OwnedInput input = growth.all;
  input.fixed.clear();
  for (const FixedPair& pair : growth.added.fixed) {
    input.fixed.push_back({pair.a, pair.b, pair.pass + 1});
  }
  const std::vector<RecordRef> old = RecordsOf(growth.before);
  for (const RecordRef& a : old) {
    for (const RecordRef& b : old) {
      if (a < b && existing.entity_of[a.source][a.row] == existing.entity_of[b.source][b.row]) {
        input.fixed.push_back({a, b, 0});
      } else if (a < b) {
        input.apart.push_back({a, b});
      }
    }
  }
  for (const Conflict& conflict : existing.conflicts) {
    input.fixed.push_back({conflict.pair.a, conflict.pair.b, conflict.pair.pass + 1});
  }
  return input;
}

TEST(ClusterInto, EqualsARunWithTheExistingEntitiesAsConstraints) {
  std::mt19937 random(20251122);
  std::size_t grown = 0;
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    Growth growth = Split(RandomInput(&random, 6, round % 2 == 0), &random);
    const absl::StatusOr<Clustering> existing = ClusterRecords(growth.before.View(), kAverage);
    SLUIS_ASSERT_OK(existing);
    const absl::StatusOr<Clustering> result = ClusterInto(*existing, growth.added.View(), kAverage);
    SLUIS_ASSERT_OK(result);
    const NaiveClustering naive = NaiveCluster(Constrained(growth, *existing), kAverage);
    ASSERT_EQ(LabelsOf(*result), naive.label);
    std::vector<std::pair<RecordRef, RecordRef>> refused;
    for (const Conflict& conflict : existing->conflicts) {
      refused.emplace_back(conflict.pair.a, conflict.pair.b);
    }
    for (const Conflict& conflict : naive.conflicts) {
      if (!growth.IsOld(conflict.pair.a) || !growth.IsOld(conflict.pair.b)) {
        refused.emplace_back(conflict.pair.a, conflict.pair.b);
      }
    }
    ASSERT_EQ(result->conflicts.size(), refused.size());
    for (std::size_t i = 0; i < refused.size(); ++i) {
      EXPECT_EQ(std::pair(result->conflicts[i].pair.a, result->conflicts[i].pair.b), refused[i]);
    }
    // Existing entities keep their numbers, and old records their entities and conflicts.
    for (std::size_t entity = 0; entity < existing->entities.size(); ++entity) {
      EXPECT_GE(result->entities[entity].records, existing->entities[entity].records);
      grown += result->entities[entity].records > existing->entities[entity].records ? 1 : 0;
    }
    for (std::size_t source = 0; source < existing->entity_of.size(); ++source) {
      for (std::size_t row = 0; row < existing->entity_of[source].size(); ++row) {
        EXPECT_EQ(result->entity_of[source][row], existing->entity_of[source][row]);
        if (existing->status[source][row] == LinkStatus::kConflict) {
          EXPECT_EQ(result->status[source][row], LinkStatus::kConflict);
        }
      }
    }
  }
  EXPECT_GT(grown, 500u);
}

// By record number, the smallest record of its connected component over all pairs.
std::vector<std::uint32_t> ComponentsOf(const OwnedInput& input, std::map<RecordRef, std::uint32_t>* number) {
  for (const RecordRef& record : RecordsOf(input)) {
    number->emplace(record, static_cast<std::uint32_t>(number->size()));
  }
  common::DisjointSets sets(static_cast<std::uint32_t>(number->size()));
  for (const OwnedInput::List& list : input.lists) {
    for (const ScoredPair& pair : list.pairs) {
      sets.Unite(number->at({list.source_a, pair.a}), number->at({list.source_b, pair.b}));
    }
  }
  for (const FixedPair& pair : input.fixed) {
    sets.Unite(number->at(pair.a), number->at(pair.b));
  }
  for (const ApartPair& pair : input.apart) {
    sets.Unite(number->at(pair.a), number->at(pair.b));
  }
  std::vector<std::uint32_t> component;
  for (std::uint32_t record = 0; record < sets.size(); ++record) {
    component.push_back(sets.Root(record));
  }
  return component;
}

// The components for which the run from scratch meets a documented exception.
std::set<std::uint32_t> Exceptions(const Growth& growth, const Clustering& existing, const NaiveClustering& scratch,
                                   const std::vector<std::uint32_t>& component,
                                   const std::map<RecordRef, std::uint32_t>& number) {
  std::vector<int> old_entity(component.size(), -1);
  std::map<std::uint32_t, std::map<int, std::size_t>> sizes;  // by component, of existing entities
  for (const RecordRef& record : RecordsOf(growth.before)) {
    const std::uint32_t i = number.at(record);
    old_entity[i] = static_cast<int>(existing.entity_of[record.source][record.row]);
    ++sizes[component[i]][old_entity[i]];
  }
  std::set<std::uint32_t> exceptions;
  std::map<std::uint32_t, std::set<int>> complete;  // by component
  for (const std::vector<std::uint32_t>& merged : scratch.merges) {
    const std::uint32_t where = component[merged.front()];
    bool has_new = false;
    std::map<int, std::size_t> here;
    for (const std::uint32_t record : merged) {
      has_new |= old_entity[record] == -1;
      if (old_entity[record] != -1) {
        ++here[old_entity[record]];
      }
    }
    if (here.size() > 1) {
      exceptions.insert(where);
    }
    if (has_new) {
      for (const auto& [entity, size] : sizes[where]) {
        if (size > 1 && !complete[where].contains(entity)) {
          exceptions.insert(where);
        }
      }
    } else if (here.size() == 1 && here.begin()->second == sizes[where].at(here.begin()->first)) {
      complete[where].insert(here.begin()->first);
    }
  }
  // An entity that is never completed without new records is split or joined on the way.
  for (const auto& [where, entities] : sizes) {
    for (const auto& [entity, size] : entities) {
      if (size > 1 && !complete[where].contains(entity)) {
        exceptions.insert(where);
      }
    }
  }
  return exceptions;
}

TEST(ClusterInto, EqualsARunFromScratchButForTheDocumentedExceptions) {
  std::mt19937 random(31);
  std::size_t same = 0;
  std::size_t different = 0;
  std::size_t with_entities = 0;
  for (int round = 0; round < 8000; ++round) {
    SCOPED_TRACE(round);
    OwnedInput all = RandomInput(&random, 8, round % 4 == 0);
    // Few pairs, so that inputs fall apart into several components.
    for (OwnedInput::List& list : all.lists) {
      std::erase_if(list.pairs, [&](const ScoredPair&) { return random() % 3 != 0; });
    }
    Growth growth = Split(std::move(all), &random);
    const absl::StatusOr<Clustering> existing = ClusterRecords(growth.before.View(), kAverage);
    SLUIS_ASSERT_OK(existing);
    const absl::StatusOr<Clustering> result = ClusterInto(*existing, growth.added.View(), kAverage);
    SLUIS_ASSERT_OK(result);
    const NaiveClustering scratch = NaiveCluster(growth.all, kAverage);
    std::map<RecordRef, std::uint32_t> number;
    const std::vector<std::uint32_t> component = ComponentsOf(growth.all, &number);
    const std::set<std::uint32_t> exceptions = Exceptions(growth, *existing, scratch, component, number);
    const std::vector<std::uint32_t> labels = LabelsOf(*result);
    std::set<std::uint32_t> differing;
    std::set<std::uint32_t> components;
    for (std::uint32_t record = 0; record < labels.size(); ++record) {
      components.insert(component[record]);
      if (labels[record] != scratch.label[record]) {
        differing.insert(component[record]);
      }
    }
    for (const std::uint32_t where : differing) {
      EXPECT_TRUE(exceptions.contains(where)) << "component " << where;
    }
    same += components.size() - differing.size();
    different += differing.size();
    std::set<std::uint32_t> touched;
    for (const RecordRef& record : RecordsOf(growth.before)) {
      const std::uint32_t i = number.at(record);
      if (existing->entities[existing->entity_of[record.source][record.row]].records > 1 &&
          !exceptions.contains(component[i])) {
        touched.insert(component[i]);
      }
    }
    with_entities += touched.size();
  }
  // Neither side of the promise is empty.
  EXPECT_GT(different, 100u);
  EXPECT_GT(same, 20 * different);
  EXPECT_GT(with_entities, 300u);
}

TEST(ClusterInto, GivesEntitiesTheConfidenceOfAllTheirPairs) {
  std::mt19937 random(8);
  std::size_t compared = 0;
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE(round);
    Growth growth = Split(RandomInput(&random, 5, false), &random);
    const absl::StatusOr<Clustering> existing = ClusterRecords(growth.before.View(), kAverage);
    SLUIS_ASSERT_OK(existing);
    const absl::StatusOr<Clustering> result = ClusterInto(*existing, growth.added.View(), kAverage);
    const absl::StatusOr<Clustering> scratch = ClusterRecords(growth.all.View(), kAverage);
    SLUIS_ASSERT_OK(result);
    SLUIS_ASSERT_OK(scratch);
    if (LabelsOf(*result) != LabelsOf(*scratch)) {
      continue;
    }
    for (const RecordRef& record : RecordsOf(growth.all)) {
      EXPECT_EQ(result->entities[result->entity_of[record.source][record.row]],
                scratch->entities[scratch->entity_of[record.source][record.row]]);
      EXPECT_EQ(result->status[record.source][record.row], scratch->status[record.source][record.row]);
    }
    ++compared;
  }
  EXPECT_GT(compared, 300u);
}

TEST(ClusterInto, AssignsNewRowsToWhatIsFree) {
  OwnedInput before;
  before.sources = {{2}, {1}};
  before.lists = {{0, 1, {{0, 0, 5}, {1, 0, 3}}}};
  const absl::StatusOr<Clustering> existing = ClusterRecords(before.View());
  SLUIS_ASSERT_OK(existing);
  EXPECT_THAT(LabelsOf(*existing), ElementsAre(0, 1, 0));
  OwnedInput added;
  added.sources = {{2}, {2}};
  added.lists = {{0, 1, {{0, 1, 9}, {1, 1, 2}}}};
  const absl::StatusOr<Clustering> result = ClusterInto(*existing, added.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_TRUE(result->stats.assigned);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 0, 1));
  // From scratch the optimum assigns again: the third documented exception.
  OwnedInput all;
  all.sources = added.sources;
  all.lists = {{0, 1, {{0, 0, 5}, {1, 0, 3}, {0, 1, 9}, {1, 1, 2}}}};
  const absl::StatusOr<Clustering> scratch = ClusterRecords(all.View());
  SLUIS_ASSERT_OK(scratch);
  EXPECT_THAT(LabelsOf(*scratch), ElementsAre(0, 1, 1, 0));
}

// Where the links that existed are all in the optimum over all pairs, both sums are equal. Weights are drawn from so
// many values that ties do not happen.
TEST(ClusterInto, AssignsAsFromScratchIfTheOptimumKeepsAllLinks) {
  std::mt19937 random(9);
  std::size_t kept = 0;
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    OwnedInput all;
    all.sources = {{6}, {6}};
    all.lists = {{0, 1, {}}};
    for (std::uint32_t a = 0; a < 6; ++a) {
      for (std::uint32_t b = 0; b < 6; ++b) {
        if (random() % 4 == 0) {
          all.lists[0].pairs.push_back({a, b, static_cast<float>(random() % 1'000'000) * 1e-5f - 1});
        }
      }
    }
    Growth growth = Split(std::move(all), &random);
    if (growth.before.sources.size() < 2) {
      continue;
    }
    const absl::StatusOr<Clustering> existing = ClusterRecords(growth.before.View());
    SLUIS_ASSERT_OK(existing);
    const absl::StatusOr<Clustering> result = ClusterInto(*existing, growth.added.View());
    const absl::StatusOr<Clustering> scratch = ClusterRecords(growth.all.View());
    SLUIS_ASSERT_OK(result);
    SLUIS_ASSERT_OK(scratch);
    bool keeps = true;
    for (std::size_t a = 0; a < existing->entity_of[0].size(); ++a) {
      for (std::size_t b = 0; b < existing->entity_of[1].size(); ++b) {
        keeps &= existing->entity_of[0][a] != existing->entity_of[1][b] ||
                 scratch->entity_of[0][a] == scratch->entity_of[1][b];
      }
    }
    if (keeps) {
      EXPECT_EQ(LabelsOf(*result), LabelsOf(*scratch));
      kept += existing->stats.merges > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(kept, 100u);
}

TEST(ClusterInto, ReportsFixedPairsThatWouldMergeEntities) {
  OwnedInput before;
  before.sources = {{2, false}};
  const absl::StatusOr<Clustering> existing = ClusterRecords(before.View());
  SLUIS_ASSERT_OK(existing);
  OwnedInput added;
  added.sources = {{3, false}};
  added.fixed = {{{0, 0}, {0, 2}}, {{0, 1}, {0, 2}}};
  const absl::StatusOr<Clustering> result = ClusterInto(*existing, added.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 2));
  ASSERT_EQ(result->conflicts.size(), 2u);
  EXPECT_EQ(result->conflicts[0].reason, ConflictReason::kEntitiesExist);
  EXPECT_EQ(result->conflicts[1].pair, added.fixed[1]);
  EXPECT_THAT(result->status[0], ElementsAre(LinkStatus::kConflict, LinkStatus::kConflict, LinkStatus::kConflict));
}

TEST(ClusterInto, LetsNoNewRecordJoinHalfOfAContradictoryGroup) {
  OwnedInput before;
  before.sources = {{2, true}, {1, true}};
  before.fixed = {{{0, 0}, {1, 0}}, {{0, 1}, {1, 0}}};
  const absl::StatusOr<Clustering> existing = ClusterRecords(before.View());
  SLUIS_ASSERT_OK(existing);
  OwnedInput added;
  added.sources = {{2, true}, {1, true}, {1, true}};
  added.fixed = {{{2, 0}, {0, 1}}};
  const absl::StatusOr<Clustering> result = ClusterInto(*existing, added.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 2, 3));
  ASSERT_EQ(result->conflicts.size(), 3u);
  EXPECT_EQ(result->conflicts[0].pair, before.fixed[0]);
  EXPECT_EQ(result->conflicts[2].pair, added.fixed[0]);
}

TEST(ClusterInto, IgnoresAndCountsPairsOfOldRecords) {
  OwnedInput before;
  before.sources = {{2, false}};
  const absl::StatusOr<Clustering> existing = ClusterRecords(before.View());
  SLUIS_ASSERT_OK(existing);
  OwnedInput added;
  added.sources = {{3, false}};
  added.lists = {{0, 0, {{0, 1, 9}, {1, 2, 9}}}};
  const absl::StatusOr<Clustering> result = ClusterInto(*existing, added.View());
  SLUIS_ASSERT_OK(result);
  EXPECT_THAT(LabelsOf(*result), ElementsAre(0, 1, 1));
  EXPECT_EQ(result->stats.ignored_pairs, 1u);
  EXPECT_EQ(result->entities[1].scored_pairs, 1u);
}

TEST(ClusterInto, RefusesWhatIsNotAnEarlierClusteringOfTheseSources) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  OwnedInput input;
  input.sources = {{2, false}, {1}};
  input.lists = {{0, 0, {{0, 1, 9}}}};
  const absl::StatusOr<Clustering> existing = ClusterRecords(input.View());
  SLUIS_ASSERT_OK(existing);
  SLUIS_EXPECT_OK(ClusterInto(*existing, input.View()));
  const auto expect = [&](auto change, const char* fragment) {
    Clustering clustering = *existing;
    OwnedInput next = input;
    change(clustering, next);
    EXPECT_THAT(ClusterInto(clustering, next.View()), StatusIs(invalid, fragment));
  };
  expect([](Clustering&, OwnedInput& next) { next.sources.pop_back(); }, "sources: fewer than before");
  expect([](Clustering&, OwnedInput& next) { next.sources[1].records = 0; }, "sources: fewer records than before");
  expect([](Clustering&, OwnedInput& next) { next.apart = {{{0, 1}, {0, 0}}}; }, "apart: a pair lies in one");
  expect([](Clustering& clustering, OwnedInput&) { clustering.entity_of[0][0] = 2; }, "existing: not the result");
  expect([](Clustering& clustering, OwnedInput&) { clustering.entities[0].records = 1; }, "existing: not the result");
  expect([](Clustering& clustering, OwnedInput&) { clustering.entities.push_back({}); }, "existing: not the result");
  expect([](Clustering& clustering, OwnedInput&) { clustering.status.pop_back(); }, "existing: not the result");
  expect(
      [](Clustering& clustering, OwnedInput&) {
        clustering.conflicts = {{{{0, 2}, {0, 0}}, ConflictReason::kApart}};
      },
      "existing: not the result");
  expect([](Clustering& clustering, OwnedInput&) { clustering.status[0].pop_back(); }, "existing: not the result");
}

}  // namespace
}  // namespace sluis::linker
