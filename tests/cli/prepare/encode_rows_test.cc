#include "tests/cli/prepare/encode_rows_fixture.h"

namespace sluis::cli {
namespace {

TEST_F(EncodeRowsTest, TwoCustodiansEncodingsOfOnePersonAreAlikeAndOfStrangersNot) {
  const std::vector<Person> people = People(150, 1);
  std::vector<Person> with_slips = people;
  for (Person& p : with_slips) {
    p.surname.back() = 'x';
    p.given.clear();
  }
  const auto persons = Prepare(*population_, "persons", "p1", Rows("persons", people), holder_);
  SLUIS_ASSERT_OK(persons);
  const auto courses = Prepare(*education_, "courses", "c1", Rows("courses", with_slips), holder_);
  SLUIS_ASSERT_OK(courses);
  const auto left = Encodings(*population_, *persons), right = Encodings(*education_, *courses);
  ASSERT_EQ(left.size(), 150u);
  ASSERT_EQ(right.size(), 150u);
  double least_alike = 1, most_alike_strangers = 0;
  for (const auto& [amount, encoding] : left) {
    for (const auto& [other, other_encoding] : right) {
      const double dice = Dice(encoding, other_encoding);
      if (amount == other) {
        least_alike = std::min(least_alike, dice);
      } else {
        most_alike_strangers = std::max(most_alike_strangers, dice);
      }
    }
  }
  // Fixed people and plan; what varies with the random keys is the positions. Two encodings of about 320 and 390 of
  // 1,024 bits that share nothing have Dice 0.35, sd 0.02; strangers share tokens of dates, sex and some bigrams.
  EXPECT_GT(least_alike, most_alike_strangers);
  EXPECT_GT(least_alike, 0.6);
  EXPECT_LT(most_alike_strangers, 0.62);
}

TEST_F(EncodeRowsTest, OneCustodianGivesTheSameRecordTheSameEncodingInEveryDelivery) {
  const std::vector<testing::Row> rows = Rows("persons", People(40, 2));
  const auto first = Prepare(*population_, "persons", "p1", rows, holder_);
  SLUIS_ASSERT_OK(first);
  EXPECT_GT(first->tokens_evaluated, 300u);
  const std::uint64_t debited = holder_.debited;
  const auto second = Prepare(*population_, "persons", "p2", rows, holder_);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(holder_.debited, debited) << "a token was evaluated twice";
  EXPECT_EQ(second->tokens_evaluated, 0u);
  EXPECT_EQ(Encodings(*population_, *first), Encodings(*population_, *second));
  // Also under a new version of the permit; another custodian's noise is another.
  permit_.version = 2;
  permit_.sha256[0] = 9;
  const auto third = Prepare(*population_, "persons", "p3", rows, holder_);
  SLUIS_ASSERT_OK(third);
  EXPECT_EQ(Encodings(*population_, *first), Encodings(*population_, *third));
  const auto elsewhere = Prepare(*education_, "persons", "e1", rows, holder_);
  SLUIS_ASSERT_OK(elsewhere);
  EXPECT_NE(Encodings(*population_, *first), Encodings(*education_, *elsewhere));
}

// The same people under another token key: not more alike than two encodings that have nothing to do with each other.
TEST_F(EncodeRowsTest, EncodingsUnderAnotherTokenKeyAreUnrelated) {
  const std::vector<testing::Row> rows = Rows("persons", People(60, 3));
  const auto here = Prepare(*population_, "persons", "p1", rows, holder_);
  SLUIS_ASSERT_OK(here);
  const auto ours = Encodings(*population_, *here);
  KeyHolder other;
  for (const char* purpose : {"identifiers", "match-keys", "tokens"}) {
    permit_.oprf_public_keys[purpose] = other.key(purpose).public_key();
  }
  Custodian elsewhere(permit_, root_ + "/elsewhere");
  const auto there = Prepare(elsewhere, "persons", "p1", rows, other);
  SLUIS_ASSERT_OK(there);
  const auto theirs = Encodings(elsewhere, *there);
  double same = 0, strangers = 0;
  for (const auto& [amount, encoding] : ours) {
    for (const auto& [other_amount, other_encoding] : theirs) {
      (amount == other_amount ? same : strangers) += Dice(encoding, other_encoding);
    }
  }
  same /= 60;
  strangers /= 60 * 59;
  // Each Dice has sd about 0.02, so the mean of 60 has 0.003; ten of them are no accident.
  EXPECT_NEAR(same, strangers, 0.03);
  EXPECT_LT(same, 0.5);
}

TEST_F(EncodeRowsTest, EqualsWhatThePlanGivesUnderTheKeyItself) {
  const std::vector<Person> people = People(20, 4);
  const auto state = Prepare(*population_, "persons", "p1", Rows("persons", people), holder_);
  SLUIS_ASSERT_OK(state);
  // The slow way: k * H(input) without blinding, batches or cache.
  const linker::EncodingPlan plan = *linker::PlanOf(permit_);
  auto tokens = linker::CollectTokens::Make(plan);
  for (const testing::Row& row : Rows("persons", people)) {
    const std::vector<std::string_view> values(row.features.begin(), row.features.end());
    SLUIS_ASSERT_OK(tokens->Add(values));
  }
  std::string elements;
  for (const std::string& input : tokens->Inputs()) elements += PseudonymOf("tokens", input);
  const auto seeds = linker::TokenSeeds::FromEvaluations(tokens->Inputs(), elements);
  SLUIS_ASSERT_OK(seeds);
  const common::SecretBytes noise_key = NoiseKey(population_->local_key, permit_.id);
  auto encoder = linker::RecordEncoder::Make(plan, *seeds, {.noise_key = &noise_key});
  SLUIS_ASSERT_OK(encoder);
  const auto encodings = Encodings(*population_, *state);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const testing::Row row = Rows("persons", people)[i];
    const std::vector<std::string_view> values(row.features.begin(), row.features.end());
    linker::Encoding expected;
    SLUIS_ASSERT_OK(encoder->Encode(values, expected));
    EXPECT_EQ(encodings.at(testing::AmountBytes(i)), expected.words);
  }
}

TEST_F(EncodeRowsTest, ARecordWithoutAnyFeatureHasNoEncoding) {
  std::vector<testing::Row> rows = Rows("courses", People(3, 5));
  rows[1].features.assign(5, "");
  const auto state = Prepare(*education_, "courses", "c1", rows, holder_);
  SLUIS_ASSERT_OK(state);
  const auto encodings = Encodings(*education_, *state);
  EXPECT_EQ(encodings.at(testing::AmountBytes(1)), std::vector<std::uint64_t>(16));
  EXPECT_NE(encodings.at(testing::AmountBytes(2)), std::vector<std::uint64_t>(16));
}

// The linker takes chunks of 4 MiB at most: at field level 8,192 records with their encodings would be more.
TEST_F(EncodeRowsTest, ChunksOfWideEncodingsHoldFewerRecords) {
  permit_.similarity->field_level = true;
  permit_.similarity->bits = 4096;
  permit_.similarity->insertions = 100;
  const auto state = Prepare(*education_, "courses", "c1", Rows("courses", People(900, 8)), holder_, 32'768, 8'192);
  SLUIS_ASSERT_OK(state);
  const std::uint32_t record_bytes = state->header.encoding_bytes + state->header.row_bytes;
  EXPECT_EQ(state->header.encoding_bytes, 5u * 4096 / 8 + 8);
  EXPECT_EQ(state->header.chunk_records, (2u << 20) / record_bytes);
  EXPECT_EQ(state->header.chunk_sha256.size(), 2u);
  EXPECT_EQ(Encodings(*education_, *state).size(), 900u);
}

TEST_F(EncodeRowsTest, TokensAreEvaluatedForTokensOnly) {
  const auto state = Prepare(*population_, "persons", "p1", Rows("persons", People(30, 6)), holder_);
  SLUIS_ASSERT_OK(state);
  std::map<std::string, std::size_t> elements;
  for (const KeyHolder::Call& call : holder_.calls) elements[call.purpose] += call.blinded.size() / 32;
  EXPECT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements["identifiers"] + elements["match-keys"], state->evaluated);
  EXPECT_EQ(elements["tokens"], state->tokens_evaluated);
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.back().tokens, state->tokens_evaluated);
  EXPECT_EQ(progress_.back().tokens_evaluated, state->tokens_evaluated);
  EXPECT_EQ(progress_.back().evaluated, state->evaluated);
}

// A token's input cannot stand for an identifier, nor the reverse, whatever the values: the first bytes differ.
TEST_F(EncodeRowsTest, InputsOfTokensAndOfMatchKeysAreApart) {
  const auto key = linker::MatchKeyInput(permit_.match_keys[0], std::vector<std::string_view>{"sluis-token-v1"});
  SLUIS_ASSERT_OK(key);
  const std::string token = linker::TokenInput("bsn", "", "sluis-match-key-v1");
  EXPECT_NE((**key).substr(0, 8), token.substr(0, 8));
}

}  // namespace
}  // namespace sluis::cli
