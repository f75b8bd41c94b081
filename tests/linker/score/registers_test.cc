#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <set>

#include "common/status/matchers.h"
#include "linker/score/record_level.h"
#include "linker/score/stable_weight.h"
#include "tests/linker/score/linkage_data.h"

namespace sluis::linker {
namespace {

using testing::EncodedRegister;
using testing::FebrlFormat;
using testing::FivePartyFormat;
using testing::LinkageData;
using testing::ReadAndEncode;
using testing::Slice;

struct Quality {
  double precision, recall, f1;
};

Quality QualityOf(double right, double links, double matches) {
  return {links > 0 ? right / links : 1, matches > 0 ? right / matches : 1,
          links + matches > 0 ? 2 * right / (links + matches) : 1};
}

double Matches(const EncodedRegister& a, const EncodedRegister& b) {
  const std::set<std::string> persons(a.persons.begin(), a.persons.end());
  double matches = 0;
  for (const std::string& person : b.persons) {
    matches += persons.contains(person) ? 1 : 0;
  }
  return matches;
}

Quality OfLinks(const RecordLevelFit& fit, const EncodedRegister& a, const EncodedRegister& b, double matches);

// Links the two registers one-to-one, greedily from the highest log-odds down to above `least`.
Quality Greedy(const RecordLevelFit& fit, const EncodedRegister& a, const EncodedRegister& b, float least) {
  std::vector<ScoredPair> pairs = fit.pairs;
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const ScoredPair& x, const ScoredPair& y) { return x.log_odds > y.log_odds; });
  std::set<std::uint32_t> used_a, used_b;
  double right = 0, links = 0;
  for (const ScoredPair& pair : pairs) {
    if (pair.log_odds > least && !used_a.contains(pair.a) && !used_b.contains(pair.b)) {
      used_a.insert(pair.a);
      used_b.insert(pair.b);
      links += 1;
      right += a.persons[pair.a] == b.persons[pair.b] ? 1 : 0;
    }
  }
  return QualityOf(right, links, Matches(a, b));
}

Quality OfLinks(const RecordLevelFit& fit, const EncodedRegister& a, const EncodedRegister& b, double matches) {
  double right = 0;
  for (const CandidatePair& pair : fit.links) {
    right += a.persons[pair.a] == b.persons[pair.b] ? 1 : 0;
  }
  return QualityOf(right, static_cast<double>(fit.links.size()), matches);
}

bool Covers(const Estimate& estimate, double truth) { return estimate.low <= truth && truth <= estimate.high; }

void Print(const char* what, const RecordLevelFit& fit, const Quality& truth) {
  const ScoreFit& f = fit.fit;
  std::printf(
      "%-22s rounds %d e %.3f credible %d matches %.0f links %.0f | precision %.4f [%.4f %.4f] true %.4f | recall %.4f "
      "[%.4f %.4f] true %.4f | F1 true %.4f | beta %.1f gamma %.2f unit %.3f | %s\n",
      what, fit.rounds, fit.model.error, f.credible, f.matches, f.links, f.precision.value, f.precision.low,
      f.precision.high, truth.precision, f.recall.value, f.recall.low, f.recall.high, truth.recall, truth.f1,
      fit.unit / f.null_a.Slope(), f.null_a.gamma, fit.unit, f.why_not.c_str());
}

// The weight of the stable section, chosen as `sluis match` does.
double StableWeight(const EncodedRegister& a, const EncodedRegister* b, const FitOptions& fit_options = {}) {
  RecordLevelOptions options{.fit = fit_options};
  options.stable_begin = a.stable_begin;
  const auto weight = ChooseStableWeight(a.table, b == nullptr ? nullptr : &b->table, options, {.threads = 2});
  if (!weight.ok()) {
    ADD_FAILURE() << weight.status();
    return 1;
  }
  std::printf("stable section times %.1f\n", *weight);
  return *weight;
}

RecordLevelFit Link(const EncodedRegister& a, const EncodedRegister* b, double stable_weight,
                    const FitOptions& fit_options = {}) {
  const EncodingTable* const table_b = b == nullptr ? nullptr : &b->table;
  RecordLevelOptions options{.fit = fit_options};
  options.stable_begin = a.stable_begin;
  options.stable_weight = stable_weight;
  const auto scorer = ScoreExhaustively(a.table, table_b, {.threads = 2});
  auto fit = FitRecordLevel(a.table, table_b, *scorer, options);
  if (!fit.ok()) {
    ADD_FAILURE() << fit.status();
    return {};
  }
  return *std::move(fit);
}

