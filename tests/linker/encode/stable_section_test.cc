#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <numeric>
#include <set>
#include <string>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "linker/encode/hardening.h"
#include "linker/encode/record_encoder.h"
#include "tests/linker/encode/naive_encoder.h"

// The second section of a record-level encoding, to which only the features contribute that a person keeps when moving.

namespace sluis::linker {
namespace {

using common::SecretBytes;
using common::testing::StatusIs;
using testing::NaiveRaw;
using testing::Section;
using Record = std::vector<std::string_view>;
using Words = std::vector<std::uint64_t>;

SecretBytes Key(char fill) { return SecretBytes::CopyOf(common::AsBytes(std::string(32, fill))); }

EncodingPlan Plan() {
  const FieldDescription fields[] = {{"given_name", FeatureKind::kName}, {"surname", FeatureKind::kName},
                                     {"street", FeatureKind::kText},     {"postcode", FeatureKind::kDigits},
                                     {"born", FeatureKind::kDate},       {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

EncodingPlan Noiseless() {
  EncodingPlan plan = Plan();
  plan.hardening.flip = 0;
  return plan;
}

const Record kRecord = {"Anna", "van den Berg", "Dorpsstraat 7", "1234 AB", "1980-02-13", "f"};
const Record kMoved = {"Anna", "van den Berg", "Lange Laan 112", "9711XX", "1980-02-13", "f"};
const Record kBrother = {"Pieter", "van den Berg", "Dorpsstraat 7", "1234 AB", "1957-11-30", "m"};

class Fixture {
 public:
  Words Encode(const EncodingPlan& plan, const Record& record) {
    auto encoder = RecordEncoder::Make(plan, seeds_, {.noise_key = &noise_});
    Encoding out;
    SLUIS_EXPECT_OK(encoder.status());
    SLUIS_EXPECT_OK(encoder->Encode(record, out));
    return out.words;
  }
  const TokenSeeds& seeds() const { return seeds_; }
  const SecretBytes& noise() const { return noise_; }

 private:
  TokenSeeds seeds_ = *TokenSeeds::FromKey(Key('t'));
  SecretBytes noise_ = Key('n');
};

Words FirstOf(const Words& words) { return {words.begin(), words.begin() + 16}; }
Words StableOf(const Words& words) { return {words.begin() + 16, words.end()}; }

int Ones(const Words& words) {
  return std::accumulate(words.begin(), words.end(), 0,
                         [](int sum, std::uint64_t word) { return sum + std::popcount(word); });
}

int Differing(const Words& a, const Words& b) {
  int differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing += std::popcount(a[i] ^ b[i]);
  return differing;
}

double Dice(const Words& a, const Words& b) {
  int common = 0;
  for (std::size_t i = 0; i < a.size(); ++i) common += std::popcount(a[i] & b[i]);
  return 2.0 * common / (Ones(a) + Ones(b));
}

TEST(StableSection, IsThereByDefaultForAddressesOfTwoFields) {
  const EncodingPlan plan = Plan();
  SLUIS_ASSERT_OK(plan.Validate());
  EXPECT_EQ(plan.stable_bits, 512u);
  EXPECT_EQ(plan.EncodedBits(), 1536u);
  EXPECT_EQ(plan.StableRawBits(), 1024u);
  std::vector<bool> stable;
  for (const Feature& feature : plan.features) stable.push_back(feature.stable);
  EXPECT_EQ(stable, (std::vector<bool>{true, true, false, false, true, true}));
  EXPECT_EQ(Fixture().Encode(plan, kRecord).size(), 24u);
}

TEST(StableSection, ValidateNamesTheSettingAndItsLimit) {
  constexpr const char* kRefused = "random hashing, without diffusion or balancing";
  const struct {
    const char* fragment;
    std::function<void(EncodingPlan&)> change;
  } faults[] = {
      {"stable_bits must be a multiple of 64", [](auto& p) { p.stable_bits = 500; }},
      {"with `bits` at most 4096", [](auto& p) { p.stable_bits = 3136; }},
      {kRefused, [](auto& p) { p.profile = EncodingProfile::kFieldLevel; }},
      {kRefused, [](auto& p) { p.hashing = Hashing::kTabulationMinHash, p.hardening.folds = 0; }},
      {kRefused, [](auto& p) { p.hardening.diffusion = 2; }},
      {kRefused, [](auto& p) { p.hardening.balanced = true; }},
      {"at least 3 stable features, has 2", [](auto& p) { p.features[0].stable = p.features[1].stable = false; }},
      {"stable_insertions must be 4 to 512", [](auto& p) { p.stable_insertions = 3; }},
      {"stable_insertions must be 4 to 512", [](auto& p) { p.stable_insertions = 513; }},
      {"stable_insertions must be 0 to 512",
       [](auto& p) {
         p.allow_few_features = true;
         for (Feature& feature : p.features) feature.stable = false;
       }},
  };
  for (const auto& fault : faults) {
    EncodingPlan plan = Plan();
    fault.change(plan);
    EXPECT_THAT(plan.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, fault.fragment)) << fault.fragment;
  }
  EncodingPlan few = Plan();
  few.features[0].stable = few.features[1].stable = false;
  few.allow_few_features = true;
  SLUIS_EXPECT_OK(few.Validate());
}

TEST(StableSection, IsInTheCanonicalTextIfThereIsOne) {
  const std::function<void(EncodingPlan&)> changes[] = {
      [](auto&) {},
      [](auto& p) { p.stable_bits = 0; },
      [](auto& p) { p.stable_bits = 448; },
      [](auto& p) { p.stable_insertions = 201; },
      [](auto& p) { p.features[2].stable = true; },
      [](auto& p) { p.features[5].stable = false; },
      // A name that ends as the mark does.
      [](auto& p) { p.features[5].stable = false, p.features[5].name = "sex stable"; },
  };
  std::set<std::string> texts;
  for (const auto& change : changes) {
    EncodingPlan plan = Plan();
    change(plan);
    SLUIS_ASSERT_OK(plan.Validate());
    EXPECT_TRUE(texts.insert(plan.Canonical()).second) << plan.Canonical();
  }
  EXPECT_NE(Plan().Canonical().find("feature 4:born date 1200 stable\nfeature 3:sex category 250 stable\n"),
            std::string::npos);
  EXPECT_NE(Plan().Canonical().find("\nstable-bits 512\nstable-insertions 200\n"), std::string::npos);
  // Without the section its settings say nothing, so plans that encode alike have one text.
  EncodingPlan none = Plan(), unmarked = Plan();
  none.stable_bits = unmarked.stable_bits = 0;
  unmarked.stable_insertions = 7;
  for (Feature& feature : unmarked.features) feature.stable = false;
  EXPECT_EQ(none.Canonical(), unmarked.Canonical());
  EXPECT_EQ(none.Canonical().find("stable"), std::string::npos);
}

TEST(StableSection, FeatureBitsAddUpOverTheStableFeatures) {
  EncodingPlan plan = Plan();
  for (std::uint32_t insertions = 4; insertions <= 512; insertions += 3) {
    plan.stable_insertions = insertions;
    const auto bits = plan.StableFeatureBits();
    EXPECT_EQ(std::accumulate(bits.begin(), bits.end(), 0u), insertions);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const Feature& feature = plan.features[i];
      const double exact = feature.stable ? 1 + (insertions - 4) * feature.weight / 3.45 : 0;
      EXPECT_LT(std::abs(bits[i] - exact), feature.stable ? 1 : 1e-9) << insertions << " " << i;
    }
  }
  plan.stable_bits = 0;
  EXPECT_EQ(plan.StableFeatureBits(), std::vector<std::uint32_t>(6, 0));
}

TEST(StableSection, SetsTheBitsOfTheDocumentedRule) {
  Fixture fixture;
  EncodingPlan plan = Noiseless();
  plan.hardening.folds = 0;
  const std::string long_name(700, 'x');  // more tokens of one value than ranks are counted for
  const Record records[] = {
      kRecord, kBrother, {"", "de Vries", "Markt 1", "", "", "x"}, {"Jo", long_name, "", "", "", ""}};
  // 256: more of a token than there is room for beside it.
  for (const std::uint32_t insertions : {4u, 200u, 256u}) {
    plan.stable_insertions = insertions;
    for (const Record& record : records) {
      const Words words = fixture.Encode(plan, record);
      EXPECT_EQ(FirstOf(words), NaiveRaw(plan, fixture.seeds(), record, Section::kFirst));
      EXPECT_EQ(StableOf(words), NaiveRaw(plan, fixture.seeds(), record, Section::kStable));
    }
  }
}

TEST(StableSection, IsFoldedAndFlippedAfterTheFirst) {
  Fixture fixture;
  const EncodingPlan plan = Plan();
  Words raw = NaiveRaw(plan, fixture.seeds(), kRecord, Section::kFirst);
  Words stable = NaiveRaw(plan, fixture.seeds(), kRecord, Section::kStable);
  Words all = raw;
  all.insert(all.end(), stable.begin(), stable.end());
  NoiseStream noise(NoiseSeed(common::HmacSha256(fixture.noise()), plan.Digest(), all));
  const auto first = XorFold(raw, 1), second = XorFold(stable, 1);
  FlipBits(first, FlipThreshold(0.02), noise);
  FlipBits(second, FlipThreshold(0.02), noise);
  const Words words = fixture.Encode(plan, kRecord);
  EXPECT_EQ(FirstOf(words), Words(first.begin(), first.end()));
  EXPECT_EQ(StableOf(words), Words(second.begin(), second.end()));
}

TEST(StableSection, DependsOnStableFeaturesOnly) {
  Fixture fixture;
  const Words here = fixture.Encode(Noiseless(), kRecord), moved = fixture.Encode(Noiseless(), kMoved);
  EXPECT_EQ(StableOf(here), StableOf(moved));
  EXPECT_NE(FirstOf(here), FirstOf(moved));
  for (const std::size_t feature : {0, 1, 4, 5}) {
    Record other = kRecord;
    other[feature] = kBrother[feature] == kRecord[feature] ? "Jansen" : kBrother[feature];
    EXPECT_NE(StableOf(fixture.Encode(Noiseless(), other)), StableOf(here)) << feature;
  }
  Record addressless = kRecord, only_address(6);
  addressless[2] = addressless[3] = "";
  only_address[2] = kRecord[2];
  EXPECT_EQ(StableOf(fixture.Encode(Noiseless(), addressless)), StableOf(here));
  EXPECT_EQ(Ones(StableOf(fixture.Encode(Noiseless(), only_address))), 0);
  EXPECT_NE(Ones(FirstOf(fixture.Encode(Noiseless(), only_address))), 0);
}

// Each of 512 bits differs with probability 2 * .02 * .98 between two records of equal stable values: mean 20.1,
// standard deviation 4.4. A relative at the old address differs in more.
TEST(StableSection, OfWhoMovedIsEqualUpToNoise) {
  Fixture fixture;
  const Words here = StableOf(fixture.Encode(Plan(), kRecord));
  const int moved = Differing(here, StableOf(fixture.Encode(Plan(), kMoved)));
  EXPECT_GT(moved, 0) << "both carry the same noise";
  EXPECT_LT(moved, 20.1 + 5 * 4.4);
  EXPECT_GT(Differing(here, StableOf(fixture.Encode(Plan(), kBrother))), 2 * 42);
}

// 175 of 512 bits at random: a Dice of .34, standard deviation .03.
TEST(StableSection, IsUnrelatedUnderAnotherPlanAndToTheFirst) {
  Fixture fixture;
  EncodingPlan other = Noiseless(), unfolded = Noiseless();
  other.label = "second pass";
  const Words here = fixture.Encode(Noiseless(), kRecord);
  EXPECT_LT(Dice(StableOf(here), StableOf(fixture.Encode(other, kRecord))), 0.5);
  // Two sections of one size and the same features.
  unfolded.stable_bits = unfolded.bits;
  unfolded.stable_insertions = unfolded.insertions;
  for (Feature& feature : unfolded.features) feature.stable = true;
  const Words both = fixture.Encode(unfolded, kRecord);
  EXPECT_LT(Dice(FirstOf(both), StableOf(both)), 0.5);
}

}  // namespace
}  // namespace sluis::linker
