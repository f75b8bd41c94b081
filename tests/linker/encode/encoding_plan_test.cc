#include "linker/encode/encoding_plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;

EncodingPlan PersonPlan() {
  const FieldDescription fields[] = {{"given_name", FeatureKind::kName},
                                     {"surname", FeatureKind::kName},
                                     {"birth_date", FeatureKind::kDate},
                                     {"postcode", FeatureKind::kDigits},
                                     {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

using Change = std::function<void(EncodingPlan&)>;
struct Fault {
  const char* fragment;
  Change change;
};

TEST(EncodingPlan, DefaultIsTheRecommendedProfile) {
  const EncodingPlan plan = PersonPlan();
  SLUIS_ASSERT_OK(plan.Validate());
  EXPECT_EQ(plan.profile, EncodingProfile::kRecordLevel);
  EXPECT_EQ(plan.hashing, Hashing::kRandom);
  EXPECT_EQ(plan.EncodedBits(), 1024u);
  EXPECT_EQ(plan.RawBits(), 2048u);
  EXPECT_EQ(plan.hardening, (Hardening{.folds = 1, .flip = 0.02}));
  std::vector<double> weights;
  for (const Feature& feature : plan.features) weights.push_back(feature.weight);
  EXPECT_EQ(weights, (std::vector<double>{1, 1, 1.2, 0.8, 0.25}));
}

TEST(EncodingPlan, ValidateNamesTheSettingAndItsLimit) {
  const Fault faults[] = {
      {"label must be 1 to 64", [](auto& p) { p.label = ""; }},
      {"label must be 1 to 64", [](auto& p) { p.label = "a\n"; }},
      {"label must be 1 to 64", [](auto& p) { p.label.assign(65, 'a'); }},
      {"bits must be a multiple of 64 from 64 to 4096", [](auto& p) { p.bits = 1000; }},
      {"bits must be a multiple of 64 from 64 to 4096", [](auto& p) { p.bits = 0; }},
      {"bits must be a multiple of 64 from 64 to 4096", [](auto& p) { p.bits = 8192; }},
      {"number of features must be 1 to 64", [](auto& p) { p.features.clear(); }},
      {"number of features must be 1 to 64", [](auto& p) { p.features.resize(65); }},
      {"at least 4 features, has 3: encodings of fewer fields repeat", [](auto& p) { p.features.resize(3); }},
      {"feature 1: name length must be 1 to 128", [](auto& p) { p.features[1].name = ""; }},
      {"feature given_name is named twice", [](auto& p) { p.features[1].name = "given_name"; }},
      {"feature surname: weight", [](auto& p) { p.features[1].weight = 0; }},
      {"feature surname: weight", [](auto& p) { p.features[1].weight = -1; }},
      {"feature surname: weight", [](auto& p) { p.features[1].weight = 0.0005; }},
      {"feature surname: weight", [](auto& p) { p.features[1].weight = std::numeric_limits<double>::quiet_NaN(); }},
      {"folds must be 0 to 4", [](auto& p) { p.hardening.folds = -1; }},
      {"folds must be 0 to 4", [](auto& p) { p.hardening.folds = 5; }},
      {"bits before folding exceed 16384", [](auto& p) { p.bits = 4096, p.hardening.folds = 3; }},
      {"flip must be a probability", [](auto& p) { p.hardening.flip = 0.51; }},
      {"flip must be a probability", [](auto& p) { p.hardening.flip = -0.01; }},
      {"flip must be a probability", [](auto& p) { p.hardening.flip = std::numeric_limits<double>::quiet_NaN(); }},
      {"diffusion must be 0 or 2 to 16", [](auto& p) { p.hardening.diffusion = 1; }},
      {"diffusion must be 0 or 2 to 16", [](auto& p) { p.hardening.diffusion = 17; }},
      {"balanced encodings", [](auto& p) { p.bits = 4096, p.hardening.balanced = true; }},
      {"min-hash takes neither", [](auto& p) { p.hashing = Hashing::kTabulationMinHash; }},
      {"salt feature", [](auto& p) { p.hardening.salt_feature = "sexe"; }},
      {"insertions must be 5 to 1024", [](auto& p) { p.insertions = 4; }},
      {"insertions must be 5 to 1024", [](auto& p) { p.insertions = 1025; }},
  };
  for (const Fault& fault : faults) {
    EncodingPlan plan = PersonPlan();
    fault.change(plan);
    EXPECT_THAT(plan.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, fault.fragment)) << fault.fragment;
  }
}

TEST(EncodingPlan, FewFeaturesNeedPermission) {
  EncodingPlan plan = PersonPlan();
  plan.features.resize(1);
  EXPECT_FALSE(plan.Validate().ok());
  plan.allow_few_features = true;
  EXPECT_THAT(plan.Validate(), IsOk());
  plan.allow_few_features = false;
  plan.profile = EncodingProfile::kFieldLevel;
  EXPECT_THAT(plan.Validate(), IsOk());
}

TEST(EncodingPlan, CanonicalDiffersForEachSetting) {
  const Change changes[] = {
      [](auto&) {},
      [](auto& p) { p.label = "other"; },
      [](auto& p) { p.profile = EncodingProfile::kFieldLevel; },
      [](auto& p) { p.bits = 512; },
      [](auto& p) { p.insertions = 401; },
      [](auto& p) { p.features.pop_back(); },
      [](auto& p) { p.features[0].name = "name"; },
      [](auto& p) { p.features[0].kind = FeatureKind::kText; },
      [](auto& p) { p.features[0].weight = 1.001; },
      [](auto& p) { std::swap(p.features[0], p.features[1]); },
      // Text that ends one line and begins the next.
      [](auto& p) { p.features[0].name = "given_name name 1000\nfeature 7:surname"; },
      [](auto& p) { p.hardening.folds = 0; },
      [](auto& p) { p.hardening.flip = 0.03; },
      [](auto& p) { p.hardening.flip = 0.02 + 1.0 / 4294967296; },
      [](auto& p) { p.hardening.salt_feature = "sex"; },
      [](auto& p) { p.hardening.diffusion = 3; },
      [](auto& p) { p.hardening.balanced = true; },
      [](auto& p) { p.allow_few_features = true; },
      [](auto& p) { p.hashing = Hashing::kTabulationMinHash, p.hardening.folds = 0; },
  };
  std::set<std::string> texts;
  std::set<common::Hash256> digests;
  for (const Change& change : changes) {
    EncodingPlan plan = PersonPlan();
    change(plan);
    SLUIS_ASSERT_OK(plan.Validate());
    EXPECT_TRUE(texts.insert(plan.Canonical()).second) << plan.Canonical();
    EXPECT_TRUE(digests.insert(plan.Digest()).second);
  }
}

TEST(EncodingPlan, CanonicalHasTheDocumentedText) {
  EncodingPlan plan = PersonPlan();
  plan.features.erase(plan.features.begin());
  EXPECT_EQ(plan.Canonical(),
            "sluis-encoding-plan-v1\nlabel 7:default\nprofile record-level\nhashing random\nbits 1024\n"
            "insertions 400\nfeatures 4\nfeature 7:surname name 1000\nfeature 10:birth_date date 1200\n"
            "feature 8:postcode digits 800\nfeature 3:sex category 250\nfolds 1\nflip 85899346\nsalt-feature 0:\n"
            "diffusion 0\nbalanced no\nallow-few-features no\n");
}

TEST(EncodingPlan, FeatureBitsAddUpAndFollowTheWeights) {
  EncodingPlan plan = PersonPlan();
  for (std::uint32_t insertions = 5; insertions <= 1024; insertions += 7) {
    plan.insertions = insertions;
    const auto bits = plan.FeatureBits();
    EXPECT_EQ(std::accumulate(bits.begin(), bits.end(), 0u), insertions);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const double exact = 1 + (insertions - 5) * plan.features[i].weight / 4.25;
      EXPECT_LT(std::abs(bits[i] - exact), 1) << insertions << " " << i;
    }
  }
  plan.profile = EncodingProfile::kFieldLevel;
  plan.insertions = 300;
  EXPECT_EQ(plan.FeatureBits(), std::vector<std::uint32_t>(5, 300));
}

}  // namespace
}  // namespace sluis::linker