class Registers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LinkageData()) {
      GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA to the directory that holds linkage/";
    }
  }
  static EncodedRegister Febrl(const std::string& name) {
    return ReadAndEncode(*LinkageData() / "febrl" / name, FebrlFormat());
  }
  static EncodedRegister FiveParty(int number) {
    return ReadAndEncode(*LinkageData() / "five-party" / ("dataset-" + std::to_string(number) + ".csv"),
                         FivePartyFormat());
  }
};

TEST_F(Registers, Febrl4) {
  const EncodedRegister a = Febrl("dataset4a.csv");
  const EncodedRegister b = Febrl("dataset4b.csv");
  const double weight = StableWeight(a, &b);
  const RecordLevelFit fit = Link(a, &b, weight);
  const Quality truth = Greedy(fit, a, b, 0);
  Print("febrl4", fit, truth);
  EXPECT_TRUE(fit.fit.credible);
  EXPECT_GE(truth.f1, 0.996);
  EXPECT_NEAR(fit.fit.precision.value, truth.precision, 0.005);
  EXPECT_NEAR(fit.fit.recall.value, truth.recall, 0.005);
  const EncodedRegister half = Slice(a, 0, 2500);
  const RecordLevelFit half_fit = Link(half, &b, weight);
  Print("febrl4 half", half_fit, Greedy(half_fit, half, b, 0));
  const std::set<std::string> persons(half.persons.begin(), half.persons.end());
  for (const std::size_t wanted : {0, 1, 10, 100}) {
    EncodedRegister few{*EncodingTable::Create(b.table.bits()), {}, b.stable_begin};
    std::size_t matches = 0;
    for (std::size_t row = 0; row < b.persons.size(); ++row) {
      const bool match = persons.contains(b.persons[row]);
      if (match && matches >= wanted) {
        continue;
      }
      matches += match ? 1 : 0;
      SLUIS_ASSERT_OK(few.table.Append(b.table.row(row)));
      few.persons.push_back(b.persons[row]);
    }
    const RecordLevelFit rare = Link(half, &few, wanted == 0 ? StableWeight(half, &few) : weight);
    const Quality quality = OfLinks(rare, half, few, static_cast<double>(wanted));
    Print(("febrl4 " + std::to_string(wanted) + " matches").c_str(), rare, quality);
    if (wanted == 0) {
      EXPECT_FALSE(rare.fit.credible);
      EXPECT_TRUE(rare.pairs.empty());
    } else {
      EXPECT_GE(quality.precision, 0.95) << wanted;
    }
  }
}

TEST_F(Registers, FiveParty) {
  const EncodedRegister a = FiveParty(1);
  const EncodedRegister b = FiveParty(2);
  const RecordLevelFit fit = Link(a, &b, StableWeight(a, &b));
  const Quality links = OfLinks(fit, a, b, Matches(a, b));
  Print("five-party 1 x 2", fit, links);
  EXPECT_TRUE(Covers(fit.fit.precision, links.precision));
  EXPECT_TRUE(Covers(fit.fit.recall, links.recall));
  const Quality pairs = Greedy(fit, a, b, 0);
  Print("  by log-odds", fit, pairs);
  EXPECT_GE(pairs.f1, 0.9);
  const EncodedRegister c = FiveParty(4);
  const EncodedRegister d = FiveParty(5);
  const RecordLevelFit other = Link(c, &d, StableWeight(c, &d));
  const Quality other_links = OfLinks(other, c, d, Matches(c, d));
  Print("five-party 4 x 5", other, other_links);
  Print("  by log-odds", other, Greedy(other, c, d, 0));
  EXPECT_TRUE(Covers(other.fit.precision, other_links.precision));
  EXPECT_TRUE(Covers(other.fit.recall, other_links.recall));
}

TEST_F(Registers, FebrlWithinOneSource) {
  for (const char* name : {"dataset1.csv", "dataset2.csv", "dataset3.csv"}) {
    const EncodedRegister a = Febrl(name);
    const FitOptions options{.first_null = 8};
    const RecordLevelFit fit = Link(a, nullptr, StableWeight(a, nullptr, options), options);
    double right = 0;
    double matches = 0;
    for (const CandidatePair& pair : fit.links) {
      right += a.persons[pair.a] == a.persons[pair.b] ? 1 : 0;
    }
    std::map<std::string, double> sizes;
    for (const std::string& person : a.persons) {
      matches += sizes[person]++;
    }
    const Quality truth = QualityOf(right, static_cast<double>(fit.links.size()), matches);
    Print(name, fit, truth);
    EXPECT_GE(truth.f1, 0.97) << name;
    EXPECT_NEAR(fit.fit.precision.value, truth.precision, 0.02) << name;
    EXPECT_NEAR(fit.fit.recall.value, truth.recall, 0.02) << name;
  }
}

}  // namespace
}  // namespace sluis::linker
