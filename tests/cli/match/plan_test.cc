#include "cli/match/plan.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "common/status/matchers.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using linker::FeatureKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPersons = R"(
fields:
  - {name: nr, type: string, x-role: attribute}
  - {name: bsn, type: string, x-role: identifier, x-check: elfproef}
  - {name: surname, type: string, x-role: quasi}
  - {name: born, type: date, format: "%d-%m-%Y", x-role: quasi}
  - {name: sex, type: string, x-role: quasi, constraints: {enum: [M, F]}}
  - {name: house, type: integer, x-role: quasi}
  - {name: income, type: number, x-scale: 2, x-role: quasi}
  - {name: remark, type: string, x-role: ignore}
primaryKey: nr
)";

class Inputs {
 public:
  Inputs& Add(const std::string& yaml) {
    auto schema = common::Schema::Parse(yaml);
    EXPECT_THAT(schema, common::testing::IsOk());
    schemas_.push_back(*std::move(schema));
    inputs_.push_back({"in" + std::to_string(inputs_.size() + 1) + ".csv", &schemas_.back()});
    return *this;
  }
  absl::StatusOr<ResolvedPlan> Resolve(const std::string& document = "") const {
    return ResolvePlan(inputs_, document);
  }

 private:
  std::deque<common::Schema> schemas_;
  std::vector<InputSchema> inputs_;
};

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::vector<std::string> Names(const linker::MatchPlan& plan) {
  std::vector<std::string> names;
  for (const auto& feature : plan.encoding.features) names.push_back(feature.name);
  return names;
}

TEST(ResolvePlan, DerivesFeaturesAndPassesFromRolesAndTypes) {
  const auto resolved = Inputs().Add(kPersons).Resolve();
  SLUIS_ASSERT_OK(resolved);
  const linker::MatchPlan& plan = resolved->plan;
  EXPECT_THAT(Names(plan), ElementsAre("surname", "born", "sex", "house", "income"));
  std::vector<FeatureKind> kinds;
  for (const auto& feature : plan.encoding.features) kinds.push_back(feature.kind);
  EXPECT_THAT(kinds, ElementsAre(FeatureKind::kText, FeatureKind::kDate, FeatureKind::kCategory, FeatureKind::kDigits,
                                 FeatureKind::kNumber));
  EXPECT_EQ(plan.passes, (std::vector<linker::ExactPass>{{"bsn", linker::ExactNormaliser::kBsn}}));
  ASSERT_EQ(resolved->columns.size(), 1u);
  EXPECT_EQ(resolved->columns[0].record_id, 0u);
  EXPECT_THAT(resolved->columns[0].features, ElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(resolved->columns[0].passes, ElementsAre(1));
  EXPECT_EQ(resolved->columns[0].date_orders[1], linker::DateOrder::kDayFirst);
  EXPECT_THAT(resolved->warnings, ElementsAre());
}

TEST(ResolvePlan, MatchesFieldsByXFieldAndWarnsOfThoseThatOneSchemaLacks) {
  std::string other = Replace(kPersons, "{name: surname,", "{name: achternaam, x-field: surname,");
  other = Replace(other, "{name: income, type: number, x-scale: 2, x-role: quasi}",
                  "{name: city, type: string, x-role: quasi}");
  const auto resolved = Inputs().Add(kPersons).Add(other).Resolve();
  SLUIS_ASSERT_OK(resolved);
  EXPECT_THAT(Names(resolved->plan), ElementsAre("surname", "born", "sex", "house"));
  EXPECT_THAT(resolved->warnings, ElementsAre(HasSubstr("`income` is not used: the schema of in2.csv"),
                                              HasSubstr("`city` is not used: the schema of in1.csv")));
}

TEST(ResolvePlan, ComparesFieldsOfDifferentTypesAsText) {
  const auto resolved =
      Inputs().Add(kPersons).Add(Replace(kPersons, "house, type: integer", "house, type: string")).Resolve();
  SLUIS_ASSERT_OK(resolved);
  EXPECT_EQ(resolved->plan.encoding.features[3].kind, FeatureKind::kText);
  EXPECT_THAT(resolved->warnings, ElementsAre(HasSubstr("`house` has different types")));
}

TEST(ResolvePlan, RefusesSchemasWithoutAnyCommonField) {
  constexpr const char* kOther = R"(
fields:
  - {name: id, type: string, x-role: attribute}
  - {name: colour, type: string, x-role: quasi}
primaryKey: id
)";
  EXPECT_THAT(Inputs().Add(kPersons).Add(kOther).Resolve(),
              StatusIs(absl::StatusCode::kInvalidArgument, "no field in common"));
}

