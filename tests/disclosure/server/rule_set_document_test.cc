#include "disclosure/server/rule_set_document.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/status/matchers.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kRules[] = R"(
id: strict
version: 2
title: All rules
source: Somebody (2026)
as_of: 2026-11-22
minimum_frequency: {threshold: 10, count_range: 5, amount_range_percent: 20, amount_range: 5000}
dominance:
  - {n: 1, k_percent: 50}
  - {n: 2, k_percent: 80}
p_percent: {p: 15}
prior_posterior: {p: 10, q: 50}
request: {g_percent: 70}
zero_cells: {count_range: 4, amount_range: 1125899906842624}
group_disclosure: {percent: 90, from_total: 12}
suppressed_sum: {threshold: 11, count_range: 6, amount_range: 7}
)";

absl::StatusOr<NamedRuleSet> With(const std::string& from, const std::string& to) {
  std::string changed = kRules;
  changed.replace(changed.find(from), from.size(), to);
  return ParseRuleSet(changed);
}

TEST(RuleSetDocument, ReadsEveryRule) {
  const auto read = ParseRuleSet(kRules);
  SLUIS_ASSERT_OK(read);
  EXPECT_EQ(read->id, "strict");
  EXPECT_EQ(read->version, 2u);
  EXPECT_EQ(read->as_of, common::FromCivil({2026, 11, 22}));
  ASSERT_TRUE(read->rules.minimum_frequency.has_value());
  EXPECT_EQ(read->rules.minimum_frequency->threshold, 10);
  EXPECT_EQ(read->rules.minimum_frequency->count_range, 5);
  EXPECT_EQ(read->rules.minimum_frequency->amount_range_percent, 20);
  ASSERT_EQ(read->rules.dominance.size(), 2u);
  EXPECT_EQ(read->rules.dominance[1].n, 2);
  EXPECT_EQ(read->rules.dominance[1].k_percent, 80);
  EXPECT_EQ(read->rules.p_percent->p, 15);
  EXPECT_EQ(read->rules.prior_posterior->p, 10);
  EXPECT_EQ(read->rules.prior_posterior->q, 50);
  EXPECT_EQ(read->rules.minimum_frequency->amount_range, 5000);
  EXPECT_EQ(read->rules.request->g_percent, 70);
  EXPECT_EQ(read->rules.zero_cells->count_range, 4);
  EXPECT_EQ(read->rules.zero_cells->amount_range, kMaxAmount);
  EXPECT_EQ(read->rules.group_disclosure->percent, 90);
  EXPECT_EQ(read->rules.group_disclosure->from_total, 12);
  EXPECT_EQ(read->rules.suppressed_sum->threshold, 11);
  EXPECT_EQ(read->rules.suppressed_sum->count_range, 6);
  EXPECT_EQ(read->rules.suppressed_sum->amount_range_percent, 0);
  EXPECT_EQ(read->rules.suppressed_sum->amount_range, 7);
}

TEST(RuleSetDocument, RefusesWhatIsMissingUnknownOrOutOfRange) {
  EXPECT_THAT(With("id: strict", "id: ../strict"), StatusIs(kInvalid, "id"));
  EXPECT_THAT(With("version: 2", "version: 0"), StatusIs(kInvalid, "version"));
  EXPECT_THAT(With("title: All rules", ""), StatusIs(kInvalid, "title"));
  EXPECT_THAT(With("source: Somebody (2026)", ""), StatusIs(kInvalid, "source"));
  EXPECT_THAT(With("2026-11-22", "22-11-2026"), StatusIs(kInvalid, "as_of"));
  EXPECT_THAT(With("p_percent: {p: 15}", "p_percent: {p: 15, z: 1}"), StatusIs(kInvalid, "z"));
  EXPECT_THAT(With("p_percent: {p: 15}", "p_percent: {p: 12.5}"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("threshold: 10", "threshold: 1"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("threshold: 10, ", ""), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("count_range: 5", "count_range: 4294967295"), StatusIs(kInvalid, "count_range"));
  EXPECT_THAT(With("k_percent: 50", "k_percent: 100"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("q: 50", "q: 5"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("n: 1", "n: 65"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("amount_range: 5000", "amount_range: -1"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("g_percent: 70", "g_percent: 100"), StatusIs(kInvalid, "request.g_percent"));
  EXPECT_THAT(With("1125899906842624", "1125899906842625"), StatusIs(kInvalid, "zero_cells.amount_range"));
  EXPECT_THAT(With("count_range: 4", "count_range: 0"), StatusIs(kInvalid, "zero_cells.count_range"));
  EXPECT_THAT(With("percent: 90", "percent: 50"), StatusIs(kInvalid, "group_disclosure.percent"));
  EXPECT_THAT(With(", from_total: 12", ""), StatusIs(kInvalid, "group_disclosure.from_total"));
  EXPECT_THAT(With("threshold: 11", "threshold: 1"), StatusIs(kInvalid, "suppressed_sum.threshold"));
  EXPECT_THAT(With(", amount_range: 7", ""), StatusIs(kInvalid, "suppressed_sum: "));
  EXPECT_THAT(ParseRuleSet("id: a\nversion: 1\ntitle: t\nsource: s\nas_of: 2026-01-01\n"), StatusIs(kInvalid, ""));
}

TEST(RuleSetDocument, EveryPresetIsARuleSet) {
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "SLUIS_SOURCE_DIR is not set: run it through ctest";
  std::ifstream readme_stream(std::string(source) + "/deploy/presets/README.md");
  const std::string readme{std::istreambuf_iterator<char>(readme_stream), {}};
  int presets = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::string(source) + "/deploy/presets/rules")) {
    std::ifstream stream(file.path());
    const std::string yaml{std::istreambuf_iterator<char>(stream), {}};
    const auto read = ParseRuleSet(yaml);
    EXPECT_TRUE(read.ok()) << file.path() << ": " << read.status();
    if (!read.ok()) continue;
    EXPECT_EQ(read->id, file.path().stem().string());
    EXPECT_LT(read->as_of, common::FromCivil({2100, 1, 1}));
    const bool own = read->source.substr(0, 4) == "own;";
    EXPECT_EQ(yaml.find("Unofficial transcription") == std::string::npos, own) << file.path();
    EXPECT_NE(readme.find("`" + file.path().filename().string() + "`"), std::string::npos)
        << file.path() << ": is not in the README";
    ++presets;
  }
  EXPECT_GE(presets, 11);
}

}  // namespace
}  // namespace sluis::disclosure
