#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "disclosure/attack/attack.h"
#include "disclosure/ledger/join.h"
#include "disclosure/suppress/suppress.h"
#include "tests/disclosure/ledger/micro_releases.h"

// Random releases over records that are written out, one after the other; then an attacker who has all of them and
// knows which records each cell holds.

namespace sluis::disclosure {
namespace {

using testing::BaseSet;
using testing::kBaseCells;
using testing::Micro;
using testing::MicroAxis;
using testing::MicroTable;

constexpr std::int64_t kThreshold = 3;

Micro RandomMicro(std::mt19937& random) {
  Micro micro{};
  for (std::int64_t& count : micro) count = random() % 2 == 0 ? 0 : static_cast<std::int64_t>(random() % 3);
  return micro;
}

// A total and two or three groups of neighbouring values, sometimes split once more; sometimes of a part only.
MicroAxis RandomAxis(int variable, std::mt19937& random) {
  const std::vector<int> sizes = {testing::kAges, testing::kPlaces, testing::kSexes};
  const int size = sizes[static_cast<std::size_t>(variable)];
  MicroAxis axis{.variable = variable, .codes = {{}}, .parent = {-1}};
  const int from = variable == 0 && random() % 3 == 0 ? static_cast<int>(random() % 3) : 0;
  std::set<int> cuts = {from, size};
  for (int k = 0; k < 2; ++k) cuts.insert(from + static_cast<int>(random() % static_cast<unsigned>(size - from)));
  for (int value = from; value < size; ++value) axis.codes[0].push_back(value);
  const std::vector<int> ends(cuts.begin(), cuts.end());
  for (std::size_t k = 0; k + 1 < ends.size(); ++k) {
    const auto group = static_cast<int>(axis.codes.size());
    axis.codes.emplace_back();
    axis.parent.push_back(0);
    for (int value = ends[k]; value < ends[k + 1]; ++value) axis.codes.back().push_back(value);
    if (axis.codes.back().size() < 2 || random() % 2 != 0) continue;
    const std::vector<int> values = axis.codes.back();
    const auto half = values.begin() + static_cast<std::ptrdiff_t>(1 + random() % (values.size() - 1));
    axis.codes.emplace_back(values.begin(), half);
    axis.codes.emplace_back(half, values.end());
    axis.parent.insert(axis.parent.end(), {group, group});
  }
  return axis;
}

std::vector<MicroAxis> RandomAxes(std::mt19937& random, int most) {
  std::vector<int> variables = {0, 1, 2};
  std::shuffle(variables.begin(), variables.end(), random);
  variables.resize(1 + random() % static_cast<unsigned>(most));
  std::vector<MicroAxis> axes;
  for (const int variable : variables) axes.push_back(RandomAxis(variable, random));
  return axes;
}

// Protects `table`, together with `earlier` if `joined`. False: it cannot be protected, or is refused.
bool Protect(const std::vector<MicroTable>& earlier, bool joined, MicroTable& table) {
  std::vector<LedgerTable> released;
  for (const MicroTable& one : earlier) released.push_back(one.ledger);
  std::vector<std::int32_t> cells;
  for (std::int32_t i = 0; i < table.system.num_cells; ++i) cells.push_back(i);
  const std::vector<LedgerTable> tables = {table.ledger};
  const std::vector<std::vector<std::int32_t>> cell_of = {cells};
  const std::vector<std::string> keys = {"count"};
  const RuleSet rules = testing::SmallCounts();
  CellSystem system = table.system;
  if (joined) {
    const auto joint = Join({table.system, keys, tables, cell_of, released, rules}, PlaneLimits{});
    EXPECT_TRUE(joint.ok()) << joint.status();
    if (!joint.ok()) return false;
    system = joint->system;
  }
  const auto found = Suppress(system, SuppressOptions{});
  if (!found.ok()) {
    EXPECT_TRUE(absl::IsFailedPrecondition(found.status())) << found.status();
    return false;
  }
  testing::Release(found->pattern, table);
  return true;
}

// What a sensitive set is: a cell; a cell without one or two others of the same table, which the rule of suppressed
// sums is about; a cell without one of another table; without two others.
enum Kind { kCell, kWithinTable, kDifference, kOfThree };
using Exposed = std::array<int, 4>;

// Counts the sensitive sets that can be computed exactly from all of `releases`: cells, cell minus cell, and cell minus
// two cells.
Exposed Attack(const Micro& micro, const std::vector<MicroTable>& releases) {
  PublishedTable known;
  std::int32_t cells = kBaseCells;
  const auto add = [&](const BaseSet& records, bool published) {
    std::vector<std::int32_t> parts;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i]) parts.push_back(static_cast<std::int32_t>(i));
    }
    known.relations.Add(cells, parts);
    known.published.push_back(published ? 1 : 0);
    known.value.push_back(published ? testing::CountIn(micro, records) : 0);
    return cells++;
  };
  known.published.assign(kBaseCells, 0);
  known.value.assign(kBaseCells, 0);
  std::map<BaseSet, bool> shown;  // published
  std::map<BaseSet, std::set<std::size_t>> tables;
  for (std::size_t t = 0; t < releases.size(); ++t) {
    const MicroTable& release = releases[t];
    for (std::size_t i = 0; i < release.records.size(); ++i) {
      bool& published = shown[release.records[i]];
      published = published || release.ledger.measures[0].published[i] != 0;
      tables[release.records[i]].insert(t);
    }
  }
  const BaseSet none(kBaseCells, false);
  shown.erase(none);
  std::map<BaseSet, int> sensitive;
  const auto consider = [&](const BaseSet& records, Kind kind) {
    const std::int64_t count = testing::CountIn(micro, records);
    if (count == 0 || count >= kThreshold) return;
    int& known_kind = sensitive.emplace(records, kind).first->second;
    known_kind = std::min<int>(known_kind, kind);
  };
  const auto in_one = [&tables](std::initializer_list<const BaseSet*> sets) {
    std::set<std::size_t> common = tables[**sets.begin()];
    for (const BaseSet* set : sets) std::erase_if(common, [&](std::size_t t) { return !tables[*set].contains(t); });
    return !common.empty();
  };
  const auto within = [](const BaseSet& inner, const BaseSet& outer) {
    for (std::size_t i = 0; i < inner.size(); ++i) {
      if (inner[i] && !outer[i]) return false;
    }
    return true;
  };
  for (const auto& [records, published] : shown) consider(records, kCell);
  for (const auto& [whole, p] : shown) {
    for (const auto& [part, q] : shown) {
      if (part == whole || !within(part, whole)) continue;
      BaseSet rest = whole;
      for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = whole[i] && !part[i];
      consider(rest, in_one({&whole, &part}) ? kWithinTable : kDifference);
      for (const auto& [other, r] : shown) {
        if (!within(other, rest) || other == rest) continue;
        BaseSet last = rest;
        for (std::size_t i = 0; i < last.size(); ++i) last[i] = rest[i] && !other[i];
        consider(last, in_one({&whole, &part, &other}) ? kWithinTable : kOfThree);
      }
    }
  }
  for (const auto& [records, published] : shown) {
    if (sensitive.contains(records)) {
      EXPECT_FALSE(published);
      continue;
    }
    (void)add(records, published);
  }
  std::map<std::int32_t, int> kinds;
  for (const auto& [records, kind] : sensitive) kinds.emplace(add(records, false), kind);
  known.upper_bound.assign(known.published.size(), kNoUpperBound);
  const auto report = FindExact(known, AttackOptions{});
  EXPECT_TRUE(report.ok()) << report.status();
  Exposed exposed{};
  if (!report.ok()) return exposed;
  for (const std::int32_t cell : report->exact_cells) {
    const auto at = kinds.find(cell);
    if (at == kinds.end()) continue;
    ++exposed[static_cast<std::size_t>(at->second)];
  }
  return exposed;
}

