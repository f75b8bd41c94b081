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

constexpr char kMethods[] = R"(
id: methods
version: 1
title: All methods
source: Somebody (2026)
as_of: 2026-11-22
methods:
  fives: {controlled_rounding: {base: 5, max_steps: 2}}
  small: {small_count_rounding: {base: 3}}
  rr: {random_rounding: {ranges: [{from: 0, base: 3}, {from: 19, base: 2}]}}
  noise: {cell_key_counts: {max_change: 5, variance_milli: 2001, gap: 2, stay_milli: 100, monotone: true}}
  wages: {cell_key_amounts: {max_change: 2, steps: 4, variance_milli: 1000, share_milli: [1000, 500], small_milli: 200,
          flex_point: 10000, large_milli: 50, flex_power: 3, sensitive_extra_milli: 300}}
)";

TEST(RuleSetDocument, ReadsEveryMethod) {
  const auto read = ParseRuleSet(kMethods);
  SLUIS_ASSERT_OK(read);
  EXPECT_FALSE(HasPrimaryRule(read->rules));
  ASSERT_EQ(read->rules.methods.size(), 5u);
  const auto& fives = std::get<ControlledRoundingMethod>(read->rules.methods.at("fives"));
  EXPECT_EQ(fives.base, 5);
  EXPECT_EQ(fives.max_steps, 2);
  EXPECT_EQ(std::get<SmallCountMethod>(read->rules.methods.at("small")).base, 3);
  const auto& rr = std::get<RandomRoundingMethod>(read->rules.methods.at("rr"));
  ASSERT_EQ(rr.ranges.size(), 2u);
  EXPECT_EQ(rr.ranges[1].from, 19);
  EXPECT_EQ(rr.ranges[1].base, 2);
  const PerturbationDesign due{
      .max_change = 5, .steps = 1, .variance_milli = 2001, .gap = 2, .stay_milli = 100, .monotone = true};
  EXPECT_EQ(std::get<CellKeyCountMethod>(read->rules.methods.at("noise")).design, due);
  const auto& wages = std::get<CellKeyAmountMethod>(read->rules.methods.at("wages"));
  EXPECT_EQ(wages.design.steps, 4);
  EXPECT_EQ(wages.share_milli, (std::vector<std::int32_t>{1000, 500}));
  EXPECT_EQ(wages.width.small_milli, 200);
  EXPECT_EQ(wages.width.flex_point, 10'000);
  EXPECT_EQ(wages.width.large_milli, 50);
  EXPECT_EQ(wages.width.flex_power, 3);
  EXPECT_EQ(wages.sensitive_extra_milli, 300);
}

TEST(RuleSetDocument, RefusesMethodsThatAreMalformedOrOutOfRange) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string changed = kMethods;
    changed.replace(changed.find(from), from.size(), to);
    return ParseRuleSet(changed);
  };
  EXPECT_THAT(with("fives:", "suppression:"), StatusIs(kInvalid, "methods: names"));
  EXPECT_THAT(with("fives:", "Fives:"), StatusIs(kInvalid, "methods: names"));
  EXPECT_THAT(with("{controlled_rounding: {base: 5, max_steps: 2}}", "{}"),
              StatusIs(kInvalid, "methods.fives: name one of"));
  EXPECT_THAT(with("base: 5, max_steps: 2", "base: 1"), StatusIs(kInvalid, "methods.fives: base"));
  EXPECT_THAT(with("max_steps: 2", "max_steps: 9"), StatusIs(kInvalid, "max_steps"));
  EXPECT_THAT(with("base: 5", "base: 1125899906842625"), StatusIs(kInvalid, "2^50"));
  EXPECT_THAT(with("from: 19", "from: 0"), StatusIs(kInvalid, "methods.rr: ranges.from"));
  EXPECT_THAT(with("variance_milli: 2001", "variance_milli: 99999"), StatusIs(kInvalid, "methods.noise"));
  EXPECT_THAT(with("share_milli: [1000, 500]", "share_milli: [1000, 1500]"), StatusIs(kInvalid, "methods.wages"));
  EXPECT_THAT(with("flex_point: 10000, ", ""), StatusIs(kInvalid, "flex_point"));
  EXPECT_THAT(with("gap: 2", "gap: 2, offset: 1"), StatusIs(kInvalid, "offset"));
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
  EXPECT_GE(presets, 17);
}

}  // namespace
}  // namespace sluis::disclosure
