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
minimum_frequency: {threshold: 10, count_range: 5, amount_range_percent: 20}
dominance:
  - {n: 1, k_percent: 50}
  - {n: 2, k_percent: 80}
p_percent: {p: 15}
prior_posterior: {p: 10, q: 50}
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
}

TEST(RuleSetDocument, RefusesWhatIsMissingUnknownOrOutOfRange) {
  EXPECT_THAT(With("id: strict", "id: ../strict"), StatusIs(kInvalid, "id"));
  EXPECT_THAT(With("version: 2", "version: 0"), StatusIs(kInvalid, "version"));
  EXPECT_THAT(With("title: All rules", ""), StatusIs(kInvalid, "title"));
  EXPECT_THAT(With("source: Somebody (2026)", ""), StatusIs(kInvalid, "source"));
  EXPECT_THAT(With("2026-11-22", "22-11-2026"), StatusIs(kInvalid, "as_of"));
  EXPECT_THAT(With("p_percent: {p: 15}", "p_percent: {p: 15, z: 1}"), StatusIs(kInvalid, "z"));
  EXPECT_THAT(With("threshold: 10", "threshold: 1"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("threshold: 10, ", ""), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("count_range: 5", "count_range: 4294967295"), StatusIs(kInvalid, "count_range"));
  EXPECT_THAT(With("k_percent: 50", "k_percent: 100"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("q: 50", "q: 5"), StatusIs(kInvalid, ""));
  EXPECT_THAT(With("n: 1", "n: 65"), StatusIs(kInvalid, ""));
  EXPECT_THAT(ParseRuleSet("id: a\nversion: 1\ntitle: t\nsource: s\nas_of: 2026-01-01\n"), StatusIs(kInvalid, ""));
}

TEST(RuleSetDocument, EveryPresetIsARuleSet) {
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "SLUIS_SOURCE_DIR is not set: run it through ctest";
  int presets = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::string(source) + "/deploy/presets/rules")) {
    std::ifstream stream(file.path());
    const std::string yaml{std::istreambuf_iterator<char>(stream), {}};
    const auto read = ParseRuleSet(yaml);
    EXPECT_TRUE(read.ok()) << file.path() << ": " << read.status();
    if (!read.ok()) continue;
    EXPECT_EQ(read->id, file.path().stem().string());
    ++presets;
  }
  EXPECT_GT(presets, 0);
}

}  // namespace
}  // namespace sluis::disclosure
