#include "linker/encode/permit_plan.h"

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

using common::SimilarityKind;
using common::testing::StatusIs;

common::Permit Permit() {
  common::Permit permit;
  permit.id = "integration";
  permit.version = 1;
  permit.similarity.emplace().features = {{"surname", SimilarityKind::kName, {}},
                                          {"birth_date", SimilarityKind::kDate, {}},
                                          {"sex", SimilarityKind::kCategory, 0.5},
                                          {"postcode", SimilarityKind::kDigits, {}}};
  return permit;
}

TEST(PlanOf, GivesTheDefaultPlanUnderTheProjectsName) {
  const auto plan = PlanOf(Permit());
  SLUIS_ASSERT_OK(plan);
  EncodingPlan expected = DefaultPlan(std::vector<FieldDescription>{{"surname", FeatureKind::kName},
                                                                    {"birth_date", FeatureKind::kDate},
                                                                    {"sex", FeatureKind::kCategory},
                                                                    {"postcode", FeatureKind::kDigits}});
  expected.label = "integration";
  expected.features[2].weight = 0.5;
  EXPECT_EQ(plan->Canonical(), expected.Canonical());
}

TEST(PlanOf, MapsEveryKindToTheOneOfItsName) {
  common::Permit permit = Permit();
  permit.similarity->features = {{"a", SimilarityKind::kName, {}},     {"b", SimilarityKind::kText, {}},
                                 {"c", SimilarityKind::kCategory, {}}, {"d", SimilarityKind::kDate, {}},
                                 {"e", SimilarityKind::kDigits, {}},   {"f", SimilarityKind::kNumber, {}}};
  const auto plan = PlanOf(permit);
  SLUIS_ASSERT_OK(plan);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(static_cast<std::size_t>(plan->features[i].kind), i);
  EXPECT_EQ(plan->features[0].kind, FeatureKind::kName);
  EXPECT_EQ(plan->features[5].kind, FeatureKind::kNumber);
}

// Encodings must survive a new version of the permit, and whatever else it changes.
TEST(PlanOf, DependsOnProjectAndSimilarityOnly) {
  common::Permit permit = Permit();
  const common::Hash256 digest = PlanOf(permit)->Digest();
  permit.version = 2;
  permit.sha256[0] = 1;
  permit.title = "another";
  permit.registers.emplace_back().name = "jobs";
  EXPECT_EQ(PlanOf(permit)->Digest(), digest);
  permit.id = "elsewhere";
  EXPECT_NE(PlanOf(permit)->Digest(), digest);
}

TEST(PlanOf, TakesEverySettingOver) {
  const common::Hash256 digest = PlanOf(Permit())->Digest();
  const auto changed = [](const auto& change) {
    common::Permit permit = Permit();
    change(*permit.similarity);
    const auto plan = PlanOf(permit);
    EXPECT_THAT(plan, common::testing::IsOk());
    return plan.ok() ? plan->Digest() : common::Hash256{};
  };
  EXPECT_NE(changed([](auto& s) { s.bits = 2048; }), digest);
  EXPECT_NE(changed([](auto& s) { s.insertions = 300; }), digest);
  EXPECT_NE(changed([](auto& s) { s.folds = 2; }), digest);
  EXPECT_NE(changed([](auto& s) { s.flip = 0.05; }), digest);
  EXPECT_NE(changed([](auto& s) { s.salt_feature = "birth_date"; }), digest);
  EXPECT_NE(changed([](auto& s) { s.diffusion = 3; }), digest);
  EXPECT_NE(changed([](auto& s) { s.balanced = true; }), digest);
  EXPECT_NE(changed([](auto& s) { s.min_hash = true; }), digest);
  EXPECT_NE(changed([](auto& s) { std::swap(s.features[0], s.features[1]); }), digest);
  EXPECT_NE(changed([](auto& s) { s.features[0].weight = 2; }), digest);
  EXPECT_NE(changed([](auto& s) { s.features[0].kind = SimilarityKind::kText; }), digest);
  EXPECT_NE(changed([](auto& s) { s.features[0].name = "family_name"; }), digest);
}

