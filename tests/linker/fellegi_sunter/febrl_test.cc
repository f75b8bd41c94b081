#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
template <typename Keep>
Source Read(const std::string& path, RecordEncoder& encoder, Keep keep) {
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
    const std::string person = cells[0].substr(4, cells[0].find('-', 4) - 4);
    if (!keep(person)) {
      continue;
    }
    source.persons.push_back(person);
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

struct Linked {
  FitCredibility credibility;
  std::size_t links = 0;
  double right = 0;
  double reachable = 0;  // matches among the candidates
  double estimated_precision = 0;
};

Linked Link(const Source& a, const Source& b, bool with_terms) {
  FellegiSunterPlan plan;
  for (const Feature& feature : FieldLevelPlan().features) {
    plan.fields.push_back({.name = feature.name});
  }
  const std::vector<FieldCuts> cuts = *CutPoints(plan, a.columns, b.columns, 1);
  const FieldComparer comparer = *FieldComparer::Create(a.columns, b.columns, cuts);
  const std::vector<std::size_t> blocking = {0, 1, 3, 5, 6, 8};
  const std::vector<CandidatePair> candidates = Candidates(a, b, blocking);
  FitInput input;
  const std::vector<PatternCode> patterns = *comparer.Compare(candidates);
  for (const PatternCode pattern : patterns) {
    input.candidates.Add(pattern);
  }
  input.total_pairs = a.persons.size() * b.persons.size();
  input.max_matches = std::min(a.persons.size(), b.persons.size());
  input.non_matches = *SampleNonMatches(a.columns, b.columns, cuts, SampleFrom::kWithinSources, 1);
  const FellegiSunterFit fit = *FitFellegiSunter(plan, input);
  Linked linked;
  linked.credibility = fit.credibility;
  const auto same = [&](const auto& pair) { return a.persons[pair.a] == b.persons[pair.b]; };
  linked.reachable = static_cast<double>(std::count_if(candidates.begin(), candidates.end(), same));
  std::printf("candidates %zu patterns %zu matches %.0f of %.0f reachable, control %.1f, iterations %zu %s\n",
              candidates.size(), input.candidates.Sorted().size(), fit.credibility.expected_matches, linked.reachable,
              fit.credibility.control, fit.iterations, fit.credibility.why_not.c_str());
  if (!fit.credibility.credible) {
    return linked;
  }
  const TermTable terms = with_terms ? *CountAllTerms(a.columns, b.columns) : TermTable();
  const std::vector<ScoredPair> links = MutualBest(*ScorePairs(fit, comparer, terms, candidates));
  linked.links = links.size();
  linked.right = static_cast<double>(std::count_if(links.begin(), links.end(), same));
  const QualityReport report = *EstimateQuality(std::vector<PassLinks>{{"all", links}}, fit.credibility, 1);
  linked.estimated_precision = report.total.precision.value;
  std::printf("links %zu precision %.4f (estimated %.4f) estimated recall, blocking aside, %.4f\n", links.size(),
              linked.right / static_cast<double>(links.size()), report.total.precision.value,
              report.total.recall.value);
  return linked;
}

class Febrl4 : public ::testing::Test {
 protected:
  void SetUp() override {
    path_a_ = TestData("linkage/febrl/dataset4a.csv");
    path_b_ = TestData("linkage/febrl/dataset4b.csv");
    if (path_a_.empty() || path_b_.empty()) {
      GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
    }
  }

  std::string path_a_;
  std::string path_b_;
  TokenSeeds seeds_ = *TokenSeeds::FromKey(common::SecretBytes::CopyOf(std::vector<std::uint8_t>(32, 5)));
  RecordEncoder encoder_ = *RecordEncoder::Make(FieldLevelPlan(), seeds_, {});
};

TEST_F(Febrl4, IsLinkedWithoutTruth) {
  const auto all = [](const std::string&) { return true; };
  const Source a = Read(path_a_, encoder_, all);
  const Source b = Read(path_b_, encoder_, all);
  ASSERT_EQ(a.persons.size(), 5000u);
  ASSERT_EQ(b.persons.size(), 5000u);
  for (const bool with_terms : {false, true}) {
    const Linked linked = Link(a, b, with_terms);
    ASSERT_TRUE(linked.credibility.credible) << linked.credibility.why_not;
    const double f1 = 2 * linked.right / (static_cast<double>(linked.links) + 5000);
    std::printf("term frequencies %s: recall %.4f F1 %.4f\n", with_terms ? "yes" : "no", linked.right / 5000, f1);
    EXPECT_GE(f1, 0.99);
    EXPECT_NEAR(linked.estimated_precision, linked.right / static_cast<double>(linked.links), 0.01);
    EXPECT_NEAR(linked.credibility.expected_matches / linked.reachable, 1, 0.01);
  }
}

// 2,500 records of a; of b those of 2,500 other persons and of the first 0, 1, 10 or 100.
TEST_F(Febrl4, RareMatchesAreFoundAndTheirAbsenceIsReported) {
  std::set<std::string> persons_a;
  const Source a = Read(path_a_, encoder_, [&](const std::string& person) {
    return persons_a.size() < 2500 && persons_a.insert(person).second;
  });
  for (const std::size_t common : {0, 1, 10, 100}) {
    std::size_t taken = 0;
    const Source b = Read(path_b_, encoder_,
                          [&](const std::string& person) { return !persons_a.contains(person) || taken++ < common; });
    ASSERT_EQ(b.persons.size(), 2500 + common);
    const Linked linked = Link(a, b, true);
    EXPECT_EQ(linked.credibility.credible, common >= 10) << linked.credibility.why_not;
    if (linked.credibility.credible) {
      EXPECT_GE(2 * linked.right / static_cast<double>(linked.links + common), 0.99);
    }
  }
}

}  // namespace
}  // namespace sluis::linker