struct Campaign {
  Exposed exposed{};
  int releases = 0, refused = 0;
};

Campaign RunCampaign(bool joined, int rounds, int tables, int most_axes, unsigned seed) {
  std::mt19937 random(seed);
  Campaign campaign;
  for (int round = 0; round < rounds; ++round) {
    const Micro micro = RandomMicro(random);
    std::vector<MicroTable> released;
    for (int t = 0; t < tables; ++t) {
      MicroTable table =
          testing::Tabulate(micro, RandomAxes(random, most_axes), "r" + std::to_string(t), testing::SmallCounts());
      if (Protect(released, joined, table)) {
        released.push_back(std::move(table));
        ++campaign.releases;
      } else {
        ++campaign.refused;
      }
    }
    const Exposed exposed = Attack(micro, released);
    for (std::size_t kind = 0; kind < exposed.size(); ++kind) campaign.exposed[kind] += exposed[kind];
  }
  std::printf("joined %d: %d released, %d refused; exact: %d cells, %d within a table, %d differences, %d of three\n",
              joined, campaign.releases, campaign.refused, campaign.exposed[kCell], campaign.exposed[kWithinTable],
              campaign.exposed[kDifference], campaign.exposed[kOfThree]);
  return campaign;
}

TEST(JoinOracle, ProtectedAloneReleasesGiveAwaySensitiveDifferences) {
  const Campaign campaign = RunCampaign(false, 20, 3, 2, 7);
  EXPECT_GT(campaign.exposed[kCell], 0);
  EXPECT_GT(campaign.exposed[kDifference], 0);
}

TEST(JoinOracle, ProtectedTogetherReleasesGiveAwayNothing) {
  const Campaign campaign = RunCampaign(true, 20, 3, 2, 7);
  EXPECT_EQ(campaign.exposed[kCell], 0);
  EXPECT_EQ(campaign.exposed[kDifference], 0);
  EXPECT_EQ(campaign.exposed[kOfThree], 0);
  EXPECT_GT(campaign.releases, 40);
}

}  // namespace
}  // namespace sluis::disclosure