TEST(PlanOf, GivesFieldLevelItsOwnDefaults) {
  common::Permit permit = Permit();
  permit.similarity->field_level = true;
  const auto plan = PlanOf(permit);
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(plan->profile, EncodingProfile::kFieldLevel);
  EXPECT_EQ(plan->bits, 512u);
  EXPECT_EQ(plan->insertions, 120u);
  EXPECT_EQ(plan->hardening.folds, 0);
  EXPECT_EQ(plan->hardening.flip, 0);
  permit.similarity->flip = 0.02;
  EXPECT_EQ(PlanOf(permit)->hardening.flip, 0.02);
}

TEST(PlanOf, TakesWhatIsStableFromThePermitElseByName) {
  common::Permit permit = Permit();
  permit.similarity->features.push_back({"street", SimilarityKind::kText, {}, {}});
  const auto by_name = PlanOf(permit);
  SLUIS_ASSERT_OK(by_name);
  EXPECT_EQ(by_name->stable_bits, 512u);
  EXPECT_FALSE(by_name->features[3].stable);
  permit.similarity->features[3].stable = true;  // too little is left that is not
  EXPECT_EQ(PlanOf(permit)->stable_bits, 0u);
  permit.similarity->stable_bits = 256;
  permit.similarity->stable_insertions = 100;
  const auto given = PlanOf(permit);
  SLUIS_ASSERT_OK(given);
  EXPECT_TRUE(given->features[3].stable);
  EXPECT_EQ(given->stable_bits, 256u);
  EXPECT_EQ(given->stable_insertions, 100u);
  permit.similarity->stable_bits = 0;
  EXPECT_EQ(PlanOf(permit)->EncodedBits(), 1024u);
}

// A permit that says nothing of a stable section is not refused for having one.
TEST(PlanOf, HasNoStableSectionWhereItsSettingsAllowNone) {
  const auto stable_bits = [](const auto& change) {
    common::Permit permit = Permit();
    permit.similarity->features.push_back({"street", SimilarityKind::kText, {}, {}});
    change(*permit.similarity);
    const auto plan = PlanOf(permit);
    EXPECT_THAT(plan, common::testing::IsOk());
    return plan.ok() ? plan->stable_bits : 1;
  };
  EXPECT_EQ(stable_bits([](auto&) {}), 512u);
  EXPECT_EQ(stable_bits([](auto& s) { s.field_level = true; }), 0u);
  EXPECT_EQ(stable_bits([](auto& s) { s.min_hash = true; }), 0u);
  EXPECT_EQ(stable_bits([](auto& s) { s.diffusion = 3; }), 0u);
  EXPECT_EQ(stable_bits([](auto& s) { s.balanced = true; }), 0u);
  EXPECT_EQ(stable_bits([](auto& s) { s.bits = 4096; }), 0u);
  EXPECT_EQ(stable_bits([](auto& s) { s.folds = 4; }), 512u);
}

TEST(PlanOf, RefusesWhatCannotBeEncodedNamingTheField) {
  common::Permit permit = Permit();
  permit.similarity.reset();
  EXPECT_EQ(common::ReasonOf(PlanOf(permit).status()), "NO_SIMILARITY");
  const auto refused = [](const auto& change) {
    common::Permit broken = Permit();
    change(*broken.similarity);
    const absl::Status status = PlanOf(broken).status();
    EXPECT_EQ(common::ReasonOf(status), "PERMIT_INVALID");
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "permit field similarity: "));
    return std::string(status.message());
  };
  EXPECT_NE(refused([](auto& s) { s.bits = 1000; }).find("bits must be a multiple of 64"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.folds = 4'000'000'000; }).find("folds must be 0 to 4"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.flip = 0.6; }).find("flip"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.diffusion = 4'000'000'000; }).find("diffusion"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.insertions = 3; }).find("insertions"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.features.pop_back(); }).find("at least 4 features"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.stable_bits = 100; }).find("stable_bits"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.diffusion = 3, s.stable_bits = 512; }).find("stable section"), std::string::npos);
  EXPECT_NE(refused([](auto& s) { s.features[0].weight = 0.0005; }).find("weight"), std::string::npos);
}

}  // namespace
}  // namespace sluis::linker
