#include "linker/encode/record_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "common/status/matchers.h"
#include "linker/encode/hardening.h"
#include "linker/encode/tokens.h"
#include "tests/linker/encode/naive_encoder.h"

namespace sluis::linker {
namespace {

using common::SecretBytes;
using common::testing::StatusIs;
using testing::NaiveFeature;
using Record = std::vector<std::string_view>;

SecretBytes Key(char fill) { return SecretBytes::CopyOf(common::AsBytes(std::string(32, fill))); }

EncodingPlan Plan() {
  const FieldDescription fields[] = {{"given_name", FeatureKind::kName}, {"surname", FeatureKind::kName},
                                     {"born", FeatureKind::kDate},       {"postcode", FeatureKind::kDigits},
                                     {"income", FeatureKind::kNumber},   {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

EncodingPlan Unhardened(EncodingPlan plan) {
  plan.hardening = {.folds = 0, .flip = 0};
  return plan;
}

const Record kRecord = {"Anna", "van den Berg", "1980-02-13", "1234 AB", "25300", "f"};
const Record kOther = {"Pieter", "Jansen", "1957-11-30", "9711XX", "1200", "m"};

class Fixture {
 public:
  Fixture() : seeds_(*TokenSeeds::FromKey(Key('t'))), noise_(Key('n')) {}
  RecordEncoder Encoder(const EncodingPlan& plan) { return *RecordEncoder::Make(plan, seeds_, {.noise_key = &noise_}); }
  Encoding Encode(const EncodingPlan& plan, const Record& record) {
    Encoding out;
    SLUIS_EXPECT_OK(Encoder(plan).Encode(record, out));
    return out;
  }
  const TokenSeeds& seeds() const { return seeds_; }
  const SecretBytes& noise() const { return noise_; }

 private:
  TokenSeeds seeds_;
  SecretBytes noise_;
};

unsigned Ones(std::span<const std::uint64_t> words) {
  unsigned ones = 0;
  for (const std::uint64_t word : words) ones += static_cast<unsigned>(std::popcount(word));
  return ones;
}

double Agreement(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  unsigned differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing += static_cast<unsigned>(std::popcount(a[i] ^ b[i]));
  return 1 - static_cast<double>(differing) / (64.0 * static_cast<double>(a.size()));
}

double Dice(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  unsigned common = 0;
  for (std::size_t i = 0; i < a.size(); ++i) common += static_cast<unsigned>(std::popcount(a[i] & b[i]));
  return 2.0 * common / (Ones(a) + Ones(b));
}

TEST(RecordEncoder, SetsTheBitsOfTheDocumentedRule) {
  Fixture fixture;
  EncodingPlan plan = Unhardened(Plan());
  const Record records[] = {kRecord, kOther, {"", "de Vries", "", "1", "", "x"}};
  for (const std::uint32_t bits : {1024u, 960u}) {
    plan.bits = bits;
    for (const bool salted : {false, true}) {
      plan.hardening.salt_feature = salted ? "sex" : "";
      RecordEncoder encoder = fixture.Encoder(plan);
      for (int round = 0; round < 2; ++round) {  // the second time from the cache
        for (const Record& record : records) {
          Encoding out;
          SLUIS_ASSERT_OK(encoder.Encode(record, out));
          std::set<std::uint32_t> expected;
          for (std::size_t i = 0; i < record.size(); ++i) {
            if (!record[i].empty()) {
              expected.merge(NaiveFeature(plan, fixture.seeds(), i, record[i], salted ? record[5] : ""));
            }
          }
          for (std::uint32_t bit = 0; bit < bits; ++bit) {
            ASSERT_EQ(out.words[bit / 64] >> (bit % 64) & 1, expected.count(bit)) << bit;
          }
        }
      }
    }
  }
}

TEST(RecordEncoder, SetsFewerBitsThanTokensIfTheShareIsSmall) {
  Fixture fixture;
  EncodingPlan plan = Unhardened(Plan());
  plan.insertions = 12;  // about two a feature
  const Encoding out = fixture.Encode(plan, kRecord);
  EXPECT_GE(Ones(out.words), 10u);
  EXPECT_LE(Ones(out.words), 12u);
}

TEST(RecordEncoder, HardensInTheDocumentedOrder) {
  Fixture fixture;
  EncodingPlan plan = Plan();
  plan.hardening = {.folds = 1, .flip = 0.02, .diffusion = 3, .balanced = true};
  std::vector<std::uint64_t> raw(32);
  for (std::size_t i = 0; i < kRecord.size(); ++i) {
    for (const std::uint32_t bit : NaiveFeature(plan, fixture.seeds(), i, kRecord[i], "")) {
      raw[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
  }
  const auto seed = NoiseSeed(common::HmacSha256(fixture.noise()), plan.Digest(), raw);
  const auto layout = common::Sha256(std::string(common::AsChars(*fixture.seeds().Seed(LayoutInput()))) +
                                     std::string(common::AsChars(plan.Digest())));
  std::vector<std::uint64_t> diffused(16), balanced(32);
  Diffuse(XorFold(raw, 1), DiffusionPositions(layout, 1024, 3), 3, diffused);
  NoiseStream noise(seed);
  FlipBits(diffused, FlipThreshold(0.02), noise);
  Balance(diffused, KeyedPermutation(layout, 2048), balanced);
  const Encoding out = fixture.Encode(plan, kRecord);
  EXPECT_EQ(out.words, balanced);
  EXPECT_EQ(Ones(out.words), 1024u);
}

TEST(RecordEncoder, IsDeterministicAndCachesDoNotMatter) {
  Fixture fixture;
  for (const Hashing hashing : {Hashing::kRandom, Hashing::kTabulationMinHash}) {
    EncodingPlan plan = Plan();
    plan.hashing = hashing;
    if (hashing == Hashing::kTabulationMinHash) plan.hardening.folds = 0;
    RecordEncoder big = fixture.Encoder(plan);
    auto small = RecordEncoder::Make(plan, fixture.seeds(), {.noise_key = &fixture.noise(), .max_cached_tokens = 3});
    SLUIS_ASSERT_OK(small);
    for (int round = 0; round < 3; ++round) {
      for (const Record& record : {kRecord, kOther}) {
        Encoding a, b;
        SLUIS_ASSERT_OK(big.Encode(record, a));
        SLUIS_ASSERT_OK(small->Encode(record, b));
        EXPECT_EQ(a.words, b.words);
        EXPECT_EQ(a.words, fixture.Encode(plan, record).words);
      }
    }
  }
}

TEST(RecordEncoder, MissingFeaturesSetNothing) {
  Fixture fixture;
  for (const Hashing hashing : {Hashing::kRandom, Hashing::kTabulationMinHash}) {
    EncodingPlan plan = Unhardened(Plan());
    plan.hashing = hashing;
    Record record = kRecord;
    record[1] = "  ";
    record[4] = "";
    const Encoding out = fixture.Encode(plan, record);
    EXPECT_EQ(out.present, 0b101101u);
    EXPECT_FALSE(out.HasFeature(1));
    EXPECT_TRUE(out.HasFeature(2));
    if (hashing == Hashing::kRandom) {
      const auto shares = plan.FeatureBits();
      EXPECT_LE(Ones(out.words), 400 - shares[1] - shares[4]);
    }
  }
}

TEST(RecordEncoder, ARecordOfNothingIsAllZeroDespiteHardening) {
  Fixture fixture;
  EncodingPlan plan = Plan();
  plan.hardening.balanced = true;
  const Encoding out = fixture.Encode(plan, Record(6));
  EXPECT_EQ(out.present, 0u);
  EXPECT_EQ(Ones(out.words), 0u);
  plan.hardening.salt_feature = "sex";
  Record unsalted = kRecord;
  unsalted[5] = "";
  const Encoding without_salt = fixture.Encode(plan, unsalted);
  EXPECT_EQ(without_salt.present, 0u);
  EXPECT_EQ(Ones(without_salt.words), 0u);
}

TEST(RecordEncoder, FieldLevelGivesOneRowPerFeature) {
  Fixture fixture;
  EncodingPlan plan = Plan();
  plan.profile = EncodingProfile::kFieldLevel;
  plan.insertions = 200;
  Record record = kRecord;
  record[4] = "";
  const Encoding out = fixture.Encode(plan, record);
  EXPECT_EQ(out.words_per_row, 16u);
  ASSERT_EQ(out.words.size(), 6u * 16u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(out.HasFeature(i), i != 4);
    EXPECT_EQ(Ones(out.Row(i)) != 0, i != 4) << i;
  }
  // But for the noise a row depends on its own feature alone.
  record = kOther;
  record[1] = kRecord[1];
  EXPECT_FALSE(std::ranges::equal(out.Row(1), fixture.Encode(plan, record).Row(1)));
  plan.hardening.flip = 0;
  const Encoding other = fixture.Encode(plan, record);
  const Encoding noiseless = fixture.Encode(plan, kRecord);
  EXPECT_TRUE(std::ranges::equal(noiseless.Row(1), other.Row(1)));
  EXPECT_FALSE(std::ranges::equal(noiseless.Row(0), other.Row(0)));
}

TEST(RecordEncoder, SimilarRecordsAreSimilar) {
  Fixture fixture;
  Record slip = kRecord;
  slip[0] = "Ana";
  slip[2] = "1980-02-14";
  for (const Hashing hashing : {Hashing::kRandom, Hashing::kTabulationMinHash}) {
    EncodingPlan plan = Plan();
    plan.hashing = hashing;
    if (hashing == Hashing::kTabulationMinHash) plan.hardening.folds = 0;
    const Encoding a = fixture.Encode(plan, kRecord), b = fixture.Encode(plan, slip), c = fixture.Encode(plan, kOther);
    EXPECT_GT(Dice(a.words, b.words), 0.7);
    EXPECT_LT(Dice(a.words, c.words), hashing == Hashing::kRandom ? 0.45 : 0.65);
  }
}

// The bits of a min-hash agree with probability (1 + J) / 2 where J is the probability that two exponential races have
// the same winner: the sum over common tokens i of 1 / sum over all tokens j of max(u_j / u_i, v_j / v_i), with u and v
// the rates on either side. 4,096 bits: standard deviation at most 0.0078.
TEST(RecordEncoder, MinHashAgreesAsOftenAsTheRacesHaveOneWinner) {
  Fixture fixture;
  EncodingPlan plan = Plan();
  plan.hashing = Hashing::kTabulationMinHash;
  plan.bits = 4096;
  plan.hardening = {.folds = 0, .flip = 0};
  Record slip = kRecord;
  slip[0] = "Anne";
  slip[1] = "Bergh";
  slip[3] = "1243AB";
  slip[4] = "";
  std::map<std::pair<std::size_t, std::string>, std::pair<double, double>> rates;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto first = *Tokenise(plan.features[i].kind, kRecord[i]), second = *Tokenise(plan.features[i].kind, slip[i]);
    const double weight = plan.features[i].weight;
    for (const auto& token : first) rates[{i, token}].first = weight / static_cast<double>(first.size());
    for (const auto& token : second) rates[{i, token}].second = weight / static_cast<double>(second.size());
  }
  double expected = 0;
  for (const auto& [token, rate] : rates) {
    if (rate.first == 0 || rate.second == 0) continue;
    double sum = 0;
    for (const auto& [other, its] : rates) sum += std::max(its.first / rate.first, its.second / rate.second);
    expected += 1 / sum;
  }
  ASSERT_GT(expected, 0.2);
  ASSERT_LT(expected, 0.9);
  const Encoding a = fixture.Encode(plan, kRecord), b = fixture.Encode(plan, slip);
  EXPECT_NEAR(Agreement(a.words, b.words), (1 + expected) / 2, 5 * 0.0078);
  EXPECT_NEAR(Ones(a.words) / 4096.0, 0.5, 5 * 0.0078);
}

TEST(RecordEncoder, PlansAndSeedsGiveUnrelatedEncodings) {
  Fixture fixture;
  const EncodingPlan plan = Unhardened(Plan());
  EncodingPlan relabelled = plan;
  relabelled.label = "second pass";
  const auto other_seeds = *TokenSeeds::FromKey(Key('u'));
  Encoding other;
  SLUIS_ASSERT_OK(RecordEncoder::Make(plan, other_seeds, {})->Encode(kRecord, other));
  const Encoding a = fixture.Encode(plan, kRecord);
  // 400 of 1,024 bits at random: a Dice of 0.39, standard deviation 0.02.
  EXPECT_LT(Dice(a.words, fixture.Encode(relabelled, kRecord).words), 0.48);
  EXPECT_LT(Dice(a.words, other.words), 0.48);
}

TEST(RecordEncoder, ReadsDatesInTheExtractsOrder) {
  Fixture fixture;
  const EncodingPlan plan = Plan();
  std::vector<DateOrder> orders(6, DateOrder::kDayFirst);
  auto encoder = RecordEncoder::Make(plan, fixture.seeds(), {.noise_key = &fixture.noise(), .date_orders = orders});
  SLUIS_ASSERT_OK(encoder);
  Record record = kRecord;
  record[2] = "13021980";
  Encoding out;
  SLUIS_ASSERT_OK(encoder->Encode(record, out));
  EXPECT_EQ(out.words, fixture.Encode(plan, kRecord).words);
}

TEST(RecordEncoder, EncodesFromEvaluationsOfCollectedTokens) {
  EncodingPlan plan = Plan();
  plan.hardening = {.folds = 1, .flip = 0, .salt_feature = "sex", .diffusion = 2, .balanced = true};
  auto collect = CollectTokens::Make(plan);
  SLUIS_ASSERT_OK(collect);
  SLUIS_ASSERT_OK(collect->Add(kRecord));
  const std::vector<std::string> inputs = collect->Inputs();
  std::string elements;
  for (const std::string& input : inputs) elements += common::AsChars(common::Sha256("key" + input));
  const auto seeds = TokenSeeds::FromEvaluations(inputs, elements);
  SLUIS_ASSERT_OK(seeds);
  auto encoder = RecordEncoder::Make(plan, *seeds, {});
  SLUIS_ASSERT_OK(encoder);
  Encoding out;
  SLUIS_EXPECT_OK(encoder->Encode(kRecord, out));
  EXPECT_EQ(out.present, 0b111111u);
  EXPECT_THAT(encoder->Encode(kOther, out),
              StatusIs(absl::StatusCode::kFailedPrecondition, "feature given_name: a token has not been evaluated"));
}

TEST(RecordEncoder, RefusesWhatItCannotEncode) {
  Fixture fixture;
  const EncodingPlan plan = Plan();
  EncodingPlan bad = plan;
  bad.features.resize(2);
  EXPECT_THAT(RecordEncoder::Make(bad, fixture.seeds(), {.noise_key = &fixture.noise()}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "at least 4 features"));
  EXPECT_THAT(RecordEncoder::Make(plan, fixture.seeds(), {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "noise key"));
  const SecretBytes short_key(15);
  EXPECT_THAT(RecordEncoder::Make(plan, fixture.seeds(), {.noise_key = &short_key}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "noise key"));
  EXPECT_THAT(
      RecordEncoder::Make(plan, fixture.seeds(), {.noise_key = &fixture.noise(), .date_orders = {DateOrder::kDayFirst}})
          .status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "1 date orders for 6 features"));
  RecordEncoder encoder = fixture.Encoder(plan);
  Encoding out;
  EXPECT_THAT(encoder.Encode(Record(5), out), StatusIs(absl::StatusCode::kInvalidArgument, "5 values for 6 features"));
  Record malformed = kRecord;
  malformed[1] = "J\xfcrgen";
  EXPECT_THAT(encoder.Encode(malformed, out), StatusIs(absl::StatusCode::kInvalidArgument, "feature surname"));
}

}  // namespace
}  // namespace sluis::linker
