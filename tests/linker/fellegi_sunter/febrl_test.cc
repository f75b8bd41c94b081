#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

#include "common/status/matchers.h"
#include "linker/encode/record_encoder.h"
#include "linker/fellegi_sunter/fit.h"
#include "linker/fellegi_sunter/quality.h"

// FEBRL4 (Christen 2008): 5,000 and 5,000 records of the same 5,000 invented persons, with typing errors, swaps and
// missing values. The truth, in the record's name, is read by the test only.

namespace sluis::linker {
namespace {

constexpr std::size_t kFields = 9;

std::string TestData(const std::string& below) {
  const char* configured = std::getenv("SLUIS_TEST_DATA");
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  const std::string root = configured != nullptr && *configured != '\0' ? configured
                           : source != nullptr                          ? std::string(source) + "/../shared/data"
                                                                        : std::string();
  const std::string path = root + "/" + below;
  return !root.empty() && std::filesystem::exists(path) ? path : std::string();
}

struct Source {
  std::vector<FieldColumn> columns;
  std::vector<std::string> persons;
};

EncodingPlan FieldLevelPlan() {
  EncodingPlan plan;
  plan.label = "febrl-fields";
  plan.profile = EncodingProfile::kFieldLevel;
  plan.bits = 512;
  plan.insertions = 120;
  plan.hardening.folds = 0;
  plan.hardening.flip = 0;
  const std::pair<const char*, FeatureKind> fields[kFields] = {
      {"given_name", FeatureKind::kText}, {"surname", FeatureKind::kText},   {"street_number", FeatureKind::kDigits},
      {"address_1", FeatureKind::kText},  {"address_2", FeatureKind::kText}, {"suburb", FeatureKind::kText},
      {"postcode", FeatureKind::kDigits}, {"state", FeatureKind::kCategory}, {"date_of_birth", FeatureKind::kDate}};
  for (const auto& [name, kind] : fields) {
    plan.features.push_back({name, kind, 1});
  }
  return plan;
}

// rec_id, the nine fields, soc_sec_id, which is not used; no quotes in these files.
Source Read(const std::string& path, RecordEncoder& encoder) {
  Source source;
  for (std::size_t f = 0; f < kFields; ++f) {
    source.columns.push_back(*FieldColumn::Create(512));
  }
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  Encoding encoding;
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) {
      const std::size_t begin = cell.find_first_not_of(" \r");
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin));
    }
    cells.resize(11);
    source.persons.push_back(cells[0].substr(4, cells[0].find('-', 4) - 4));
    const std::vector<std::string_view> values(cells.begin() + 1, cells.begin() + 1 + kFields);
    SLUIS_EXPECT_OK(encoder.Encode(values, encoding));
    for (std::size_t f = 0; f < kFields; ++f) {
      if (encoding.HasFeature(f)) {
        SLUIS_EXPECT_OK(source.columns[f].Append(encoding.Row(f)));
      } else {
        source.columns[f].AppendMissing();
      }
    }
  }
  return source;
}

// Pairs with equal encodings of one field of several: a pass each, a null never blocks.
std::vector<CandidatePair> Candidates(const Source& a, const Source& b, std::span<const std::size_t> fields) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const std::size_t f : fields) {
    const auto key = [f](const Source& source, std::size_t record) {
      const auto row = source.columns[f].encodings().row(source.columns[f].row(record));
      return std::vector<std::uint64_t>(row.begin(), row.end());
    };
    std::map<std::vector<std::uint64_t>, std::vector<std::uint32_t>> blocks;
    for (std::uint32_t r = 0; r < b.persons.size(); ++r) {
      if (b.columns[f].row(r) != FieldColumn::kMissing) {
        blocks[key(b, r)].push_back(r);
      }
    }
    for (std::uint32_t r = 0; r < a.persons.size(); ++r) {
      if (a.columns[f].row(r) == FieldColumn::kMissing) {
        continue;
      }
      if (const auto block = blocks.find(key(a, r)); block != blocks.end()) {
        for (const std::uint32_t other : block->second) {
          pairs.emplace(r, other);
        }
      }
    }
  }
  std::vector<CandidatePair> result;
  for (const auto& [x, y] : pairs) {
    result.push_back({x, y});
  }
  return result;
}