TEST(ResolvePlan, RefusesFewFeaturesUnlessThePlanAllowsThem) {
  constexpr const char* kFew = R"(
fields:
  - {name: id, type: string, x-role: attribute}
  - {name: surname, type: string, x-role: quasi}
  - {name: born, type: date, x-role: quasi}
primaryKey: id
)";
  EXPECT_THAT(Inputs().Add(kFew).Resolve(),
              StatusIs(absl::StatusCode::kInvalidArgument, "plan that says allow_few_features: true"));
  SLUIS_EXPECT_OK(Inputs().Add(kFew).Resolve("allow_few_features: true"));
  SLUIS_EXPECT_OK(Inputs().Add(kFew).Resolve("profile: FIELD_LEVEL"));
}

TEST(ResolvePlan, NeedsExactlyOnePrimaryKeyColumn) {
  EXPECT_THAT(Inputs().Add(Replace(kPersons, "primaryKey: nr", "")).Resolve(),
              StatusIs(absl::StatusCode::kInvalidArgument, "in1.csv names 0 primary key columns"));
  EXPECT_THAT(Inputs().Add(Replace(kPersons, "primaryKey: nr", "primaryKey: [nr, house]")).Resolve(),
              StatusIs(absl::StatusCode::kInvalidArgument, "in1.csv names 2 primary key columns"));
}

TEST(ResolvePlan, DoesNotEncodeTheRecordId) {
  const auto resolved =
      Inputs()
          .Add(Replace(kPersons, "nr, type: string, x-role: attribute", "nr, type: string, x-role: quasi"))
          .Resolve();
  SLUIS_ASSERT_OK(resolved);
  EXPECT_THAT(Names(resolved->plan), ElementsAre("surname", "born", "sex", "house", "income"));
}

TEST(ResolvePlan, TakesFromTheDocumentWhatItSays) {
  const auto resolved = Inputs().Add(kPersons).Resolve(R"(
features:
  - {name: surname, kind: NAME, weight: 1.5}
  - {name: born}
  - {name: sex}
  - {name: house}
bits: 512
insertions: 300
hardening: {folds: 2, flip: 0.05, salt_feature: sex}
passes: [{field: bsn, normaliser: TEXT}]
max_block: 50
memory_mebibytes: 128
repeats: [in1]
match_share: {low: 0.25}
review_min_pairs: 20
)");
  SLUIS_ASSERT_OK(resolved);
  const linker::MatchPlan& plan = resolved->plan;
  EXPECT_THAT(Names(plan), ElementsAre("surname", "born", "sex", "house"));
  EXPECT_EQ(plan.encoding.features[0].kind, FeatureKind::kName);
  EXPECT_EQ(plan.encoding.features[0].weight, 1.5);
  EXPECT_EQ(plan.encoding.features[1].kind, FeatureKind::kDate);
  EXPECT_EQ(plan.encoding.features[1].weight, 1.2);
  EXPECT_EQ(plan.encoding.bits, 512u);
  EXPECT_EQ(plan.encoding.insertions, 300u);
  EXPECT_EQ(plan.encoding.hardening, (linker::Hardening{.folds = 2, .flip = 0.05, .salt_feature = "sex"}));
  EXPECT_EQ(plan.passes[0].normaliser, linker::ExactNormaliser::kText);
  EXPECT_EQ(plan.max_block, 50u);
  EXPECT_EQ(plan.memory_bytes, 128u << 20);
  EXPECT_THAT(plan.repeats, ElementsAre("in1"));
  EXPECT_EQ(plan.match_share, (linker::ShareBounds{.low = 0.25}));
  EXPECT_EQ(plan.review_min_pairs, 20u);
}

TEST(ResolvePlan, RefusesWhatADocumentCannotSay) {
  const Inputs inputs = std::move(Inputs().Add(kPersons));
  const auto invalid = [&](const std::string& document, const std::string& fragment) {
    EXPECT_THAT(inputs.Resolve(document), StatusIs(absl::StatusCode::kInvalidArgument, fragment)) << document;
  };
  invalid("threshold: 0.8", "threshold");
  invalid("features: [{name: nose}]", "names the field `nose`, but the schema of in1.csv");
  invalid("features: [{name: remark}]", "names the field `remark`");
  invalid("profile: SOMETHING", "profile");
  invalid("bits: 100", "bits");
  invalid("memory_mebibytes: 1", "memory_mebibytes");
  invalid("{no_passes: true, passes: [{field: bsn}]}", "leave one out");
  invalid("passes: [{field: bsn}, {field: bsn}]", "two passes on the field `bsn`");
  invalid("passes: [{field: remark}]", "names the field `remark`");
}

constexpr char kStable[] =
    "{features: [{name: surname}, {name: born}, {name: sex}, {name: house, stable: false}, {name: income, stable: "
    "false}], stable_bits: 256, stable_insertions: 90}";
constexpr char kStableOff[] = "{features: [{name: surname, stable: false}, {name: born}, {name: sex}, {name: house}]}";

TEST(ResolvePlan, TakesWhatIsStableFromTheDocumentElseByName) {
  const Inputs inputs = std::move(Inputs().Add(kPersons));
  const auto encoding = [&](const std::string& document) {
    const auto resolved = inputs.Resolve(document);
    EXPECT_THAT(resolved, common::testing::IsOk()) << document;
    return resolved.ok() ? resolved->plan.encoding : linker::EncodingPlan();
  };
  EXPECT_FALSE(encoding("").features[3].stable);
  EXPECT_EQ(encoding("").stable_bits, 0u);  // a house number alone is too little of an address
  EXPECT_EQ(encoding(kStable).stable_bits, 256u);
  EXPECT_EQ(encoding(kStable).stable_insertions, 90u);
  EXPECT_FALSE(encoding(kStable).features[4].stable);
  EXPECT_EQ(encoding(kStableOff).stable_bits, 0u);  // two stable features are too few, and no error
  const std::string moved =
      "features: [{name: surname}, {name: born}, {name: sex}, {name: house}, {name: income, stable: false}]\n";
  EXPECT_EQ(encoding(moved).stable_bits, 512u);
  for (const char* without : {"stable_bits: 0", "profile: FIELD_LEVEL", "hashing: TABULATION_MIN_HASH", "bits: 4096",
                              "hardening: {diffusion: 2}", "hardening: {balanced: true}"}) {
    EXPECT_EQ(encoding(moved + without).stable_bits, 0u) << without;
  }
  EXPECT_THAT(inputs.Resolve(moved + "stable_bits: 512\nhardening: {balanced: true}"),
              StatusIs(absl::StatusCode::kInvalidArgument, "stable section"));
}

TEST(ResolvePlan, RefusesMoreFieldsThanCanBeComparedBeforeAnythingIsRead) {
  std::string schema = "fields:\n  - {name: id, type: string, x-role: attribute}\n";
  for (int i = 0; i < 22; ++i) schema += "  - {name: f" + std::to_string(i) + ", type: string, x-role: quasi}\n";
  schema += "primaryKey: id\n";
  SLUIS_EXPECT_OK(Inputs().Add(schema).Resolve());
  EXPECT_THAT(Inputs().Add(schema).Resolve("profile: FIELD_LEVEL"),
              StatusIs(absl::StatusCode::kInvalidArgument, "at field level at most 21"));
}

TEST(PlanDocument, ReadsBackToTheSamePlan) {
  const Inputs inputs = std::move(Inputs().Add(kPersons));
  for (const std::string document : {"", kStable, kStableOff, "{bits: 4096, hardening: {folds: 2}}", "no_passes: true",
                                     "{profile: FIELD_LEVEL, insertions: 200, label: other}",
                                     "{hashing: TABULATION_MIN_HASH, bits: 2048, hardening: {balanced: true, flip: 0}}",
                                     "{hardening: {folds: 0, flip: 0.0123456789, salt_feature: sex, diffusion: 3}}",
                                     "{repeats: [in1, b], match_share: {low: 0.1, high: 0.5}, review_min_pairs: 7}"}) {
    const auto first = inputs.Resolve(document);
    SLUIS_ASSERT_OK(first);
    const std::string text = PlanDocument(first->plan);
    const auto second = inputs.Resolve(text);
    SLUIS_ASSERT_OK(second) << text;
    EXPECT_EQ(second->plan.encoding.Canonical(), first->plan.encoding.Canonical()) << text;
    EXPECT_EQ(second->plan.passes, first->plan.passes);
    EXPECT_EQ(PlanDocument(second->plan), text);
  }
}

}  // namespace
}  // namespace sluis::cli