std::vector<ScoredPair> MutualBest(const std::vector<ScoredPair>& scored) {
  std::unordered_map<std::uint32_t, ScoredPair> best_a;
  std::unordered_map<std::uint32_t, ScoredPair> best_b;
  for (const ScoredPair& pair : scored) {
    const auto a = best_a.try_emplace(pair.a, pair).first;
    const auto b = best_b.try_emplace(pair.b, pair).first;
    a->second = pair.log_odds > a->second.log_odds ? pair : a->second;
    b->second = pair.log_odds > b->second.log_odds ? pair : b->second;
  }
  std::vector<ScoredPair> links;
  for (const ScoredPair& pair : scored) {
    if (pair.log_odds > 0 && best_a.at(pair.a) == pair && best_b.at(pair.b) == pair) {
      links.push_back(pair);
    }
  }
  return links;
}

TEST(FellegiSunter, LinksFebrl4WithoutTruth) {
  const std::string path_a = TestData("linkage/febrl/dataset4a.csv");
  const std::string path_b = TestData("linkage/febrl/dataset4b.csv");
  if (path_a.empty() || path_b.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  const std::vector<std::uint8_t> key_bytes(32, 5);
  const TokenSeeds seeds = *TokenSeeds::FromKey(common::SecretBytes::CopyOf(key_bytes));
  RecordEncoder encoder = *RecordEncoder::Make(FieldLevelPlan(), seeds, {});
  const Source a = Read(path_a, encoder);
  const Source b = Read(path_b, encoder);
  ASSERT_EQ(a.persons.size(), 5000u);
  ASSERT_EQ(b.persons.size(), 5000u);

  FellegiSunterPlan plan;
  for (const Feature& feature : FieldLevelPlan().features) {
    plan.fields.push_back({.name = feature.name});
  }
  const auto cuts = CutPoints(plan, a.columns, b.columns, 1);
  SLUIS_ASSERT_OK(cuts);
  const FieldComparer comparer = *FieldComparer::Create(a.columns, b.columns, *cuts);
  const std::vector<std::size_t> blocking = {0, 1, 3, 5, 6, 8};
  const std::vector<CandidatePair> candidates = Candidates(a, b, blocking);
  FitInput input;
  const std::vector<PatternCode> patterns = *comparer.Compare(candidates);
  for (const PatternCode pattern : patterns) {
    input.candidates.Add(pattern);
  }
  input.total_pairs = 25'000'000;
  input.max_matches = 5000;
  input.non_matches = *SampleNonMatches(a.columns, b.columns, *cuts, SampleFrom::kWithinSources, 1);
  const auto fit = FitFellegiSunter(plan, input);
  SLUIS_ASSERT_OK(fit);
  ASSERT_TRUE(fit->credibility.credible) << fit->credibility.why_not;

  const auto f1 = [&](const TermTable& terms, double& estimated_precision) {
    const std::vector<ScoredPair> links = MutualBest(*ScorePairs(*fit, comparer, terms, candidates));
    double right = 0;
    for (const ScoredPair& link : links) {
      right += a.persons[link.a] == b.persons[link.b];
    }
    const QualityReport report = *EstimateQuality(std::vector<PassLinks>{{"all", links}}, fit->credibility, 1);
    estimated_precision = report.total.precision.value;
    const double precision = right / static_cast<double>(links.size());
    const double recall = right / 5000;
    const double result = 2 * precision * recall / (precision + recall);
    std::printf("links %zu precision %.4f (estimated %.4f) recall %.4f (estimated %.4f, blocking aside) F1 %.4f\n",
                links.size(), precision, report.total.precision.value, recall, report.total.recall.value, result);
    return result;
  };
  double reachable = 0;
  for (const CandidatePair& pair : candidates) {
    reachable += a.persons[pair.a] == b.persons[pair.b];
  }
  std::printf("candidates %zu patterns %zu recall of blocking %.4f matches %.0f control %.1f iterations %zu\n",
              candidates.size(), input.candidates.Sorted().size(), reachable / 5000, fit->credibility.expected_matches,
              fit->credibility.control, fit->iterations);
  for (const FieldWeights& field : fit->model.Weights()) {
    std::printf("%-14s m exact %.3f disagree %.3f u exact %.6f depends on %s\n", field.name.c_str(), field.m.back(),
                field.m.front(), field.u.back(), field.depends_on.c_str());
  }
  double estimate = 0;
  f1({}, estimate);
  EXPECT_GE(f1(*CountAllTerms(a.columns, b.columns), estimate), 0.99);
  EXPECT_NEAR(estimate, 1, 0.01);
  EXPECT_NEAR(fit->credibility.expected_matches / reachable, 1, 0.01);
}

}  // namespace
}  // namespace sluis::linker
